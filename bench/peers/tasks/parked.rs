//! Very many tasks that wait. A task can't be woken by its handle, so all wait at one gate, which
//! wakes them one by one.

use std::sync::Arc;

use bench_common::{Lap, Mark};

use crate::flavour::{Gate, join, let_one_go, sleep, spawn, wait_at, yield_now};

pub async fn parked(tasks: usize) {
    let before = bench_common::memory();
    let shared = Arc::new((Lap::new(tasks), Gate::new()));
    let start = Mark::now();
    let spawn_one = |_| {
        let shared = shared.clone();
        spawn(async move {
            let (lap, gate) = &*shared;
            lap.arrive();
            wait_at(gate).await;
        })
    };
    let handles: Vec<_> = (0..tasks).map(spawn_one).collect();
    let (lap, gate) = &*shared;
    while !lap.on() {
        yield_now().await;
    }
    let start = lap.started().expect("all are there").since(start);
    let bytes = bench_common::memory() - before;

    let wake = Mark::now();
    for _ in 0..tasks {
        let_one_go(gate);
    }
    for task in handles {
        join(task).await;
    }
    let wake = wake.elapsed();
    sleep(bench_common::LATER).await;
    let left = bench_common::memory().saturating_sub(before);
    bench_common::report_parked(tasks, bytes, left, start, wake);
}
