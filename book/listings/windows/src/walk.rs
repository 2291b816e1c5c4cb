//! A walk up a stack, by the rules of Windows.

use std::ffi::c_void;
use std::ptr::null_mut;

// ANCHOR: system
/// `CONTEXT`: all registers. We look at three of them.
#[repr(C, align(16))]
struct Registers {
    before: [u64; 18],
    rbx: u64,
    rsp: u64,
    between: [u64; 11],
    rip: u64,
    after: [u64; 122],
}

unsafe extern "system" {
    fn RtlCaptureContext(registers: *mut Registers);
    fn RtlLookupFunctionEntry(rip: u64, image: *mut u64, history: *mut c_void) -> *mut c_void;
    fn RtlVirtualUnwind(
        kind: u32,
        image: u64,
        rip: u64,
        entry: *mut c_void,
        registers: *mut Registers,
        data: *mut *mut c_void,
        frame: *mut u64,
        history: *mut c_void,
    ) -> *mut c_void;
}
// ANCHOR_END: system

// ANCHOR: walk
/// A step of a walk, from a function to its caller.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Whether there was a table for the function.
    pub has_table: bool,
    /// What rbx is in the caller, if the walk is right.
    pub rbx: u64,
}

/// Walks up from here until the stack pointer is above `end`.
pub fn walk(end: usize) -> Vec<Step> {
    let mut registers = Registers {
        before: [0; 18],
        rbx: 0,
        rsp: 0,
        between: [0; 11],
        rip: 0,
        after: [0; 122],
    };
    let mut steps = Vec::new();
    // SAFETY: It begins with the registers of this function, whose callers wait, and what it
    // reads are words of this stack.
    unsafe {
        RtlCaptureContext(&mut registers);
        while registers.rsp < end as u64 {
            let (mut image, mut data, mut frame) = (0, null_mut(), 0);
            let rip = registers.rip;
            let entry = RtlLookupFunctionEntry(rip, &mut image, null_mut());
            if entry.is_null() {
                // No table: it has changed nothing, and rsp points to the return address.
                registers.rip = *(registers.rsp as *const u64);
                registers.rsp += 8;
            } else {
                RtlVirtualUnwind(
                    0,
                    image,
                    rip,
                    entry,
                    &mut registers,
                    &mut data,
                    &mut frame,
                    null_mut(),
                );
            }
            steps.push(Step { has_table: !entry.is_null(), rbx: registers.rbx });
        }
    }
    steps
}
// ANCHOR_END: walk
