//! AArch64 with AAPCS64: Linux, Android, macOS and iOS, the BSDs. (Windows keeps notes on each
//! stack and needs another file.)
//!
//! # A suspended context
//!
//! A switch takes four words from its stack. The address of the lowest is the context:
//!
//! ```text
//!     context + 32   sp of the suspended site (16-byte aligned)
//!     context + 24   nothing (keeps sp aligned)
//!     context + 16   x19
//!     context +  8   the address to jump to
//!     context      > x29
//! ```
//!
//! The lower two are a frame record of AAPCS64, so tools that follow frame pointers can walk on
//! from here too.
//!
//! The site saves x19 and x29 itself: LLVM uses them internally, so they can't be named as
//! clobbers. All other registers are clobbers. The compiler saves those that are live at that very
//! place, and no others. x18 belongs to the platform and is left alone.
//!
//! AAPCS64 has no red zone, so sp moves down before the words are written. The switch resumes a
//! context by a jump to `[context + 8]`. Three registers are set then:
//!
//! | register | holds |
//! |---|---|
//! | x1 | the context that is resumed, from which the site finds its words and its stack |
//! | x0 | the argument |
//! | x3 | the context that is left; 0 if it is gone for ever |
//!
//! # Branch protection
//!
//! Resume labels and start functions begin with `bti j`, and `with_bridge` with `bti c`, in all
//! builds: they are written as a `hint`, which older processors take for a `nop`. `entry` is
//! reached by a jump through x16, which may land on `bti c` too. The compiler writes that one, in
//! builds with branch protection. Under qemu with BTI enforced, one test of switches
//! (`values_go_both_ways`) passed. Others were not conclusive, as shims of std lack `bti`.
//!
//! Return addresses may be signed (PAC): the signature depends on the key and on sp, and both are
//! the same when a context is resumed. The words of the frame are not signed. A shadow stack (GCS)
//! would have to be switched too, and is not.

use core::arch::{asm, naked_asm};
use core::ptr::NonNull;

use crate::bounds::StackBounds;
use crate::context::Context;
use crate::word::Word;

/// CFI: how to find the registers of a suspended site. Its context is in a register; with `deref`,
/// it is in the memory to which that register points. `$breg` is the DWARF operation for the
/// register: 0x8d is x29.
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
            // DW_CFA_def_cfa_expression, 5 bytes: breg 0; deref; plus_uconst 32
            ".cfi_escape 0x0f, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 32\n",
            // DW_CFA_expression, register, 5 bytes: breg 0; deref; plus_uconst offset
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
    // The site's function saved these in its own frame if they were live, and its CFI says where.
    () => {
        ".cfi_undefined x20\n.cfi_undefined x21\n.cfi_undefined x22\n.cfi_undefined x23\n.cfi_undefined x24\n\
         .cfi_undefined x25\n.cfi_undefined x26\n.cfi_undefined x27\n.cfi_undefined x28"
    };
}

/// Writes the first frame of a context below `top`, with `data` in the place of x29.
///
/// ```text
///     top (rounded down to 16 bytes)
///     top - 16   entry     end of the frame: a start function sets sp to here
///     top - 32   0         x19
///     top - 40   start
///     top - 48 > data      x29
/// ```
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
        let top = top.as_ptr().sub(waste).cast::<usize>();
        top.sub(2).write(entry);
        let sp = top.sub(6);
        sp.add(2).write(0);
        // A walker looks up the byte before a return address. One past the `nop` at the function's
        // start, this is still a byte of the function.
        sp.add(1).write(start as *const () as usize + 4);
        sp.write(data);
        Context(NonNull::new_unchecked(sp.cast()))
    }
}

/// Calls the `entry` to whose address sp points.
///
/// It sets the return address and jumps. The function won't return, so a `blr` would leave the
/// processor's stack of return addresses off by one.
macro_rules! ENTER {
    () => {
        "ldr x16, [sp]\nadr x30, 2f\nbr x16\n2: brk #1"
    };
}

/// The first code on a stack. The first switch to a context jumps here, to the instruction after
/// the `nop`.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30", // A5: nothing called this, so a walk ends here
        "nop",                // see `first_frame`
        "hint #36",           // bti j
        "add sp, x1, #32",    // the end of the frame, with the address of `entry`
        "mov x29, xzr",       // ends a walk along frame pointers
        ENTER!(),
        ".cfi_endproc",
    )
}

