//! Exercise of chapter 28: two futures at once.
//!
//! This `join` waits for one future, and then for the other. Let it poll both of them in each of its
//! turns, until both are ready. Then run `cargo run -p exercises -- check 28`.

use an_executor::{block_on, yield_now};

/// Waits for both futures, in one task.
async fn join<A, B>(first: impl Future<Output = A>, second: impl Future<Output = B>) -> (A, B) {
    (first.await, second.await)
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
