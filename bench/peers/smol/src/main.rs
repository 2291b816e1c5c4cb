//! smol: as many OS threads as workers run one executor. It is a static one, whose tasks are the
//! cheapest.

use std::future::pending;
use std::thread;

use bench_common::Args;
use smol::block_on;

use flavour::{EXECUTOR, spawn};

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
#[path = "../../tasks/works.rs"]
mod works;

mod flavour {
    use std::time::Duration;

    use async_executor::{StaticExecutor, Task};
    use event_listener::{Event, IntoNotification as _, listener};
    pub use smol::channel::{Receiver, Sender, bounded as channel};
    pub use smol::future::yield_now;
    pub use smol::io::{AsyncReadExt as ReadExt, AsyncWriteExt as WriteExt};
    pub use smol::lock::{Mutex, RwLock};
    pub use smol::net::{TcpListener, TcpStream};
    pub use smol::unblock;

    pub static EXECUTOR: StaticExecutor = StaticExecutor::new();

    pub type Gate = Event;

    pub fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Task<T> {
        EXECUTOR.spawn(future)
    }

    pub fn start_one(future: impl Future<Output = ()> + Send + 'static) {
        EXECUTOR.spawn(future).detach();
    }

    pub async fn join<T>(task: Task<T>) -> T {
        task.await
    }

    pub async fn next<T>(receiver: &mut Receiver<T>) -> Option<T> {
        receiver.recv().await.ok()
    }

    pub async fn sleep(time: Duration) {
        smol::Timer::after(time).await;
    }

    pub async fn wait_at(gate: &Gate) {
        listener!(gate => listener);
        listener.await;
    }

    pub fn let_one_go(gate: &Gate) {
        gate.notify(1.additional());
    }
}

fn main() {
    let args = Args::from_env();
    for _ in 1..args.workers {
        thread::spawn(|| block_on(EXECUTOR.run(pending::<()>())));
    }
    let work = spawn(async move {
        match args.work.as_str() {
            "select" => select::select(&args).await,
            _ => works::work(args).await,
        }
    });
    block_on(EXECUTOR.run(work));
}
