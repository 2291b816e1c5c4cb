//! The works in std's words, compiled once for each peer that has threads, blocking channels and
//! blocking sockets. The peer's `main.rs` provides `flavour`: its `spawn`, `yield_now`, `park`,
//! `sync_channel` and so on. Works that not all of them can do have files of their own (`mpmc.rs`,
//! `select.rs`).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bench_common::{Args, Lap, Mark, Rounds};

use crate::crowd::crowd;
use crate::flavour::{park, sleep, spawn, spawn_small, unpark, yield_now};
use crate::{files, locks, messages, pingpong, servers, timers, trees};

pub fn work(args: Args) {
    match args.work.as_str() {
        "yield" => yields(&args),
        "spawn-join" => spawn_join(&args),
        "spawn-all" => spawn_all(&args),
        "pingpong" => pingpong::pingpong(&args, false),
        "pingpong-apart" => pingpong::pingpong(&args, true),
        "mutex" => locks::mutex(&args, false),
        "mutex-held" => locks::mutex(&args, true),
        "rwlock" => locks::rwlock(&args),
        "many-to-one" => messages::many_to_one(&args, false),
        "many-to-one-apart" => messages::many_to_one(&args, true),
        "skynet-joins" => trees::skynet_joins(&args),
        "skynet-channels" => trees::skynet_channels(&args),
        "fib" => trees::fib(&args),
        "timers" => timers::timers(&args),
        "parked" => parked(args.threads),
        "idle" => idle(&args),
        "http" => servers::http().expect("a server"),
        "echo" | "echo-at-rate" | "idle-active" | "churn" => servers::echo().expect("a server"),
        "unbalanced" => servers::unbalanced(&args).expect("a server"),
        "files-cached" => files::read(&args, false),
        "files-cold" => files::read(&args, true),
        "files-hashed" => files::hash(&args),
        _ => args.unknown(),
    }
}

fn yields(args: &Args) {
    let (threads, n) = (args.threads, args.n);
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let span = crowd(threads, move |_| (0..n).for_each(|_| yield_now()));
        rounds.add(threads * n, span);
    }
    rounds.report("");
}

fn spawn_join(args: &Args) {
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let mut sum = 0;
        for i in 0..args.n {
            sum += spawn(move || i).join().expect("no panic");
        }
        rounds.add(args.n, start.elapsed());
        assert_eq!(sum, args.n * (args.n - 1) / 2);
    }
    rounds.report("");
}

fn spawn_all(args: &Args) {
    let mut rounds = Rounds::new(args);
    let mut threads = Vec::with_capacity(args.n);
    while rounds.go_on() {
        let start = Mark::now();
        threads.extend((0..args.n).map(|i| spawn(move || i)));
        let mut sum = 0;
        for thread in threads.drain(..) {
            sum += thread.join().expect("no panic");
        }
        rounds.add(args.n, start.elapsed());
        assert_eq!(sum, args.n * (args.n - 1) / 2);
    }
    rounds.report("");
}

static LAP: OnceLock<Lap> = OnceLock::new();
static GO: AtomicBool = AtomicBool::new(false);

fn parked(threads: usize) {
    let before = bench_common::memory();
    let lap = LAP.get_or_init(|| Lap::new(threads));
    let start = Mark::now();
    let body = || {
        LAP.get().expect("it is there").arrive();
        while !GO.load(Ordering::Acquire) {
            park();
        }
    };
    let handles: Vec<_> = (0..threads).map(|_| spawn_small(body)).collect();
    while !lap.on() {
        sleep(Duration::from_millis(1));
    }
    let start = lap.started().expect("all are there").since(start);
    let bytes = bench_common::memory() - before;

    let wake = Mark::now();
    GO.store(true, Ordering::Release);
    handles.iter().for_each(unpark);
    for thread in handles {
        thread.join().expect("no panic");
    }
    let wake = wake.elapsed();
    sleep(bench_common::LATER);
    let left = bench_common::memory().saturating_sub(before);
    bench_common::report_parked(threads, bytes, left, start, wake);
}

/// Threads that park, in a runtime that has nothing else to do.
fn idle(args: &Args) -> ! {
    for _ in 0..args.threads {
        drop(spawn_small(|| park_for_good()));
    }
    bench_common::idle(args.n);
    park_for_good()
}

fn park_for_good() -> ! {
    loop {
        park();
    }
}
