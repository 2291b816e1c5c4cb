//! A harder exercise of chapter 8: a barrier. Threads that come to it wait until all have come;
//! then all go on, and it can be used again.
//!
//! The last one opens it by going on to the next round, so that those who wait see the end of
//! theirs, whoever comes again meanwhile. The answer to
//! `cargo run -p exercises -- check 8b`.

use std::cell::Cell;
use std::rc::Rc;

use a_safe_face::{run, spawn, yield_now};

struct Barrier {
    threads: usize,
    /// How many have come in this round.
    here: Cell<usize>,
    /// How often it has been opened.
    round: Cell<usize>,
}

impl Barrier {
    fn new(threads: usize) -> Self {
        Self { threads, here: Cell::new(0), round: Cell::new(0) }
    }

    /// Waits until all have come. `true` for the last of them.
    fn wait(&self) -> bool {
        let round = self.round.get();
        self.here.set(self.here.get() + 1);
        if self.here.get() == self.threads {
            self.here.set(0);
            self.round.set(round + 1);
            return true;
        }
        while self.round.get() == round {
            yield_now();
        }
        false
    }
}

const THREADS: usize = 3;

/// The argument: how many rounds.
fn main() {
    let rounds = std::env::args().nth(1).map_or(2, |rounds| rounds.parse().expect("a number"));
    run(move || {
        let barrier = Rc::new(Barrier::new(THREADS));
        let threads: Vec<_> = (1..=THREADS)
            .map(|thread| {
                let barrier = barrier.clone();
                spawn(move || {
                    for round in 1..=rounds {
                        // Some are slower than others, and not always the same.
                        for _ in 0..(thread * round) % 4 {
                            yield_now();
                        }
                        println!("thread {thread} has done round {round}");
                        if barrier.wait() {
                            println!("all have done round {round}");
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join();
        }
        println!("the end");
    });
}