/// As `start`, with `data` the address of the variable that receives the resuming context.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start_linked() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30",
        "nop",
        "hint #36",
        "add sp, x1, #32",
        "ldr x29, [x1]",      // `data` of the frame
        "str x3, [x29]",      // the context that has resumed this one
        FRAME!("0x8d" deref), // A5: from here on a walk goes on into it
        "mov x1, x29",        // the second argument of `entry`
        ENTER!(),
        ".cfi_endproc",
    )
}

/// One switch site: suspends the running context, resumes `$to`, and is resumed at the label.
/// `$store` is an instruction that may store x3, which then is the context of this site.
macro_rules! site {
    ([$($store:literal)?], $to:expr, $arg:expr, $($operands:tt)*) => {{
        let ret: Word;
        asm!(
            "adr x16, 2f",
            "sub sp, sp, #32",
            "stp x29, x16, [sp]",
            "str x19, [sp, #16]",
            "mov x3, sp", // the context of this site
            $($store,)?
            "ldr x16, [x1, #8]",
            "br x16",
            "2:",
            "hint #36", // bti j
            // x1 is the context of this site again, and x3 that of the site that has resumed it.
            "add sp, x1, #32",
            "ldr x19, [x1, #16]",
            "ldr x29, [x1]",
            $($operands)*,
            in("x1") $to.as_ptr().as_ptr(),
            inlateout("x0") $arg => ret,
            // `clobber_abi` names all of v0 to v31, though a call keeps the lower halves of v8 to
            // v15.
            lateout("x20") _, lateout("x21") _, lateout("x22") _, lateout("x23") _, lateout("x24") _,
            lateout("x25") _, lateout("x26") _, lateout("x27") _, lateout("x28") _,
            clobber_abi("C"),
        );
        ret
    }};
}

#[inline(always)]
pub(crate) unsafe fn switch(save: *mut Context, to: Context, arg: Word) -> Word {
    // SAFETY: M1 for the words below sp, M2 for the jump, M3 for the registers. The caller vouches
    // that `save` is valid for a write and that `to` is suspended.
    unsafe { site!(["str x3, [x2]"], to, arg, in("x2") save) }
}

#[inline(always)]
pub(crate) unsafe fn exchange(to: Context, arg: Word) -> (Option<Context>, Word) {
    let from: *mut u8;
    // SAFETY: as in `switch`, without `save`.
    let ret = unsafe { site!([], to, arg, lateout("x3") from) };
    (NonNull::new(from).map(Context), ret)
}

#[inline(always)]
pub(crate) unsafe fn switch_final(to: Context, arg: Word) -> ! {
    // SAFETY: M2 for the jump; the caller vouches that `to` is suspended. A4: nothing is written.
    unsafe {
        asm!(
            "mov x3, xzr", "ldr x16, [x1, #8]", "br x16",
            in("x1") to.as_ptr().as_ptr(), in("x0") arg, options(noreturn)
        )
    }
}

/// An ordinary call of `f(data)`, except that the CFI at the call says that `ctx` made it (M4).
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn with_bridge(ctx: Context, f: extern "C" fn(*mut u8), data: *mut u8) {
    naked_asm!(
        ".cfi_startproc",
        "hint #34", // bti c
        "stp x29, x30, [sp, #-16]!",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset x29, -16",
        ".cfi_offset x30, -8",
        "mov x29, x0", // `ctx`, in a register that `f` preserves
        "mov x0, x2",  // `data`, the argument of `f`
        ".cfi_remember_state",
        FRAME!("0x8d"),
        "blr x1", // `f`
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
pub(crate) fn prefetch_line(address: *const u8) {
    // SAFETY: a prefetch reads nothing that the program could notice, and no address is wrong for
    // it.
    unsafe { asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly)) };
}

/// Valgrind recognises four rotations of x12 that together change nothing, and an `orr` of x10 with
/// itself after them. It takes the address of the request from x4 and puts its answer into x3.
#[inline(always)]
pub(super) fn valgrind(block: &[usize; 6], default: usize) -> usize {
    let result;
    // SAFETY: a processor changes nothing; Valgrind reads `block` and sets x3.
    unsafe {
        asm!(
            "ror x12, x12, #3", "ror x12, x12, #13", "ror x12, x12, #51", "ror x12, x12, #61", "orr x10, x10, x10",
            inlateout("x3") default => result,
            in("x4") block,
            options(nostack),
        );
    }
    result
}
