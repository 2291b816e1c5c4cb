//! One lock, many threads.

use std::hint::black_box;
use std::sync::Arc;

use bench_common::{Args, Rounds, writes};

use crate::crowd::crowd;
use crate::flavour::{Mutex, RwLock, yield_now};

/// Each thread locks, adds and unlocks, N times; with `hold` it yields in between.
pub fn mutex(args: &Args, hold: bool) {
    let (threads, n) = (args.threads, args.n);
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let sum = Arc::new(Mutex::new(0));
        let shared = sum.clone();
        let span = crowd(threads, move |_| {
            for _ in 0..n {
                let mut sum = shared.lock().expect("no panic");
                *sum += 1;
                if hold {
                    yield_now();
                }
            }
        });
        rounds.add(threads * n, span);
        assert_eq!(*sum.lock().expect("no panic"), threads * n);
    }
    rounds.report("");
}

/// Each thread looks at the number, or adds to it one time in twenty, N times.
pub fn rwlock(args: &Args) {
    let (threads, n) = (args.threads, args.n);
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let sum = Arc::new(RwLock::new(0));
        let shared = sum.clone();
        let span = crowd(threads, move |thread| {
            for i in 0..n {
                if writes(thread, i) {
                    *shared.write().expect("no panic") += 1;
                } else {
                    black_box(*shared.read().expect("no panic"));
                }
            }
        });
        rounds.add(threads * n, span);
        let all = (0..threads).map(|thread| (0..n).filter(|&i| writes(thread, i)).count()).sum::<usize>();
        assert_eq!(*sum.read().expect("no panic"), all);
    }
    rounds.report("");
}
