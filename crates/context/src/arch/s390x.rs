//! s390x (IBM Z) with the ELF calling convention: Linux.
//!
//! # A suspended context
//!
//! A switch takes two words from its stack. The address of the lower one is the context:
//!
//! ```text
//!     context + 16   r15 of the suspended site (8-byte aligned)
//!     context +  8   the address to jump to
//!     context      > r11
//! ```
//!
//! The site saves r11 itself: LLVM uses it as the frame pointer, so it can't be named as a clobber.
//! All other registers are clobbers. The compiler saves those that are live at that very place, and
//! no others. The access registers a0 and a1 hold the thread pointer and are left alone.
//!
//! A call preserves f8 to f15. The vector registers v8 to v15 contain them; a call preserves none
//! of the other bits.
//!
//! r15 is the stack pointer. There is no red zone below it, so r15 moves down before the words are
//! written. The 160 bytes above r15 at a call belong to the called function, which saves registers
//! there. A switch calls nothing, so its frame needs no such area. A start function makes one for
//! `entry`, and the CFA of this machine lies 160 bytes above r15 for the same reason.
//!
//! The switch resumes a context by a jump to `[context + 8]` through r1. Three registers are set
//! then:
//!
//! | register | holds |
//! |---|---|
//! | r3 | the context that is resumed, from which the site finds its words and its stack |
//! | r2 | the argument |
//! | r4 | the context that is left; 0 if it is gone for ever |

use core::arch::{asm, naked_asm};
use core::ptr::NonNull;

use crate::bounds::StackBounds;
use crate::context::Context;
use crate::word::Word;

/// CFI: how to find the registers of a suspended site. Its context is in a register; with `deref`,
/// it is in the memory to which that register points. `$breg` is the DWARF operation for the
/// register: 0x7b is r11.
///
/// ```text
/// CFA = context + 176    r15 = context + 16    r14 = [context + 8]    r11 = [context]
/// ```
///
/// r14 stands for the address at which the site goes on. The CFA follows from r15, and not the
/// other way round: most functions of this machine say where they have saved r15, and so does this
/// one.
macro_rules! FRAME {
    ($breg:literal) => {
        concat!(
            // DW_CFA_def_cfa_expression, 5 bytes: breg 0; plus_uconst 176 (two bytes)
            ".cfi_escape 0x0f, 5, ",
            $breg,
            ", 0, 0x23, 0xb0, 0x01\n",
            // DW_CFA_val_expression, register, 2 bytes: breg offset
            ".cfi_escape 0x16, 15, 2, ",
            $breg,
            ", 16\n",
            // DW_CFA_expression, register, 2 bytes: breg offset
            ".cfi_escape 0x10, 14, 2, ",
            $breg,
            ", 8\n",
            ".cfi_escape 0x10, 11, 2, ",
            $breg,
            ", 0\n",
            FRAME!()
        )
    };
    ($breg:literal deref) => {
        concat!(
            // DW_CFA_def_cfa_expression, 6 bytes: breg 0; deref; plus_uconst 176
            ".cfi_escape 0x0f, 6, ",
            $breg,
            ", 0, 0x06, 0x23, 0xb0, 0x01\n",
            // DW_CFA_val_expression, register, 5 bytes: breg 0; deref; plus_uconst offset
            ".cfi_escape 0x16, 15, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 16\n",
            // DW_CFA_expression, register, 5 bytes: breg 0; deref; plus_uconst offset
            ".cfi_escape 0x10, 14, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 8\n",
            ".cfi_escape 0x10, 11, 3, ",
            $breg,
            ", 0, 0x06\n",
            FRAME!()
        )
    };
    // The site's function saved these in its own frame if they were live, and its CFI says where.
    () => {
        ".cfi_undefined %r6\n.cfi_undefined %r7\n.cfi_undefined %r8\n.cfi_undefined %r9\n.cfi_undefined %r10\n\
         .cfi_undefined %r12\n.cfi_undefined %r13"
    };
}

/// Writes the first frame of a context below `top`, with `data` in the place of r11.
///
/// ```text
///     top (rounded down to 16 bytes)
///     top - 16   entry     end of the frame: a start function sets r15 to 160 bytes below this
///     top - 24   start
///     top - 32 > data      r11
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
    // SAFETY: the caller gives 128 bytes, of which 15 + 32 are used at most. Without `waste` the
    // address is aligned.
    unsafe {
        let top = top.as_ptr().sub(waste).cast::<usize>();
        top.sub(2).write(entry);
        let sp = top.sub(4);
        // A walker looks up the byte before a return address. One past the `nopr` at the function's
        // start, this is still a byte of the function.
        sp.add(1).write(start as *const () as usize + 2);
        sp.write(data);
        Context(NonNull::new_unchecked(sp.cast()))
    }
}

/// Calls the `entry` whose address r1 holds.
///
/// It sets the return address and jumps. The function won't return. Two bytes of zeros are an
/// instruction that traps on every processor.
macro_rules! ENTER {
    () => {
        "larl %r14, 2f\nbr %r1\n2: .short 0"
    };
}

/// The first code on a stack. The first switch to a context jumps here, to the instruction after
/// the `nopr`.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined %r14", // A5: nothing called this, so a walk ends here
        "nopr %r0",            // see `first_frame`
        "lg %r1, 16(%r3)",     // `entry`
        "lay %r15, -144(%r3)", // 160 bytes below the end of the frame, for `entry` to save registers
        "lghi %r11, 0",
        "stg %r11, 0(%r15)", // ends a walk along back chains
        ENTER!(),
        ".cfi_endproc",
    )
}

