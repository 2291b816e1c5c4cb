//! x86-64 with the calling convention of 64-bit Windows.
//!
//! # A suspended context
//!
//! A switch pushes eight words. The address of the lowest is the context:
//!
//! ```text
//!     context + 64   rsp of the suspended site (16-byte aligned)
//!     context + 56   the address to jump to
//!     context + 48   GuaranteedStackBytes      gs:[0x1748]
//!     context + 40   DeallocationStack         gs:[0x1478]
//!     context + 32   StackLimit                gs:[0x10]
//!     context + 24   StackBase                 gs:[0x08]
//!     context + 16   ExceptionList             gs:[0x00]
//!     context +  8   rbx
//!     context      > rbp
//! ```
//!
//! The address lies where a call would have left its return address, so a walk that knows the
//! context needs no other word to go on in the site's function.
//!
//! The site saves rbx and rbp itself: LLVM uses them internally, so they can't be named as
//! clobbers. All other registers are clobbers, and with them the whole of xmm6 to xmm15. A call
//! preserves their 128 bits here, so the function with the site saves them in its own frame, and
//! its unwinding information says where. The upper halves of ymm6 to ymm15 belong to nobody.
//!
//! The switch resumes a context by `jmp [context + 56]`. Three registers are set then:
//!
//! | register | holds |
//! |---|---|
//! | rdx | the context that is resumed, from which the site finds its words and its stack |
//! | rcx | the argument |
//! | rax | the context that is left; 0 if it is gone for ever |
//!
//! # The thread's information block
//!
//! Windows keeps five words about the running stack in the TEB, to which gs points:
//!
//! - StackBase and StackLimit. The dispatcher of exceptions refuses frames outside of them, and a
//!   panic is an exception. `__chkstk` of MSVC starts to probe at StackLimit.
//! - DeallocationStack, the low end of the reserved addresses. If a thread touches a guard page
//!   between it and StackBase, the kernel commits more of the stack and lowers StackLimit.
//! - GuaranteedStackBytes, what `SetThreadStackGuarantee` has asked for on this stack.
//! - ExceptionList. It heads a chain of records on the stack, which Windows itself uses on x86
//!   only, and Wine on x86-64 too.
//!
//! Each site saves what its TEB says then, because StackLimit, GuaranteedStackBytes and
//! ExceptionList change while a context runs. A stack without room for more has the same address
//! for StackLimit and DeallocationStack.
//!
//! # What is not kept
//!
//! The convention says, as System V's does, that a call preserves the control bits of MXCSR and
//! the x87 control word. The switch leaves both as they are, as on every other machine (A2), so
//! that a program behaves alike everywhere.
//!
//! # Walks
//!
//! The unwinding codes of Windows are those of a prologue: add to rsp, load a register from the
//! stack, take rsp from a frame register. They have no expressions. The order of the words in the
//! context lets `pop rbp`, `pop rbx`, `add rsp, 40` describe it, and rsp itself can be loaded from
//! the frame register's memory, which is the link of `start_linked`. So walks (`RtlVirtualUnwind`,
//! `std::backtrace`) cross into the linked context as on other machines. Exceptions don't: the
//! dispatcher compares frames with the TEB of the running stack, and stops at a frame that is on
//! another one. By A6 none comes that far. (A panic that nobody catches is an exception without a
//! handler, with which Windows ends the process.)
//!
//! The unwinder reads the code after a return address, and takes what looks like an epilogue for
//! one. So a `nop` or `ud2` stands after each call, and the first instruction at a resume label is
//! none of an epilogue (no `pop`, no `add rsp`).
//!
//! # What was rejected
//!
//! - The red zone of `x86_64_sysv.rs`. Windows has none: an exception's record is written right
//!   below rsp.
//! - To recompute the bounds at each switch instead of saving them. The bounds change (see above).

use core::arch::{asm, naked_asm};
use core::ptr::NonNull;

use crate::bounds::StackBounds;
use crate::context::Context;
use crate::word::Word;

