//! Two stacks and the way between them, on each machine for which somebody has written a switch.

use std::cell::Cell;
use std::ptr::null_mut;

use switch::Context;

#[cfg_attr(all(target_arch = "x86_64", unix), path = "../../panics/src/switch.rs")]
mod switch;

thread_local! {
    /// The context of whoever isn't running.
    static OTHER: Cell<*mut Context> = const { Cell::new(null_mut()) };
}

extern "C" fn start() -> ! {
    loop {
        // SAFETY: `switches` has set it, and waits.
        unsafe { switch::switch(OTHER.get()) };
    }
}

/// Goes to another stack and back again, until it has switched `count` times.
pub fn switches() -> impl FnMut(u32) {
    // It stays to the end of the program.
    let memory = Vec::<u128>::with_capacity(16 * 1024).leak().as_mut_ptr();
    let memory = memory.cast()..memory.wrapping_add(16 * 1024).cast();
    // SAFETY: The memory is ours, and ends at a multiple of 16.
    let other = Box::leak(Box::new(unsafe { switch::prepare(memory, start) }));
    let other = &raw mut *other;
    move |count| {
        OTHER.set(other);
        for _ in 0..count / 2 {
            // SAFETY: Left by `prepare` or by `start`, on this OS thread: the closure isn't `Send`.
            unsafe { switch::switch(other) };
        }
    }
}