/// As `start`, with `data` the address of the variable that receives the resuming context.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start_linked() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined %r14",
        "nopr %r0",
        "lg %r1, 16(%r3)",
        "lay %r15, -144(%r3)",
        "lghi %r0, 0",
        "stg %r0, 0(%r15)",
        "lg %r11, 0(%r3)",    // `data` of the frame
        "stg %r4, 0(%r11)",   // the context that has resumed this one
        FRAME!("0x7b" deref), // A5: from here on a walk goes on into it
        "lgr %r3, %r11",      // the second argument of `entry`
        ENTER!(),
        ".cfi_endproc",
    )
}

/// One switch site: suspends the running context, resumes `$to`, and is resumed at the label.
/// `$store` is an instruction that may store r4, which then is the context of this site.
macro_rules! site {
    ([$($store:literal)?], $to:expr, $arg:expr, $($operands:tt)*) => {{
        let ret: Word;
        asm!(
            "larl %r1, 2f",
            "aghi %r15, -16",
            "stg %r11, 0(%r15)",
            "stg %r1, 8(%r15)",
            "lgr %r4, %r15", // the context of this site
            $($store,)?
            "lg %r1, 8(%r3)",
            "br %r1",
            "2:",
            // r3 is the context of this site again, and r4 that of the site that has resumed it.
            "la %r15, 16(%r3)",
            "lg %r11, 0(%r3)",
            $($operands)*,
            in("r3") $to.as_ptr().as_ptr(),
            inlateout("r2") $arg => ret,
            lateout("r6") _, lateout("r7") _, lateout("r8") _, lateout("r9") _, lateout("r10") _,
            lateout("r12") _, lateout("r13") _,
            lateout("f8") _, lateout("f9") _, lateout("f10") _, lateout("f11") _,
            lateout("f12") _, lateout("f13") _, lateout("f14") _, lateout("f15") _,
            clobber_abi("C"),
        );
        ret
    }};
}

#[inline(always)]
pub(crate) unsafe fn switch(save: *mut Context, to: Context, arg: Word) -> Word {
    // SAFETY: M1 for the words below r15, M2 for the jump, M3 for the registers. The caller vouches
    // that `save` is valid for a write and that `to` is suspended.
    unsafe { site!(["stg %r4, 0(%r5)"], to, arg, in("r5") save) }
}

#[inline(always)]
pub(crate) unsafe fn exchange(to: Context, arg: Word) -> (Option<Context>, Word) {
    let from: *mut u8;
    // SAFETY: as in `switch`, without `save`.
    let ret = unsafe { site!([], to, arg, lateout("r4") from) };
    (NonNull::new(from).map(Context), ret)
}

#[inline(always)]
pub(crate) unsafe fn switch_final(to: Context, arg: Word) -> ! {
    // SAFETY: M2 for the jump; the caller vouches that `to` is suspended. A4: nothing is written.
    unsafe {
        asm!(
            "lghi %r4, 0", "lg %r1, 8(%r3)", "br %r1",
            in("r3") to.as_ptr().as_ptr(), in("r2") arg, options(noreturn)
        )
    }
}

/// An ordinary call of `f(data)`, except that the CFI at the call says that `ctx` made it (M4).
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn with_bridge(ctx: Context, f: extern "C" fn(*mut u8), data: *mut u8) {
    naked_asm!(
        ".cfi_startproc",
        "stmg %r11, %r15, 88(%r15)", // into the caller's area for it
        ".cfi_offset %r11, -72",
        ".cfi_offset %r14, -48",
        ".cfi_offset %r15, -40",
        "aghi %r15, -160", // the area in which `f` saves registers
        ".cfi_def_cfa_offset 320",
        "lgr %r11, %r2", // `ctx`, in a register that `f` preserves
        "lgr %r2, %r4",  // `data`, the argument of `f`
        ".cfi_remember_state",
        FRAME!("0x7b"),
        "basr %r14, %r3", // `f`
        ".cfi_restore_state",
        "lmg %r11, %r15, 248(%r15)",
        ".cfi_def_cfa_offset 160",
        ".cfi_restore %r11",
        ".cfi_restore %r14",
        ".cfi_restore %r15",
        "br %r14",
        ".cfi_endproc",
    )
}

#[inline(always)]
pub(crate) fn prefetch_line(address: *const u8) {
    // SAFETY: a prefetch (1: to read) reads nothing that the program could notice, and no address
    // is wrong for it.
    unsafe { asm!("pfd 1, 0({})", in(reg_addr) address, options(nostack, preserves_flags, readonly)) };
}

/// Valgrind recognises four copies of registers to themselves, and one of r2 after them. It takes
/// the address of the request from r2 and puts its answer into r3.
#[inline(always)]
pub(super) fn valgrind(block: &[usize; 6], default: usize) -> usize {
    let result;
    // SAFETY: a processor changes nothing; Valgrind reads `block` and sets r3.
    unsafe {
        asm!(
            "lr %r15, %r15", "lr %r1, %r1", "lr %r2, %r2", "lr %r3, %r3", "lr %r2, %r2",
            inlateout("r3") default => result,
            in("r2") block,
            options(nostack),
        );
    }
    result
}
