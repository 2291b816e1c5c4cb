//! x86 with 32 bits and the System V calling convention: Linux, the BSDs.
//!
//! # A suspended context
//!
//! A switch makes room for 32 bytes on its stack, and the address of the lowest is the context:
//!
//! ```text
//!     context + 32   esp of the suspended site (16-byte aligned)
//!     context + 12   MXCSR and, at 16, the x87 control word, for the controls flavour; else nothing
//!     context +  8   esi
//!     context +  4   the address to jump to
//!     context      > ebp
//! ```
//!
//! esi and ebp are saved by hand, because LLVM keeps them for itself and they can't be named as clobbers. All other
//! registers are clobbers: the compiler saves those that are live at that very place, and no others.
//!
//! The words lie above esp, which moves down first: there is no red zone. No instruction here gives the address of a
//! label, wherever the program was loaded; so a `call` pushes it, which costs the processor one wrong guess at a later
//! `ret`. A context is resumed by `jmp [context + 4]`, with the context in edx, the argument in eax, and the context that
//! is left in ecx (0 if it is gone for ever).
//!
//! # Invariants
//!
//! - **I1** At an `asm!` without `nostack` the compiler keeps esp 16-byte aligned and nothing below it in use.
//! - **I2** A context is the address of a frame as above, written by a switch or by `frame`, and stays untouched
//!   until it is resumed: the jump through it, with edx, eax and ecx set, is to code that expects exactly this frame.
//! - **I3** Every `asm!` that switches names as clobbers all that the calling convention lets a call change
//!   (`clobber_abi`), ebx and edi, and the code at its resume label restores esi, ebp and esp.
//! - **I4** The naked functions here describe themselves with CFI of their own. Where they run on the stack
//!   of `to`, or stand in for it, ebp holds the context and `FRAME!` describes how to get from there to the
//!   registers of the suspended site.

use core::arch::{asm, naked_asm};
use core::ptr::NonNull;

use super::Word;
use crate::{Context, asan};

/// CFI: how to find the registers of a suspended site when its context is in a register, or `deref`erenced from there.
/// `$breg` is that register in DWARF: 0x75 for ebp, 0x72 for edx.
///
/// ```text
/// CFA = context + 32     eip = [context + 4]     ebp = [context]     esi = [context + 8]
/// ```
macro_rules! FRAME {
    ($breg:literal) => {
        concat!(
            // DW_CFA_def_cfa_expression, 4 bytes: breg 0; plus_uconst 32
            ".cfi_escape 0x0f, 4, ",
            $breg,
            ", 0, 0x23, 32\n",
            // DW_CFA_expression, register, 2 bytes: breg offset
            ".cfi_escape 0x10, 8, 2, ",
            $breg,
            ", 4\n",
            ".cfi_escape 0x10, 5, 2, ",
            $breg,
            ", 0\n",
            ".cfi_escape 0x10, 6, 2, ",
            $breg,
            ", 8\n",
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
            ".cfi_escape 0x10, 8, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 4\n",
            ".cfi_escape 0x10, 5, 3, ",
            $breg,
            ", 0, 0x06\n",
            ".cfi_escape 0x10, 6, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 8\n",
            FRAME!()
        )
    };
    // The site has them in its own frames, if anywhere.
    () => {
        ".cfi_undefined ebx\n.cfi_undefined edi"
    };
}

