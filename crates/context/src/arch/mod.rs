//! The machines: one file for each instruction set and calling convention, and one contract that
//! they all keep. The rest of the crate knows nothing of registers.
//!
//! # What a machine's file has
//!
//! A machine's file shows the frame of a suspended context at its top. `Context` is the crate's one
//! pointer. Only the machine's file knows what it points to.
//!
//! | item | what it does |
//! |---|---|
//! | `first_frame(top, bounds, start, entry, data) -> Context` | writes below `top` the frame of a context that has not run yet. `bounds` are those of the whole stack, for systems that keep them. The first switch to it jumps to `start`, which is one of the next two and finds `entry` and `data` in the frame |
//! | `start` | the first code on a stack. It calls `entry(arg)`, and walks of the stack end there |
//! | `start_linked` | as `start`, and `data` is a `*mut Context`. It stores there the context that resumes it (by `exchange`) and calls `entry(arg, data)`. A walk goes on into `*data`, or ends |
//! | `switch(save, to, arg) -> Word` | suspends the running context into `*save` and resumes `to` |
//! | `exchange(to, arg) -> (Option<Context>, Word)` | as `switch`, but the resumed context receives the context that was left, if it waits in `exchange`. Returns the context that has resumed this one, or `None` if that was `switch_final` |
//! | `switch_final(to, arg) -> !` | resumes `to`. The running context is gone |
//! | `with_bridge(ctx, f, data)` | calls `f(data)` on the running stack, so that a walk from `f` goes on into `ctx` |
//! | `prefetch_line(address)` | hints that this cache line will be used soon |
//! | `valgrind(block, default) -> usize` | Valgrind's magic instructions: its answer to the request in `block`, or `default` without Valgrind |
//!
//! # What every machine keeps true
//!
//! Other files cite these as *A1* to *A7*.
//!
//! - **A1** A context is one pointer into its own stack. Its holder needs nothing else to resume
//!   it, and every switch can resume every context.
//! - **A2** A switch preserves what its calling convention says a call preserves: either the
//!   machine's file saves it, or the compiler has been told that it is clobbered. The
//!   floating-point status and control words are an exception on every machine, though System V and
//!   Windows alike ask calls to preserve the control words: a switch leaves them as they are.
//! - **A3** A switch writes `*save` before anything of `to` runs, and doesn't read it afterwards.
//!   So `save` may be a place that `to` reads, or one that is gone when the suspended context is
//!   resumed. The write is no signal to another OS thread: at that moment the stack is still in
//!   use.
//! - **A4** The stack of an abandoned context isn't touched again: `switch_final` writes nothing to
//!   it, and neither does the context that it resumes.
//! - **A5** The first function on a stack is entered with the alignment that its calling convention
//!   wants, and with call frame information that ends a walk or, when linked, leads into the other
//!   context.
//! - **A6** No unwinding crosses a switch: `switch` doesn't unwind, and `entry` neither returns nor
//!   unwinds.
//! - **A7** Where the system keeps a record of the running stack (Windows), the record is that of
//!   the running context. A switch saves it with the context, because the system changes it while a
//!   context runs.
//!
//! # How every machine keeps it
//!
//! The machines' files cite these as *M1* to *M4*. The context to resume, the context that is left
//! and the argument travel in three registers that the head of each file names.
//!
//! - **M1** At an `asm!` without `nostack` the compiler keeps the stack pointer aligned as at a
//!   call (to 16 bytes on most machines, to 8 on Arm and s390x) and uses nothing below it.
//! - **M2** A context is the address of a frame as the head of the file shows it. A switch or
//!   `first_frame` wrote the frame, and nothing changes it until the context is resumed. So a jump
//!   through the frame, with the three registers set, reaches code that expects exactly this frame.
//! - **M3** Every `asm!` that can be resumed names as clobbers all that the calling convention lets
//!   a call change (`clobber_abi`), and all that a call must preserve except for the stack pointer
//!   and the two registers in the frame. The code at its resume label restores these three, and the
//!   system's record (A7).
//! - **M4** The naked functions have call frame information of their own, or on Windows unwinding
//!   codes. Where a naked function stands in for a suspended site, one register holds that site's
//!   context (or the address of a variable with the context), and `FRAME!` describes how to get
//!   from there to the registers of the site.
//!
//! To add a machine: write its file, add it below and to `tests/common/trash`, run the tests.

