//! Arm with 32 bits and AAPCS with VFP registers (`eabihf`): Linux. Both instruction sets, A32 and
//! T32 (Thumb-2), by the same lines.
//!
//! # A suspended context
//!
//! A switch takes four words from its stack. The address of the lowest is the context:
//!
//! ```text
//!     context + 16   sp of the suspended site (8-byte aligned)
//!     context + 12   the address to jump to; bit 0 is set if the site is T32
//!     context +  8   r11
//!     context +  4   r7
//!     context      > r6
//! ```
//!
//! The words lie in the order of `push {r6, r7, r11, lr}`, for the unwind table's sake.
//!
//! The site saves these three registers itself: LLVM uses r6 internally, and r11 or r7 (in A32 or
//! T32) as the frame pointer, so they can't be named as clobbers. All other registers are clobbers,
//! d8 to d15 too. The compiler saves those that are live at that very place, and no others. The
//! thread pointer is no general register on this machine.
//!
//! There is no red zone, so sp moves down before the words are written. The switch resumes a
//! context by a jump to `[context + 12]`. The jump is a `bx`, which changes to the instruction set
//! that bit 0 names: a program may mix the two. Three registers are set then:
//!
//! | register | holds |
//! |---|---|
//! | r1 | the context that is resumed, from which the site finds its words and its stack |
//! | r0 | the argument |
//! | r3 | the context that is left; 0 if it is gone for ever |
//!
//! # Unwind tables
//!
//! This machine has no DWARF call frame information but tables of its own (EHABI). A function has
//! one description for all of its instructions, of which each byte or two is an operation on a
//! virtual stack pointer:
//!
//! | bytes | operation |
//! |---|---|
//! | `0x94` | the pointer is r4 |
//! | `0xa0` | pop r4 |
//! | `0x84, 0x8c` | pop r6, r7, r11, lr: the words of a suspended context |
//! | `0x80, 0x00` | the walk ends here |

use core::arch::{asm, naked_asm};
use core::ptr::NonNull;

use crate::bounds::StackBounds;
use crate::context::Context;
use crate::word::Word;

/// Writes the first frame of a context below `top`, with `data` in the place of r6.
///
/// ```text
///     top (rounded down to 16 bytes)
///     top - 16   entry     end of the frame: a start function sets sp to here
///     top - 20   start
///     top - 24   0         r11
///     top - 28   0         r7
///     top - 32 > data      r6
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
        top.sub(4).write(entry);
        let sp = top.sub(8);
        // A walker looks up a byte before a return address. After the first instruction, this is
        // still a byte of the function. Bit 0 of a function's address says that it is T32.
        sp.add(3).write(start as *const () as usize + 4);
        sp.add(2).write(0);
        sp.add(1).write(0);
        sp.write(data);
        Context(NonNull::new_unchecked(sp.cast()))
    }
}

/// Calls the `entry` to whose address sp points.
///
/// `blx` gives the return address the bit that says T32. The function won't return, so the
/// processor's stack of return addresses is off by one.
macro_rules! ENTER {
    () => {
        "ldr r12, [sp]\nblx r12\nudf #0"
    };
}

/// The first code on a stack. The first switch to a context jumps here, to the second instruction.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start() {
    naked_asm!(
        ".fnstart",
        "mov r12, #0", // not executed: 4 bytes in A32 and T32, see `first_frame`
        "mov sp, r1",
        "add sp, sp, #16", // the end of the frame, with the address of `entry`; 16-byte aligned
        "mov r7, #0",      // ends a walk along frame pointers
        "mov r11, #0",
        ENTER!(),
        ".unwind_raw 0, 0x80, 0x00", // A5: nothing called this, so a walk ends here
        ".fnend",
    )
}

/// As `start`, with `data` the address of the variable that receives the resuming context.
///
/// The description is that of the call: the context is the word to which r4 points.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start_linked() {
    naked_asm!(
        ".fnstart",
        "mov r12, #0",
        "mov sp, r1",
        "add sp, sp, #16",
        "ldr r4, [r1]", // `data` of the frame
        "str r3, [r4]", // the context that has resumed this one
        "mov r1, r4",   // the second argument of `entry`
        ENTER!(),
        ".unwind_raw 0, 0x94, 0xa0, 0x94, 0x84, 0x8c", // A5: a walk goes on into it
        ".fnend",
    )
}

