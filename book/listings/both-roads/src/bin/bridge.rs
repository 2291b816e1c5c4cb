//! A task waits for a green thread, and that waits for a future.

use std::time::Duration;

use an_executor::{sleep, spawn};
use both_roads::{run, spawn_thread, wait_for};

fn main() {
    run(async {
        spawn(async {
            sleep(Duration::from_millis(50)).await;
            println!("other: goes on");
        });
        println!("task: starts a thread");
        let thread = spawn_thread(|| {
            println!("thread: waits");
            wait_for(sleep(Duration::from_millis(100)));
            println!("thread: returns");
            "hello"
        });
        println!("task: waits");
        let text = thread.await;
        println!("task: has {text}");
    });
}
