//! RISC-V with 64 bits and the calling convention LP64D (RV64GC): Linux, the BSDs.
//!
//! # A suspended context
//!
//! A switch makes room for four words on its stack, and the address of the lowest is the context:
//!
//! ```text
//!     context + 32   sp of the suspended site (16-byte aligned)
//!     context + 24   fcsr, for the controls flavour; else nothing
//!     context + 16   s1
//!     context +  8   the address to jump to
//!     context      > s0
//! ```
//!
//! s0 and s1 are saved by hand, because LLVM keeps them for itself and they can't be named as clobbers. All other
//! registers are clobbers: the compiler saves those that are live at that very place, and no others. gp and tp belong to
//! the platform and are left alone.
//!
//! The words lie above sp, which moves down first: there is no red zone. A context is resumed by a jump to
//! `[context + 8]`, with the context in a1, the argument in a0, and the context that is left in a3 (0 if it is gone for
//! ever). The jump goes through t1: a jump through t0 is a hint to the processor that a function returns.
//!
//! Landing pads and shadow stacks (Zicfilp, Zicfiss) are not served; no system turns them on unasked.
//!
//! # Invariants
//!
//! - **V1** At an `asm!` without `nostack` the compiler keeps sp 16-byte aligned and nothing below it in use.
//! - **V2** A context is the address of a frame as above, written by a switch or by `frame`, and stays untouched
//!   until it is resumed: the jump through it, with a0, a1 and a3 set, is to code that expects exactly this frame.
//! - **V3** Every `asm!` that switches names as clobbers all that the calling convention lets a call change
//!   (`clobber_abi`), s2 to s11 and fs0 to fs11, and the code at its resume label restores s0, s1 and sp.
//! - **V4** The naked functions here describe themselves with CFI of their own. Where they run on the stack
//!   of `to`, or stand in for it, s0 holds the context and `FRAME!` describes how to get from there to the
//!   registers of the suspended site.

use core::arch::{asm, naked_asm};
use core::ptr::NonNull;

use super::Word;
use crate::{Context, asan};

/// CFI: how to find the registers of a suspended site when its context is in a register, or `deref`erenced from there.
/// `$breg` is that register in DWARF: 0x78 for s0, 0x7b for a1.
///
/// ```text
/// CFA = context + 32     ra = [context + 8]     s0 = [context]     s1 = [context + 16]
/// ```
macro_rules! FRAME {
    ($breg:literal) => {
        concat!(
            // DW_CFA_def_cfa_expression, 4 bytes: breg 0; plus_uconst 32
            ".cfi_escape 0x0f, 4, ",
            $breg,
            ", 0, 0x23, 32\n",
            // DW_CFA_expression, register, 2 bytes: breg offset
            ".cfi_escape 0x10, 1, 2, ",
            $breg,
            ", 8\n",
            ".cfi_escape 0x10, 8, 2, ",
            $breg,
            ", 0\n",
            ".cfi_escape 0x10, 9, 2, ",
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
            ".cfi_escape 0x10, 1, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 8\n",
            ".cfi_escape 0x10, 8, 3, ",
            $breg,
            ", 0, 0x06\n",
            ".cfi_escape 0x10, 9, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 16\n",
            FRAME!()
        )
    };
    // The site has them in its own frames, if anywhere.
    () => {
        ".cfi_undefined s2\n.cfi_undefined s3\n.cfi_undefined s4\n.cfi_undefined s5\n.cfi_undefined s6\n\
         .cfi_undefined s7\n.cfi_undefined s8\n.cfi_undefined s9\n.cfi_undefined s10\n.cfi_undefined s11"
    };
}

/// Writes a first frame below `top`, with `data` in the place of s0 and `controls` in that of fcsr.
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
    // SAFETY: the caller's promise is that of `frame` (V2).
    unsafe { frame(top, start, entry, 0, 0) }
}

#[inline]
pub(crate) unsafe fn init_linked(
    top: NonNull<u8>,
    entry: unsafe extern "C" fn(Word, *mut Context) -> !,
    link: *mut Context,
) -> Context {
    let (start, entry) = (start_linked as *const () as usize, entry as *const () as usize);
    // SAFETY: the caller's promise is that of `frame` (V2).
    unsafe { frame(top, start, entry, link.expose_provenance(), 0) }
}

