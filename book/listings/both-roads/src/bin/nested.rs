//! Three futures deep, a task waits for a green thread, which waits three calls deep.

use a_safe_face::yield_now;
use both_roads::{run, spawn_thread};

fn main() {
    println!("{}", run(outer_future(1)));
}

async fn outer_future(number: u64) -> u64 {
    middle_future(number + 1).await + number
}

async fn middle_future(number: u64) -> u64 {
    inner_future(number + 1).await + number
}

async fn inner_future(number: u64) -> u64 {
    spawn_thread(move || outer(number + 1)).await + number
}

fn outer(number: u64) -> u64 {
    middle(number + 1) + number
}

fn middle(number: u64) -> u64 {
    inner(number + 1) + number
}

fn inner(number: u64) -> u64 {
    yield_now();
    number
}