/// Saves the TEB's words, from the highest address of the frame down. The first
/// instruction touches the lowest byte that the site will push. If that is on the guard page, the
/// kernel moves StackLimit now, and not after it was saved.
macro_rules! PUSH_TEB {
    () => {
        "cmp byte ptr [rsp - 56], 0
         push qword ptr gs:[0x1748]
         push qword ptr gs:[0x1478]
         push qword ptr gs:[0x10]
         push qword ptr gs:[0x08]
         push qword ptr gs:[0x00]"
    };
}

/// Restores the TEB's words from the stack.
macro_rules! POP_TEB {
    () => {
        "pop qword ptr gs:[0x00]
         pop qword ptr gs:[0x08]
         pop qword ptr gs:[0x10]
         pop qword ptr gs:[0x1478]
         pop qword ptr gs:[0x1748]"
    };
}

/// Unwinding codes: how to find the registers of a suspended site when rsp is its context. An
/// unwinder applies the codes from the last to the first.
macro_rules! FRAME {
    () => {
        // Beyond the words of the TEB lies the return address.
        ".seh_stackalloc 40
         .seh_pushreg rbx
         .seh_pushreg rbp"
    };
}

/// Writes the first frame of a context below `top`, with `data` in the place of rbp and `entry` in
/// that of rbx.
///
/// ```text
///     top (rounded down to 16 bytes)
///     top -  8   0         fills up to 16 bytes
///     top - 16   0         where a start function would have its return address: ends a walk
///     top - 24   start
///     top - 32   bytes     GuaranteedStackBytes
///     top - 40   limit     DeallocationStack
///     top - 48   committed StackLimit
///     top - 56   base      StackBase
///     top - 64   -1        ExceptionList: its end
///     top - 72   entry     rbx
///     top - 80 > data      rbp
/// ```
///
/// # Safety
/// 128 bytes below `top` are writable and used by nobody else. `start` is a start function of this
/// file, and `entry` and `data` are what it expects.
#[inline]
pub(super) unsafe fn first_frame(
    top: NonNull<u8>,
    bounds: StackBounds,
    start: unsafe extern "C" fn(),
    entry: usize,
    data: usize,
) -> Context {
    let waste = top.addr().get() & 15;
    // SAFETY: the caller gives 128 bytes, of which 15 + 80 are used at most. Without `waste` the
    // address is aligned.
    unsafe {
        let sp = top.as_ptr().sub(waste).cast::<usize>().sub(10);
        sp.add(9).write(0);
        sp.add(8).write(0);
        // Here nothing of the function's prologue has been done, and that is how a walk takes it.
        sp.add(7).write(start as *const () as usize);
        sp.add(6).write(bounds.guaranteed);
        sp.add(5).write(bounds.limit.expose_provenance().get());
        sp.add(4).write(bounds.committed.expose_provenance().get());
        sp.add(3).write(bounds.top.expose_provenance().get());
        sp.add(2).write(usize::MAX);
        sp.add(1).write(entry);
        sp.write(data);
        Context(NonNull::new_unchecked(sp.cast()))
    }
}

/// Calls the `entry` in r8. Above rsp lies room for four arguments, as the convention wants: words
/// of the frame that have been read.
///
/// It pushes the return address and jumps. The function won't return, so a `call` would leave the
/// processor's stack of return addresses off by one.
macro_rules! ENTER {
    () => {
        "lea rax, [rip + 2f]\npush rax\njmp r8\n2: ud2"
    };
}

/// The first code on a stack. The first switch to a context jumps here.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start() {
    naked_asm!(
        ".seh_proc {start}",
        "mov r8, [rdx + 8]",   // `entry` of the frame
        "lea rsp, [rdx + 16]", // 16-byte aligned
        POP_TEB!(),
        "lea rsp, [rdx + 16]",
        "xor ebp, ebp",
        ".seh_stackalloc 48", // A5: from here to the zero above the frame
        ".seh_endprologue",
        ENTER!(),
        ".seh_endproc",
        start = sym start,
    )
}

