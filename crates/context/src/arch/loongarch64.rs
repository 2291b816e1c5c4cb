//! LoongArch with 64 bits and the calling convention LP64D (base and `d` floating point): Linux.
//!
//! # A suspended context
//!
//! A switch takes four words from its stack. The address of the lowest is the context:
//!
//! ```text
//!     context + 32   sp of the suspended site (16-byte aligned)
//!     context + 24   nothing (keeps sp aligned)
//!     context + 16   s8
//!     context +  8   the address to jump to
//!     context      > fp
//! ```
//!
//! The site saves fp and s8 itself: LLVM uses them internally, so they can't be named as clobbers.
//! All other registers are clobbers. The compiler saves those that are live at that very place, and
//! no others. tp and r21 belong to the platform and are left alone.
//!
//! A call preserves fs0 to fs7 as doubles. The vector registers of LSX and LASX contain them; a
//! call preserves none of the upper bits.
//!
//! There is no red zone, so sp moves down before the words are written. The switch resumes a
//! context by a jump to `[context + 8]`. The jump goes through t1: a jump through ra hints to the
//! processor that a function returns. Three registers are set then:
//!
//! | register | holds |
//! |---|---|
//! | a1 | the context that is resumed, from which the site finds its words and its stack |
//! | a0 | the argument |
//! | a3 | the context that is left; 0 if it is gone for ever |

use core::arch::{asm, naked_asm};
use core::ptr::NonNull;

use crate::bounds::StackBounds;
use crate::context::Context;
use crate::word::Word;

/// CFI: how to find the registers of a suspended site. Its context is in a register; with `deref`,
/// it is in the memory to which that register points. `$breg` is the DWARF operation for the
/// register: 0x86 is fp.
///
/// ```text
/// CFA = context + 32     ra = [context + 8]     fp = [context]     s8 = [context + 16]
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
            ".cfi_escape 0x10, 22, 2, ",
            $breg,
            ", 0\n",
            ".cfi_escape 0x10, 31, 2, ",
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
            ".cfi_escape 0x10, 1, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 8\n",
            ".cfi_escape 0x10, 22, 3, ",
            $breg,
            ", 0, 0x06\n",
            ".cfi_escape 0x10, 31, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 16\n",
            FRAME!()
        )
    };
    // s0 to s7: the site's function saved these in its own frame if they were live, and its CFI
    // says where.
    () => {
        ".cfi_undefined 23\n.cfi_undefined 24\n.cfi_undefined 25\n.cfi_undefined 26\n.cfi_undefined 27\n\
         .cfi_undefined 28\n.cfi_undefined 29\n.cfi_undefined 30"
    };
}

/// Writes the first frame of a context below `top`, with `data` in the place of fp.
///
/// ```text
///     top (rounded down to 16 bytes)
///     top - 16   entry     end of the frame: a start function sets sp to here
///     top - 32   0         s8
///     top - 40   start
///     top - 48 > data      fp
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
/// It sets the return address and jumps. The function won't return, so a `jirl` with ra would leave
/// the processor's stack of return addresses off by one.
macro_rules! ENTER {
    () => {
        "ld.d $t1, $sp, 0\nla.pcrel $ra, 2f\njr $t1\n2: break 0"
    };
}

/// The first code on a stack. The first switch to a context jumps here, to the instruction after
/// the `nop`.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined 1",    // ra. A5: nothing called this, so a walk ends here
        "nop",                 // see `first_frame`
        "addi.d $sp, $a1, 32", // the end of the frame, with the address of `entry`
        "move $fp, $zero",     // ends a walk along frame pointers
        ENTER!(),
        ".cfi_endproc",
    )
}

/// As `start`, with `data` the address of the variable that receives the resuming context.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start_linked() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined 1",
        "nop",
        "addi.d $sp, $a1, 32",
        "ld.d $fp, $a1, 0",   // `data` of the frame
        "st.d $a3, $fp, 0",   // the context that has resumed this one
        FRAME!("0x86" deref), // A5: from here on a walk goes on into it
        "move $a1, $fp",      // the second argument of `entry`
        ENTER!(),
        ".cfi_endproc",
    )
}

