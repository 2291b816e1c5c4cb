//! may. Its `spawn` is unsafe. It has no channel of fixed capacity, so the unbounded ones take
//! their place. A parked thread has its usual stack of 32 KiB.

use bench_common::Args;

#[path = "../../threads/crowd.rs"]
mod crowd;
#[path = "../../threads/files.rs"]
mod files;
#[path = "../../threads/locks.rs"]
mod locks;
#[path = "../../threads/messages.rs"]
mod messages;
#[path = "../../threads/mpmc.rs"]
mod mpmc;
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
    use std::time::Duration;

    pub use may::coroutine::{JoinHandle, park, sleep, yield_now};
    pub use may::net::{TcpListener, TcpStream};
    use may::sync::mpmc;
    use may::sync::mpsc::{Receiver, Sender, channel};
    pub use may::sync::{Mutex, RwLock};
    // may has no files of its own.
    pub use std::{fs::File, os::unix::fs::FileExt};

    pub fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        may::go!(f)
    }

    pub fn spawn_small(f: fn()) -> JoinHandle<()> {
        may::go!(f)
    }

    pub fn unpark(thread: &JoinHandle<()>) {
        thread.coroutine().unpark();
    }

    pub fn bounded<T>(_capacity: usize) -> (mpmc::Sender<T>, mpmc::Receiver<T>) {
        mpmc::channel()
    }

    pub fn sync_channel<T>(_capacity: usize) -> (Sender<T>, Receiver<T>) {
        channel()
    }

    /// With two workers, threads that yield here can keep the remaining ones from being started at
    /// all.
    pub fn wait_until(done: impl Fn() -> bool) {
        while !done() {
            sleep(Duration::from_micros(100));
        }
    }
}

fn main() {
    let args = Args::from_env();
    may::config().set_workers(args.workers);
    let work = || match args.work.as_str() {
        "many-to-many" => mpmc::many_to_many(&args),
        _ => works::work(args),
    };
    flavour::spawn(work).join().expect("no panic");
}
