//! x86-64 with the System V calling convention: Linux, macOS, the BSDs.
//!
//! # A suspended context
//!
//! A switch writes three words below the stack pointer, and the address of the lowest is the context:
//!
//! ```text
//!     context + 24   rsp of the suspended site (16-byte aligned)
//!     context + 16   rbx
//!     context +  8   the address to jump to
//!     context      > rbp
//! ```
//!
//! The lower two are in the order of a frame record, so that tools which follow frame pointers get along with it too.
//!
//! rbx and rbp are saved by hand, because LLVM keeps them for itself and they can't be named as clobbers. All other
//! registers are clobbers: the compiler saves those that are live at that very place, and no others.
//!
//! A context is resumed by `jmp [context + 8]`, with the context itself in rsi, from which the site finds its words and its
//! stack again, the argument in rdi, and the context that is left in rcx (0 if it is gone for ever). It isn't `ret`:
//! the processor predicts that from its own stack of return addresses, which belongs to somebody else after a switch.
//! Nor are there pushes and pops: they would make a chain through rsp, and a profiler that interrupts between them
//! would see a frame that is some words off. The words lie in the red zone meanwhile, the 128 bytes below rsp that the
//! convention protects from signal handlers. Only at the very label rsp still belongs to the other stack, for one
//! instruction.
//!
//! The controls flavour has one word more, above rbx, with MXCSR and the x87 control word in it. Each
//! site restores what it has written itself, therefore flavours mix freely. A walker must know where the frame ends,
//! though, and can tell by the address: three words make `context % 16 == 8`, four make it 0.
//!
//! # Invariants
//!
//! - **X1** At an `asm!` without `nostack` the compiler keeps rsp 16-byte aligned and nothing below it in use.
//! - **X2** A context is the address of a frame as above, written by a switch or by `frame`, and stays untouched
//!   until it is resumed: the jump through it, with rsi, rdi and rcx set, is to code that expects exactly this frame.
//! - **X3** Every `asm!` that switches names as clobbers all that the calling convention lets a call change
//!   (`clobber_abi`) and r12 to r15, and the code at its resume label restores rbx, rbp and rsp.
//! - **X4** The naked functions here describe themselves with CFI of their own. Where they run on the stack
//!   of `to`, or stand in for it, rbp holds the context and `FRAME!` describes how to get from there to the
//!   registers of the suspended site.

use core::arch::{asm, naked_asm};
use core::ptr::NonNull;

use super::Word;
use crate::{Context, asan};

