//! What a turn costs on each of the two roads, near the root and 16 calls away from it.

use std::hint::black_box;
use std::pin::Pin;
use std::time::Instant;

const TURNS: u32 = 20_000;

fn main() {
    let futures = |depth| move || generators::take_turns([future(depth)]);
    let threads = |depth| move || a_safe_face::run(move || thread(depth));
    measure("turn-of-a-future", futures(0));
    measure("turn-of-a-thread", threads(0));
    measure("turn-16-futures-deep", futures(16));
    measure("turn-16-calls-deep", threads(16));
}

fn future(depth: u32) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move {
        if depth > 0 {
            future(depth - 1).await;
        } else {
            for _ in 0..TURNS {
                generators::yield_now().await;
            }
        }
    })
}

fn thread(depth: u32) {
    if depth > 0 {
        thread(depth - 1);
        // Work behind it, or the compiler would not make a call, but jump.
        black_box(depth);
    } else {
        for _ in 0..TURNS {
            a_safe_face::yield_now();
        }
    }
}

/// Prints what one of `TURNS` turns takes.
fn measure(name: &str, work: impl Fn()) {
    let times = (0..100).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    let best = times.min().expect("there are 100");
    println!("{name} {:.1} ns", best.as_nanos() as f64 / f64::from(TURNS));
}
