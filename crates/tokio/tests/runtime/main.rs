//! tokio on the workers of green threads: what works, what is refused, fairness, the end.

#![cfg(unix)]

mod end;
mod fairness;
mod paused;
mod refused;
mod works;

use greenthread::Runtime;
use greenthread_tokio::RuntimeExt;

/// A runtime with tokio and this many workers.
fn runtime(workers: usize) -> Runtime {
    Runtime::builder().workers(workers).tokio().build().expect("a runtime with tokio")
}

/// Runs `test` as a green thread on runtimes of 1 and 2 workers.
fn everywhere(test: impl Fn() + Sync) {
    for workers in [1, 2] {
        runtime(workers).run(&test);
    }
}
