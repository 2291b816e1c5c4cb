//! AArch64 with AAPCS64: Linux, Android, macOS and iOS, the BSDs. (Windows keeps notes on each stack, and is another file.)
//!
//! # A suspended context
//!
//! A switch makes room for four words on its stack, and the address of the lowest is the context:
//!
//! ```text
//!     context + 32   sp of the suspended site (16-byte aligned)
//!     context + 24   fpcr, for the controls flavour; else nothing
//!     context + 16   x19
//!     context +  8   the address to jump to
//!     context      > x29
//! ```
//!
//! The lower two are a frame record as AAPCS64 wants it, so that tools which follow frame pointers get along with it.
//!
//! x19 and x29 are saved by hand, because LLVM keeps them for itself and they can't be named as clobbers. All other
//! registers are clobbers: the compiler saves those that are live at that very place, and no others. x18 belongs to the
//! platform and is left alone.
//!
//! The words lie above sp, which moves down first: AAPCS64 has no red zone. A context is resumed by a jump to
//! `[context + 8]`, with the context in x1, the argument in x0, and the context that is left in x3 (0 if it is gone for
//! ever).
//!
//! # Branch protection
//!
//! Each place that a jump of ours goes to begins with `bti j` (a `hint`, which older processors take for a `nop`), and jumps
//! go through x16, from which `bti c` may be reached as well. Return addresses may be signed (PAC): the signature
//! depends on the key and on sp, and both are the same when a context goes on. The words of the frame are not
//! signed. A shadow stack (GCS) would have to be switched too, and is not.
//!
//! # Invariants
//!
//! - **R1** At an `asm!` without `nostack` the compiler keeps sp 16-byte aligned and nothing below it in use.
//! - **R2** A context is the address of a frame as above, written by a switch or by `frame`, and stays untouched
//!   until it is resumed: the jump through it, with x0, x1 and x3 set, is to code that expects exactly this frame.
//! - **R3** Every `asm!` that switches names as clobbers all that the calling convention lets a call change
//!   (`clobber_abi`), d8 to d15 with them, and x20 to x28, and the code at its resume label restores x19, x29 and sp.
//! - **R4** The naked functions here describe themselves with CFI of their own. Where they run on the stack
//!   of `to`, or stand in for it, x29 holds the context and `FRAME!` describes how to get from there to the
//!   registers of the suspended site.

use core::arch::{asm, naked_asm};
use core::ptr::NonNull;

use super::Word;
use crate::{Context, asan};

/// CFI: how to find the registers of a suspended site when its context is in a register, or `deref`erenced from there.
/// `$breg` is that register in DWARF: 0x8d for x29, 0x71 for x1.
///
/// ```text
/// CFA = context + 32     x30 = [context + 8]     x29 = [context]     x19 = [context + 16]
/// ```
macro_rules! FRAME {
    ($breg:literal) => {
        concat!(
            // DW_CFA_def_cfa_expression, 4 bytes: breg 0; plus_uconst 32
            ".cfi_escape 0x0f, 4, ",
            $breg,
            ", 0, 0x23, 32\n",
            // DW_CFA_expression, register, 2 bytes: breg offset
            ".cfi_escape 0x10, 30, 2, ",
            $breg,
            ", 8\n",
            ".cfi_escape 0x10, 29, 2, ",
            $breg,
            ", 0\n",
            ".cfi_escape 0x10, 19, 2, ",
            $breg,
            ", 16\n",
            FRAME!()
        )
    };
    ($breg:literal deref) => {
        concat!(
            // The same with: breg 0; deref
            ".cfi_escape 0x0f, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 32\n",
            // breg 0; deref; plus_uconst offset
            ".cfi_escape 0x10, 30, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 8\n",
            ".cfi_escape 0x10, 29, 3, ",
            $breg,
            ", 0, 0x06\n",
            ".cfi_escape 0x10, 19, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 16\n",
            FRAME!()
        )
    };
    // The site has them in its own frames, if anywhere.
    () => {
        ".cfi_undefined x20\n.cfi_undefined x21\n.cfi_undefined x22\n.cfi_undefined x23\n.cfi_undefined x24\n\
         .cfi_undefined x25\n.cfi_undefined x26\n.cfi_undefined x27\n.cfi_undefined x28"
    };
}

/// Writes a first frame below `top`, with `data` in the place of x29 and `controls` in that of fpcr.
///
/// ```text
///     top (aligned down)
///     top - 16   entry     the end of the frame, and where the start functions set sp
///     ...        the frame
/// ```
///
/// # Safety
/// 64 bytes below `top` are writable and nobody's. `start` is a start function of this file.
#[inline]
unsafe fn frame(top: NonNull<u8>, start: usize, entry: usize, data: usize, controls: u64) -> Context {
    let waste = top.addr().get() & 15;
    // SAFETY: the caller gives the room, of which at most 15 + 48 bytes are used; aligned by `waste`.
    unsafe {
        let top = top.as_ptr().sub(waste).cast::<usize>();
        top.sub(2).write(entry);
        let sp = top.sub(6);
        sp.add(3).cast::<u64>().write(controls);
        sp.add(2).write(0);
        // One past the nop: a walker looks up `address - 1`, which must still be in the function.
        sp.add(1).write(start + 4);
        sp.write(data);
        Context::from_ptr(NonNull::new_unchecked(sp.cast()))
    }
}

