//! Three threads have results, and a fourth adds them up.

use a_safe_face::{run, spawn, yield_now};

fn main() {
    let total = run(|| {
        let threads = [10, 20, 30].map(|last| spawn(move || sum(last)));
        threads.into_iter().map(|thread| thread.join()).sum::<u32>()
    });
    println!("together {total}");
}

/// Adds up the numbers to `last`, and takes its time.
fn sum(last: u32) -> u32 {
    let mut sum = 0;
    for number in 1..=last {
        sum += number;
        yield_now();
    }
    println!("the sum to {last} is {sum}");
    sum
}
