//! Parts without system calls.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::hint::{black_box, spin_loop};
use std::panic::catch_unwind;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*, fence};
use std::thread;

use bench_common::{Args, Mark, ROOM, Rounds};

/// An exchange without contention.
pub fn exchange(args: &Args) {
    let word = AtomicUsize::new(0);
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        for i in 0..args.n {
            black_box(&word).swap(i, AcqRel);
        }
        rounds.add(args.n, start.elapsed());
    }
    rounds.report("");
}

/// A message into a buffer and out again, each under a free lock: an exchange to lock it, a store
/// to unlock it.
pub fn message(args: &Args) {
    let (lock, mut buffer, mut sum) = (AtomicBool::new(false), [0; ROOM], 0);
    let locked = |work: &mut dyn FnMut()| {
        assert!(!lock.swap(true, Acquire));
        work();
        lock.store(false, Release);
    };
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        for i in 0..args.n {
            locked(&mut || buffer[i % ROOM] = black_box(i));
            locked(&mut || sum += black_box(&buffer)[i % ROOM]);
        }
        rounds.add(args.n, start.elapsed());
    }
    black_box(sum);
    rounds.report("");
}

/// The rest of a thread that neither waits nor moves: its memory, a pointer in a queue with the
/// fence that publishes it, the way out with the fence that a thief must see, a call that catches
/// panics, and a result.
pub fn thread(args: &Args) {
    const BLOCK: Layout = Layout::new::<[u64; 24]>();
    let (queue, end) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let mut sum = 0;
        for i in 0..args.n {
            // SAFETY: of this layout, and nobody else's until it goes back with the same one.
            unsafe {
                let block = alloc(BLOCK).cast::<u64>();
                if block.is_null() {
                    handle_alloc_error(BLOCK);
                }
                block.write(i as u64);
                queue.store(black_box(block).addr(), Relaxed);
                end.store(1, Release);
                fence(SeqCst);
                end.store(0, Relaxed);
                fence(SeqCst);
                let taken = ptr::with_exposed_provenance::<u64>(queue.load(Relaxed));
                assert_eq!(taken, block);
                sum += catch_unwind(|| black_box(taken.read())).expect("no panic");
                dealloc(block.cast(), BLOCK);
            }
        }
        rounds.add(args.n, start.elapsed());
        assert_eq!(sum as usize, args.n * (args.n - 1) / 2);
    }
    rounds.report("");
}

/// A cache line to another processor and back.
pub fn line(args: &Args) {
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let word = AtomicUsize::new(0);
        let wait = |value| {
            while word.load(Acquire) != value {
                spin_loop();
            }
        };
        let span = thread::scope(|scope| {
            scope.spawn(|| {
                for i in 0..args.n {
                    wait(2 * i + 1);
                    word.store(2 * i + 2, Release);
                }
            });
            let mut start = Mark::now();
            for i in 0..args.n {
                word.store(2 * i + 1, Release);
                wait(2 * i + 2);
                if i == 0 {
                    start = Mark::now(); // the other one is there
                }
            }
            start.elapsed()
        });
        rounds.add(args.n - 1, span);
    }
    rounds.report("");
}
