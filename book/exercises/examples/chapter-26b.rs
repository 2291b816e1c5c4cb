//! Harder exercise of chapter 26: a function that calls itself, taken apart by hand.
//!
//! `tower` moves a tower of disks, the smaller ones first. As it stands, a turn makes all moves.
//! Change `Tower`, so that a turn makes one move, and finds it when it is made: a list of all
//! moves would be long. Then run `cargo run -p exercises -- check 26b`.

use std::collections::VecDeque;

fn tower(name: &str, disks: u32, from: char, by: char, to: char) {
    if disks > 0 {
        tower(name, disks - 1, from, to, by);
        println!("{name}: disk {disks} from {from} to {to}");
        // Here the other tower should have its turn.
        tower(name, disks - 1, by, from, to);
    }
}

/// A tower that is under way.
struct Tower {
    name: &'static str,
    disks: u32,
}

impl Tower {
    fn new(name: &'static str, disks: u32) -> Self {
        Self { name, disks }
    }

    /// Makes the next move. Returns whether there was one.
    fn turn(&mut self) -> bool {
        tower(self.name, self.disks, 'A', 'B', 'C');
        false
    }
}

/// The arguments: the disks of both towers, and how many turns there are.
fn main() {
    let mut arguments = std::env::args().skip(1).map(|it| it.parse().expect("a number"));
    let (disks, turns) = (arguments.next().unwrap_or(2), arguments.next().unwrap_or(100));
    let mut ready = VecDeque::from([Tower::new("a", disks), Tower::new("b", disks)]);
    for _ in 0..turns {
        let Some(mut tower) = ready.pop_front() else { break };
        if tower.turn() {
            ready.push_back(tower);
        }
    }
}
