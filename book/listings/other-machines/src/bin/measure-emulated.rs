//! Chapter 2's call and chapter 10's switch, wherever this is run.

use std::hint::black_box;

use measures::measure;

fn main() {
    measure("call-and-return", 1_000_000, |count| {
        for number in 0..count {
            black_box(next(black_box(number)));
        }
    });
    measure("switch", 200_000, other_machines::switches());
}

#[inline(never)]
fn next(number: u32) -> u32 {
    number.wrapping_add(1)
}
