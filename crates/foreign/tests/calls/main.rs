//! What blocks on an OS thread parks a green thread with thread-locals of its own.
//!
//! Each test runs on one worker: if a call blocked it, what it waits for would never come.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod descriptors;
mod locks;
mod of_c;
mod others;

use greenthread::{
    Runtime,
    thread::{Builder, JoinHandle},
};

greenthread_foreign::install!();

/// Runs a test on one worker. Does nothing where there are no such threads.
fn on_one_worker(test: impl FnOnce() + Send) {
    let runtime = Runtime::builder().workers(1).build().expect("a runtime");
    runtime.run(|| match Builder::new().own_tls(true).spawn(|| ()) {
        Ok(thread) => {
            thread.join().unwrap();
            test();
        }
        Err(error) => eprintln!("not tested here: {error}"),
    });
}

/// A green thread with thread-locals of its own.
fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    Builder::new().own_tls(true).spawn(f).expect("such a thread")
}
