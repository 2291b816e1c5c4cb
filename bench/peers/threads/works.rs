//! The works in std's words, compiled once for each peer that has threads, blocking channels and blocking sockets. The
//! peer's `main.rs` provides `flavour`: its `spawn`, `yield_now`, `park`, `sync_channel` and so on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bench_common::{Args, Lap, Mark, Rounds, Whereabouts};

use crate::{files, locks, messages, servers, timers, trees};

use crate::flavour::{park, sleep, spawn, spawn_small, sync_channel, unpark, yield_now};

pub fn work(args: Args) {
    match args.work.as_str() {
        "yield" => yields(&args),
        "spawn-join" => spawn_join(&args),
        "spawn-all" => spawn_all(&args),
        "pingpong" => pingpong(&args, false),
        "pingpong-apart" => pingpong(&args, true),
        "mutex" => locks::mutex(&args, false),
        "mutex-held" => locks::mutex(&args, true),
        "many-to-one" => messages::many_to_one(&args),
        "skynet-joins" => trees::skynet_joins(&args),
        "skynet-channels" => trees::skynet_channels(&args),
        "fib" => trees::fib(&args),
        "timers" => timers::timers(&args),
        "parked" => parked(args.threads),
        "http" => servers::http().expect("a server"),
        "echo" | "echo-at-rate" | "idle-active" | "churn" => servers::echo().expect("a server"),
        "unbalanced" => servers::unbalanced(&args).expect("a server"),
        "files-cached" => files::read(&args, false),
        "files-cold" => files::read(&args, true),
        _ => args.unknown(),
    }
}

fn yields(args: &Args) {
    let (threads, n) = (args.threads, args.n);
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let lap = Arc::new(Lap::new(threads));
        let spawn_one = |_| {
            let lap = lap.clone();
            spawn(move || {
                lap.arrive();
                while !lap.on() {
                    yield_now();
                }
                for _ in 0..n {
                    yield_now();
                }
                lap.leave();
            })
        };
        for thread in (0..threads).map(spawn_one).collect::<Vec<_>>() {
            thread.join().expect("no panic");
        }
        rounds.add(threads * n, lap.span());
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

fn pingpong(args: &Args, apart: bool) {
    let n = args.n;
    let warm_up = n / 10;
    let mut rounds = Rounds::new(args);
    let place = Arc::new(Whereabouts::default());
    while rounds.go_on() {
        let (to_b, from_a) = sync_channel(1);
        let (to_a, from_b) = sync_channel(1);
        let started = Arc::new(AtomicBool::new(false));
        let b = {
            let (place, started) = (place.clone(), started.clone());
            move || {
                started.store(true, Ordering::Release);
                for i in 0..warm_up + n {
                    let message: usize = from_a.recv().expect("a lives");
                    place.tell(i);
                    to_a.send(message).expect("a lives");
                }
            }
        };
        let place = place.clone();
        let a = move || {
            let b = spawn(b);
            // This worker is busy until another one has started the partner.
            let patience = Instant::now();
            while apart && !started.load(Ordering::Acquire) && patience.elapsed() < Duration::from_millis(100)
            {
                std::hint::spin_loop();
            }
            let mut start = Mark::now();
            for i in 0..warm_up + n {
                if i == warm_up {
                    start = Mark::now();
                }
                to_b.send(i).expect("b lives");
                assert_eq!(from_b.recv(), Ok(i));
                place.compare(i);
            }
            let span = start.elapsed();
            b.join().expect("no panic");
            span
        };
        rounds.add(n, spawn(a).join().expect("no panic"));
    }
    rounds.report(&place.note());
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
    bench_common::report_parked(threads, bytes, start, wake.elapsed());
}