/// As `start`, with `data` the address of the variable that receives the resuming context.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start_linked() {
    naked_asm!(
        ".seh_proc {start_linked}",
        "mov rbp, [rdx]",    // `data` of the frame
        "mov [rbp], rax",    // the context that has resumed this one
        "mov r8, [rdx + 8]", // `entry` of the frame
        "lea rsp, [rdx + 16]",
        POP_TEB!(),
        "lea rsp, [rdx + 16]",
        "mov rdx, rbp", // the second argument of `entry`
        FRAME!(),
        ".seh_savereg rsp, 0", // A5: rsp is `[rbp]`, so a walk goes on in the linked context
        ".seh_setframe rbp, 0",
        ".seh_endprologue",
        ENTER!(),
        ".seh_endproc",
        start_linked = sym start_linked,
    )
}

/// One switch site: suspends the running context, resumes `$to`, and is resumed at the label.
/// `$store` is an instruction that may store rax, which then is the context of this site.
macro_rules! site {
    ([$($store:literal)?], $to:expr, $arg:expr, $($operands:tt)*) => {{
        let ret: Word;
        asm!(
            "lea rax, [rip + 2f]",
            "push rax",
            PUSH_TEB!(),
            "push rbx",
            "push rbp",
            "mov rax, rsp", // the context of this site
            $($store,)?
            "jmp [rdx + 56]",
            "2:",
            // rdx is the context of this site again, and rax that of the site that has resumed it.
            "mov rbp, [rdx]",
            "mov rbx, [rdx + 8]",
            "lea rsp, [rdx + 16]",
            POP_TEB!(),
            "lea rsp, [rsp + 8]", // beyond the address
            $($operands)*,
            in("rdx") $to.as_ptr().as_ptr(),
            inlateout("rcx") $arg => ret,
            lateout("r12") _, lateout("r13") _, lateout("r14") _, lateout("r15") _,
            // Adds rsi, rdi and xmm6 to xmm15 to what a call may change here (M3).
            clobber_abi("sysv64"),
        );
        ret
    }};
}

#[inline(always)]
pub(crate) unsafe fn switch(save: *mut Context, to: Context, arg: Word) -> Word {
    // SAFETY: M1 for the words that are pushed, M2 for the jump, M3 for the registers. The caller
    // vouches that `save` is valid for a write and that `to` is suspended.
    unsafe { site!(["mov [r8], rax"], to, arg, in("r8") save) }
}

#[inline(always)]
pub(crate) unsafe fn exchange(to: Context, arg: Word) -> (Option<Context>, Word) {
    let from: *mut u8;
    // SAFETY: as in `switch`, without `save`.
    let ret = unsafe { site!([], to, arg, lateout("rax") from) };
    (NonNull::new(from).map(Context), ret)
}

#[inline(always)]
pub(crate) unsafe fn switch_final(to: Context, arg: Word) -> ! {
    // SAFETY: M2 for the jump; the caller vouches that `to` is suspended. A4: nothing is written.
    unsafe {
        asm!("xor eax, eax", "jmp [rdx + 56]", in("rdx") to.as_ptr().as_ptr(), in("rcx") arg, options(noreturn))
    }
}

/// An ordinary call of `f(data)`, except that the unwinding codes at the call say that `ctx` made
/// it (M4).
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn with_bridge(ctx: Context, f: extern "C" fn(*mut u8), data: *mut u8) {
    naked_asm!(
        ".seh_proc {with_bridge}",
        "push rbp",
        "mov rbp, rcx", // `ctx`, in a register that `f` preserves
        "sub rsp, 32",  // room for four arguments
        FRAME!(),
        ".seh_setframe rbp, 0",
        ".seh_endprologue",
        "mov rcx, r8", // `data`, the argument of `f`
        "call rdx",    // `f`
        "nop",         // else a walk takes the return address for one in the epilogue
        "add rsp, 32",
        "pop rbp",
        "ret",
        ".seh_endproc",
        with_bridge = sym with_bridge,
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
