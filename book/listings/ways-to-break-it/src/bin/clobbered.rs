//! A switch that forgets four registers. What the compiler kept there is another thread's by
//! then.
include!(concat!(env!("OUT_DIR"), "/clobbered.rs"));

use std::hint::black_box;

fn main() {
    for name in ["one", "two"] {
        spawn(move || {
            let sum = add();
            println!("thread {name}: {}", if sum == 15 { "the sum is 15" } else { "WRONG" });
        });
    }
    run();
}

/// Has five numbers that the compiler doesn't know, gives others a turn, and adds them up.
#[inline(never)]
fn add() -> u32 {
    let [a, b, c, d, e] = [1, 2, 3, 4, 5].map(black_box);
    yield_now();
    a + b + c + d + e
}
