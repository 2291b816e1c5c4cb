//! Answer of chapter 27.

struct Conversation {
    name: &'static str,
    line: [u8; 8],
    /// How many digits have been served. That is as true in one place as in another.
    served: usize,
}

impl Conversation {
    fn new(name: &'static str, digits: &str) -> Self {
        let mut line = [0; 8];
        line[..digits.len()].copy_from_slice(digits.as_bytes());
        Self { name, line, served: 0 }
    }

    /// Serves the next delay, if there is one.
    fn turn(&mut self) {
        let digit = self.line[self.served];
        if digit != 0 {
            println!("{}: waits for {}", self.name, char::from(digit));
            self.served += 1;
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
