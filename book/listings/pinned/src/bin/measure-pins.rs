//! What it costs to make a future, to pin it, to poll it twice, and to drop it.

use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use generators::yield_now;
use measures::measure;

fn main() {
    measure("future-in-place", 20_000, |count| {
        for number in 0..count {
            poll_twice(pin!(yields(number)));
        }
    });
    measure("future-in-a-box", 20_000, |count| {
        for number in 0..count {
            poll_twice(Box::pin(yields(number)).as_mut());
        }
    });
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
