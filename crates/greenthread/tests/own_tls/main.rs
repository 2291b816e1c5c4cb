//! Threads with thread-locals of their own (`thread::Builder::own_tls`).

#[path = "../common/mod.rs"]
mod common;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod of_c;
mod of_std;
mod scheduling;

use greenthread::thread::{Builder, JoinHandle};

use common::machine::{Need, lacks};

/// Spawns a thread with thread-locals of its own.
fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    Builder::new().own_tls(true).spawn(f).expect("such a thread")
}

/// Whether the machine has no such threads.
fn has_none() -> bool {
    lacks(&[Need::OwnTls])
}

/// Where they can't be had, the error says so, and the closure has not run.
#[test]
fn where_they_cannot_be_had_the_error_says_so() {
    let result = Builder::new().own_tls(true).spawn(|| 7);
    match result {
        Ok(thread) => assert_eq!(thread.join().unwrap(), 7),
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
            assert!(error.to_string().contains("thread::unblock"), "{error}");
        }
    }
}
