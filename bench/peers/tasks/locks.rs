//! One lock, many tasks.

use std::hint::black_box;
use std::sync::Arc;

use bench_common::{Args, Rounds, writes};

use crate::crowd::crowd;
use crate::flavour::{Mutex, RwLock, yield_now};

/// Each task locks, adds and unlocks, N times; with `hold` it yields in between.
pub async fn mutex(args: &Args, hold: bool) {
    let (tasks, n) = (args.threads, args.n);
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let sum = Arc::new(Mutex::new(0));
        let body = |_| {
            let sum = sum.clone();
            async move {
                for _ in 0..n {
                    let mut sum = sum.lock().await;
                    *sum += 1;
                    if hold {
                        yield_now().await;
                    }
                }
            }
        };
        rounds.add(tasks * n, crowd(tasks, body).await);
        assert_eq!(*sum.lock().await, tasks * n);
    }
    rounds.report("");
}

/// Each task looks at the number, or adds to it one time in twenty, N times.
pub async fn rwlock(args: &Args) {
    let (tasks, n) = (args.threads, args.n);
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let sum = Arc::new(RwLock::new(0));
        let body = |task| {
            let sum = sum.clone();
            async move {
                for i in 0..n {
                    if writes(task, i) {
                        *sum.write().await += 1;
                    } else {
                        black_box(*sum.read().await);
                    }
                }
            }
        };
        rounds.add(tasks * n, crowd(tasks, body).await);
        let all = (0..tasks).map(|task| (0..n).filter(|&i| writes(task, i)).count()).sum::<usize>();
        assert_eq!(*sum.read().await, all);
    }
    rounds.report("");
}