use core::ptr::NonNull;

use crate::bounds::StackBounds;
use crate::context::Context;
use crate::word::Word;

#[cfg(not(windows))]
#[cfg_attr(all(target_arch = "x86_64", target_pointer_width = "64"), path = "x86_64_sysv.rs")]
#[cfg_attr(all(target_arch = "aarch64", target_pointer_width = "64"), path = "aarch64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
#[cfg_attr(target_arch = "x86", path = "x86_sysv.rs")]
#[cfg_attr(all(target_arch = "arm", target_abi = "eabihf"), path = "arm_eabihf.rs")]
#[cfg_attr(target_arch = "loongarch64", path = "loongarch64.rs")]
#[cfg_attr(target_arch = "s390x", path = "s390x.rs")]
#[cfg_attr(all(target_arch = "powerpc64", target_endian = "little"), path = "powerpc64_elfv2.rs")]
#[cfg_attr(
    not(any(
        all(any(target_arch = "x86_64", target_arch = "aarch64"), target_pointer_width = "64"),
        target_arch = "riscv64",
        target_arch = "x86",
        all(target_arch = "arm", target_abi = "eabihf"),
        target_arch = "loongarch64",
        target_arch = "s390x",
        all(target_arch = "powerpc64", target_endian = "little"),
    )),
    path = "unknown.rs"
)]
mod machine;
#[cfg(windows)]
#[cfg_attr(all(target_arch = "x86_64", target_pointer_width = "64"), path = "x86_64_windows.rs")]
#[cfg_attr(target_arch = "x86", path = "x86_windows.rs")]
#[cfg_attr(
    not(any(all(target_arch = "x86_64", target_pointer_width = "64"), target_arch = "x86")),
    path = "unknown.rs"
)]
mod machine;

pub(crate) use machine::{exchange, prefetch_line, switch, switch_final, with_bridge};

/// Makes a context that calls `entry(arg)` when it is first resumed. Walks of its stack end there.
///
/// # Safety
/// 128 bytes below the top are writable and used by nobody else.
#[inline]
pub(crate) unsafe fn init(bounds: StackBounds, entry: unsafe extern "C" fn(usize) -> !) -> Context {
    let entry = entry as *const () as usize;
    // SAFETY: the caller vouches for the memory; `start` calls `entry` with one argument.
    unsafe { machine::first_frame(bounds.top, bounds, machine::start, entry, 0) }
}

/// As [`init`], for a context that `exchange` resumes: it calls `entry(arg, link)`, and stores into
/// `*link` the context that resumes it. A walk of its stack goes on into `*link`.
///
/// # Safety
/// `top` is on the stack with these bounds, and 128 bytes below it are writable and used by nobody
/// else. `link` is valid for a write when the
/// context is first resumed, and holds a suspended context whenever the stack is walked.
#[inline]
pub(crate) unsafe fn init_linked(
    top: NonNull<u8>,
    bounds: StackBounds,
    entry: unsafe extern "C" fn(Word, *mut Context) -> !,
    link: *mut Context,
) -> Context {
    let entry = entry as *const () as usize;
    // SAFETY: the caller vouches for the memory and for `link`, which `start_linked` writes and
    // passes to `entry`.
    unsafe { machine::first_frame(top, bounds, machine::start_linked, entry, link.expose_provenance()) }
}

/// Sends `request` with `args` to Valgrind. Returns its answer, or `default` without Valgrind.
#[inline(always)]
pub(crate) fn valgrind_request(request: usize, args: [usize; 5], default: usize) -> usize {
    machine::valgrind(&[request, args[0], args[1], args[2], args[3], args[4]], default)
}
