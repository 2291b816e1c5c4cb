//! PowerPC with 64 bits, little-endian, and the calling convention ELFv2: Linux.
//!
//! # A suspended context
//!
//! A switch takes six words from its stack. The address of the lowest is the context:
//!
//! ```text
//!     context + 48   r1 of the suspended site (16-byte aligned)
//!     context + 40   r2
//!     context + 32   r31
//!     context + 24   r30
//!     context + 16   the address to jump to
//!     context +  8   nothing
//!     context      > r1 of the suspended site (the back chain)
//! ```
//!
//! r1 is the stack pointer. The word to which it points is the back chain, which must hold at all
//! times: `stdu` writes it and moves r1 in one instruction.
//!
//! The site saves r30 and r31 itself: LLVM uses them internally, so they can't be named as
//! clobbers. It also saves r2, the table of contents of its program or shared library: the two
//! sites of a switch may belong to different ones. All other registers are clobbers, the condition
//! fields cr2 to cr4 too. The compiler saves those that are live at that very place, and no others.
//! r13 is the thread pointer and is left alone.
//!
//! A call preserves f14 to f31 and v20 to v31. The 288 bytes below r1 are a red zone, which a
//! function with an `asm!` like this one doesn't use (M1).
//!
//! The switch resumes a context by a jump to `[context + 16]` through ctr. Three registers are set
//! then:
//!
//! | register | holds |
//! |---|---|
//! | r4 | the context that is resumed, from which the site finds its words and its stack |
//! | r3 | the argument |
//! | r6 | the context that is left; 0 if it is gone for ever |

use core::arch::{asm, naked_asm};
use core::ptr::NonNull;

use crate::bounds::StackBounds;
use crate::context::Context;
use crate::word::Word;

/// CFI: how to find the registers of a suspended site. Its context is in a register; with `deref`,
/// it is in the memory to which that register points. `$breg` is the DWARF operation for the
/// register: 0x8f is r31. The link register, number 65, stands for the address at which the site
/// goes on.
///
/// ```text
/// CFA = context + 48     lr = [context + 16]     r30 = [context + 24]     r31 = [context + 32]
/// r2 = [context + 40]
/// ```
macro_rules! FRAME {
    ($breg:literal) => {
        concat!(
            // DW_CFA_def_cfa_expression, 4 bytes: breg 0; plus_uconst 48
            ".cfi_escape 0x0f, 4, ",
            $breg,
            ", 0, 0x23, 48\n",
            // DW_CFA_expression, register, 2 bytes: breg offset
            ".cfi_escape 0x10, 65, 2, ",
            $breg,
            ", 16\n",
            ".cfi_escape 0x10, 30, 2, ",
            $breg,
            ", 24\n",
            ".cfi_escape 0x10, 31, 2, ",
            $breg,
            ", 32\n",
            ".cfi_escape 0x10, 2, 2, ",
            $breg,
            ", 40\n",
            FRAME!()
        )
    };
    ($breg:literal deref) => {
        concat!(
            // DW_CFA_def_cfa_expression, 5 bytes: breg 0; deref; plus_uconst 48
            ".cfi_escape 0x0f, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 48\n",
            // DW_CFA_expression, register, 5 bytes: breg 0; deref; plus_uconst offset
            ".cfi_escape 0x10, 65, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 16\n",
            ".cfi_escape 0x10, 30, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 24\n",
            ".cfi_escape 0x10, 31, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 32\n",
            ".cfi_escape 0x10, 2, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 40\n",
            FRAME!()
        )
    };
    // The site's function saved these in its own frame if they were live, and its CFI says where.
    () => {
        ".cfi_undefined 14\n.cfi_undefined 15\n.cfi_undefined 16\n.cfi_undefined 17\n.cfi_undefined 18\n\
         .cfi_undefined 19\n.cfi_undefined 20\n.cfi_undefined 21\n.cfi_undefined 22\n.cfi_undefined 23\n\
         .cfi_undefined 24\n.cfi_undefined 25\n.cfi_undefined 26\n.cfi_undefined 27\n.cfi_undefined 28\n\
         .cfi_undefined 29"
    };
}

