//! A function that wants much stack.

use std::hint::black_box;

/// Calls itself until 300,000 bytes below `start`, or below itself if that is 0. A stack has
/// 262,144.
#[inline(never)]
pub(crate) fn dive(start: usize) {
    let page = black_box([7_u8; 4096]);
    let here = page.as_ptr() as usize;
    let start = if start == 0 { here } else { start };
    if start - here < 300_000 {
        dive(start);
    }
    black_box(page);
}
