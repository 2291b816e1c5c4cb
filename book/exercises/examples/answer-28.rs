//! Answer of chapter 28.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use an_executor::{block_on, yield_now};

/// Waits for both futures, in one task.
async fn join<A, B>(first: impl Future<Output = A>, second: impl Future<Output = B>) -> (A, B) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut one, mut two) = (None, None);
    poll_fn(|context| {
        // A future that was ready is not polled again.
        if one.is_none()
            && let Poll::Ready(outcome) = first.as_mut().poll(context)
        {
            one = Some(outcome);
        }
        if two.is_none()
            && let Poll::Ready(outcome) = second.as_mut().poll(context)
        {
            two = Some(outcome);
        }
        match (one.take(), two.take()) {
            (Some(one), Some(two)) => Poll::Ready((one, two)),
            (first, second) => {
                (one, two) = (first, second);
                Poll::Pending
            }
        }
    })
    .await
}

/// The arguments: how far each of the two counts.
fn main() {
    let mut arguments = std::env::args().skip(1).map(|last| last.parse().expect("a number"));
    let (one, two) = (arguments.next().unwrap_or(3), arguments.next().unwrap_or(2));
    // They are only lent to the futures. So these can't be spawned.
    let names = [String::from("one"), String::from("two")];
    let both = block_on(join(count(&names[0], one), count(&names[1], two)));
    println!("both: {both:?}");
}

async fn count(name: &str, last: u32) -> u32 {
    for number in 1..=last {
        println!("{name}: {number}");
        yield_now().await;
    }
    last
}
