//! The same, and somebody has taken the alternate stack away.

use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::ptr;

use stacks_that_fail_loudly::{Builder, run};

unsafe extern "C" {
    fn sigaltstack(new: *const SignalStack, old: *mut SignalStack) -> c_int;
}

/// `stack_t`.
#[repr(C)]
struct SignalStack {
    start: *mut c_void,
    flags: c_int,
    size: usize,
}

fn main() {
    const SS_DISABLE: c_int = 2;
    let none = SignalStack { start: ptr::null_mut(), flags: SS_DISABLE, size: 0 };
    // SAFETY: No handler runs now.
    unsafe { sigaltstack(&none, ptr::null_mut()) };
    run(|| {
        println!("deep begins");
        let deep = Builder::new().name("deep".into());
        let deep = deep.spawn(|| dive(1)).expect("there is memory for a stack");
        println!("deep has come back from depth {}", deep.join());
    });
}

fn dive(depth: u64) -> u64 {
    let page = black_box([depth; 512]);
    if page[0] == u64::MAX { depth } else { black_box(dive(page[1] + 1)) + 1 }
}