/// CFI: how to find the registers of a suspended site when its context is in a register, or `deref`erenced from there.
/// `$breg` is that register in DWARF: 0x76 for rbp, 0x74 for rsi.
///
/// ```text
/// CFA = (context & !8) + 32     rip = [context + 8]     rbp = [context]     rbx = [context + 16]
/// ```
///
/// These are the operations that Valgrind knows; it breaks off at others.
macro_rules! FRAME {
    ($breg:literal) => {
        concat!(
            // DW_CFA_def_cfa_expression, 7 bytes: breg 0; const1s -9; and; plus_uconst 32
            ".cfi_escape 0x0f, 7, ",
            $breg,
            ", 0, 0x09, 0xf7, 0x1a, 0x23, 32\n",
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
            // The same with: breg 0; deref
            ".cfi_escape 0x0f, 8, ",
            $breg,
            ", 0, 0x06, 0x09, 0xf7, 0x1a, 0x23, 32\n",
            // breg 0; deref; plus_uconst offset
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
    // The site has them in its own frames, if anywhere.
    () => {
        ".cfi_undefined r12\n.cfi_undefined r13\n.cfi_undefined r14\n.cfi_undefined r15"
    };
}

/// Writes a first frame below `top` with `data` in the place of rbp: four words for the controls flavour, else three.
///
/// ```text
///     top (aligned down)
///     top -  8   0
///     top - 16   entry     the end of the frame, and where the start functions set rsp
///     ...        the frame
/// ```
///
/// # Safety
/// 64 bytes below `top` are writable and nobody's. `start` is a start function of this file that fits.
#[inline]
unsafe fn frame(top: NonNull<u8>, start: usize, entry: usize, data: usize, controls: Option<u64>) -> Context {
    let waste = top.addr().get() & 15;
    // SAFETY: the caller gives the room, of which at most 15 + 48 bytes are used; aligned by `waste`.
    unsafe {
        let top = top.as_ptr().sub(waste).cast::<usize>();
        top.sub(1).write(0);
        top.sub(2).write(entry);
        let mut sp = top.sub(2);
        if let Some(controls) = controls {
            sp = sp.sub(1);
            sp.cast::<u64>().write(controls);
        }
        sp = sp.sub(3);
        sp.add(2).write(0);
        // One past the nop: a walker looks up `address - 1`, which must still be in the function.
        sp.add(1).write(start + 1);
        sp.write(data);
        Context::from_ptr(NonNull::new_unchecked(sp.cast()))
    }
}

#[inline]
pub(crate) unsafe fn init(top: NonNull<u8>, entry: unsafe extern "C" fn(usize) -> !) -> Context {
    let (start, entry) = (start as *const () as usize, entry as *const () as usize);
    // SAFETY: the caller's promise is that of `frame`; `start` expects three words (X2).
    unsafe { frame(top, start, entry, 0, None) }
}

#[inline]
pub(crate) unsafe fn init_linked(
    top: NonNull<u8>,
    entry: unsafe extern "C" fn(Word, *mut Context) -> !,
    link: *mut Context,
) -> Context {
    let (start, entry) = (start_linked as *const () as usize, entry as *const () as usize);
    // SAFETY: the caller's promise is that of `frame`; `start_linked` expects three words (X2).
    unsafe { frame(top, start, entry, link.expose_provenance(), None) }
}

#[inline]
pub(crate) unsafe fn init_controls(top: NonNull<u8>, entry: unsafe extern "C" fn(usize) -> !) -> Context {
    let (start, entry) = (start_controls as *const () as usize, entry as *const () as usize);
    let mut controls = 0u64;
    // SAFETY: stores 4 and 2 bytes into the 8 of `controls`.
    unsafe {
        asm!("stmxcsr [{p}]", "fnstcw [{p} + 4]", p = in(reg) &raw mut controls, options(nostack, preserves_flags));
    }
    // SAFETY: the caller's promise is that of `frame`; `start_controls` expects four words (X2).
    unsafe { frame(top, start, entry, 0, Some(controls)) }
}

/// Calls `entry`, to whose address rsp points. It is a jump, with the return address pushed by hand: the function won't
/// return, and the processor's stack of return addresses would be off by one afterwards.
macro_rules! ENTER {
    () => {
        "lea rax, [rip + 2f]\npush rax\njmp [rsp + 8]\n2: ud2"
    };
}

/// The bottom of a stack: reached by the first jump to it, at the instruction after the `nop`, with the frame in rsi.
#[unsafe(naked)]
unsafe extern "C" fn start() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip", // A5: nobody called this
        "nop",
        "lea rsp, [rsi + 24]", // rsp % 16 == 0, and it points to `entry`
        "xor ebp, ebp",
        ENTER!(),
        ".cfi_endproc",
    )
}

/// As `start`, with `link` in rbp: `*link` becomes the context that resumes this one, and a walker goes on there.
#[unsafe(naked)]
unsafe extern "C" fn start_linked() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "nop",
        "lea rsp, [rsi + 24]",
        "mov rbp, [rsi]",
        "mov [rbp], rcx",
        FRAME!("0x76" deref),
        "mov rsi, rbp",
        ENTER!(),
        ".cfi_endproc",
    )
}

/// As `start`, with the control words on top.
#[unsafe(naked)]
unsafe extern "C" fn start_controls() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "nop",
        "lea rsp, [rsi + 32]",
        "xor ebp, ebp",
        "ldmxcsr [rsi + 24]",
        "fldcw [rsi + 28]",
        ENTER!(),
        ".cfi_endproc",
    )
}

