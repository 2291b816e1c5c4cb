//! Contexts that run on stacks of the arena.

use super::*;
use core::{
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};
use std::panic::catch_unwind;

static CALLER: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn panics(_: usize) -> ! {
    assert!(catch_unwind(|| panic!("on the smallest stack")).is_err());
    // SAFETY: the test's context is suspended in `CALLER`.
    unsafe { greenthread_context::switch_final(*CALLER.as_ptr().cast(), 0) }
}

/// [`MIN_SIZE`] promises this.
#[test]
fn the_smallest_stack_has_room_for_a_backtrace() {
    const NAME: &str = "running::the_smallest_stack_has_room_for_a_backtrace";
    if role().is_none() {
        let output = child(NAME, "child", "");
        assert_success(&output);
        let errors = errors(&output);
        assert!(errors.contains("on the smallest stack") && errors.contains("::panics"), "{errors}");
        return;
    }
    // SAFETY: no other thread of this process uses the environment now.
    unsafe { env::set_var("RUST_BACKTRACE", "full") };
    let stack = Cache::new().take(min_size()).unwrap();
    // SAFETY: the stack is unused, and its context resumes this one once.
    unsafe {
        let green = greenthread_context::init(stack.bounds(), panics);
        greenthread_context::switch(CALLER.as_ptr().cast(), green, 0);
    }
}

/// Uses at least `kib` KiB of the stack, and panics at its deepest point.
fn deep(kib: usize) -> usize {
    let frame = black_box([kib as u8; 1024]);
    assert!(kib != 0, "deep down");
    deep(kib - 1) + usize::from(frame[kib])
}

static DEPTH: AtomicUsize = AtomicUsize::new(0);
static STACK: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn digs(_: usize) -> ! {
    /// A frame that is larger than any guard, so that only its probes find the guard.
    #[inline(never)]
    fn large() -> u8 {
        black_box([1; 80 << 10])[77]
    }
    let depth = DEPTH.load(Relaxed);
    if depth == 0 {
        assert_eq!(large(), 1);
    } else {
        assert!(catch_unwind(|| deep(depth)).is_err());
    }
    // SAFETY: the test's stack is this one, and its context is suspended in `CALLER`.
    unsafe {
        (*(core::ptr::with_exposed_provenance::<Stack>(STACK.load(Relaxed)))).leave();
        greenthread_context::switch_final(*CALLER.as_ptr().cast(), 0)
    }
}

/// A stack serves one thread after another, deep ones and shallow ones, and panics are caught at
/// every depth: on a stack that has grown, that has been trimmed, that has been in the arena.
#[test]
fn a_stack_is_as_good_as_new_for_the_next_thread() {
    const NAME: &str = "running::a_stack_is_as_good_as_new_for_the_next_thread";
    if role().is_none() {
        return assert_success(&child(NAME, "child", ""));
    }
    let mut cache = Cache::new();
    // Without optimisation the deepest takes more, and the stack is four times as large.
    let most = if cfg!(debug_assertions) { DEFAULT_SIZE / 6000 } else { DEFAULT_SIZE / 1500 };
    for how in 0..3 {
        for depth in [1, most / 2, 3, 0, 2, most, 0] {
            let stack = cache.take(DEFAULT_SIZE).unwrap();
            let limit = stack.limit();
            DEPTH.store(depth, Relaxed);
            STACK.store((&raw const stack).expose_provenance(), Relaxed);
            // SAFETY: the stack is unused, and its context resumes this one once.
            unsafe {
                let green = greenthread_context::init(stack.bounds(), digs);
                greenthread_context::switch(CALLER.as_ptr().cast(), green, 0);
            }
            cache.put(stack);
            match how {
                0 => {}
                // SAFETY: the stack is in the cache, and nothing runs on it.
                1 => unsafe { arena::shrink(DEFAULT_SIZE, 2 * page_size(), &[limit]) },
                _ => {
                    cache.flush();
                    trim(true);
                }
            }
        }
    }
}
