//! Tasks that begin together.

use std::sync::Arc;

use bench_common::{Lap, Span};

use crate::flavour::{join, spawn, yield_now};

/// That many tasks run `body`, each with its number; says what passed from when all were there until the last had done.
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
