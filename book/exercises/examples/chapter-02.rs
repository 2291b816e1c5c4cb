//! Exercise of chapter 2: how many bytes of stack does a call take?
//!
//! `main` notes the address of one of its variables. Let the deepest call of `depth` find out how
//! far it is from there. Then run `cargo run -p exercises -- check 2`.

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
    // This is the deepest call. How far is it from `top`?
    assert_ne!(top, 0);
    0
}
