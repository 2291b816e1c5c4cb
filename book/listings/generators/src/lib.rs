// ANCHOR: yield
//! What the programs of chapter 26 share.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Lets the others have their turns.
pub fn yield_now() -> YieldNow {
    YieldNow { has_yielded: false }
}

/// What `yield_now` returns: a future that isn't ready at first, and is ready the next time.
#[derive(Debug)]
pub struct YieldNow {
    has_yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.has_yielded {
            return Poll::Ready(());
        }
        self.has_yielded = true;
        Poll::Pending
    }
}
// ANCHOR_END: yield

// ANCHOR: turns
/// Gives turns, round and round, until all have ended.
pub fn take_turns(tasks: impl IntoIterator<Item = Pin<Box<dyn Future<Output = ()>>>>) {
    let mut ready = VecDeque::from_iter(tasks);
    let mut context = Context::from_waker(Waker::noop());
    while let Some(mut task) = ready.pop_front() {
        if task.as_mut().poll(&mut context).is_pending() {
            ready.push_back(task);
        }
    }
}
// ANCHOR_END: turns

// ANCHOR: print
/// Prints a cell of a table.
pub fn cell(name: &str, row: u64, column: u64) {
    println!("{name}: {row} times {column} is {}", row * column);
}

/// Prints what a row sums up to.
pub fn total(name: &str, row: u64, sum: u64) {
    println!("{name}: row {row} sums up to {sum}");
}
// ANCHOR_END: print

// ANCHOR: closure
/// A closure is a function, too. If it isn't `async`, nobody awaits in it:
///
/// ```compile_fail,E0728
/// use generators::{cell, yield_now};
///
/// async fn row(name: &str, columns: u64) {
///     (1..=columns).for_each(|column| {
///         cell(name, 1, column);
///         yield_now().await; // only allowed inside `async` functions and blocks
///     });
/// }
/// ```
pub mod colours {}
// ANCHOR_END: closure

// ANCHOR: recursion
/// A function that awaits itself would be a future with itself inside:
///
/// ```compile_fail,E0733
/// use generators::yield_now;
///
/// async fn walk(depth: u32) {
///     if depth > 0 {
///         walk(depth - 1).await; // recursion in an async fn requires boxing
///     }
///     yield_now().await;
/// }
/// ```
pub mod recursion {}
// ANCHOR_END: recursion
