//! A switch that forgets four registers. What the compiler kept there is another thread's by then.
include!(concat!(env!("OUT_DIR"), "/clobbered.rs"));

use std::hint::black_box;

fn main() {
    for name in ["one", "two"] {
        spawn(move || {
            let sum = add(name.len());
            println!("thread {name}: {}", if sum == 1 + 2 + 3 + 4 + 5 { "the sum is 15" } else { "WRONG" });
        });
    }
    run();
}

/// Keeps five numbers, gives the other thread a turn, and adds them up.
#[inline(never)]
fn add(three: usize) -> usize {
    let numbers @ [a, b, c, d, e] = [1, 2, 3, 4, 5].map(|number| black_box(number * three) / three);
    yield_now();
    black_box(numbers);
    a + b + c + d + e
}
