//! What it costs to spawn a thread that panics, and to be told by its join.

use std::time::Instant;

use panics::{run, spawn};

fn main() {
    const TIMES: u32 = 10_000;
    std::panic::set_hook(Box::new(|_| ()));
    let each = run(|| {
        let start = Instant::now();
        for _ in 0..TIMES {
            let outcome = spawn(|| -> u32 { panic!("no more coffee") }).join();
            assert!(outcome.is_err());
        }
        start.elapsed() / TIMES
    });
    println!("panic-over-join {} ns", each.as_nanos());
}
