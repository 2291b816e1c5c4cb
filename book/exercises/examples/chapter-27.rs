//! Exercise of chapter 27: conversations of the delay server, taken apart by hand. Each has got a
//! line with delays, of a digit each, and serves one of them in a turn.
//!
//! Between their turns they are moved, and then they serve each other's lines. Mend
//! `Conversation`, without `unsafe`. Then run `cargo run -p exercises -- check 27`.

use std::ptr;

struct Conversation {
    name: &'static str,
    line: [u8; 8],
    /// The next digit, which is in `line`.
    next: *const u8,
}

impl Conversation {
    fn new(name: &'static str, digits: &str) -> Self {
        let mut line = [0; 8];
        line[..digits.len()].copy_from_slice(digits.as_bytes());
        Self { name, line, next: ptr::null() }
    }

    /// Serves the next delay, if there is one.
    fn turn(&mut self) {
        if self.next.is_null() {
            self.next = self.line.as_ptr();
        }
        // SAFETY: That was true when it was written.
        let digit = unsafe { self.next.read() };
        if digit != 0 {
            println!("{}: waits for {}", self.name, char::from(digit));
            self.next = self.next.wrapping_add(1);
        }
    }
}

fn main() {
    let mut conversations = [Conversation::new("a", "123"), Conversation::new("b", "78")];
    for _ in 0..4 {
        for conversation in &mut conversations {
            conversation.turn();
        }
        conversations.reverse();
    }
}