#[inline]
pub(crate) unsafe fn init_controls(top: NonNull<u8>, entry: unsafe extern "C" fn(usize) -> !) -> Context {
    let (start, entry) = (start_controls as *const () as usize, entry as *const () as usize);
    let controls: u64;
    // SAFETY: reads a register that every program may read.
    unsafe { asm!("frcsr {}", out(reg) controls, options(nomem, nostack)) };
    // SAFETY: the caller's promise is that of `frame` (V2).
    unsafe { frame(top, start, entry, 0, controls) }
}

/// Calls `entry`, to whose address sp points. It is a jump, with the return address set by hand: the function won't
/// return, and the processor's stack of return addresses would be off by one afterwards.
macro_rules! ENTER {
    () => {
        "ld t1, 0(sp)\nlla ra, 2f\njr t1\n2: unimp"
    };
}

/// An instruction of four bytes: the assembler would make it one of two.
macro_rules! NOP {
    () => {
        ".option push\n.option norvc\nnop\n.option pop"
    };
}

/// The bottom of a stack: reached by the first jump to it, at the instruction after the `nop`, with the frame in a1.
#[unsafe(naked)]
unsafe extern "C" fn start() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined ra", // A5: nobody called this
        NOP!(),
        "addi sp, a1, 32", // sp points to `entry`
        "li s0, 0",
        ENTER!(),
        ".cfi_endproc",
    )
}

/// As `start`, with `link` in s0: `*link` becomes the context that resumes this one, and a walker goes on there.
#[unsafe(naked)]
unsafe extern "C" fn start_linked() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined ra",
        NOP!(),
        "addi sp, a1, 32",
        "ld s0, 0(a1)",
        "sd a3, 0(s0)",
        FRAME!("0x78" deref),
        "mv a1, s0",
        ENTER!(),
        ".cfi_endproc",
    )
}

/// As `start`, with the control word of the frame.
#[unsafe(naked)]
unsafe extern "C" fn start_controls() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined ra",
        NOP!(),
        ".option push",
        ".option arch, +f",
        "ld t1, 24(a1)",
        "fscsr t1",
        ".option pop",
        "addi sp, a1, 32",
        "li s0, 0",
        ENTER!(),
        ".cfi_endproc",
    )
}

/// One switch site: the words, `$enter`, the jump `$go`, and `$leave` back here. a1 is the context that is resumed, a3
/// the one that is left: first `to` and our own, then, back here, our own and that of whoever has resumed us.
macro_rules! site {
    ([$($enter:literal),*], [$($go:literal),*], [$($leave:literal),*], $to:expr, $arg:expr, $($operands:tt)*) => {{
        let ret: Word;
        asm!(
            "lla t1, 2f",
            "addi sp, sp, -32",
            "sd s0, 0(sp)",
            "sd t1, 8(sp)",
            "sd s1, 16(sp)",
            "mv a3, sp",
            $($enter,)*
            $($go,)*
            "2:",
            "addi sp, a1, 32",
            "ld s1, 16(a1)",
            "ld s0, 0(a1)",
            $($leave,)*
            $($operands)*,
            in("a1") $to.as_ptr().as_ptr(),
            inlateout("a0") $arg => ret,
            lateout("s2") _, lateout("s3") _, lateout("s4") _, lateout("s5") _, lateout("s6") _,
            lateout("s7") _, lateout("s8") _, lateout("s9") _, lateout("s10") _, lateout("s11") _,
            lateout("fs0") _, lateout("fs1") _, lateout("fs2") _, lateout("fs3") _, lateout("fs4") _, lateout("fs5") _,
            lateout("fs6") _, lateout("fs7") _, lateout("fs8") _, lateout("fs9") _, lateout("fs10") _, lateout("fs11") _,
            clobber_abi("C"),
        );
        ret
    }};
}

#[inline(always)]
pub(crate) unsafe fn switch(save: *mut Context, to: Context, arg: Word) -> Word {
    // SAFETY: V1 for the words, V2 for the jump, V3 for what comes back; `save` is the caller's to give.
    unsafe { site!(["sd a3, 0(a2)"], ["ld t1, 8(a1)", "jr t1"], [], to, arg, in("a2") save) }
}

