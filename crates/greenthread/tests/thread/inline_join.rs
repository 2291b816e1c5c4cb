//! Inline joins: a thread that is joined before it has started runs on its joiner's stack. No
//! thread can see a difference.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use greenthread::{
    sync::mpsc::channel,
    thread::{self, Builder},
};
use greenthread_context::{Coroutine, State, Suspender};

#[cfg(unix)]
use crate::common::machine::{Need, lacks};
use crate::common::{Random, child, everywhere, is_child, runtime, text};

/// An address on the calling thread's stack, near the frames in use.
fn here() -> usize {
    let mark = 0u8;
    std::hint::black_box(&raw const mark).addr()
}

/// Whether a thread that was just spawned with a stack of `size` bytes runs on its joiner's stack.
/// Called with one worker.
fn runs_inline(size: usize) -> bool {
    // On a slow machine a worker allows one inline join between two ticks.
    thread::spawn(|| ());
    thread::yield_now();
    let joiner = here();
    let thread = Builder::new().stack_size(size).spawn(here).unwrap();
    thread.join().unwrap().abs_diff(joiner) < 64 << 10
}

#[test]
fn the_stack_that_is_left_decides() {
    runtime(1).run(|| {
        // A runtime's root thread has 8 MiB. Large stacks have a little more than was asked for, so
        // that a child with a stack of the same size can run inline.
        assert!(runs_inline(64 << 10));
        assert!(runs_inline(8 << 20));
        assert!(!runs_inline(9 << 20));
        let child_runs_inline = |has: usize, asked: usize| {
            let thread = Builder::new().stack_size(has).spawn(move || runs_inline(asked)).unwrap();
            thread::yield_now(); // Started, so it has its own.
            thread.join().unwrap()
        };
        assert!(child_runs_inline(256 << 10, 256 << 10));
        assert!(!child_runs_inline(256 << 10, 400 << 10));
        assert!(child_runs_inline(128 << 10, 64 << 10));
        assert!(!child_runs_inline(128 << 10, 128 << 10));
    });
}

#[test]
fn a_coroutine_s_stack_is_not_used() {
    fn deep(calls: usize) -> usize {
        let frame = std::hint::black_box([1u8; 1024]);
        if calls == 0 { 0 } else { deep(calls - 1) + usize::from(frame[5]) }
    }
    runtime(1).run(|| {
        let mut coroutine = Coroutine::new(|_: &Suspender<(), ()>, ()| {
            // The child asks for far more stack than the coroutine has.
            Builder::new().stack_size(4 << 20).spawn(|| deep(1000)).unwrap().join().unwrap()
        });
        assert!(matches!(coroutine.resume(()), State::Returned(1000)));
    });
}

