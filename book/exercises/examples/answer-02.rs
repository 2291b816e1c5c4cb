//! Answer of chapter 2.

use std::hint::black_box;

fn main() {
    let here = 0_u8;
    let top = &raw const here as usize;
    for calls in [1, 10, 100] {
        println!("{calls} calls deep: {} bytes", depth(top, calls));
    }
}

/// Calls itself until it is so many calls deep. There it finds out how far below `top` it stands,
/// in bytes.
#[inline(never)]
fn depth(top: usize, calls: usize) -> usize {
    if calls > 1 {
        // What comes out is looked at, or else the compiler might make a loop of this.
        return black_box(depth(top, calls - 1));
    }
    // A variable of this call lies in its frame, and the stack grows downwards, so it is below
    // `top`.
    let here = 0_u8;
    top - &raw const here as usize
}
