//! The program of chapter 6, with tasks for threads.

use an_executor::{block_on, spawn, yield_now};

fn main() {
    block_on(async {
        let tasks = [("one", 10), ("two", 15)].map(|(name, last)| {
            spawn(async move {
                for number in 1..=last {
                    println!("task {name}: {number}");
                    yield_now().await;
                }
            })
        });
        for task in tasks {
            task.await;
        }
    });
    println!("both tasks have returned");
}
