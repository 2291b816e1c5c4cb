//! Chapter 2: what a call and its return take.

use std::hint::black_box;

fn main() {
    measures::measure("call-and-return", 1_000_000, |count| {
        for number in 0..count {
            black_box(same(number));
        }
    });
}

#[inline(never)]
extern "C" fn same(number: u32) -> u32 {
    black_box(number)
}