/// Writes the first frame of a context below `top`, with `entry` in the place of r30 and `data` in
/// that of r31.
///
/// ```text
///     top (rounded down to 16 bytes)
///     top -  8   nothing   r2: `entry` sets its own
///     top - 16   data      r31
///     top - 24   entry     r30
///     top - 32   start
///     top - 40   nothing
///     top - 48 > 0         the back chain: walks along it end here
/// ```
///
/// The six words become the frame of a start function: `entry` may use the second to the fourth, in
/// which a called function saves cr, lr and r2.
///
/// # Safety
/// 128 bytes below `top` are writable and used by nobody else. `start` is a start function of this
/// file, and `entry` and `data` are what it expects.
#[inline]
pub(super) unsafe fn first_frame(
    top: NonNull<u8>,
    _: StackBounds,
    start: unsafe extern "C" fn(),
    entry: usize,
    data: usize,
) -> Context {
    let waste = top.addr().get() & 15;
    // SAFETY: the caller gives 128 bytes, of which 15 + 48 are used at most. Without `waste` the
    // address is aligned.
    unsafe {
        let sp = top.as_ptr().sub(waste).cast::<usize>().sub(6);
        sp.add(4).write(data);
        sp.add(3).write(entry);
        // A walker looks up the byte before a return address. One past the `nop` at the function's
        // start, this is still a byte of the function.
        sp.add(2).write(start as *const () as usize + 4);
        sp.write(0);
        Context(NonNull::new_unchecked(sp.cast()))
    }
}

/// Calls the `entry` of the frame to which r1 points.
///
/// r12 holds its address, from which it finds its table of contents. The function won't return, so
/// the processor's stack of return addresses is off by one; a jump with a return address would need
/// two more instructions.
macro_rules! ENTER {
    () => {
        "ld 12, 24(1)\nmtctr 12\nbctrl\ntrap"
    };
}

/// The first code on a stack. The first switch to a context jumps here, to the instruction after
/// the `nop`.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined 65", // lr. A5: nothing called this, so a walk ends here
        "nop",               // see `first_frame`
        "mr 1, 4",           // the frame becomes that of this function; the back chain in it is 0
        ENTER!(),
        ".cfi_endproc",
    )
}

/// As `start`, with `data` the address of the variable that receives the resuming context.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start_linked() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined 65",
        "nop",
        "mr 1, 4",
        "ld 31, 32(1)",       // `data` of the frame
        "std 6, 0(31)",       // the context that has resumed this one
        FRAME!("0x8f" deref), // A5: from here on a walk goes on into it
        "mr 4, 31",           // the second argument of `entry`
        ENTER!(),
        ".cfi_endproc",
    )
}

/// One switch site: suspends the running context, resumes `$to`, and is resumed at the label 2.
/// `$store` is an instruction that may store r6, which then is the context of this site.
///
/// Only a branch tells a program where it runs. The form of `bcl` here is the one that processors
/// don't take for a call.
macro_rules! site {
    ([$($store:literal)?], $to:expr, $arg:expr, $($operands:tt)*) => {{
        let ret: Word;
        asm!(
            "stdu 1, -48(1)",
            "bcl 20, 31, 3f", // goes on at the next instruction, with its address in lr
            "3:",
            "mflr 12",
            "addi 12, 12, 2f - 3b",
            "std 12, 16(1)",
            "std 30, 24(1)",
            "std 31, 32(1)",
            "std 2, 40(1)",
            "mr 6, 1", // the context of this site
            $($store,)?
            "ld 12, 16(4)",
            "mtctr 12",
            "bctr",
            "2:",
            // r4 is the context of this site again, and r6 that of the site that has resumed it.
            "ld 30, 24(4)",
            "ld 31, 32(4)",
            "ld 2, 40(4)",
            "addi 1, 4, 48",
            $($operands)*,
            in("r4") $to.as_ptr().as_ptr(),
            inlateout("r3") $arg => ret,
            lateout("r14") _, lateout("r15") _, lateout("r16") _, lateout("r17") _, lateout("r18") _,
            lateout("r19") _, lateout("r20") _, lateout("r21") _, lateout("r22") _, lateout("r23") _,
            lateout("r24") _, lateout("r25") _, lateout("r26") _, lateout("r27") _, lateout("r28") _,
            lateout("r29") _,
            lateout("f14") _, lateout("f15") _, lateout("f16") _, lateout("f17") _, lateout("f18") _, lateout("f19") _,
            lateout("f20") _, lateout("f21") _, lateout("f22") _, lateout("f23") _, lateout("f24") _, lateout("f25") _,
            lateout("f26") _, lateout("f27") _, lateout("f28") _, lateout("f29") _, lateout("f30") _, lateout("f31") _,
            lateout("v20") _, lateout("v21") _, lateout("v22") _, lateout("v23") _, lateout("v24") _, lateout("v25") _,
            lateout("v26") _, lateout("v27") _, lateout("v28") _, lateout("v29") _, lateout("v30") _, lateout("v31") _,
            lateout("cr2") _, lateout("cr3") _, lateout("cr4") _,
            clobber_abi("C"),
        );
        ret
    }};
}