#[cfg(unix)]
#[test]
fn a_thread_that_has_waited_for_a_stack_may_run_inline() {
    if lacks(&[Need::OwnMemory]) {
        return;
    }
    if !is_child() {
        let output = child(|_| {});
        return assert!(output.status.success(), "{}", text(&output));
    }
    runtime(1).run(|| {
        let (started, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let mut threads: Vec<_> = (0..1000)
            .map(|_| {
                let (starts, open) = (started.clone(), open.clone());
                let run = move || {
                    starts.fetch_add(1, SeqCst);
                    while !open.load(SeqCst) {
                        thread::park();
                    }
                };
                thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap()
            })
            .collect();
        // Each thread was promised a stack, and now there is no room for all of these stacks.
        crate::common::leave_addresses(200 << 20);
        thread::sleep(Duration::from_millis(100));
        let most = started.load(SeqCst);
        assert!((100..1000).contains(&most), "{most} have started");
        open.store(true, SeqCst);
        // The threads that have a stack end, and give it back.
        threads.iter().for_each(|thread| thread.thread().unpark());
        threads.reverse();
        for thread in threads {
            thread.join().unwrap();
        }
        thread::sleep(Duration::from_millis(10));
        // No thread waits for a stack any more, so no spawn is refused.
        thread::Builder::new().spawn(|| ()).unwrap().join().unwrap();
    });
}

#[test]
fn only_the_joined_thread_runs_inline() {
    const THREADS: usize = 12;
    runtime(1).run(|| {
        let joined = Arc::new(AtomicUsize::new(0));
        // Each thread but the last has others above it in the deque. It is taken out of the middle,
        // and they stay there.
        let inline = (1..4).map(|step| {
            let threads = [(); THREADS].map(|()| {
                let joined = joined.clone();
                thread::spawn(move || (joined.load(SeqCst), here()))
            });
            let mut threads = threads.map(Some);
            let order = (0..THREADS).map(|n| n * step % (THREADS + 1)).filter(|n| *n < THREADS);
            let inline = order.filter(|&n| {
                let Some(thread) = threads[n].take() else { return false };
                joined.store(n, SeqCst);
                let (then, place) = thread.join().unwrap();
                let is_inline = place.abs_diff(here()) < 64 << 10;
                assert!(!is_inline || then == n, "the {n}th has run while the {then}th was joined");
                is_inline
            });
            inline.count()
        });
        // Some threads are started at the worker's ticks.
        assert!(inline.sum::<usize>() >= THREADS, "few have run inline");
    });
}

#[test]
fn it_is_a_thread_of_its_own() {
    everywhere(|| {
        let joiner = thread::current();
        let thread = Builder::new().name("inline child".into());
        let thread = thread.spawn(move || {
            let me = thread::current();
            assert_ne!(me.id(), joiner.id());
            assert_eq!(me.name(), Some("inline child"));
            // Its park token is its own too.
            me.unpark();
            thread::park();
            me.id()
        });
        let thread = thread.unwrap();
        let id = thread.thread().id();
        assert_eq!(thread.join().unwrap(), id);
        assert_ne!(thread::current().id(), id);
    });
}

#[test]
fn it_may_wait_for_what_others_do() {
    everywhere(|| {
        let (send, receive) = channel();
        let later = thread::spawn(move || {
            thread::sleep(Duration::from_millis(1));
            send.send(7).unwrap();
        });
        let sum = thread::spawn(move || {
            thread::yield_now();
            thread::sleep(Duration::from_micros(100));
            let inner = thread::spawn(move || receive.recv().unwrap());
            inner.join().unwrap() + 1
        });
        assert_eq!(sum.join().unwrap(), 8);
        later.join().unwrap();
    });
}

#[test]
fn its_panic_is_given_to_the_joiner() {
    everywhere(|| {
        for _ in 0..100 {
            let panic = thread::spawn(|| panic!("in the child")).join().map(|()| 0).unwrap_err();
            assert_eq!(panic.downcast_ref::<&str>(), Some(&"in the child"));
            assert!(!thread::panicking());
        }
    });
}

#[test]
fn a_join_while_unwinding_waits() {
    struct Joins(Cell<bool>);
    impl Drop for Joins {
        fn drop(&mut self) {
            assert!(thread::panicking());
            self.0.set(thread::spawn(thread::panicking).join().unwrap());
            assert!(thread::panicking());
            assert!(!self.0.get());
        }
    }
    everywhere(|| {
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let _joins = Joins(Cell::new(false));
            panic!("on the way out");
        }));
        assert!(unwound.is_err());
    });
}

#[test]
fn inside_without_yield_no_child_runs_inline() {
    runtime(2).run(|| {
        let ran = Arc::new(AtomicBool::new(false));
        thread::without_yield(|| {
            let mark = ran.clone();
            let thread = thread::spawn(move || {
                mark.store(true, SeqCst);
                here()
            });
            // Another worker has to run it.
            assert!(thread.join().unwrap().abs_diff(here()) > 64 << 10);
        });
        assert!(ran.load(SeqCst));
    });
}

