//! The works in the words of futures, compiled once for each executor that has tasks, channels that
//! are awaited, and sockets. The peer's `main.rs` provides `flavour`: its `spawn`, `join`,
//! `yield_now`, `channel` and so on.

use std::future::pending;

use bench_common::{Args, Mark, Rounds};

use crate::crowd::crowd;
use crate::flavour::{join, spawn, start_one, yield_now};
use crate::{files, locks, messages, mpmc, parked, pingpong, servers, timers, trees};

pub async fn work(args: Args) {
    match args.work.as_str() {
        "yield" => yields(&args).await,
        "spawn-join" => spawn_join(&args).await,
        "spawn-all" => spawn_all(&args).await,
        "pingpong" => pingpong::pingpong(&args, false).await,
        "pingpong-apart" => pingpong::pingpong(&args, true).await,
        "mutex" => locks::mutex(&args, false).await,
        "mutex-held" => locks::mutex(&args, true).await,
        "rwlock" => locks::rwlock(&args).await,
        "many-to-one" => messages::many_to_one(&args, false).await,
        "many-to-one-apart" => messages::many_to_one(&args, true).await,
        "many-to-many" => mpmc::many_to_many(&args).await,
        "skynet-joins" => trees::skynet_joins(&args).await,
        "skynet-channels" => trees::skynet_channels(&args).await,
        "fib" => trees::fib(&args).await,
        "timers" => timers::timers(&args).await,
        "parked" => parked::parked(args.threads).await,
        "idle" => idle(&args).await,
        "http" => servers::http().await.expect("a server"),
        "echo" | "echo-at-rate" | "idle-active" | "churn" => servers::echo().await.expect("a server"),
        "unbalanced" => servers::unbalanced(&args).await.expect("a server"),
        "files-cached" => files::read(&args, false).await,
        "files-cold" => files::read(&args, true).await,
        _ => args.unknown(),
    }
}

async fn yields(args: &Args) {
    let (tasks, n) = (args.threads, args.n);
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let body = move |_| async move {
            for _ in 0..n {
                yield_now().await;
            }
        };
        rounds.add(tasks * n, crowd(tasks, body).await);
    }
    rounds.report("");
}

async fn spawn_join(args: &Args) {
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let mut sum = 0;
        for i in 0..args.n {
            sum += join(spawn(async move { i })).await;
        }
        rounds.add(args.n, start.elapsed());
        assert_eq!(sum, args.n * (args.n - 1) / 2);
    }
    rounds.report("");
}

async fn spawn_all(args: &Args) {
    let mut rounds = Rounds::new(args);
    let mut tasks = Vec::with_capacity(args.n);
    while rounds.go_on() {
        let start = Mark::now();
        tasks.extend((0..args.n).map(|i| spawn(async move { i })));
        let mut sum = 0;
        for task in tasks.drain(..) {
            sum += join(task).await;
        }
        rounds.add(args.n, start.elapsed());
        assert_eq!(sum, args.n * (args.n - 1) / 2);
    }
    rounds.report("");
}

/// Tasks that wait, in a runtime that has nothing else to do.
async fn idle(args: &Args) {
    for _ in 0..args.threads {
        start_one(pending());
    }
    bench_common::idle(args.n);
    pending().await
}
