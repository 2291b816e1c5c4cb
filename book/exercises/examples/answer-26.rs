//! Answer of chapter 26.

use generators::{take_turns, yield_now};

async fn conversation(name: &'static str, request: &'static str) {
    let turns = turns(request);
    wait(turns).await;
    println!("{name}: has waited for {turns}");
}

/// The line lives in this function's frame, which is gone when it returns.
fn turns(request: &str) -> u32 {
    let mut line = [0; 4096];
    let length = read(&mut line, request);
    let text = str::from_utf8(&line[..length]).expect("a request is text");
    text.trim().parse().expect("a request is a number")
}

/// As if the request came over the network. Returns its length.
fn read(line: &mut [u8; 4096], request: &str) -> usize {
    line[..request.len()].copy_from_slice(request.as_bytes());
    request.len()
}

async fn wait(turns: u32) {
    for _ in 0..turns {
        yield_now().await;
    }
}

fn main() {
    let conversations = [("a", " 3"), ("b", " 1"), ("c", "2 ")].map(|(name, it)| conversation(name, it));
    println!("a conversation: {} bytes", size_of_val(&conversations[0]));
    take_turns(conversations.map(|it| Box::pin(it) as _));
}
