// ANCHOR: count
//! Two loops that take turns on one thread, because we have taken them apart by hand.

use std::collections::VecDeque;

/// What a loop has to remember from one turn to the next.
struct Count {
    name: &'static str,
    number: u32,
    last: u32,
}

impl Count {
    fn new(name: &'static str, last: u32) -> Self {
        Self { name, number: 1, last }
    }

    /// Goes once round the loop. Returns whether there is more to do.
    fn turn(&mut self) -> bool {
        if self.number > self.last {
            return false;
        }
        println!("loop {}: {}", self.name, self.number);
        self.number += 1;
        true
    }
}
// ANCHOR_END: count

// ANCHOR: main
fn main() {
    let mut ready = VecDeque::from([Count::new("one", 3), Count::new("two", 5)]);
    while let Some(mut count) = ready.pop_front() {
        if count.turn() {
            ready.push_back(count);
        }
    }
    println!("both loops have returned");
}
// ANCHOR_END: main
