//! Threads that begin together.

use std::sync::Arc;

use bench_common::{Lap, Span};

use crate::flavour::{spawn, wait_until};

/// Runs `body` on this many threads, each with its number. Returns the time from the moment when
/// all have begun until the last one ends.
pub fn crowd(threads: usize, body: impl Fn(usize) + Clone + Send + 'static) -> Span {
    let lap = Arc::new(Lap::new(threads));
    let spawn_one = |number| {
        let (lap, body) = (lap.clone(), body.clone());
        spawn(move || {
            lap.arrive();
            wait_until(|| lap.on());
            body(number);
            lap.leave();
        })
    };
    for thread in (0..threads).map(spawn_one).collect::<Vec<_>>() {
        thread.join().expect("no panic");
    }
    lap.span()
}
