//! What it costs to make a future, to pin it, to poll it twice, and to drop it.

use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};
use std::time::Instant;

use generators::yield_now;

fn main() {
    measure("future-in-place", |number| poll_twice(pin!(yields(number))));
    measure("future-in-a-box", |number| poll_twice(Box::pin(yields(number)).as_mut()));
}

/// Prints what the work takes: the best of many runs.
fn measure(name: &str, work: impl Fn(u32)) {
    const TIMES: u32 = 20_000;
    let times = (0..20).map(|_| {
        let start = Instant::now();
        (0..TIMES).for_each(&work);
        start.elapsed()
    });
    let best = times.min().expect("there are 20");
    println!("{name} {:.1} ns", best.as_nanos() as f64 / f64::from(TIMES));
}

async fn yields(number: u32) -> u32 {
    yield_now().await;
    number
}

/// Polls a future of whatever type, so that the compiler can't see through it.
fn poll_twice(future: Pin<&mut dyn Future<Output = u32>>) {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = black_box(future);
    assert!(future.as_mut().poll(&mut context).is_pending());
    assert!(future.poll(&mut context).is_ready());
}
