//! A harder exercise of chapter 9: a stack that rests gives its memory back.
//!
//! A stack that was once used to its end keeps all of its pages. Between two threads, nothing on it
//! is needed; while its thread waits, only the part in use is.
//!
//! The answer to
//! `cargo run -p exercises -- check 9b`.

use std::ffi::c_int;
use std::ops::Range;

use panics::stack::Stack;
use sys::{PAGE, madvise};

/// What the chapter has declared of the operating system.
#[allow(dead_code)] // memory is the business of `Stack`
#[rustfmt::skip] // it is formatted with its listing
#[path = "../../listings/stacks-that-fail-loudly/src/sys.rs"]
mod sys;

/// "I don't need what is in there": the pages are taken away, and come back as zeros.
const MADV_DONTNEED: c_int = 4;

unsafe extern "C" {
    /// Says of each page whether it is in memory: the lowest bit of its byte.
    fn mincore(address: *mut u8, len: usize, pages: *mut u8) -> c_int;
}

fn main() {
    let stack = Stack::new(Stack::DEFAULT_SIZE).expect("memory for a stack");
    let memory = stack.memory();
    let words = (memory.end.addr() - memory.start.addr()) / size_of::<usize>();
    // Used to its end: every word of it is its own number.
    let word = |index: usize| memory.start.cast::<usize>().wrapping_add(index);
    for index in 0..words {
        // SAFETY: A word of the stack, on which nobody stands.
        unsafe { word(index).write(index) };
    }
    println!("in memory: {} pages", in_memory(&memory));
    // As if a thread waited there, 300 words deep. They fill more than half a page.
    let sp = word(words - 300);
    // SAFETY: Nobody needs what is below `sp`.
    unsafe { rest(&memory, sp) };
    println!("after that: {} pages", in_memory(&memory));
    // SAFETY: Words of the stack.
    let kept = (words - 300..words).all(|index| unsafe { word(index).read() } == index);
    println!("what is in use is {}", if kept { "still there" } else { "lost" });
}

/// How many pages are in memory.
fn in_memory(memory: &Range<*mut u8>) -> usize {
    let len = memory.end.addr() - memory.start.addr();
    let mut pages = vec![0_u8; len / PAGE];
    // SAFETY: There is a byte for each page.
    assert_eq!(unsafe { mincore(memory.start, len, pages.as_mut_ptr()) }, 0);
    pages.iter().filter(|page| **page & 1 == 1).count()
}

/// Gives back the memory of a stack that is in use from `sp` up.
///
/// # Safety
/// Nobody stands on the stack, and nobody needs what is below `sp`.
unsafe fn rest(memory: &Range<*mut u8>, sp: *mut usize) {
    // The page of `sp` stays, and all above it.
    let len = (sp.addr() - memory.start.addr()) / PAGE * PAGE;
    // SAFETY: Whole pages of this stack, which nobody needs.
    assert_eq!(unsafe { madvise(memory.start.cast(), len, MADV_DONTNEED) }, 0);
}

#[cfg(not(unix))]
compile_error!("this program gives memory back as one does under Unix");
