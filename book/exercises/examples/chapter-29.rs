//! Exercise of chapter 29: a stack that moves, as Go's do.
//!
//! Memory is a row of words, and an address is an index into it. A stack lies from `low` to `high`
//! (which is the first that isn't its own), and is in use from `sp`. The compiler has left a map,
//! which says of each word in use whether it is an address. Write `move_to`, so that the thread
//! doesn't notice. Then `cargo run -p exercises -- check 29`.

struct Thread {
    low: usize,
    high: usize,
    sp: usize,
    /// For each word in use, from `sp` up.
    is_address: Vec<bool>,
    /// The place where a sender is to leave a message, if the thread waits for one.
    mailbox: Option<usize>,
}

impl Thread {
    /// Moves the stack to a larger piece of memory, from `low` to `high`.
    fn move_to(&mut self, memory: &mut [usize], low: usize, high: usize) {
        // Your turn. Stacks grow downwards: what is the same on both stacks, the distance from
        // `low`, or from `high`? And which words change?
        for index in self.low..self.high {
            memory[low + index - self.low] = memory[index];
        }
        self.sp = low + self.sp - self.low;
        (self.low, self.high) = (low, high);
    }
}

/// The arguments: low, sp, and high; the new low and high; the mailbox, or `none`; then the words
/// in use, from `sp` up: `#7` is a number, and `@7` an address.
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (places, words) = arguments.split_at(6);
    let place = |index: usize| places[index].parse::<usize>().expect("a place");
    let (low, sp, high, new_low, new_high) = (place(0), place(1), place(2), place(3), place(4));
    let mailbox = places[5].parse().ok();
    let mut memory = vec![0; high.max(new_high)];
    let mut is_address = Vec::new();
    for (index, word) in words.iter().enumerate() {
        memory[sp + index] = word[1..].parse().expect("a word");
        is_address.push(word.starts_with('@'));
    }
    let mut thread = Thread { low, high, sp, is_address, mailbox };
    thread.move_to(&mut memory, new_low, new_high);
    println!("from {} to {}, in use from {}", thread.low, thread.high, thread.sp);
    for (word, is_address) in memory[thread.sp..thread.high].iter().zip(&thread.is_address) {
        println!("{}{word}", if *is_address { "@" } else { "#" });
    }
    println!("{}", thread.mailbox.map_or("no mailbox".to_owned(), |it| format!("mailbox @{it}")));
}