/// One switch site: suspends the running context, resumes `$to`, and is resumed at the label.
/// `$store` is an instruction that may store a3, which then is the context of this site.
macro_rules! site {
    ([$($store:literal)?], $to:expr, $arg:expr, $($operands:tt)*) => {{
        let ret: Word;
        asm!(
            "la.pcrel $t1, 2f",
            "addi.d $sp, $sp, -32",
            "st.d $fp, $sp, 0",
            "st.d $t1, $sp, 8",
            "st.d $s8, $sp, 16",
            "move $a3, $sp", // the context of this site
            $($store,)?
            "ld.d $t1, $a1, 8",
            "jr $t1",
            "2:",
            // a1 is the context of this site again, and a3 that of the site that has resumed it.
            "addi.d $sp, $a1, 32",
            "ld.d $s8, $a1, 16",
            "ld.d $fp, $a1, 0",
            $($operands)*,
            in("$a1") $to.as_ptr().as_ptr(),
            inlateout("$a0") $arg => ret,
            lateout("$s0") _, lateout("$s1") _, lateout("$s2") _, lateout("$s3") _, lateout("$s4") _,
            lateout("$s5") _, lateout("$s6") _, lateout("$s7") _,
            lateout("$fs0") _, lateout("$fs1") _, lateout("$fs2") _, lateout("$fs3") _,
            lateout("$fs4") _, lateout("$fs5") _, lateout("$fs6") _, lateout("$fs7") _,
            clobber_abi("C"),
        );
        ret
    }};
}

#[inline(always)]
pub(crate) unsafe fn switch(save: *mut Context, to: Context, arg: Word) -> Word {
    // SAFETY: M1 for the words below sp, M2 for the jump, M3 for the registers. The caller vouches
    // that `save` is valid for a write and that `to` is suspended.
    unsafe { site!(["st.d $a3, $a2, 0"], to, arg, in("$a2") save) }
}

#[inline(always)]
pub(crate) unsafe fn exchange(to: Context, arg: Word) -> (Option<Context>, Word) {
    let from: *mut u8;
    // SAFETY: as in `switch`, without `save`.
    let ret = unsafe { site!([], to, arg, lateout("$a3") from) };
    (NonNull::new(from).map(Context), ret)
}

#[inline(always)]
pub(crate) unsafe fn switch_final(to: Context, arg: Word) -> ! {
    // SAFETY: M2 for the jump; the caller vouches that `to` is suspended. A4: nothing is written.
    unsafe {
        asm!(
            "move $a3, $zero", "ld.d $t1, $a1, 8", "jr $t1",
            in("$a1") to.as_ptr().as_ptr(), in("$a0") arg, options(noreturn)
        )
    }
}

/// An ordinary call of `f(data)`, except that the CFI at the call says that `ctx` made it (M4).
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn with_bridge(ctx: Context, f: extern "C" fn(*mut u8), data: *mut u8) {
    naked_asm!(
        ".cfi_startproc",
        "addi.d $sp, $sp, -16",
        ".cfi_def_cfa_offset 16",
        "st.d $fp, $sp, 0",
        "st.d $ra, $sp, 8",
        ".cfi_offset 22, -16", // fp
        ".cfi_offset 1, -8",   // ra
        "move $fp, $a0",       // `ctx`, in a register that `f` preserves
        "move $a0, $a2",       // `data`, the argument of `f`
        ".cfi_remember_state",
        FRAME!("0x86"),
        "jirl $ra, $a1, 0", // `f`
        ".cfi_restore_state",
        "ld.d $fp, $sp, 0",
        "ld.d $ra, $sp, 8",
        "addi.d $sp, $sp, 16",
        ".cfi_def_cfa_offset 0",
        ".cfi_restore 22",
        ".cfi_restore 1",
        "ret",
        ".cfi_endproc",
    )
}

#[inline(always)]
pub(crate) fn prefetch_line(address: *const u8) {
    // SAFETY: a prefetch reads nothing that the program could notice, and no address is wrong for
    // it.
    unsafe { asm!("preld 0, {}, 0", in(reg) address, options(nostack, preserves_flags, readonly)) };
}

/// Returns `default`: the Valgrind of today's distributions doesn't run on this machine.
#[inline(always)]
pub(super) fn valgrind(_block: &[usize; 6], default: usize) -> usize {
    default
}
