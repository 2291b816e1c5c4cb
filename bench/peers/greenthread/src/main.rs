//! Ours. Called `greenthread-context` it measures the switch alone.

use bench_common::Args;
use greenthread::Runtime;

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
#[path = "../../threads/select.rs"]
mod select;
#[path = "../../threads/servers.rs"]
mod servers;
mod switch;
#[path = "../../threads/timers.rs"]
mod timers;
#[path = "../../threads/trees.rs"]
mod trees;
#[path = "../../threads/works.rs"]
mod works;

mod flavour {
    pub use greenthread::channel::{bounded, select};
    pub use greenthread::fs::File;
    pub use greenthread::net::{TcpListener, TcpStream};
    pub use greenthread::os::unix::fs::FileExt;
    pub use greenthread::sync::{Mutex, RwLock, mpsc::sync_channel};
    pub use greenthread::thread::{Builder, JoinHandle, park, sleep, spawn, yield_now};

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
    let args = Args::from_env();
    match args.work.as_str() {
        "switch" => switch::by_hand(&args),
        "coroutine" => switch::coroutine(&args),
        _ => {
            let runtime = Runtime::builder().workers(args.workers).build().expect("a runtime");
            runtime.run(|| match args.work.as_str() {
                "many-to-many" => mpmc::many_to_many(&args),
                "select" => select::select(&args),
                _ => works::work(args),
            });
        }
    }
}
