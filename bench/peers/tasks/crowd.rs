//! Tasks that begin together.

use std::sync::Arc;

use bench_common::{Lap, Span};

use crate::flavour::{join, spawn, yield_now};

/// Runs `body` on this many tasks, each with its number. Returns the time from the moment when all
/// have begun until the last one ends.
pub async fn crowd<F>(tasks: usize, body: impl Fn(usize) -> F) -> Span
where
    F: Future<Output = ()> + Send + 'static,
{
    let lap = Arc::new(Lap::new(tasks));
    let spawn_one = |number| {
        let (lap, body) = (lap.clone(), body(number));
        spawn(async move {
            lap.arrive();
            while !lap.on() {
                yield_now().await;
            }
            body.await;
            lap.leave();
        })
    };
    for task in (0..tasks).map(spawn_one).collect::<Vec<_>>() {
        join(task).await;
    }
    lap.span()
}
