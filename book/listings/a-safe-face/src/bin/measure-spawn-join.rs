//! What it costs to spawn a thread and to wait for its end.

use std::hint::black_box;
use std::time::Instant;

use a_safe_face::{run, spawn};

fn main() {
    const TIMES: u32 = 100_000;
    let each = run(|| {
        let start = Instant::now();
        for number in 0..TIMES {
            black_box(spawn(move || number).join());
        }
        start.elapsed() / TIMES
    });
    println!("spawn-and-join {} ns", each.as_nanos());
}
