//! Context switching from scratch: the base of green threads and coroutines.
//!
//! A *context* is a suspended flow of execution. Its registers lie on its own stack, and one
//! pointer to them, a [`Context`], is all that is needed to resume it. [`init`] makes a context on
//! a fresh stack. [`switch`] suspends the running context and resumes another one. The crate has no
//! scheduler, allocates nothing, and needs nothing beyond `core`. (The stacks of [`MmapStack`] come
//! from the operating system.)
//!
//! Most programs want [`Coroutine`], which is safe. The functions beside it are for schedulers.
//!
//! ```
//! use greenthread_context::Coroutine;
//!
//! let mut squares = Coroutine::new(|co, ()| {
//!     for n in 1.. {
//!         co.suspend(n * n);
//!     }
//! });
//! assert_eq!(squares.by_ref().take(4).collect::<Vec<i32>>(), [1, 4, 9, 16]);
//! ```
//!
//! # A switch by hand
//!
//! ```
//! use greenthread_context::{Context, MmapStack, StackBounds, init, switch, switch_final};
//!
//! /// Receives the context that has started it, and answers once.
//! unsafe extern "C" fn answer(arg: usize) -> ! {
//!     // SAFETY: `arg` is the address of the saved main context, which is suspended.
//!     unsafe { switch_final(*(arg as *const Context), 42) }
//! }
//!
//! let stack = MmapStack::new(64 * 1024)?;
//! let mut main = core::mem::MaybeUninit::<Context>::uninit();
//! // SAFETY: the stack is unused and outlives the context, which resumes the saved one exactly once.
//! let got = unsafe {
//!     let green = init(StackBounds::of(&stack), answer);
//!     switch(main.as_mut_ptr(), green, main.as_mut_ptr() as usize)
//! };
//! assert_eq!(got, 42);
//! # Ok::<(), greenthread_context::StackError>(())
//! ```
//!
//! # What a switch keeps
//!
//! A switch keeps all that the calling convention says a call keeps, with one exception. Rust and C
//! code can't tell it from a call that took long.
//!
//! The exception is the floating-point control words (rounding mode, masked exceptions, flush to
//! zero): MXCSR and the x87 control word on x86, FPCR on AArch64, FPSCR on Arm and PowerPC, fcsr on
//! RISC-V, FCSR0 on LoongArch, FPC on s390x. A switch leaves them as they are, so the context that
//! is resumed runs with those of the context that was left. To save and load them would cost
//! several times the switch itself, and Rust code may not run with changed ones anyway. A program
//! that calls C code with changed control words restores them before it switches, or saves them
//! before `switch` and loads them after it.
//!
//! On Windows a switch also exchanges the words of the thread's information block that describe the
//! running stack. Without them the system would refuse a panic's frames, and wouldn't let a stack
//! grow.
//!
//! A switch doesn't carry unwinding. A panic unwinds to the first function of its own stack and
//! must be caught there. To unwind a suspended context, resume it with an argument that tells it to
//! panic; [`Coroutine`] does so.
//!
//! # What nobody checks
//!
//! Resume a context on the OS thread on which it started, and on no other. Thread-locals, lock
//! guards and everything else that belongs to an OS thread would not follow it, and the compiler
//! assumes that the address of a thread-local stays the same during a function.
//!
//! # Machines
//!
//! x86-64 and 32-bit x86, on Unix and on Windows; AArch64, RISC-V 64 (RV64GC), 32-bit Arm (eabihf),
//! LoongArch64, PowerPC64LE (ELFv2) and s390x, on Unix. Windows on AArch64 is not among them. On
//! any other machine the crate doesn't build.
//!
//! The tests ran natively on x86 Linux, of 64 and of 32 bits. On Linux on the other processors they
//! ran under qemu-user (on LoongArch64 with a nightly compiler), and on Windows (MinGW) under Wine.
//! For macOS on AArch64 they were linked, and never ran. For macOS and FreeBSD on x86-64 the types
//! were checked. Other systems were not tried.
//!
//! # Features
//!
//! `std` (default): a panic leaves a coroutine for its resumer, and a coroutine that is dropped
//! while suspended is unwound. Without the feature, or with `panic = "abort"`, a panic in a
//! coroutine ends the process, and a coroutine that is dropped while suspended leaks its stack and
//! all that is on it.

#![no_std]

#[cfg(any(feature = "std", greenthread_asan, greenthread_tsan))]
extern crate std;

mod arch;
#[cfg(greenthread_asan)]
mod asan;
mod bounds;
mod context;
mod coroutine;
mod handover;
mod prefetch;
mod sanitizer;
mod stack;
mod switch;
#[cfg(any(greenthread_asan, greenthread_tsan))]
mod table;
#[cfg(greenthread_tsan)]
mod tsan;
mod unwinding;
pub mod valgrind;
mod word;

pub use bounds::StackBounds;
pub use context::Context;
pub use coroutine::{Coroutine, State, Suspender};
pub use prefetch::prefetch;
#[cfg(any(unix, windows))]
pub use stack::MmapStack;
pub use stack::{Stack, StackError};
pub use switch::{init, switch, switch_final, with_bridge};
