//! Very many tasks that sleep.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bench_common::{Args, Late, Mark};

use crate::flavour::{join, sleep, spawn};

/// Each task sleeps once, the first for a millisecond, the last for a thousand, and says how late
/// it woke.
pub async fn timers(args: &Args) {
    let late = Arc::new(Late::new(args.threads));
    let start = Mark::now();
    let spawn_one = |i| {
        let late = late.clone();
        spawn(async move {
            let time = Duration::from_micros(1000 + Late::spread(i) % 999_000);
            let due = Instant::now() + time;
            sleep(time).await;
            late.note(i, due);
        })
    };
    for task in (0..args.threads).map(spawn_one).collect::<Vec<_>>() {
        join(task).await;
    }
    late.report(start.elapsed());
}
