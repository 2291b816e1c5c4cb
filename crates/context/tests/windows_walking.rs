//! On x86-64 Windows: walks by the system's own functions, and vector registers that a call keeps
//! whole.

#![cfg(all(windows, target_arch = "x86_64"))]

mod common;

use std::ffi::c_void;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr;

use common::Green;
use common::trash::{trash_and_suspend, zero};
use greenthread_context::Coroutine;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn RtlCaptureContext(record: *mut Record);
    fn RtlLookupFunctionEntry(rip: usize, base: *mut usize, history: *mut c_void) -> *const Function;
    fn RtlVirtualUnwind(
        kind: u32,
        base: usize,
        rip: usize,
        function: *const Function,
        record: *mut Record,
        handler: *mut *mut c_void,
        frame: *mut usize,
        pointers: *mut c_void,
    ) -> *mut c_void;
}

/// RUNTIME_FUNCTION.
#[repr(C)]
struct Function {
    begin: u32,
    end: u32,
    codes: u32,
}

/// CONTEXT: the fields up to rip, and the rest.
#[repr(C, align(16))]
struct Record {
    homes: [usize; 6],
    flags: [u32; 2],
    segments: [u16; 6],
    eflags: u32,
    debug: [usize; 6],
    /// rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15, rip.
    integers: [usize; 17],
    others: [u8; 976],
}

const RSP: usize = 4;
const RIP: usize = 16;

/// The whole of xmm6 to xmm15 is filled with ones before the switch, with zeros by the resumer, and
/// compared after the switch.
#[test]
fn vector_registers_are_kept_whole() {
    let mut green = Green::new(|here, _| {
        for _ in 0..3 {
            trash_and_suspend(here);
        }
        0
    });
    while !green.finished() {
        green.resume(0);
        zero();
    }
}

/// The instruction pointers of a walk from here.
#[inline(never)]
fn walk() -> Vec<usize> {
    let mut ips = Vec::new();
    // SAFETY: the loop is how Windows documents a walk. Each record is the caller of the last.
    unsafe {
        let mut record = MaybeUninit::<Record>::zeroed().assume_init();
        RtlCaptureContext(&mut record);
        while record.integers[RIP] != 0 {
            assert!(ips.len() < 200, "the walk doesn't end: {ips:x?}");
            let (rip, rsp) = (record.integers[RIP], record.integers[RSP]);
            ips.push(rip);
            let (mut base, mut data, mut frame) = (0, ptr::null_mut(), 0);
            let function = RtlLookupFunctionEntry(rip, &mut base, ptr::null_mut());
            assert!(!function.is_null(), "a walk has left the program at {rip:x}");
            RtlVirtualUnwind(0, base, rip, function, &mut record, &mut data, &mut frame, ptr::null_mut());
            assert!((rip, rsp) != (record.integers[RIP], record.integers[RSP]));
        }
    }
    ips
}

#[inline(never)]
fn walks_at_depth(depth: usize) -> Vec<usize> {
    let noise = black_box([depth; 37]);
    let ips = if depth == 0 { walk() } else { walks_at_depth(depth - 1) };
    assert_eq!(black_box(noise), [depth; 37]);
    ips
}

/// Whether the walk went through the function at this address. (A function of a test binary is
/// found by the start that its unwinding information tells.)
fn goes_through(ips: &[usize], function: usize) -> bool {
    let start = |rip| {
        let mut base = 0;
        // SAFETY: only reads tables of the program.
        let entry = unsafe { RtlLookupFunctionEntry(rip, &mut base, ptr::null_mut()).as_ref() };
        entry.map(|entry| base + entry.begin as usize)
    };
    ips.iter().any(|rip| start(*rip).is_some() && start(*rip) == start(function))
}

#[test]
fn a_walk_ends_at_the_entry() {
    let depth_of = |depth| {
        let mut green = Green::new(move |_, _| {
            let ips = walks_at_depth(depth);
            assert!(goes_through(&ips, walks_at_depth as *const () as usize));
            assert!(!goes_through(&ips, a_walk_ends_at_the_entry as *const () as usize));
            ips.len()
        });
        green.resume(0)
    };
    assert_eq!(depth_of(7), depth_of(2) + 5);
}

#[test]
fn a_walk_of_a_coroutine_crosses_into_its_resumer() {
    let mut co = Coroutine::<(), usize, ()>::new(|co, ()| {
        co.suspend(0);
        co.suspend(walks_at_depth(2).len());
    });
    co.next();
    let home = walk().len();
    assert!(co.next().unwrap() > home + 2);
}
