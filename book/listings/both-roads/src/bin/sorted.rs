//! A callback that waits: `sort_by` knows nothing of it, and another thread goes on meanwhile.

use std::cmp::Ordering;

use a_safe_face::{run, spawn, yield_now};

fn main() {
    run(|| {
        spawn(|| {
            for turn in 1..=3 {
                println!("another thread: turn {turn}");
                yield_now();
            }
        });
        let mut words = ["pear", "fig", "apple"];
        words.sort_by(|one, two| judge(one, two));
        println!("{words:?}");
    });
}

/// Thinks for a turn.
fn judge(one: &str, two: &str) -> Ordering {
    println!("is {one} less than {two}?");
    yield_now();
    one.cmp(two)
}
