//! x86 with 32 bits on Windows.
//!
//! # A suspended context
//!
//! A switch pushes eight words. The address of the lowest is the context:
//!
//! ```text
//!     context + 32   esp of the suspended site
//!     context + 28   GuaranteedStackBytes      fs:[0xf78]
//!     context + 24   DeallocationStack         fs:[0xe0c]
//!     context + 20   StackLimit                fs:[0x08]
//!     context + 16   StackBase                 fs:[0x04]
//!     context + 12   ExceptionList             fs:[0x00]
//!     context +  8   esi
//!     context +  4   the address to jump to
//!     context      > ebp
//! ```
//!
//! The lower two have the order of a frame record, so tools that follow frame pointers can walk on
//! from here too. `x86_64_windows.rs` says what the words of the thread's information block are
//! for. ExceptionList is more here: it heads the chain of the handlers of all frames, and MSVC's
//! unwinding is this chain.
//!
//! The site saves esi and ebp itself: LLVM uses them internally, so they can't be named as
//! clobbers. All other registers are clobbers. The compiler saves those that are live at that very
//! place, and no others.
//!
//! A `call` pushes the address to jump to, as in `x86_sysv.rs`. The switch resumes a context by
//! `jmp [context + 4]`. Three registers are set then:
//!
//! | register | holds |
//! |---|---|
//! | edx | the context that is resumed, from which the site finds its words and its stack |
//! | eax | the argument |
//! | ecx | the context that is left; 0 if it is gone for ever |
//!
//! # Alignment
//!
//! The compiler keeps esp aligned to 4 bytes only (M1 says 16). Nothing here needs more: a start
//! function aligns its own stack.

use core::arch::{asm, naked_asm};
use core::ptr::NonNull;

use crate::bounds::StackBounds;
use crate::context::Context;
use crate::word::Word;

/// Saves the words of the thread's information block, from the highest address of the frame down.
/// The first instruction touches the lowest byte that the site will push. If that is on the guard
/// page, the kernel moves StackLimit now, and not after it was saved.
macro_rules! PUSH_TEB {
    () => {
        "cmp byte ptr [esp - 32], 0
         push dword ptr fs:[0xf78]
         push dword ptr fs:[0xe0c]
         push dword ptr fs:[0x08]
         push dword ptr fs:[0x04]
         push dword ptr fs:[0x00]"
    };
}

/// Restores these words from the stack.
macro_rules! POP_TEB {
    () => {
        "pop dword ptr fs:[0x00]
         pop dword ptr fs:[0x04]
         pop dword ptr fs:[0x08]
         pop dword ptr fs:[0xe0c]
         pop dword ptr fs:[0xf78]"
    };
}

/// CFI: how to find the registers of a suspended site. Its context is in a register; with `deref`,
/// it is in the memory to which that register points. `$breg` is the DWARF operation for the
/// register: 0x75 is ebp.
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
            // DW_CFA_def_cfa_expression, 5 bytes: breg 0; deref; plus_uconst 32
            ".cfi_escape 0x0f, 5, ",
            $breg,
            ", 0, 0x06, 0x23, 32\n",
            // DW_CFA_expression, register, 5 bytes: breg 0; deref; plus_uconst offset
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
    // The site's function saved these in its own frame if they were live, and its CFI says where.
    () => {
        ".cfi_undefined ebx\n.cfi_undefined edi"
    };
}

/// Writes the first frame of a context below `top`, with `data` in the place of ebp and `entry` in
/// that of esi.
///
/// ```text
///     top (rounded down to 16 bytes)
///     top - 16   nothing
///     top - 20   0         GuaranteedStackBytes
///     top - 24   limit     DeallocationStack
///     top - 28   committed StackLimit
///     top - 32   base      StackBase
///     top - 36   -1        ExceptionList: its end
///     top - 40   entry     esi
///     top - 44   start
///     top - 48 > data      ebp
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
    // SAFETY: the caller gives 128 bytes, of which 15 + 48 are used at most. Without `waste` the
    // address is aligned.
    unsafe {
        let sp = top.as_ptr().sub(waste).cast::<usize>().sub(12);
        sp.add(7).write(0);
        sp.add(6).write(bounds.limit.expose_provenance().get());
        sp.add(5).write(bounds.committed.expose_provenance().get());
        sp.add(4).write(bounds.top.expose_provenance().get());
        sp.add(3).write(usize::MAX);
        sp.add(2).write(entry);
        // A walker looks up the byte before a return address. One past the `nop` at the function's
        // start, this is still a byte of the function.
        sp.add(1).write(start as *const () as usize + 1);
        sp.write(data);
        Context(NonNull::new_unchecked(sp.cast()))
    }
}