/// One switch site: suspends the running context, resumes `$to`, and is resumed at the label 2.
/// `$store` is an instruction that may store r3, which then is the context of this site.
///
/// `adr` doesn't set bit 0 of the address of a T32 instruction. The assembler sees from the size of
/// the `mov` which instruction set this is.
///
/// In T32 `adr` counts from its own address rounded down to 4 bytes, so its operand is right only
/// if the linker keeps the section's place modulo 4. The alignment in the code demands that. The
/// compiler itself aligns T32 functions to 2 bytes.
macro_rules! site {
    ([$($store:literal)?], $to:expr, $arg:expr, $($operands:tt)*) => {{
        let ret: Word;
        asm!(
            ".p2align 2", // for `adr`
            "sub sp, sp, #16",
            "stm sp, {{r6, r7, r11}}",
            "adr r12, 2f",
            "0:",
            "mov r3, sp", // the context of this site
            "1:",
            ".if 1b - 0b == 2",
            "add r12, r12, #1", // only in T32
            ".endif",
            "str r12, [sp, #12]",
            $($store,)?
            "ldr r12, [r1, #12]",
            "bx r12",
            "2:",
            // r1 is the context of this site again, and r3 that of the site that has resumed it.
            "ldm r1, {{r6, r7, r11}}",
            "mov sp, r1",
            "add sp, sp, #16", // by way of `mov`, as T32 can't add to another register into sp
            $($operands)*,
            in("r1") $to.as_ptr().as_ptr(),
            inlateout("r0") $arg => ret,
            lateout("r4") _, lateout("r5") _, lateout("r8") _, lateout("r9") _, lateout("r10") _,
            lateout("d8") _, lateout("d9") _, lateout("d10") _, lateout("d11") _,
            lateout("d12") _, lateout("d13") _, lateout("d14") _, lateout("d15") _,
            clobber_abi("C"),
        );
        ret
    }};
}

#[inline(always)]
pub(crate) unsafe fn switch(save: *mut Context, to: Context, arg: Word) -> Word {
    // SAFETY: M1 for the words below sp, M2 for the jump, M3 for the registers. The caller vouches
    // that `save` is valid for a write and that `to` is suspended.
    unsafe { site!(["str r3, [r2]"], to, arg, in("r2") save) }
}

#[inline(always)]
pub(crate) unsafe fn exchange(to: Context, arg: Word) -> (Option<Context>, Word) {
    let from: *mut u8;
    // SAFETY: as in `switch`, without `save`.
    let ret = unsafe { site!([], to, arg, lateout("r3") from) };
    (NonNull::new(from).map(Context), ret)
}

#[inline(always)]
pub(crate) unsafe fn switch_final(to: Context, arg: Word) -> ! {
    // SAFETY: M2 for the jump; the caller vouches that `to` is suspended. A4: nothing is written.
    unsafe {
        asm!(
            "mov r3, #0", "ldr r12, [r1, #12]", "bx r12",
            in("r1") to.as_ptr().as_ptr(), in("r0") arg, options(noreturn)
        )
    }
}

/// An ordinary call of `f(data)`, except that the unwind table says that `ctx` made it (M4).
///
/// The description is that of the call. `f` doesn't unwind, so nobody needs one for the rest.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn with_bridge(ctx: Context, f: extern "C" fn(*mut u8), data: *mut u8) {
    naked_asm!(
        ".fnstart",
        "push {{r4, lr}}",
        "mov r4, r0", // `ctx`, in a register that `f` preserves
        "mov r0, r2", // `data`, the argument of `f`
        "blx r1",     // `f`
        "pop {{r4, pc}}",
        ".unwind_raw 0, 0x94, 0x84, 0x8c",
        ".fnend",
    )
}

#[inline(always)]
pub(crate) fn prefetch_line(address: *const u8) {
    // SAFETY: a prefetch reads nothing that the program could notice, and no address is wrong for
    // it.
    unsafe { asm!("pld [{}]", in(reg) address, options(nostack, preserves_flags, readonly)) };
}

/// Valgrind recognises four rotations of r12 that together change nothing, and an `orr` of r10 with
/// itself after them. It takes the address of the request from r4 and puts its answer into r3.
#[inline(always)]
pub(super) fn valgrind(block: &[usize; 6], default: usize) -> usize {
    let result;
    // SAFETY: a processor changes nothing; Valgrind reads `block` and sets r3.
    unsafe {
        asm!(
            "mov r12, r12, ror #3", "mov r12, r12, ror #13", "mov r12, r12, ror #29", "mov r12, r12, ror #19",
            "orr r10, r10, r10",
            inlateout("r3") default => result,
            in("r4") block,
            options(nostack),
        );
    }
    result
}
