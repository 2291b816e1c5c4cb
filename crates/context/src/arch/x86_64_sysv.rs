//! x86-64 with the System V calling convention: Linux, macOS, the BSDs.
//!
//! # A suspended context
//!
//! A switch writes three words below the stack pointer. The address of the lowest is the context:
//!
//! ```text
//!     context + 24   rsp of the suspended site (16-byte aligned)
//!     context + 16   rbx
//!     context +  8   the address to jump to
//!     context      > rbp
//! ```
//!
//! The lower two have the order of a frame record, so tools that follow frame pointers can walk on
//! from here too.
//!
//! The site saves rbx and rbp itself: LLVM uses them internally, so they can't be named as
//! clobbers. All other registers are clobbers. The compiler saves those that are live at that very
//! place, and no others.
//!
//! The switch resumes a context by `jmp [context + 8]`. Three registers are set then:
//!
//! | register | holds |
//! |---|---|
//! | rsi | the context that is resumed, from which the site finds its words and its stack |
//! | rdi | the argument |
//! | rcx | the context that is left; 0 if it is gone for ever |
//!
//! # What was rejected
//!
//! - `ret` instead of `jmp`. The processor predicts a `ret` from its own stack of return addresses,
//!   whose top belongs to another context after a switch.
//! - `push` and `pop`. Each would wait for the last one's rsp, and a profiler that interrupts
//!   between them would see a frame that is some words off. The site writes into the red zone
//!   instead, the 128 bytes below rsp that the convention protects from signal handlers. Only at
//!   the resume label does rsp still belong to the other stack, for one instruction.

use core::arch::{asm, naked_asm};
use core::ptr::NonNull;

use crate::bounds::StackBounds;
use crate::context::Context;
use crate::word::Word;

/// CFI: how to find the registers of a suspended site. Its context is in a register; with `deref`,
/// it is in the memory to which that register points. `$breg` is the DWARF operation for the
/// register: 0x76 is rbp.
///
/// ```text
/// CFA = context + 24     rip = [context + 8]     rbp = [context]     rbx = [context + 16]
/// ```
///
/// Valgrind knows these operations, and breaks a walk off at others.
macro_rules! FRAME {
    ($breg:literal) => {
        concat!(
            // DW_CFA_def_cfa_expression, 4 bytes: breg 0; plus_uconst 24
            ".cfi_escape 0x0f, 4, ",
            $breg,
            ", 0, 0x23, 24\n",
            // DW_CFA_expression, register, 2 bytes: breg offset
            ".cfi_escape 0x10, 16, 2, ",
            $breg,
            ", 8\n",
            ".cfi_escape 0x10, 6, 2, ",
            $breg,
            ", 0\n",
            ".cfi_escape 0x10, 3, 2, ",
            $breg,
            ", 16\n",
            FRAME!()
        )
    };
    ($breg:literal deref) => {
        concat!(
            // DW_CFA_def_cfa_expression, 5 bytes: breg 0; deref; plus_uconst 24
            ".cfi_escape 0x0f, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 24\n",
            // DW_CFA_expression, register, 5 bytes: breg 0; deref; plus_uconst offset
            ".cfi_escape 0x10, 16, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 8\n",
            ".cfi_escape 0x10, 6, 3, ",
            $breg,
            ", 0, 0x06\n",
            ".cfi_escape 0x10, 3, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 16\n",
            FRAME!()
        )
    };
    // The site's function saved these in its own frame if they were live, and its CFI says where.
    () => {
        ".cfi_undefined r12\n.cfi_undefined r13\n.cfi_undefined r14\n.cfi_undefined r15"
    };
}

/// Writes the first frame of a context below `top`, with `data` in the place of rbp.
///
/// ```text
///     top (rounded down to 16 bytes)
///     top -  8   0         fills up to 16 bytes
///     top - 16   entry     end of the frame: a start function sets rsp to here
///     top - 24   0         rbx
///     top - 32   start
///     top - 40 > data      rbp
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
    // SAFETY: the caller gives 128 bytes, of which 15 + 40 are used at most. Without `waste` the
    // address is aligned.
    unsafe {
        let top = top.as_ptr().sub(waste).cast::<usize>();
        top.sub(1).write(0);
        top.sub(2).write(entry);
        let sp = top.sub(5);
        sp.add(2).write(0);
        // A walker looks up the byte before a return address. One past the `nop` at the function's
        // start, this is still a byte of the function.
        sp.add(1).write(start as *const () as usize + 1);
        sp.write(data);
        Context(NonNull::new_unchecked(sp.cast()))
    }
}