#[test]
fn joins_in_a_row_let_siblings_run() {
    runtime(1).run(|| {
        let turns = Arc::new(AtomicUsize::new(0));
        let (count, stop) = (turns.clone(), Arc::new(AtomicBool::new(false)));
        let stopped = stop.clone();
        let other = thread::spawn(move || {
            while !stopped.load(SeqCst) {
                count.fetch_add(1, SeqCst);
                thread::yield_now();
            }
        });
        while turns.load(SeqCst) < 100 {
            thread::spawn(|| {}).join().unwrap();
        }
        stop.store(true, SeqCst);
        other.join().unwrap();
    });
}

/// A tree of threads. Each spawns some, joins them in some order, and waits sometimes.
fn tree(seed: u64, depth: u32) -> usize {
    let mut random = Random::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    if depth == 0 {
        return 1;
    }
    let mut children: Vec<_> = (0..random.below(4))
        .map(|n| {
            let seed = seed.wrapping_add(n + 1).wrapping_mul(31);
            let size = [64 << 10, 128 << 10, 1 << 20][random.below(3) as usize];
            Builder::new().stack_size(size).spawn(move || tree(seed, depth - 1)).unwrap()
        })
        .collect();
    match random.below(6) {
        0 => thread::sleep(Duration::from_micros(random.below(200))),
        1 => thread::yield_now(),
        _ => {}
    }
    let mut sum = 1;
    while !children.is_empty() {
        let next = random.below(children.len() as u64) as usize;
        // It is usually the newest.
        let next = if random.below(3) == 0 { next } else { children.len() - 1 };
        sum += children.remove(next).join().unwrap();
    }
    sum
}

/// A worker that was woken in vain, for threads that ran inline, is not woken again for a while.
/// After its grace sleep it searches by itself.
#[test]
fn a_sibling_runs_what_a_hog_has_spawned() {
    for workers in [2, 4] {
        runtime(workers).run(|| {
            for round in 0..50 {
                for number in 0..round * 20 {
                    assert_eq!(thread::spawn(move || number).join().unwrap(), number);
                }
                let ran = Arc::new(AtomicBool::new(false));
                let other = Arc::clone(&ran);
                let thread = thread::spawn(move || other.store(true, SeqCst));
                // This thread does not switch, so only another worker can run the new one.
                while !ran.load(SeqCst) {
                    std::hint::spin_loop();
                }
                thread.join().unwrap();
            }
        });
    }
}

#[test]
fn trees_of_joins() {
    let seed = std::env::var("GREENTHREAD_TEST_SEED").ok().map_or(1, |seed| seed.parse().unwrap());
    eprintln!("GREENTHREAD_TEST_SEED={seed}");
    let expected: Vec<usize> = (0..30).map(|n| runtime(1).run(|| tree(seed + n, 7))).collect();
    for workers in [2, 8] {
        let again: Vec<usize> = (0..30).map(|n| runtime(workers).run(|| tree(seed + n, 7))).collect();
        assert_eq!(again, expected);
    }
}

#[test]
fn an_overflow_names_the_inline_child() {
    #[expect(unconditional_recursion, reason = "it shall overflow")]
    fn bottomless(depth: usize) -> usize {
        std::hint::black_box([depth; 100])[0] + bottomless(depth + 1)
    }
    if is_child() {
        runtime(1).run(|| {
            let thread = Builder::new().name("inline".into()).stack_size(64 << 10);
            thread.spawn(|| bottomless(0)).unwrap().join().unwrap();
        });
        unreachable!("it overflows");
    }
    let output = child(|_| {});
    let text = text(&output);
    assert!(!output.status.success());
    // The size of the stack on which it ran: 8 MiB and the spare that lets a child run inline.
    let spare = if cfg!(any(target_arch = "x86_64", target_arch = "x86")) { 32 << 10 } else { 64 << 10 };
    let size = format!("{} bytes", (8 << 20) + spare);
    for part in ["'inline' has overflowed its stack", &size, "inline_join.rs:"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}
