//! What a thread lends to itself, it may keep over a yield.

use a_safe_face::{run, spawn, yield_now};

fn main() {
    run(|| {
        for name in ["one", "two"] {
            spawn(move || {
                let mut words = [name, "a word"];
                let last = &mut words[0];
                yield_now();
                *last = "still mine";
                println!("{name}: {}", words[0]);
            });
        }
    });
}
