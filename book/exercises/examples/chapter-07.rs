//! Exercise of chapter 7: a gauge for stacks. Paint a stack before anybody stands on it; look
//! afterwards where the paint has gone.
//!
//! Write `paint` and `used`. `call_on` is what you have written for chapter 4; the stack is a slice
//! of words. Not every word of a stack that is in use is written to, and `dive` can leave a hole to
//! show that. Then run
//! `cargo run -p exercises -- check 7`.

use std::arch::asm;
use std::cell::Cell;
use std::hint::black_box;

/// What nobody writes by chance.
const PAINT: u64 = 0x5EA1_5EA1_5EA1_5EA1;

thread_local! {
    /// How deep `dive` is to go, and how large a hole it is to leave.
    static TASK: Cell<(usize, bool)> = const { Cell::new((0, false)) };
}

fn main() {
    for (depth, has_hole) in [(10, false), (100, false), (1000, false), (10, true)] {
        let mut stack = vec![0_u64; 32 * 1024];
        paint(&mut stack);
        TASK.set((depth, has_hole));
        // A multiple of 16, at the end.
        let top = stack.as_mut_ptr_range().end.map_addr(|end| end / 16 * 16);
        // SAFETY: `top` is the end of memory that is ours, and `dive` doesn't need all of it.
        unsafe { call_on(top.cast(), dive) };
        let hole = if has_hole { ", with a hole" } else { "" };
        println!("depth {depth}{hole}: {} bytes", used(&stack) * size_of::<u64>());
    }
}

/// Calls itself until it is deep enough. Then it may have an array, of which it writes nothing but
/// the first word, which lies deepest.
extern "C" fn dive() {
    fn go(depth: usize, has_hole: bool) {
        if depth > 1 {
            go(black_box(depth - 1), has_hole);
        } else if has_hole {
            leave_a_hole();
        }
        black_box(depth);
    }
    let (depth, has_hole) = TASK.get();
    go(depth, has_hole);
}

#[inline(never)]
fn leave_a_hole() {
    let mut array = std::mem::MaybeUninit::<[u64; HOLE]>::uninit();
    // SAFETY: It is within the array.
    unsafe { black_box(array.as_mut_ptr().cast::<u64>()).write_volatile(7) };
}

/// How many words it has.
const HOLE: usize = 1000;

/// Paints a stack, all of it.
fn paint(stack: &mut [u64]) {
    // Your turn.
    assert!(!stack.is_empty() && PAINT != 0);
}

/// How many words were in use when the stack was at its deepest. It grows from its last word
/// towards its first.
fn used(stack: &[u64]) -> usize {
    // Your turn.
    stack.len() - stack.len()
}

/// Calls `function` on another stack, and comes back to this one.
///
/// # Safety
/// `top` is the end of a stack, a multiple of 16.
unsafe fn call_on(top: *mut usize, function: extern "C" fn()) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: The caller gives the stack, and in the end we are on our own again.
    unsafe {
        asm!(
            "mov r12, rsp",
            "mov rsp, {top}",
            "call {function}",
            "mov rsp, r12",
            top = in(reg) top, function = in(reg) function, out("r12") _, clobber_abi("C"),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: As above.
    unsafe {
        asm!(
            "mov x20, sp",
            "mov sp, {top}",
            "blr {function}",
            "mov sp, x20",
            top = in(reg) top, function = in(reg) function, out("x20") _, clobber_abi("C"),
        );
    }
}