/// Writes a first frame below `top`, with `data` in the place of ebp and `controls` in that of the control words.
///
/// ```text
///     top (aligned down)
///     top - 16   entry     the end of the frame, and where the start functions set esp
///     ...        the frame
/// ```
///
/// # Safety
/// 64 bytes below `top` are writable and nobody's. `start` is a start function of this file.
#[inline]
unsafe fn frame(top: NonNull<u8>, start: usize, entry: usize, data: usize, controls: [u32; 2]) -> Context {
    let waste = top.addr().get() & 15;
    // SAFETY: the caller gives the room, of which at most 15 + 48 bytes are used; aligned by `waste`.
    unsafe {
        let top = top.as_ptr().sub(waste).cast::<usize>();
        top.sub(4).write(entry);
        let sp = top.sub(12);
        sp.add(3).cast::<[u32; 2]>().write(controls);
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
    // SAFETY: the caller's promise is that of `frame` (I2).
    unsafe { frame(top, start, entry, 0, [0; 2]) }
}

#[inline]
pub(crate) unsafe fn init_linked(
    top: NonNull<u8>,
    entry: unsafe extern "C" fn(Word, *mut Context) -> !,
    link: *mut Context,
) -> Context {
    let (start, entry) = (start_linked as *const () as usize, entry as *const () as usize);
    // SAFETY: the caller's promise is that of `frame` (I2).
    unsafe { frame(top, start, entry, link.expose_provenance(), [0; 2]) }
}

#[inline]
pub(crate) unsafe fn init_controls(top: NonNull<u8>, entry: unsafe extern "C" fn(usize) -> !) -> Context {
    let (start, entry) = (start_controls as *const () as usize, entry as *const () as usize);
    let mut controls = [0u32; 2];
    // SAFETY: stores 4 and 2 bytes into the 8 of `controls`.
    unsafe {
        asm!("stmxcsr [{p}]", "fnstcw [{p} + 4]", p = in(reg) &raw mut controls, options(nostack, preserves_flags));
    }
    // SAFETY: the caller's promise is that of `frame` (I2).
    unsafe { frame(top, start, entry, 0, controls) }
}

/// The bottom of a stack: reached by the first jump to it, at the instruction after the `nop`, with the frame in edx.
#[unsafe(naked)]
unsafe extern "C" fn start() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined eip", // A5: nobody called this
        "nop",
        "lea esp, [edx + 32]", // esp % 16 == 0, and it points to `entry`
        "xor ebp, ebp",
        "mov edx, [esp]",
        "sub esp, 16",
        "mov [esp], eax",
        "call edx",
        "ud2",
        ".cfi_endproc",
    )
}

/// As `start`, with `link` in ebp: `*link` becomes the context that resumes this one, and a walker goes on there.
#[unsafe(naked)]
unsafe extern "C" fn start_linked() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined eip",
        "nop",
        "lea esp, [edx + 32]",
        "mov ebp, [edx]",
        "mov [ebp], ecx",
        FRAME!("0x75" deref),
        "mov edx, [esp]",
        "sub esp, 16",
        "mov [esp], eax",
        "mov [esp + 4], ebp",
        "call edx",
        "ud2",
        ".cfi_endproc",
    )
}

/// As `start`, with the control words of the frame.
#[unsafe(naked)]
unsafe extern "C" fn start_controls() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined eip",
        "nop",
        "ldmxcsr [edx + 12]",
        "fldcw [edx + 16]",
        "lea esp, [edx + 32]",
        "xor ebp, ebp",
        "mov edx, [esp]",
        "sub esp, 16",
        "mov [esp], eax",
        "call edx",
        "ud2",
        ".cfi_endproc",
    )
}

/// One switch site: the words, `$enter`, the jump `$go`, and `$leave` back here. edx is the context that is resumed, ecx
/// the one that is left: first `to` and our own, then, back here, our own and that of whoever has resumed us.
macro_rules! site {
    ([$($enter:literal),*], $go:literal, [$($leave:literal),*], $to:expr, $arg:expr, $($operands:tt)*) => {{
        let ret: Word;
        asm!(
            "sub esp, 24",
            "call 3f",
            "lea esp, [edx + 32]",
            "mov esi, [edx + 8]",
            "mov ebp, [edx]",
            $($leave,)*
            "jmp 4f",
            "3:",
            "push ebp",
            "mov [esp + 8], esi",
            "mov ecx, esp",
            $($enter,)*
            $go,
            "4:",
            $($operands)*,
            in("edx") $to.as_ptr().as_ptr(),
            inlateout("eax") $arg => ret,
            clobber_abi("C"),
        );
        ret
    }};
}

#[inline(always)]
pub(crate) unsafe fn switch(save: *mut Context, to: Context, arg: Word) -> Word {
    // SAFETY: I1 for the words, I2 for the jump, I3 for what comes back; `save` is the caller's to give.
    unsafe {
        site!(
            ["mov [edi], ecx"], "jmp [edx + 4]", [], to, arg, inlateout("edi") save => _, lateout("ebx") _
        )
    }
}

#[inline(always)]
pub(crate) unsafe fn exchange(to: Context, arg: Word) -> (Option<Context>, Word) {
    let from: *mut u8;
    // SAFETY: as in `switch`.
    let ret = unsafe {
        site!([], "jmp [edx + 4]", [], to, arg, lateout("ecx") from, lateout("edi") _, lateout("ebx") _)
    };
    (NonNull::new(from).map(Context), ret)
}