/// Calls the `entry` to whose address rsp points.
///
/// It pushes the return address and jumps. The function won't return, so a `call` would leave the
/// processor's stack of return addresses off by one.
macro_rules! ENTER {
    () => {
        "lea rax, [rip + 2f]\npush rax\njmp [rsp + 8]\n2: ud2"
    };
}

/// The first code on a stack. The first switch to a context jumps here, to the instruction after
/// the `nop`.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",  // A5: nothing called this, so a walk ends here
        "nop",                 // see `first_frame`
        "lea rsp, [rsi + 24]", // the end of the frame, with the address of `entry`; 16-byte aligned
        "xor ebp, ebp",        // ends a walk along frame pointers
        ENTER!(),
        ".cfi_endproc",
    )
}

/// As `start`, with `data` the address of the variable that receives the resuming context.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start_linked() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "nop",
        "lea rsp, [rsi + 24]",
        "mov rbp, [rsi]",     // `data` of the frame
        "mov [rbp], rcx",     // the context that has resumed this one
        FRAME!("0x76" deref), // A5: from here on a walk goes on into it
        "mov rsi, rbp",       // the second argument of `entry`
        ENTER!(),
        ".cfi_endproc",
    )
}

/// One switch site: suspends the running context, resumes `$to`, and is resumed at the label.
/// `$store` is an instruction that may store rcx, which then is the context of this site.
macro_rules! site {
    ([$($store:literal)?], $to:expr, $arg:expr, $($operands:tt)*) => {{
        let ret: Word;
        asm!(
            "lea rax, [rip + 2f]",
            "lea rcx, [rsp - 24]", // the context of this site
            "mov [rcx + 16], rbx",
            "mov [rcx + 8], rax",
            "mov [rcx], rbp",
            $($store,)?
            "jmp [rsi + 8]",
            "2:",
            // rsi is the context of this site again, and rcx that of the site that has resumed it.
            "lea rsp, [rsi + 24]",
            "mov rbx, [rsi + 16]",
            "mov rbp, [rsi]",
            $($operands)*,
            in("rsi") $to.as_ptr().as_ptr(),
            inlateout("rdi") $arg => ret,
            lateout("r12") _, lateout("r13") _, lateout("r14") _, lateout("r15") _,
            clobber_abi("sysv64"),
        );
        ret
    }};
}

#[inline(always)]
pub(crate) unsafe fn switch(save: *mut Context, to: Context, arg: Word) -> Word {
    // SAFETY: M1 for the words below rsp, M2 for the jump, M3 for the registers. The caller vouches
    // that `save` is valid for a write and that `to` is suspended.
    unsafe { site!(["mov [rdx], rcx"], to, arg, in("rdx") save) }
}

#[inline(always)]
pub(crate) unsafe fn exchange(to: Context, arg: Word) -> (Option<Context>, Word) {
    let from: *mut u8;
    // SAFETY: as in `switch`, without `save`.
    let ret = unsafe { site!([], to, arg, lateout("rcx") from) };
    (NonNull::new(from).map(Context), ret)
}

#[inline(always)]
pub(crate) unsafe fn switch_final(to: Context, arg: Word) -> ! {
    // SAFETY: M2 for the jump; the caller vouches that `to` is suspended. A4: nothing is written.
    unsafe {
        asm!("xor ecx, ecx", "jmp [rsi + 8]", in("rsi") to.as_ptr().as_ptr(), in("rdi") arg, options(noreturn))
    }
}

/// An ordinary call of `f(data)`, except that the CFI at the call says that `ctx` made it (M4).
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn with_bridge(ctx: Context, f: extern "C" fn(*mut u8), data: *mut u8) {
    naked_asm!(
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rdi", // `ctx`, in a register that `f` preserves
        "mov rdi, rdx", // `data`, the argument of `f`
        ".cfi_remember_state",
        FRAME!("0x76"),
        "call rsi", // `f`
        ".cfi_restore_state",
        "pop rbp",
        ".cfi_def_cfa_offset 8",
        ".cfi_restore rbp",
        "ret",
        ".cfi_endproc",
    )
}

#[inline(always)]
pub(crate) fn prefetch_line(address: *const u8) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a prefetch reads nothing that the program could notice, and no address is wrong for
    // it.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
}

/// Valgrind recognises four rotations of rdi that together change nothing, and an exchange of rbx
/// with itself after them. It takes the address of the request from rax and puts its answer into
/// rdx.
#[inline(always)]
pub(super) fn valgrind(block: &[usize; 6], default: usize) -> usize {
    let result;
    // SAFETY: a processor changes nothing but flags; Valgrind reads `block` and sets rdx.
    unsafe {
        asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            inlateout("rdx") default => result,
            in("rax") block,
            inout("rdi") 0usize => _,
            options(nostack),
        );
    }
    result
}
