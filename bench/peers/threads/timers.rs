//! Very many threads that sleep.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bench_common::{Args, Late, Mark};

use crate::flavour::{sleep, spawn};

/// Each thread sleeps once, the first for a millisecond, the last for a thousand, and says how late
/// it woke.
pub fn timers(args: &Args) {
    let threads = args.threads;
    let late = Arc::new(Late::new(threads));
    let start = Mark::now();
    let spawn_one = |i| {
        let late = late.clone();
        spawn(move || {
            let time = Duration::from_micros(1000 + Late::spread(i) % 999_000);
            let due = Instant::now() + time;
            sleep(time);
            late.note(i, due);
        })
    };
    for thread in (0..threads).map(spawn_one).collect::<Vec<_>>() {
        thread.join().expect("no panic");
    }
    late.report(start.elapsed());
}
