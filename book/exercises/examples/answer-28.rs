//! Answer of chapter 28.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use an_executor::{block_on, sleep, yield_now};

/// Waits for a future, but only for so long. `None`: the time was over first.
async fn timeout<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut alarm) = (pin!(future), pin!(sleep(time)));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        // Both have left the waker now. The first one to call it ends the wait.
        Poll::Pending => alarm.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// The argument: what is waited for.
fn main() {
    let what = std::env::args().nth(1).unwrap_or("slow".into());
    let start = Instant::now();
    let polls = Cell::new(0);
    let outcome = block_on(async {
        match &*what {
            "quick" => timeout(millis(3000), counted(&polls, asleep(millis(20)))).await,
            "slow" => timeout(millis(50), counted(&polls, asleep(millis(3000)))).await,
            "busy" => timeout(millis(50), counted(&polls, awake(millis(3000)))).await,
            other => panic!("quick, slow or busy, but not {other}"),
        }
    });
    println!("outcome: {outcome:?}");
    println!("polls: {}", polls.get());
    println!("it has taken less than a second: {}", start.elapsed() < millis(1000));
}

fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

async fn asleep(time: Duration) -> &'static str {
    sleep(time).await;
    "the end"
}

/// Has turns all the time.
async fn awake(time: Duration) -> &'static str {
    let start = Instant::now();
    while start.elapsed() < time {
        yield_now().await;
    }
    "the end"
}

/// Counts the polls of a future. It borrows the counter, so it can't be spawned.
async fn counted<T>(polls: &Cell<u32>, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|context| {
        polls.set(polls.get() + 1);
        future.as_mut().poll(context)
    })
    .await
}
