//! Answer of chapter 26, the harder exercise.

use std::collections::VecDeque;

/// A tower that is under way: the calls of `tower` that haven't returned, the innermost last.
struct Tower {
    name: &'static str,
    calls: Vec<Call>,
}

/// What a frame of `tower` would be.
struct Call {
    disks: u32,
    from: char,
    by: char,
    to: char,
    place: Place,
}

/// Where such a call goes on.
enum Place {
    Begin,
    BeforeMove,
    AfterMove,
    End,
}

impl Call {
    fn new(disks: u32, from: char, by: char, to: char) -> Self {
        Self { disks, from, by, to, place: Place::Begin }
    }
}

impl Tower {
    fn new(name: &'static str, disks: u32) -> Self {
        Self { name, calls: vec![Call::new(disks, 'A', 'B', 'C')] }
    }

    /// Makes the next move. Returns whether there was one.
    fn turn(&mut self) -> bool {
        while let Some(call) = self.calls.last_mut() {
            let Call { disks, from, by, to, .. } = *call;
            match call.place {
                Place::Begin if disks == 0 => call.place = Place::End,
                Place::Begin => {
                    call.place = Place::BeforeMove;
                    self.calls.push(Call::new(disks - 1, from, to, by));
                }
                Place::BeforeMove => {
                    call.place = Place::AfterMove;
                    println!("{}: disk {disks} from {from} to {to}", self.name);
                    return true;
                }
                Place::AfterMove => {
                    call.place = Place::End;
                    self.calls.push(Call::new(disks - 1, by, from, to));
                }
                // It returns, and the one below goes on.
                Place::End => _ = self.calls.pop(),
            }
        }
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