/// One switch site: the three words, `$enter`, the jump `$go`, and `$leave` back here. rsi is the context that is resumed,
/// rcx the one that is left: first `to` and our own, then, back here, our own and that of whoever has resumed us.
macro_rules! site {
    ($size:literal, [$($enter:literal),*], $go:literal, [$($leave:literal),*],
     $to:expr, $arg:expr, $($operands:tt)*) => {{
        let ret: Word;
        asm!(
            "lea rax, [rip + 2f]",
            concat!("lea rcx, [rsp - ", $size, "]"),
            "mov [rcx + 16], rbx",
            "mov [rcx + 8], rax",
            "mov [rcx], rbp",
            $($enter,)*
            $go,
            "2:",
            concat!("lea rsp, [rsi + ", $size, "]"),
            "mov rbx, [rsi + 16]",
            "mov rbp, [rsi]",
            $($leave,)*
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
    // SAFETY: X1 for the words below rsp, X2 for the jump, X3 for what comes back; `save` is the caller's to give.
    unsafe { site!(24, ["mov [rdx], rcx"], "jmp [rsi + 8]", [], to, arg, in("rdx") save) }
}

#[inline(always)]
pub(crate) unsafe fn exchange(to: Context, arg: Word) -> (Option<Context>, Word) {
    let from: *mut u8;
    // SAFETY: as in `switch`.
    let ret = unsafe { site!(24, [], "jmp [rsi + 8]", [], to, arg, lateout("rcx") from) };
    (NonNull::new(from).map(Context), ret)
}

#[inline(always)]
pub(crate) unsafe fn switch_controls(save: *mut Context, to: Context, arg: Word) -> Word {
    // SAFETY: as in `switch`, with a fourth word that this site writes and reads.
    unsafe {
        site!(
            32,
            ["stmxcsr [rcx + 24]", "fnstcw [rcx + 28]", "mov [rdx], rcx"],
            "jmp [rsi + 8]",
            ["ldmxcsr [rsi + 24]", "fldcw [rsi + 28]"],
            to, arg, in("rdx") save
        )
    }
}

#[inline(always)]
pub(crate) unsafe fn switch_final(to: Context, arg: Word) -> ! {
    // SAFETY: X2 for the jump. A4: nothing is written.
    unsafe {
        asm!("xor ecx, ecx", "jmp [rsi + 8]", in("rsi") to.as_ptr().as_ptr(), in("rdi") arg, options(noreturn))
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
        site!(24, ["mov [rdx], rcx"], "jmp {on_top}", [], to, arg, in("rdx") save, on_top = sym call_on_top, in("r8") f)
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
            32,
            ["stmxcsr [rcx + 24]", "fnstcw [rcx + 28]", "mov [rdx], rcx"],
            "jmp {on_top}",
            ["ldmxcsr [rsi + 24]", "fldcw [rsi + 28]"],
            to, arg, in("rdx") save, on_top = sym call_on_top, in("r8") f
        )
    }
}

/// Jumped to in place of the site of `to`, which is in rsi: calls r8(rdi) on that stack, then resumes `to` with the result.
/// rbp is in the frame, so that it is free here, and `f` keeps it.
#[unsafe(naked)]
unsafe extern "C" fn call_on_top() {
    naked_asm!(
        ".cfi_startproc",
        FRAME!("0x74"), // rsi holds the context,
        "mov rbp, rsi",
        FRAME!("0x76"), // and from here rbp does
        "mov rsp, rsi",
        "and rsp, -16",
        "mov rsi, r8",
        "call {guarded}",
        "mov rsi, rbp",
        "mov rdi, rax",
        "jmp [rsi + 8]",
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

/// An ordinary call of `f(data)`, except that the CFI at the call says that `ctx` has made it (X4).
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn with_bridge(ctx: Context, f: extern "C" fn(*mut u8), data: *mut u8) {
    naked_asm!(
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rdi",
        "mov rdi, rdx",
        ".cfi_remember_state",
        FRAME!("0x76"),
        "call rsi",
        ".cfi_restore_state",
        "pop rbp",
        ".cfi_def_cfa_offset 8",
        ".cfi_restore rbp",
        "ret",
        ".cfi_endproc",
    )
}

#[inline(always)]
pub(crate) fn prefetch(start: *const u8, bytes: usize) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    const LINE: usize = 64;
    for offset in (0..bytes).step_by(LINE) {
        // SAFETY: a prefetch reads nothing that the program could notice, and no address is wrong for it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(offset).cast()) };
    }
}

/// Valgrind recognises four rotations of rdi that together do nothing, followed by an exchange of rbx with itself.
#[inline(always)]
pub(crate) fn valgrind_request(request: usize, args: [usize; 5], default: usize) -> usize {
    let block = [request, args[0], args[1], args[2], args[3], args[4]];
    let result;
    // SAFETY: on a processor these change nothing but flags; Valgrind reads `block` and sets rdx.
    unsafe {
        asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            inlateout("rdx") default => result,
            in("rax") &raw const block,
            inout("rdi") 0usize => _,
            options(nostack),
        );
    }
    result
}
