//! What blocks on an OS thread parks a green thread with thread-locals of its own.
//!
//! Each test runs on one worker: if a call blocked it, what it waits for would never come.

#![cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]

mod descriptors;
mod locks;
#[path = "../../../greenthread/tests/common/machine.rs"]
mod machine;
mod of_c;
mod others;

use greenthread::{
    Runtime,
    thread::{Builder, JoinHandle},
};
use machine::{Need, lacks};

greenthread_foreign::install!();

/// Runs a test on one worker. Does nothing where there are no such threads.
fn on_one_worker(test: impl FnOnce() + Send) {
    if !lacks(&[Need::OwnTls]) {
        Runtime::builder().workers(1).build().expect("a runtime").run(test);
    }
}

/// A green thread with thread-locals of its own.
fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    Builder::new().own_tls(true).spawn(f).expect("such a thread")
}
