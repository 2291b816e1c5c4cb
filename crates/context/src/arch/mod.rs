//! The machines. One file for each instruction set and calling convention, and one contract that they all
//! keep: the rest of the crate knows nothing of registers.
//!
//! # The contract
//!
//! A machine's file has these items and nothing else that anybody uses. `Context` is the crate's one pointer;
//! what it points to is the machine's own business.
//!
//! | item | what it does |
//! |---|---|
//! | `init(top, entry) -> Context` | lays out a context that calls `entry(arg)`. Walks of the stack end there. |
//! | `init_linked(top, entry, link) -> Context` | the same, calls `entry(arg, link)`, when `*link` has been made the context that resumes it (by `exchange`); a walk goes on into `*link`, or ends |
//! | `init_controls(top, entry) -> Context` | as `init`, and enters with the control words of the caller of `init_controls` |
//! | `switch(save, to, arg) -> Word` | suspends into `*save`, resumes `to` |
//! | `exchange(to, arg) -> (Option<Context>, Word)` | as `switch`, but the context isn't stored: it goes to whoever is resumed, if that waits in `exchange`. Gives the one that has resumed this, `None` if that was `switch_final` |
//! | `switch_final(to, arg) -> !` | resumes `to`, the current context is gone |
//! | `switch_call(save, to, f, arg) -> Word` | as `switch`, with `f(arg)` called on the stack of `to` before it goes on |
//! | `switch_controls`, `switch_call_controls` | the same two, for a site that keeps its floating-point control words |
//! | `with_bridge(ctx, f, data)` | calls `f(data)` on this stack, so that a walk from `f` goes on into `ctx` |
//! | `prefetch(start, bytes)` | a hint: this memory will be wanted soon |
//! | `valgrind_request(request, args, default) -> usize` | Valgrind's magic instructions; `default` when it isn't there |
//!
//! What every machine keeps true (other files cite these as *A1* to *A6*):
//!
//! - **A1** A context is one pointer into its own stack. Whoever holds it needs nothing else to resume it, and
//!   contexts of all flavours may be resumed by all switches.
//! - **A2** A switch preserves what its calling convention says a call preserves: either the machine's file saves
//!   it, or the compiler has been told that it is clobbered. The floating-point *status* isn't kept, the
//!   *control* words only by the controls flavour.
//! - **A3** `*save` is written before anything of `to` runs, and `save` isn't looked at afterwards. So it may be a
//!   place that `to` reads, or one that is gone when the suspended context comes back. It is no signal to another OS
//!   thread: when it is written, the stack is not yet left.
//! - **A4** The stack of an abandoned context isn't touched again: `switch_final` writes nothing to it after
//!   it has left it, and neither does the context that it resumes.
//! - **A5** The first function on a stack is entered with the alignment that its calling convention wants, and
//!   with a call frame description that ends a walk (or, when linked, leads into the other context).
//! - **A6** No unwinding crosses a switch. `switch` doesn't unwind, `entry` never returns, and what `f` throws
//!   in `switch_call` ends the process.
//!
//! To add a machine: write its file, add it below and to the tests' `common/trash`, run the tests.

use core::mem::MaybeUninit;

/// What one context hands to another: any bits of the size of a pointer. Those who start a context receive it as the
/// argument of `entry`, and what `f` in `switch_call` gets and gives are such words too.
pub(crate) type Word = MaybeUninit<*mut u8>;

/// An integer as a word.
#[inline(always)]
pub(crate) fn to_word(value: usize) -> Word {
    Word::new(core::ptr::without_provenance_mut(value))
}

/// The integer of a word.
///
/// # Safety
/// It was one, or a pointer.
#[inline(always)]
pub(crate) unsafe fn from_word(word: Word) -> usize {
    // SAFETY: the caller's promise.
    unsafe { word.assume_init() }.addr()
}

#[cfg(not(windows))]
#[cfg_attr(all(target_arch = "x86_64", target_pointer_width = "64"), path = "x86_64_sysv.rs")]
#[cfg_attr(all(target_arch = "aarch64", target_pointer_width = "64"), path = "aarch64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
#[cfg_attr(target_arch = "x86", path = "x86_sysv.rs")]
#[cfg_attr(
    not(any(
        all(any(target_arch = "x86_64", target_arch = "aarch64"), target_pointer_width = "64"),
        target_arch = "riscv64",
        target_arch = "x86",
    )),
    path = "unknown.rs"
)]
mod machine;
#[cfg(windows)]
#[path = "unknown.rs"]
mod machine;

pub(crate) use machine::*;
