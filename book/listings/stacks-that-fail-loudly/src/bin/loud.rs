//! A thread that calls itself for ever. This time somebody notices, and says who.

use std::hint::black_box;

use stacks_that_fail_loudly::{Builder, run, spawn};

fn main() {
    run(|| {
        spawn(|| println!("a neighbour is spawned and does well"));
        let deep = Builder::new()
            .name("deep".into())
            .spawn(|| dive(1))
            .expect("there is memory for a stack");
        println!("deep has come back from depth {}", deep.join());
    });
}

fn dive(depth: u64) -> u64 {
    let page = black_box([depth; 512]);
    if page[0] == u64::MAX { depth } else { black_box(dive(page[1] + 1)) + 1 }
}