/// The first code on a stack. The first switch to a context jumps here, to the instruction after
/// the `nop`.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined eip", // A5: nothing called this, so a walk ends here
        "nop",                // see `first_frame`
        "mov esi, [edx + 8]", // `entry` of the frame
        "lea esp, [edx + 12]",
        POP_TEB!(),
        "lea esp, [edx + 16]", // room for arguments; 16-byte aligned
        "xor ebp, ebp",        // ends a walk along frame pointers
        "mov [esp], eax",      // the argument of `entry`
        "call esi",
        "ud2",
        ".cfi_endproc",
    )
}

/// As `start`, with `data` the address of the variable that receives the resuming context.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start_linked() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined eip",
        "nop",
        "mov esi, [edx + 8]",
        "lea esp, [edx + 12]",
        POP_TEB!(),
        "lea esp, [edx + 16]",
        "mov ebp, [edx]",     // `data` of the frame
        "mov [ebp], ecx",     // the context that has resumed this one
        FRAME!("0x75" deref), // A5: from here on a walk goes on into it
        "mov [esp], eax",
        "mov [esp + 4], ebp", // the second argument of `entry`
        "call esi",
        "ud2",
        ".cfi_endproc",
    )
}

/// One switch site: suspends the running context, resumes `$to`, and is resumed after the `call`.
/// `$store` is an instruction that may store ecx, which then is the context of this site.
macro_rules! site {
    ([$($store:literal)?], $to:expr, $arg:expr, $($operands:tt)*) => {{
        let ret: Word;
        asm!(
            PUSH_TEB!(),
            "push esi",
            "call 3f", // pushes the address of the next instruction, which is the one to resume at
            // edx is the context of this site again, and ecx that of the site that has resumed it.
            "mov ebp, [edx]",
            "mov esi, [edx + 8]",
            "lea esp, [edx + 12]",
            POP_TEB!(),
            "jmp 4f",
            "3:",
            "push ebp",
            "mov ecx, esp", // the context of this site
            $($store,)?
            "jmp [edx + 4]",
            "4:",
            $($operands)*,
            in("edx") $to.as_ptr().as_ptr(),
            inlateout("eax") $arg => ret,
            lateout("ebx") _,
            clobber_abi("C"),
        );
        ret
    }};
}

#[inline(always)]
pub(crate) unsafe fn switch(save: *mut Context, to: Context, arg: Word) -> Word {
    // SAFETY: M1 for the words below esp, M2 for the jump, M3 for the registers. The caller vouches
    // that `save` is valid for a write and that `to` is suspended.
    unsafe { site!(["mov [edi], ecx"], to, arg, inlateout("edi") save => _) }
}

#[inline(always)]
pub(crate) unsafe fn exchange(to: Context, arg: Word) -> (Option<Context>, Word) {
    let from: *mut u8;
    // SAFETY: as in `switch`, without `save`.
    let ret = unsafe { site!([], to, arg, lateout("ecx") from, lateout("edi") _) };
    (NonNull::new(from).map(Context), ret)
}

#[inline(always)]
pub(crate) unsafe fn switch_final(to: Context, arg: Word) -> ! {
    // SAFETY: M2 for the jump; the caller vouches that `to` is suspended. A4: nothing is written.
    unsafe {
        asm!("xor ecx, ecx", "jmp [edx + 4]", in("edx") to.as_ptr().as_ptr(), in("eax") arg, options(noreturn))
    }
}

/// An ordinary call of `f(data)`, except that the CFI at the call says that `ctx` made it (M4).
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn with_bridge(ctx: Context, f: extern "C" fn(*mut u8), data: *mut u8) {
    naked_asm!(
        ".cfi_startproc",
        "push ebp",
        ".cfi_def_cfa_offset 8",
        ".cfi_offset ebp, -8",
        "mov eax, [esp + 16]", // `data`
        "mov ecx, [esp + 12]", // `f`
        "mov ebp, [esp + 8]",  // `ctx`, in a register that `f` preserves
        "sub esp, 24",         // room for the argument, which aligns esp
        ".cfi_def_cfa_offset 32",
        "mov [esp], eax", // the argument of `f`
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
pub(crate) fn prefetch_line(address: *const u8) {
    use core::arch::x86::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a prefetch reads nothing that the program could notice, and no address is wrong for
    // it.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
}

/// Valgrind recognises four rotations of edi that together change nothing, and an exchange of ebx
/// with itself after them. It takes the address of the request from eax and puts its answer into
/// edx.
#[inline(always)]
pub(super) fn valgrind(block: &[usize; 6], default: usize) -> usize {
    let result;
    // SAFETY: a processor changes nothing but flags; Valgrind reads `block` and sets edx.
    unsafe {
        asm!(
            "rol edi, 3", "rol edi, 13", "rol edi, 29", "rol edi, 19", "xchg ebx, ebx",
            inlateout("edx") default => result,
            in("eax") block,
            inout("edi") 0usize => _,
            options(nostack),
        );
    }
    result
}
