// ANCHOR: main
//! What is in a future, and what isn't. None of them is ever polled.

use generators::yield_now;

fn main() {
    let size = |bytes: usize, what: &str| println!("{bytes:>5} bytes: {what}");
    size(size_of_val(&yield_now()), "yield_now()");
    size(size_of_val(&before()), "before()");
    size(size_of_val(&across()), "across()");
    size(size_of_val(&in_scope()), "in_scope()");
    size(size_of_val(&argument([1; 1024])), "argument([1; 1024])");
    size(size_of_val(&calls()), "calls()");
    size(size_of_val(&calls_twice()), "calls_twice()");
    size(size_of_val(&at_once()), "at_once()");
    size(size_of_val(&boxed()), "boxed()");
    size(size_of_val(&walk(9)), "walk(9)");
}

fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().map(|byte| u32::from(*byte)).sum()
}
// ANCHOR_END: main

// ANCHOR: across
async fn before() -> u32 {
    let sum = {
        let bytes = [1; 1024];
        sum(&bytes)
    };
    yield_now().await;
    sum
}

async fn across() -> u32 {
    let bytes = [1; 1024];
    yield_now().await;
    sum(&bytes)
}
// ANCHOR_END: across

// ANCHOR: surprises
async fn in_scope() -> u32 {
    let bytes = [1; 1024];
    let sum = sum(&bytes);
    yield_now().await;
    sum
}

async fn argument(bytes: [u8; 1024]) -> u32 {
    yield_now().await;
    sum(&bytes)
}
// ANCHOR_END: surprises

// ANCHOR: nested
async fn calls() -> u32 {
    across().await
}

async fn calls_twice() -> u32 {
    across().await + across().await
}

async fn at_once() -> u32 {
    let (one, two) = (across(), across());
    one.await + two.await
}

async fn boxed() -> u32 {
    Box::pin(across()).await
}
// ANCHOR_END: nested

// ANCHOR: walk
async fn walk(depth: u32) {
    if depth > 0 {
        Box::pin(walk(depth - 1)).await;
    }
    yield_now().await;
}
// ANCHOR_END: walk