#[inline(always)]
pub(crate) unsafe fn switch_controls(save: *mut Context, to: Context, arg: Word) -> Word {
    // SAFETY: as in `switch`; the control words have a place in the frame that this site writes and reads.
    unsafe {
        site!(
            ["stmxcsr [ecx + 12]", "fnstcw [ecx + 16]", "mov [edi], ecx"],
            "jmp [edx + 4]",
            ["ldmxcsr [edx + 12]", "fldcw [edx + 16]"],
            to, arg, inlateout("edi") save => _, lateout("ebx") _
        )
    }
}

#[inline(always)]
pub(crate) unsafe fn switch_final(to: Context, arg: Word) -> ! {
    // SAFETY: I2 for the jump. A4: nothing is written.
    unsafe {
        asm!("xor ecx, ecx", "jmp [edx + 4]", in("edx") to.as_ptr().as_ptr(), in("eax") arg, options(noreturn))
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
        site!(
            ["mov [edi], ecx"], "jmp {on_top}", [], to, arg,
            inlateout("edi") save => _, inlateout("ebx") f => _, on_top = sym call_on_top
        )
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
            ["stmxcsr [ecx + 12]", "fnstcw [ecx + 16]", "mov [edi], ecx"],
            "jmp {on_top}",
            ["ldmxcsr [edx + 12]", "fldcw [edx + 16]"],
            to, arg, inlateout("edi") save => _, inlateout("ebx") f => _, on_top = sym call_on_top
        )
    }
}

/// Jumped to in place of the site of `to`, which is in edx: calls ebx(eax) on that stack, then resumes `to` with the
/// result. ebp is in the frame, so that it is free here, and `f` keeps it.
#[unsafe(naked)]
unsafe extern "C" fn call_on_top() {
    naked_asm!(
        ".cfi_startproc",
        FRAME!("0x72"), // edx holds the context,
        "mov ebp, edx",
        FRAME!("0x75"), // and from here ebp does
        "mov esp, edx",
        "sub esp, 16",
        "mov [esp], eax",
        "mov [esp + 4], ebx",
        "call {guarded}",
        "mov edx, ebp",
        "jmp [edx + 4]",
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

/// An ordinary call of `f(data)`, except that the CFI at the call says that `ctx` has made it (I4).
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn with_bridge(ctx: Context, f: extern "C" fn(*mut u8), data: *mut u8) {
    naked_asm!(
        ".cfi_startproc",
        "push ebp",
        ".cfi_def_cfa_offset 8",
        ".cfi_offset ebp, -8",
        "mov eax, [esp + 16]",
        "mov ecx, [esp + 12]",
        "mov ebp, [esp + 8]",
        "sub esp, 24",
        ".cfi_def_cfa_offset 32",
        "mov [esp], eax",
        ".cfi_remember_state",
        FRAME!("0x75"),
        "call ecx",
        ".cfi_restore_state",
        "add esp, 24",
        ".cfi_def_cfa_offset 8",
        "pop ebp",
        ".cfi_def_cfa_offset 4",
        ".cfi_restore ebp",
        "ret",
        ".cfi_endproc",
    )
}

#[inline(always)]
pub(crate) fn prefetch(start: *const u8, bytes: usize) {
    use core::arch::x86::{_MM_HINT_T0, _mm_prefetch};
    const LINE: usize = 64;
    for offset in (0..bytes).step_by(LINE) {
        // SAFETY: a prefetch reads nothing that the program could notice, and no address is wrong for it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(offset).cast()) };
    }
}

/// Valgrind recognises four rotations of edi that together do nothing, followed by an exchange of ebx with itself.
#[inline(always)]
pub(crate) fn valgrind_request(request: usize, args: [usize; 5], default: usize) -> usize {
    let block = [request, args[0], args[1], args[2], args[3], args[4]];
    let result;
    // SAFETY: on a processor these change nothing but flags; Valgrind reads `block` and sets edx.
    unsafe {
        asm!(
            "rol edi, 3", "rol edi, 13", "rol edi, 29", "rol edi, 19", "xchg ebx, ebx",
            inlateout("edx") default => result,
            in("eax") &raw const block,
            inout("edi") 0usize => _,
            options(nostack),
        );
    }
    result
}
