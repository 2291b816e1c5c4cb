//! std: OS threads, for comparison.

use bench_common::Args;

#[path = "../../threads/crowd.rs"]
mod crowd;
#[path = "../../threads/files.rs"]
mod files;
#[path = "../../threads/locks.rs"]
mod locks;
#[path = "../../threads/messages.rs"]
mod messages;
#[path = "../../threads/pingpong.rs"]
mod pingpong;
#[path = "../../threads/servers.rs"]
mod servers;
#[path = "../../threads/timers.rs"]
mod timers;
#[path = "../../threads/trees.rs"]
mod trees;
#[path = "../../threads/works.rs"]
mod works;

mod flavour {
    pub use std::fs::File;
    pub use std::net::{TcpListener, TcpStream};
    pub use std::os::unix::fs::FileExt;
    pub use std::sync::{Mutex, RwLock, mpsc::sync_channel};
    pub use std::thread::{Builder, JoinHandle, park, sleep, spawn, yield_now};

    pub fn spawn_small(f: fn()) -> JoinHandle<()> {
        Builder::new().stack_size(64 * 1024).spawn(f).expect("memory")
    }

    pub fn unpark(thread: &JoinHandle<()>) {
        thread.thread().unpark();
    }

    pub fn wait_until(done: impl Fn() -> bool) {
        while !done() {
            yield_now();
        }
    }
}

fn main() {
    works::work(Args::from_env());
}
