//! Context switching, from scratch: what green threads and coroutines stand on.
//!
//! A *context* is a flow of execution that stands still: its registers lie on its own stack, and one pointer to
//! them, a [`Context`], is all that is needed to let it go on. [`init`] makes one on a fresh stack, [`switch`] exchanges
//! the running one for a suspended one. There is no scheduler, no allocation and no operating system in
//! here, and nothing beyond `core` is needed.
//!
//! Most programs want [`Coroutine`], which is safe. The functions beside it are for those who build a scheduler.
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
//! use greenthread_context::{Context, MmapStack, Stack, init, switch, switch_final};
//!
//! /// Receives the context that has started it, with which it answers once.
//! unsafe extern "C" fn answer(arg: usize) -> ! {
//!     // SAFETY: `arg` is the place where the main context is saved, which is where it waits.
//!     unsafe { switch_final(*(arg as *const Context), 42) }
//! }
//!
//! let stack = MmapStack::new(64 * 1024)?;
//! let mut main = core::mem::MaybeUninit::<Context>::uninit();
//! // SAFETY: the stack is unused and outlives the context, which resumes the saved one exactly once.
//! let got = unsafe {
//!     let green = init(stack.top(), answer);
//!     switch(main.as_mut_ptr(), green, main.as_mut_ptr() as usize)
//! };
//! assert_eq!(got, 42);
//! # Ok::<(), greenthread_context::StackError>(())
//! ```
//!
//! # What a switch keeps
//!
//! All that the calling convention says a call keeps, so Rust and C code can't tell it from a call that
//! took long. The exception are the floating-point control words (rounding mode, masked
//! exceptions): saving them would cost several times the switch itself, and Rust code may not run with them changed
//! anyway. Whoever runs C code that changes them uses the flavour in [`controls`].
//!
//! A switch doesn't carry unwinding: a panic unwinds to the first function of its own stack and must be caught there.
//! To unwind a suspended context, resume it with an argument that tells it to panic; so does [`Coroutine`].
//!
//! # What nobody checks
//!
//! Thread-locals, lock guards and everything else that belongs to an OS thread does not follow a context to
//! another OS thread. The compiler assumes that the address of a thread-local stays the same during a
//! function. Therefore resume a context on the OS thread that it has started on, and nowhere else.
//!
//! # Features
//!
//! `std` (default): panics leave a coroutine for its resumer, and a coroutine that is dropped while suspended is unwound.
//! Without it, or with `panic = "abort"`, a panic in a coroutine ends the process and a dropped suspended coroutine
//! leaks its stack and all that is on it.

// Invariants of this file: it has none of its own. Each function passes its caller's promises on to `arch`, whose
// contract (A1 to A6 in arch/mod.rs) is what the documentation here promises.

#![no_std]

#[cfg(any(feature = "std", greenthread_asan))]
extern crate std;

use core::fmt;
use core::ptr::NonNull;

mod arch;
mod asan;
pub mod controls;
mod coroutine;
mod handover;
mod stack;
mod unwinding;
pub mod valgrind;

use arch::{from_word, to_word};
pub use coroutine::{Coroutine, State, Suspender};
#[cfg(unix)]
pub use stack::MmapStack;
pub use stack::{Stack, StackError};

/// A suspended context: one pointer, to where its registers were saved on its own stack.
///
/// It is a plain value and says nothing of lifetimes: copies of it are the same context, which may be resumed once.
/// It is neither `Send` nor `Sync`, because the OS thread that a context has started on is the one to resume it.
///
/// ```
/// use core::mem::size_of;
/// use greenthread_context::Context;
///
/// assert_eq!(size_of::<Option<Context>>(), size_of::<usize>());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Context(NonNull<u8>);

impl Context {
    /// The pointer, for those who keep it in a word of their own.
    ///
    /// ```
    /// # use greenthread_context::{init, Context, MmapStack, Stack};
    /// # unsafe extern "C" fn entry(_: usize) -> ! { unreachable!() }
    /// let stack = MmapStack::new(4096)?;
    /// // SAFETY: the stack is unused; the context is never resumed.
    /// let context = unsafe { init(stack.top(), entry) };
    /// assert!(context.as_ptr() < stack.top() && context.as_ptr() >= stack.limit());
    /// # Ok::<(), greenthread_context::StackError>(())
    /// ```
    #[inline]
    pub const fn as_ptr(self) -> NonNull<u8> {
        self.0
    }

    /// The context whose [`as_ptr`](Context::as_ptr) this was.
    ///
    /// # Safety
    /// `ptr` comes from [`as_ptr`](Context::as_ptr).
    ///
    /// ```
    /// # use greenthread_context::{init, Context, MmapStack, Stack};
    /// # unsafe extern "C" fn entry(_: usize) -> ! { unreachable!() }
    /// # let stack = MmapStack::new(4096)?;
    /// # // SAFETY: the stack is unused; the context is never resumed.
    /// # let context = unsafe { init(stack.top(), entry) };
    /// let word = context.as_ptr();
    /// // SAFETY: `word` was a context.
    /// assert_eq!(unsafe { Context::from_ptr(word) }, context);
    /// # Ok::<(), greenthread_context::StackError>(())
    /// ```
    #[inline]
    pub const unsafe fn from_ptr(ptr: NonNull<u8>) -> Context {
        Context(ptr)
    }

