//! Answer of chapter 29.

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
        let old = self.low..self.high;
        // Subtract first: a new place may lie below the old one.
        let there = |address: usize| high - (self.high - address);
        for (index, is_address) in self.is_address.iter().enumerate() {
            let word = memory[self.sp + index];
            let moves = *is_address && old.contains(&word);
            memory[there(self.sp + index)] = if moves { there(word) } else { word };
        }
        self.mailbox = self.mailbox.map(|it| if old.contains(&it) { there(it) } else { it });
        self.sp = there(self.sp);
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
