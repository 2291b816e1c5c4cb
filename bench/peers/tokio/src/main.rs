//! tokio. Called as `tokio-ct` it uses the current_thread runtime, as `tokio-mt` the multi_thread
//! one, and as `tokio-2ct` two current_thread runtimes on two OS threads.

use bench_common::Args;
use tokio::runtime::{Builder, Runtime};

#[path = "../../tasks/crowd.rs"]
mod crowd;
#[path = "../../tasks/files.rs"]
mod files;
#[path = "../../tasks/locks.rs"]
mod locks;
#[path = "../../tasks/messages.rs"]
mod messages;
#[path = "../../tasks/mpmc.rs"]
mod mpmc;
#[path = "../../tasks/parked.rs"]
mod parked;
#[path = "../../tasks/pingpong.rs"]
mod pingpong;
mod select;
#[path = "../../tasks/servers.rs"]
mod servers;
#[path = "../../tasks/timers.rs"]
mod timers;
#[path = "../../tasks/trees.rs"]
mod trees;
mod two_runtimes;
#[path = "../../tasks/works.rs"]
mod works;

mod flavour {
    pub use tokio::io::{AsyncReadExt as ReadExt, AsyncWriteExt as WriteExt};
    pub use tokio::net::{TcpListener, TcpStream};
    pub use tokio::spawn;
    pub use tokio::sync::mpsc::{Receiver, Sender, channel};
    pub use tokio::sync::{Mutex, Notify as Gate, RwLock};
    pub use tokio::task::yield_now;
    use tokio::task::{JoinHandle, spawn_blocking};
    pub use tokio::time::sleep;

    pub async fn join<T>(task: JoinHandle<T>) -> T {
        task.await.expect("no panic")
    }

    pub fn start_one(future: impl Future<Output = ()> + Send + 'static) {
        spawn(future);
    }

    pub async fn next<T>(receiver: &mut Receiver<T>) -> Option<T> {
        receiver.recv().await
    }

    pub async fn unblock<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
        spawn_blocking(f).await.expect("no panic")
    }

    pub async fn wait_at(gate: &Gate) {
        gate.notified().await;
    }

    pub fn let_one_go(gate: &Gate) {
        gate.notify_one();
    }
}

fn main() {
    let args = Args::from_env();
    match args.flavour.as_str() {
        "tokio-ct" => current_thread().block_on(work(args)),
        "tokio-mt" => {
            let runtime = Builder::new_multi_thread().worker_threads(args.workers).enable_all().build();
            let runtime = runtime.expect("a runtime");
            // The work is spawned, because the future of `block_on` itself is not run by a worker.
            runtime.block_on(runtime.spawn(work(args))).expect("no panic");
        }
        "tokio-2ct" => two_runtimes::pingpong(&args),
        other => panic!("no peer named {other:?}"),
    }
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn work(args: Args) {
    match args.work.as_str() {
        "select" => select::select(&args).await,
        _ => works::work(args).await,
    }
}