    /// A hint to the processor: this context is going to be resumed soon, so fetch `bytes` of its stack, beginning with its last
    /// frames, into the cache.
    ///
    /// The first touch of a stack that has lain still for long costs more than a hundred switches. Whoever knows a few switches
    /// ahead what comes next can have it fetched meanwhile. The context need not be alive: nothing is read.
    ///
    /// ```
    /// # use greenthread_context::{init, MmapStack, Stack};
    /// # unsafe extern "C" fn entry(_: usize) -> ! { unreachable!() }
    /// # let stack = MmapStack::new(4096)?;
    /// # // SAFETY: the stack is unused; the context is never resumed.
    /// # let context = unsafe { init(stack.top(), entry) };
    /// context.prefetch(256);
    /// # Ok::<(), greenthread_context::StackError>(())
    /// ```
    #[inline(always)]
    pub fn prefetch(self, bytes: usize) {
        prefetch(self.as_ptr().as_ptr().cast(), bytes);
    }
}

/// Some memory will be wanted soon, so fetch so many bytes from `start` on into the cache.
///
/// As [`Context::prefetch`], for what a context's owner keeps about it elsewhere. Nothing is read: any address will do, and
/// what has no such instruction does nothing.
///
/// ```
/// let word = 7_u64;
/// greenthread_context::prefetch((&raw const word).cast(), size_of_val(&word));
/// ```
#[inline(always)]
pub fn prefetch(start: *const u8, bytes: usize) {
    arch::prefetch(start, bytes);
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({:p})", self.0)
    }
}

/// Makes a suspended context on the stack that ends (its highest address) at `top`.
///
/// The first switch to it calls `entry` with that switch's argument. Below `top` a few words are written (at most 64
/// bytes); nothing else happens yet. A `top` that isn't aligned to 16 bytes is rounded down. Walks of the stack, by a debugger or
/// by `std::backtrace`, end at `entry`'s caller.
///
/// `entry` neither returns (its type says so) nor unwinds: a panic that reaches it ends the process, as in
/// every `extern "C"` function.
///
/// # Safety
/// The memory below `top`, as far as the context will use it, is writable, is used by nobody else, and stays so
/// until the context is resumed for the last time and has left. Stacks grow down; there should be a guard at the end.
///
/// See [the example](crate#a-switch-by-hand).
#[inline]
pub unsafe fn init(top: NonNull<u8>, entry: unsafe extern "C" fn(arg: usize) -> !) -> Context {
    #[cfg(greenthread_asan)]
    let entry = asan::init(top, entry);
    // SAFETY: the caller's promise.
    unsafe { arch::init(top, entry) }
}

/// Suspends the running context into `*save` and resumes `to`, which receives `arg`. Returns the argument that
/// is handed over by whoever resumes this one.
///
/// It is inlined with its assembly, so that each place has a jump of its own for the processor to predict and
/// the compiler saves what is live there and nothing more.
///
/// `*save` is written before `to` goes on and not looked at again: it may be a slot of a queue. (Of this OS
/// thread; another one would see it a moment before the stack is left.)
///
/// # Safety
/// - `save` is valid for a write.
/// - `to` is suspended: it was made by [`init`] or saved by a switch, has not been resumed since, and its stack is intact.
/// - `to` is resumed on the OS thread on which it has started, if it has.
/// - The stack of the running context stays as it is until it is resumed or, if it never is, for ever as far as anything
///   on it is borrowed.
///
/// See [the example](crate#a-switch-by-hand).
#[inline(always)]
pub unsafe fn switch(save: *mut Context, to: Context, arg: usize) -> usize {
    let left = asan::leave(to);
    // SAFETY: the caller's promise.
    let got = unsafe { from_word(arch::switch(save, to, to_word(arg))) };
    asan::arrive(left);
    got
}

/// Resumes `to` with `arg` and abandons the running context for ever. No destructor runs.
///
/// From the moment that `to` goes on, nothing touches the stack that was left: it may be freed or given to
/// another context.
///
/// # Safety
/// `to` as for [`switch`]. Whatever the frames of the running context own or have lent out is given up: nobody
/// relies on those destructors, and nobody uses what was borrowed from here if the stack is reused.
///
/// See [the example](crate#a-switch-by-hand).
#[inline(always)]
pub unsafe fn switch_final(to: Context, arg: usize) -> ! {
    asan::leave_for_good(to);
    // SAFETY: the caller's promise.
    unsafe { arch::switch_final(to, to_word(arg)) }
}

