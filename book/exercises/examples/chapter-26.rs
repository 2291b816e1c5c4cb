//! Exercise of chapter 26: a conversation of the delay server as a future. A thousand of them may
//! wait at the same time, and each keeps 4 KiB meanwhile, for a line that it has long since read.
//!
//! Change `conversation` so that it is at most 100 bytes and prints the same. The line is not to
//! wait somewhere else instead, on the heap. Then run `cargo run -p exercises -- check 26`.

use generators::{take_turns, yield_now};

async fn conversation(name: &'static str, request: &'static str) {
    let mut line = [0; 4096];
    let length = read(&mut line, request);
    let text = str::from_utf8(&line[..length]).expect("a request is text");
    let turns = text.trim().parse().expect("a request is a number");
    wait(turns).await;
    println!("{name}: has waited for {turns}");
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