#[inline]
pub(crate) unsafe fn init(top: NonNull<u8>, entry: unsafe extern "C" fn(usize) -> !) -> Context {
    let (start, entry) = (start as *const () as usize, entry as *const () as usize);
    // SAFETY: the caller's promise is that of `frame` (R2).
    unsafe { frame(top, start, entry, 0, 0) }
}

#[inline]
pub(crate) unsafe fn init_linked(
    top: NonNull<u8>,
    entry: unsafe extern "C" fn(Word, *mut Context) -> !,
    link: *mut Context,
) -> Context {
    let (start, entry) = (start_linked as *const () as usize, entry as *const () as usize);
    // SAFETY: the caller's promise is that of `frame` (R2).
    unsafe { frame(top, start, entry, link.expose_provenance(), 0) }
}

#[inline]
pub(crate) unsafe fn init_controls(top: NonNull<u8>, entry: unsafe extern "C" fn(usize) -> !) -> Context {
    let (start, entry) = (start_controls as *const () as usize, entry as *const () as usize);
    let controls: u64;
    // SAFETY: reads a register that every program may read.
    unsafe { asm!("mrs {}, fpcr", out(reg) controls, options(nomem, nostack, preserves_flags)) };
    // SAFETY: the caller's promise is that of `frame` (R2).
    unsafe { frame(top, start, entry, 0, controls) }
}

/// Calls `entry`, to whose address sp points. It is a jump, with the return address set by hand: the function won't
/// return, and the processor's stack of return addresses would be off by one afterwards.
macro_rules! ENTER {
    () => {
        "ldr x16, [sp]\nadr x30, 2f\nbr x16\n2: brk #1"
    };
}

/// The bottom of a stack: reached by the first jump to it, at the instruction after the `nop`, with the frame in x1.
#[unsafe(naked)]
unsafe extern "C" fn start() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30", // A5: nobody called this
        "nop",
        "hint #36",        // bti j
        "add sp, x1, #32", // sp points to `entry`
        "mov x29, xzr",
        ENTER!(),
        ".cfi_endproc",
    )
}

/// As `start`, with `link` in x29: `*link` becomes the context that resumes this one, and a walker goes on there.
#[unsafe(naked)]
unsafe extern "C" fn start_linked() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30",
        "nop",
        "hint #36",
        "add sp, x1, #32",
        "ldr x29, [x1]",
        "str x3, [x29]",
        FRAME!("0x8d" deref),
        "mov x1, x29",
        ENTER!(),
        ".cfi_endproc",
    )
}

/// As `start`, with the control word of the frame.
#[unsafe(naked)]
unsafe extern "C" fn start_controls() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30",
        "nop",
        "hint #36",
        "ldr x16, [x1, #24]",
        "msr fpcr, x16",
        "add sp, x1, #32",
        "mov x29, xzr",
        ENTER!(),
        ".cfi_endproc",
    )
}

/// One switch site: the words, `$enter`, the jump `$go`, and `$leave` back here. x1 is the context that is resumed, x3
/// the one that is left: first `to` and our own, then, back here, our own and that of whoever has resumed us.
macro_rules! site {
    ([$($enter:literal),*], [$($go:literal),*], [$($leave:literal),*], $to:expr, $arg:expr, $($operands:tt)*) => {{
        let ret: Word;
        asm!(
            "adr x16, 2f",
            "sub sp, sp, #32",
            "stp x29, x16, [sp]",
            "str x19, [sp, #16]",
            "mov x3, sp",
            $($enter,)*
            $($go,)*
            "2:",
            "hint #36",
            "add sp, x1, #32",
            "ldr x19, [x1, #16]",
            "ldr x29, [x1]",
            $($leave,)*
            $($operands)*,
            in("x1") $to.as_ptr().as_ptr(),
            inlateout("x0") $arg => ret,
            lateout("x20") _, lateout("x21") _, lateout("x22") _, lateout("x23") _, lateout("x24") _,
            lateout("x25") _, lateout("x26") _, lateout("x27") _, lateout("x28") _,
            clobber_abi("C"),
        );
        ret
    }};
}

#[inline(always)]
pub(crate) unsafe fn switch(save: *mut Context, to: Context, arg: Word) -> Word {
    // SAFETY: R1 for the words, R2 for the jump, R3 for what comes back; `save` is the caller's to give.
    unsafe { site!(["str x3, [x2]"], ["ldr x16, [x1, #8]", "br x16"], [], to, arg, in("x2") save) }
}

#[inline(always)]
pub(crate) unsafe fn exchange(to: Context, arg: Word) -> (Option<Context>, Word) {
    let from: *mut u8;
    // SAFETY: as in `switch`.
    let ret = unsafe { site!([], ["ldr x16, [x1, #8]", "br x16"], [], to, arg, lateout("x3") from) };
    (NonNull::new(from).map(Context), ret)
}

