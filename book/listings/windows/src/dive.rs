//! A function that wants much stack.

use std::hint::black_box;

/// Calls itself until that many bytes of the stack are in use.
pub fn dive(bytes: usize) {
    dive_from(bytes, 0);
}

#[inline(never)]
fn dive_from(bytes: usize, start: usize) {
    let page = [7_u8; 4096];
    let here = black_box(&page).as_ptr().addr();
    let start = if start == 0 { here } else { start };
    if start - here < bytes {
        dive_from(bytes, start);
    }
    black_box(&page);
}
