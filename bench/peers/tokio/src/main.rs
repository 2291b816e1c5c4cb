//! tokio. Called `tokio-ct` it uses the current_thread runtime, `tokio-mt` the multi_thread one, `tokio-2ct` two
//! current_thread runtimes on two OS threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

mod files;
mod servers;
mod sharing;
mod trees;

use bench_common::{Args, Lap, Mark, Rounds, Span, Whereabouts};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, mpsc};
use tokio::task::yield_now;

fn main() {
    let args = Args::from_env();
    match args.flavour.as_str() {
        "tokio-ct" => current_thread().block_on(work(args)),
        "tokio-mt" => {
            let runtime = Builder::new_multi_thread().worker_threads(args.workers).enable_all().build();
            let runtime = runtime.expect("a runtime");
            // Spawned, because the future of `block_on` itself is not run by a worker.
            runtime.block_on(runtime.spawn(work(args))).expect("no panic");
        }
        "tokio-2ct" => pingpong_of_two_runtimes(&args),
        other => panic!("no peer named {other:?}"),
    }
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn work(args: Args) {
    match args.work.as_str() {
        "yield" => yields(&args).await,
        "spawn-join" => spawn_join(&args).await,
        "spawn-all" => spawn_all(&args).await,
        "pingpong" => pingpong(&args, false).await,
        "pingpong-apart" => pingpong(&args, true).await,
        "mutex" => sharing::mutex(&args, false).await,
        "mutex-held" => sharing::mutex(&args, true).await,
        "many-to-one" => sharing::many_to_one(&args).await,
        "skynet-joins" => trees::skynet_joins(&args).await,
        "skynet-channels" => trees::skynet_channels(&args).await,
        "fib" => trees::fib(&args).await,
        "timers" => sharing::timers(&args).await,
        "parked" => parked(args.threads).await,
        "http" => servers::http().await.expect("a server"),
        "echo" | "echo-at-rate" | "idle-active" | "churn" => servers::echo().await.expect("a server"),
        "unbalanced" => servers::unbalanced(&args).await.expect("a server"),
        "files-cached" => files::read(&args, false).await,
        "files-cold" => files::read(&args, true).await,
        _ => args.unknown(),
    }
}

async fn yields(args: &Args) {
    let (threads, n) = (args.threads, args.n);
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let lap = Arc::new(Lap::new(threads));
        let spawn_one = |_| {
            let lap = lap.clone();
            tokio::spawn(async move {
                lap.arrive();
                while !lap.on() {
                    yield_now().await;
                }
                for _ in 0..n {
                    yield_now().await;
                }
                lap.leave();
            })
        };
        for task in (0..threads).map(spawn_one).collect::<Vec<_>>() {
            task.await.expect("no panic");
        }
        rounds.add(threads * n, lap.span());
    }
    rounds.report("");
}

async fn spawn_join(args: &Args) {
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let mut sum = 0;
        for i in 0..args.n {
            sum += tokio::spawn(async move { i }).await.expect("no panic");
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
        tasks.extend((0..args.n).map(|i| tokio::spawn(async move { i })));
        let mut sum = 0;
        for task in tasks.drain(..) {
            sum += task.await.expect("no panic");
        }
        rounds.add(args.n, start.elapsed());
        assert_eq!(sum, args.n * (args.n - 1) / 2);
    }
    rounds.report("");
}

async fn pingpong(args: &Args, apart: bool) {
    let n = args.n;
    let mut rounds = Rounds::new(args);
    let place = Arc::new(Whereabouts::default());
    while rounds.go_on() {
        let (to_b, from_a) = mpsc::channel(1);
        let (to_a, from_b) = mpsc::channel(1);
        let started = Arc::new(AtomicBool::new(false));
        let b = answer(n, to_a, from_a, place.clone(), started.clone());
        let a = {
            let place = place.clone();
            tokio::spawn(async move {
                let b = tokio::spawn(b);
                // This worker is busy until another one has started the partner.
                let patience = Instant::now();
                while apart
                    && !started.load(Ordering::Acquire)
                    && patience.elapsed() < Duration::from_millis(100)
                {
                    std::hint::spin_loop();
                }
                let span = ask(n, to_b, from_b, place).await;
                b.await.expect("no panic");
                span
            })
        };
        rounds.add(n, a.await.expect("no panic"));
    }
    rounds.report(&place.note());
}

async fn ask(
    n: usize,
    to_b: mpsc::Sender<usize>,
    mut from_b: mpsc::Receiver<usize>,
    place: Arc<Whereabouts>,
) -> Span {
    let mut start = Mark::now();
    for i in 0..n + n / 10 {
        if i == n / 10 {
            start = Mark::now(); // a tenth is warm-up
        }
        to_b.send(i).await.expect("b lives");
        assert_eq!(from_b.recv().await, Some(i));
        place.compare(i);
    }
    start.elapsed()
}

async fn answer(
    n: usize,
    to_a: mpsc::Sender<usize>,
    mut from_a: mpsc::Receiver<usize>,
    place: Arc<Whereabouts>,
    started: Arc<AtomicBool>,
) {
    started.store(true, Ordering::Release);
    for i in 0..n + n / 10 {
        let message = from_a.recv().await.expect("a lives");
        place.tell(i);
        to_a.send(message).await.expect("a lives");
    }
}

fn pingpong_of_two_runtimes(args: &Args) {
    assert_eq!(args.work, "pingpong-apart");
    let n = args.n;
    let mut rounds = Rounds::new(args);
    let place = Arc::new(Whereabouts::default());
    while rounds.go_on() {
        let (to_b, from_a) = mpsc::channel(1);
        let (to_a, from_b) = mpsc::channel(1);
        let b = answer(n, to_a, from_a, place.clone(), Arc::default());
        let b = thread::spawn(move || current_thread().block_on(b));
        rounds.add(n, current_thread().block_on(ask(n, to_b, from_b, place.clone())));
        b.join().expect("no panic");
    }
    rounds.report(&place.note());
}

async fn parked(threads: usize) {
    let before = bench_common::memory();
    let shared = Arc::new((Lap::new(threads), Notify::new()));
    let start = Mark::now();
    let spawn_one = |_| {
        let shared = shared.clone();
        tokio::spawn(async move {
            let (lap, gate) = &*shared;
            lap.arrive();
            gate.notified().await;
        })
    };
    let tasks: Vec<_> = (0..threads).map(spawn_one).collect();
    let (lap, gate) = &*shared;
    while !lap.on() {
        yield_now().await;
    }
    let start = lap.started().expect("all are there").since(start);
    let bytes = bench_common::memory() - before;

    let wake = Mark::now();
    for _ in 0..threads {
        gate.notify_one();
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    bench_common::report_parked(threads, bytes, start, wake.elapsed());
}