#[inline(always)]
pub(crate) unsafe fn switch_controls(save: *mut Context, to: Context, arg: Word) -> Word {
    // SAFETY: as in `switch`; the fourth word is one that this site writes and reads.
    unsafe {
        site!(
            ["mrs x16, fpcr", "str x16, [sp, #24]", "str x3, [x2]"],
            ["ldr x16, [x1, #8]", "br x16"],
            ["ldr x16, [x1, #24]", "msr fpcr, x16"],
            to, arg, in("x2") save
        )
    }
}

#[inline(always)]
pub(crate) unsafe fn switch_final(to: Context, arg: Word) -> ! {
    // SAFETY: R2 for the jump. A4: nothing is written.
    unsafe {
        asm!(
            "mov x3, xzr", "ldr x16, [x1, #8]", "br x16",
            in("x1") to.as_ptr().as_ptr(), in("x0") arg, options(noreturn)
        )
    }
}

#[inline(always)]
pub(crate) unsafe fn switch_call(
    save: *mut Context,
    to: Context,
    f: unsafe extern "C-unwind" fn(usize) -> usize,
    arg: Word,
) -> Word {
    // SAFETY: as in `switch`; `call_on_top` jumps through the frame of `to` when `f` has returned.
    unsafe {
        site!(["str x3, [x2]"], ["b {on_top}"], [], to, arg, in("x2") save, on_top = sym call_on_top, in("x5") f)
    }
}

#[inline(always)]
pub(crate) unsafe fn switch_call_controls(
    save: *mut Context,
    to: Context,
    f: unsafe extern "C-unwind" fn(usize) -> usize,
    arg: Word,
) -> Word {
    // SAFETY: as in `switch_controls` and `switch_call`.
    unsafe {
        site!(
            ["mrs x16, fpcr", "str x16, [sp, #24]", "str x3, [x2]"],
            ["b {on_top}"],
            ["ldr x16, [x1, #24]", "msr fpcr, x16"],
            to, arg, in("x2") save, on_top = sym call_on_top, in("x5") f
        )
    }
}

/// Jumped to in place of the site of `to`, which is in x1: calls x5(x0) on that stack, then resumes `to` with the result.
/// x29 is in the frame, so that it is free here, and `f` keeps it.
#[unsafe(naked)]
unsafe extern "C" fn call_on_top() {
    naked_asm!(
        ".cfi_startproc",
        FRAME!("0x71"), // x1 holds the context,
        "mov x29, x1",
        FRAME!("0x8d"), // and from here x29 does
        "mov sp, x1",
        "mov x1, x5",
        "bl {guarded}",
        "mov x1, x29",
        "ldr x16, [x1, #8]",
        "br x16",
        ".cfi_endproc",
        guarded = sym guarded,
    )
}

/// A6: an `extern "C"` function that is unwound out of ends the process, with a message.
unsafe extern "C" fn guarded(arg: usize, f: unsafe extern "C-unwind" fn(usize) -> usize) -> usize {
    asan::arrive_first();
    // SAFETY: `f` may be called with `arg`, by the contract of `switch_call`.
    let result = unsafe { f(arg) };
    asan::arrive_later();
    result
}

/// An ordinary call of `f(data)`, except that the CFI at the call says that `ctx` has made it (R4).
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn with_bridge(ctx: Context, f: extern "C" fn(*mut u8), data: *mut u8) {
    naked_asm!(
        ".cfi_startproc",
        "hint #34", // bti c
        "stp x29, x30, [sp, #-16]!",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset x29, -16",
        ".cfi_offset x30, -8",
        "mov x29, x0",
        "mov x0, x2",
        ".cfi_remember_state",
        FRAME!("0x8d"),
        "blr x1",
        ".cfi_restore_state",
        "ldp x29, x30, [sp], #16",
        ".cfi_def_cfa_offset 0",
        ".cfi_restore x29",
        ".cfi_restore x30",
        "ret",
        ".cfi_endproc",
    )
}

#[inline(always)]
pub(crate) fn prefetch(start: *const u8, bytes: usize) {
    const LINE: usize = 64;
    for offset in (0..bytes).step_by(LINE) {
        // SAFETY: a prefetch reads nothing that the program could notice, and no address is wrong for it.
        unsafe {
            asm!("prfm pldl1keep, [{}]", in(reg) start.wrapping_add(offset), options(nostack, preserves_flags, readonly));
        }
    }
}

/// Valgrind recognises four rotations of x12 that together do nothing, followed by an `orr` of x10 with itself.
#[inline(always)]
pub(crate) fn valgrind_request(request: usize, args: [usize; 5], default: usize) -> usize {
    let block = [request, args[0], args[1], args[2], args[3], args[4]];
    let result;
    // SAFETY: on a processor these change nothing; Valgrind reads `block` and sets x3.
    unsafe {
        asm!(
            "ror x12, x12, #3", "ror x12, x12, #13", "ror x12, x12, #51", "ror x12, x12, #61", "orr x10, x10, x10",
            inlateout("x3") default => result,
            in("x4") &raw const block,
            options(nostack),
        );
    }
    result
}
