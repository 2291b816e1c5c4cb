//! One lock, many threads.

use std::sync::Arc;

use bench_common::{Args, Lap, Rounds};

use crate::flavour::{Mutex, spawn, yield_now};

/// Each thread locks, adds and unlocks, N times; with `hold` it yields in between.
pub fn mutex(args: &Args, hold: bool) {
    let (threads, n) = (args.threads, args.n);
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let shared = Arc::new((Lap::new(threads), Mutex::new(0)));
        let spawn_one = |_| {
            let shared = shared.clone();
            spawn(move || {
                let (lap, sum) = &*shared;
                lap.arrive();
                while !lap.on() {
                    yield_now();
                }
                for _ in 0..n {
                    let mut sum = sum.lock().expect("no panic");
                    *sum += 1;
                    if hold {
                        yield_now();
                    }
                }
                lap.leave();
            })
        };
        for thread in (0..threads).map(spawn_one).collect::<Vec<_>>() {
            thread.join().expect("no panic");
        }
        rounds.add(threads * n, shared.0.span());
        assert_eq!(*shared.1.lock().expect("no panic"), threads * n);
    }
    rounds.report("");
}