#[inline(always)]
pub(crate) unsafe fn exchange(to: Context, arg: Word) -> (Option<Context>, Word) {
    let from: *mut u8;
    // SAFETY: as in `switch`.
    let ret = unsafe { site!([], ["ld t1, 8(a1)", "jr t1"], [], to, arg, lateout("a3") from) };
    (NonNull::new(from).map(Context), ret)
}

#[inline(always)]
pub(crate) unsafe fn switch_controls(save: *mut Context, to: Context, arg: Word) -> Word {
    // SAFETY: as in `switch`; the fourth word is one that this site writes and reads.
    unsafe {
        site!(
            ["frcsr t1", "sd t1, 24(sp)", "sd a3, 0(a2)"],
            ["ld t1, 8(a1)", "jr t1"],
            ["ld t1, 24(a1)", "fscsr t1"],
            to, arg, in("a2") save
        )
    }
}

#[inline(always)]
pub(crate) unsafe fn switch_final(to: Context, arg: Word) -> ! {
    // SAFETY: V2 for the jump. A4: nothing is written.
    unsafe {
        asm!(
            "li a3, 0", "ld t1, 8(a1)", "jr t1",
            in("a1") to.as_ptr().as_ptr(), in("a0") arg, options(noreturn)
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
        site!(["sd a3, 0(a2)"], ["tail {on_top}"], [], to, arg, in("a2") save, on_top = sym call_on_top, in("a5") f)
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
            ["frcsr t1", "sd t1, 24(sp)", "sd a3, 0(a2)"],
            ["tail {on_top}"],
            ["ld t1, 24(a1)", "fscsr t1"],
            to, arg, in("a2") save, on_top = sym call_on_top, in("a5") f
        )
    }
}

/// Jumped to in place of the site of `to`, which is in a1: calls a5(a0) on that stack, then resumes `to` with the result.
/// s0 is in the frame, so that it is free here, and `f` keeps it.
#[unsafe(naked)]
unsafe extern "C" fn call_on_top() {
    naked_asm!(
        ".cfi_startproc",
        FRAME!("0x7b"), // a1 holds the context,
        "mv s0, a1",
        FRAME!("0x78"), // and from here s0 does
        "mv sp, a1",
        "mv a1, a5",
        "call {guarded}",
        "mv a1, s0",
        "ld t1, 8(a1)",
        "jr t1",
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

/// An ordinary call of `f(data)`, except that the CFI at the call says that `ctx` has made it (V4).
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn with_bridge(ctx: Context, f: extern "C" fn(*mut u8), data: *mut u8) {
    naked_asm!(
        ".cfi_startproc",
        "addi sp, sp, -16",
        ".cfi_def_cfa_offset 16",
        "sd s0, 0(sp)",
        "sd ra, 8(sp)",
        ".cfi_offset s0, -16",
        ".cfi_offset ra, -8",
        "mv s0, a0",
        "mv a0, a2",
        ".cfi_remember_state",
        FRAME!("0x78"),
        "jalr a1",
        ".cfi_restore_state",
        "ld s0, 0(sp)",
        "ld ra, 8(sp)",
        "addi sp, sp, 16",
        ".cfi_def_cfa_offset 0",
        ".cfi_restore s0",
        ".cfi_restore ra",
        "ret",
        ".cfi_endproc",
    )
}

/// RV64GC has no such instruction.
#[inline(always)]
pub(crate) fn prefetch(_start: *const u8, _bytes: usize) {}

/// Valgrind recognises four shifts of the register that is always zero, followed by an `or` of a0 with itself.
#[inline(always)]
pub(crate) fn valgrind_request(request: usize, args: [usize; 5], default: usize) -> usize {
    let block = [request, args[0], args[1], args[2], args[3], args[4]];
    let result;
    // SAFETY: on a processor these change nothing; Valgrind reads `block` and sets a3.
    unsafe {
        asm!(
            ".option push", ".option norvc",
            "srli zero, zero, 3", "srli zero, zero, 13", "srli zero, zero, 51", "srli zero, zero, 61", "or a0, a0, a0",
            ".option pop",
            inlateout("a3") default => result,
            in("a4") &raw const block,
            options(nostack),
        );
    }
    result
}
