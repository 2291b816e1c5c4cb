//! The delays of chapter 0's server: three conversations, and nobody waits for another's delay.

use std::time::{Duration, Instant};

use an_executor::{block_on, sleep, spawn};

fn main() {
    let start = Instant::now();
    block_on(async {
        let conversations = [300, 100, 200].map(|time| spawn(answer(time)));
        for conversation in conversations {
            conversation.await;
        }
    });
    println!("less than the sum of them: {}", start.elapsed() < Duration::from_millis(600));
}

async fn answer(time: u64) {
    println!("wants {time} ms");
    sleep(Duration::from_millis(time)).await;
    println!("has waited {time} ms");
}
