//! A thread yields wherever it is: in a closure, too, that a function of std's calls.

use a_safe_face::{run, spawn, yield_now};
use generators::cell;

fn main() {
    run(|| {
        for name in ["a", "b"] {
            spawn(move || {
                (1..=2).for_each(|column| {
                    cell(name, 1, column);
                    yield_now();
                });
            });
        }
    });
}
