//! Locks, many senders, and timers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bench_common::{Args, Lap, Late, Mark, Rounds};
use tokio::sync::{Mutex, mpsc};
use tokio::task::yield_now;

pub async fn mutex(args: &Args, hold: bool) {
    let (tasks, n) = (args.threads, args.n);
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let shared = Arc::new((Lap::new(tasks), Mutex::new(0)));
        let spawn_one = |_| {
            let shared = shared.clone();
            tokio::spawn(async move {
                let (lap, sum) = &*shared;
                lap.arrive();
                while !lap.on() {
                    yield_now().await;
                }
                for _ in 0..n {
                    let mut sum = sum.lock().await;
                    *sum += 1;
                    if hold {
                        yield_now().await;
                    }
                }
                lap.leave();
            })
        };
        for task in (0..tasks).map(spawn_one).collect::<Vec<_>>() {
            task.await.expect("no panic");
        }
        rounds.add(tasks * n, shared.0.span());
        assert_eq!(*shared.1.lock().await, tasks * n);
    }
    rounds.report("");
}

pub async fn many_to_one(args: &Args) {
    const ROOM: usize = 128;
    let (senders, n) = (args.threads - 1, args.n);
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let (sender, mut receiver) = mpsc::channel(ROOM);
        for _ in 0..senders {
            let sender = sender.clone();
            tokio::spawn(async move {
                for i in 0..n {
                    sender.send(i).await.expect("somebody receives");
                }
            });
        }
        drop(sender);
        let (mut sum, mut count) = (0, 0);
        while let Some(i) = receiver.recv().await {
            sum += i;
            count += 1;
        }
        rounds.add(count, start.elapsed());
        assert_eq!((sum, count), (senders * n * (n - 1) / 2, senders * n));
    }
    rounds.report("");
}

pub async fn timers(args: &Args) {
    let late = Arc::new(Late::new(args.threads));
    let start = Mark::now();
    let spawn_one = |i| {
        let late = late.clone();
        tokio::spawn(async move {
            let time = Duration::from_micros(1000 + Late::spread(i) % 999_000);
            let due = Instant::now() + time;
            tokio::time::sleep(time).await;
            late.note(i, due);
        })
    };
    for task in (0..args.threads).map(spawn_one).collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
    late.report(start.elapsed());
}