#[inline(always)]
pub(crate) unsafe fn switch(save: *mut Context, to: Context, arg: Word) -> Word {
    // SAFETY: M1 for the words below r1, M2 for the jump, M3 for the registers. The caller vouches
    // that `save` is valid for a write and that `to` is suspended.
    unsafe { site!(["std 6, 0(5)"], to, arg, in("r5") save) }
}

#[inline(always)]
pub(crate) unsafe fn exchange(to: Context, arg: Word) -> (Option<Context>, Word) {
    let from: *mut u8;
    // SAFETY: as in `switch`, without `save`.
    let ret = unsafe { site!([], to, arg, lateout("r6") from) };
    (NonNull::new(from).map(Context), ret)
}

#[inline(always)]
pub(crate) unsafe fn switch_final(to: Context, arg: Word) -> ! {
    // SAFETY: M2 for the jump; the caller vouches that `to` is suspended. A4: nothing is written.
    unsafe {
        asm!(
            "li 6, 0", "ld 12, 16(4)", "mtctr 12", "bctr",
            in("r4") to.as_ptr().as_ptr(), in("r3") arg, options(noreturn)
        )
    }
}

/// An ordinary call of `f(data)`, except that the CFI at the call says that `ctx` made it (M4).
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn with_bridge(ctx: Context, f: extern "C" fn(*mut u8), data: *mut u8) {
    naked_asm!(
        ".cfi_startproc",
        "mflr 0",
        "std 0, 16(1)", // into the caller's frame, where the convention wants it
        "std 31, -8(1)",
        "stdu 1, -48(1)",
        ".cfi_def_cfa_offset 48",
        ".cfi_offset 65, 16",
        ".cfi_offset 31, -8",
        "std 2, 24(1)", // `f` may change r2
        "mr 31, 3",     // `ctx`, in a register that `f` preserves
        "mr 3, 5",      // `data`, the argument of `f`
        "mr 12, 4",     // `f` finds its table of contents from r12
        "mtctr 12",
        ".cfi_remember_state",
        FRAME!("0x8f"),
        "bctrl", // `f`
        ".cfi_restore_state",
        "ld 2, 24(1)",
        "addi 1, 1, 48",
        ".cfi_def_cfa_offset 0",
        "ld 31, -8(1)",
        ".cfi_restore 31",
        "ld 0, 16(1)",
        "mtlr 0",
        ".cfi_restore 65",
        "blr",
        ".cfi_endproc",
    )
}

#[inline(always)]
pub(crate) fn prefetch_line(address: *const u8) {
    // SAFETY: a prefetch reads nothing that the program could notice, and no address is wrong for
    // it.
    unsafe { asm!("dcbt 0, {}", in(reg) address, options(nostack, preserves_flags, readonly)) };
}

/// Valgrind recognises four rotations of r0 that together change nothing, and an `or` of r1 with
/// itself after them. It takes the address of the request from r4 and puts its answer into r3.
#[inline(always)]
pub(super) fn valgrind(block: &[usize; 6], default: usize) -> usize {
    let result;
    // SAFETY: a processor changes nothing; Valgrind reads `block` and sets r3.
    unsafe {
        asm!(
            "rotldi 0, 0, 3", "rotldi 0, 0, 13", "rotldi 0, 0, 61", "rotldi 0, 0, 51", "or 1, 1, 1",
            inlateout("r3") default => result,
            in("r4") block,
            options(nostack),
        );
    }
    result
}