/// Like [`switch`], but `f(arg)` is called on the stack of `to` first, and what it returns is what `to` receives.
///
/// When `f` runs, the context that was left is saved already, so `f` is the place to publish it: to
/// unlock what protects it, or to put it where another may take it.
///
/// A walk from inside `f` goes on into the frames of `to`.
///
/// # Unwinding
/// `f` may panic and catch it. It does not carry unwinding into `to`: the site where `to` is suspended is inline assembly,
/// and inline assembly that may be unwound is not stable Rust. A panic that leaves `f` ends the process. To have `to`
/// unwound, return a value that asks it to panic.
///
/// # Safety
/// As for [`switch`]; and `f` may be called with `arg`. `f` runs on what is left of the stack of `to`, and may itself switch away
/// only if nobody resumes `to` meanwhile (the context that is saved then is `f`'s, on the same stack).
///
/// ```
/// use core::mem::MaybeUninit;
/// use greenthread_context::{Context, MmapStack, Stack, init, switch, switch_call, switch_final};
///
/// static mut MAIN: MaybeUninit<Context> = MaybeUninit::uninit();
/// static mut GREEN: MaybeUninit<Context> = MaybeUninit::uninit();
///
/// unsafe extern "C" fn green(first: usize) -> ! {
///     // SAFETY: main is saved in MAIN whenever this runs.
///     unsafe {
///         let second = switch((&raw mut GREEN).cast(), MAIN.assume_init(), first + 1);
///         switch_final(MAIN.assume_init(), second)
///     }
/// }
/// unsafe extern "C-unwind" fn double(arg: usize) -> usize {
///     2 * arg
/// }
///
/// let stack = MmapStack::new(64 * 1024)?;
/// // SAFETY: one OS thread, and each context is resumed once after it was saved.
/// unsafe {
///     let start = init(stack.top(), green);
///     assert_eq!(switch((&raw mut MAIN).cast(), start, 1), 2);
///     let saved = GREEN.assume_init();
///     assert_eq!(switch_call((&raw mut MAIN).cast(), saved, double, 21), 42);
/// }
/// # Ok::<(), greenthread_context::StackError>(())
/// ```
#[inline(always)]
pub unsafe fn switch_call(
    save: *mut Context,
    to: Context,
    f: unsafe extern "C-unwind" fn(arg: usize) -> usize,
    arg: usize,
) -> usize {
    let left = asan::leave(to);
    // SAFETY: the caller's promise.
    let got = unsafe { from_word(arch::switch_call(save, to, f, to_word(arg))) };
    asan::arrive(left);
    got
}

/// Calls `f(data)` on the running stack, in a frame from which an unwinder that walks out of `f` comes into the
/// suspended context `ctx`, as if that had made the call.
///
/// With it the stack of a parked thread can be recorded from outside. `ctx` is neither resumed nor changed, its stack is read
/// where the walker looks for return addresses and doesn't grow. The walk sees `f`, this
/// function, and then the frames of `ctx`; it doesn't see the caller.
///
/// # Safety
/// `ctx` is suspended, and stays so while `f` runs. `f` may be called with `data`. It doesn't unwind: as an
/// `extern "C"` function in Rust it ends the process if it panics.
///
/// ```
/// use core::mem::MaybeUninit;
/// use greenthread_context::{Context, MmapStack, Stack, init, switch, with_bridge};
///
/// static mut MAIN: MaybeUninit<Context> = MaybeUninit::uninit();
/// static mut GREEN: MaybeUninit<Context> = MaybeUninit::uninit();
///
/// #[inline(never)]
/// unsafe fn parked_here() {
///     // SAFETY: main is saved while green runs. Nobody resumes green again.
///     unsafe { switch((&raw mut GREEN).cast(), MAIN.assume_init(), 0) };
/// }
/// unsafe extern "C" fn green(_: usize) -> ! {
///     // SAFETY: as there.
///     unsafe { parked_here() };
///     unreachable!()
/// }
/// extern "C" fn record(text: *mut u8) {
///     // SAFETY: `data` below is a String.
///     let text = unsafe { &mut *text.cast::<String>() };
///     *text = std::backtrace::Backtrace::force_capture().to_string();
/// }
///
/// let stack = MmapStack::new(64 * 1024)?;
/// let mut text = String::new();
/// // SAFETY: the stack outlives all of it, and GREEN is suspended when it is walked.
/// unsafe {
///     let start = init(stack.top(), green);
///     switch((&raw mut MAIN).cast(), start, 0);
///     with_bridge(GREEN.assume_init(), record, (&raw mut text).cast());
/// }
/// assert!(text.contains("parked_here"));
/// # Ok::<(), greenthread_context::StackError>(())
/// ```
#[inline]
pub unsafe fn with_bridge(ctx: Context, f: extern "C" fn(data: *mut u8), data: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { arch::with_bridge(ctx, f, data) }
}
