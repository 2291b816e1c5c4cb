//! The functions for schedulers: make a context, switch to it, walk it.
//!
//! This file has no invariants of its own. Each function passes its caller's promises on to `arch`.
//! The contract of `arch` (A1 to A7 in `arch/mod.rs`) is what the documentation here promises.

use crate::bounds::StackBounds;
use crate::context::Context;
use crate::word::{from_word, to_word};
use crate::{arch, sanitizer};

/// Makes a suspended context on the stack with these bounds.
///
/// The first switch to the context calls `entry` with that switch's argument. Until then nothing
/// runs: `init` only writes a few words below the top (at most 128 bytes). A top that isn't aligned
/// to 16 bytes is rounded down. Walks of the stack, by a debugger or by `std::backtrace`, end at
/// `entry`'s caller.
///
/// `entry` doesn't return, as its type says, and doesn't unwind: a panic that reaches it ends the
/// process, as in every `extern "C"` function.
///
/// # Safety
/// The memory of the stack, as far as the context will use it, is writable and used by nobody else.
/// It stays so until the context has been resumed for the last time and has left its stack. Stacks
/// grow down, and a guard should lie at the low end.
///
/// See [the example](crate#a-switch-by-hand).
#[inline]
pub unsafe fn init(bounds: StackBounds, entry: unsafe extern "C" fn(arg: usize) -> !) -> Context {
    #[cfg(greenthread_asan)]
    let entry = sanitizer::init(bounds.top, entry);
    #[cfg(greenthread_tsan)]
    sanitizer::init(bounds.top);
    // SAFETY: the caller vouches for the memory of the stack.
    unsafe { arch::init(bounds, entry) }
}

/// Suspends the running context into `*save` and resumes `to`, which receives `arg`. Returns the
/// argument of the switch that resumes the suspended context.
///
/// The function is inlined together with its assembly. So each call site has a jump of its own for
/// the processor to predict, and the compiler saves what is live there and nothing more.
///
/// `*save` is written before `to` goes on and is not read afterwards, so it may be a slot of a
/// queue. The queue must belong to this OS thread: another one would see the context a moment
/// before its stack has been left.
///
/// # Safety
/// - `save` is valid for a write.
/// - `to` is suspended: [`init`] made it or a switch saved it, nothing has resumed it since, and
///   its stack is intact.
/// - If `to` has started, this is the OS thread on which it started.
/// - The stack of the running context stays as it is until the context is resumed. If it is never
///   resumed, the stack stays for as long as anything on it is borrowed.
///
/// See [the example](crate#a-switch-by-hand).
#[inline(always)]
pub unsafe fn switch(save: *mut Context, to: Context, arg: usize) -> usize {
    let left = sanitizer::leave(to);
    // SAFETY: the caller vouches for `save`, for `to` and for the running stack. All switches that
    // a user can call pass integers.
    let got = unsafe { from_word(arch::switch(save, to, to_word(arg))) };
    sanitizer::arrive(left);
    got
}

/// Resumes `to` with `arg` and abandons the running context for ever. No destructor runs.
///
/// Once `to` goes on, nothing touches the abandoned stack any more: it may be freed, or given to
/// another context.
///
/// # Safety
/// `to` is as for [`switch`]. Nothing relies on the destructors of the running context's frames,
/// and nothing that was borrowed from these frames is used after the stack is freed or reused.
///
/// See [the example](crate#a-switch-by-hand).
#[inline(always)]
pub unsafe fn switch_final(to: Context, arg: usize) -> ! {
    sanitizer::leave_for_good(to);
    // SAFETY: the caller vouches for `to`, and gives up the running stack.
    unsafe { arch::switch_final(to, to_word(arg)) }
}

/// Calls `f(data)` on the running stack, in a frame that looks to an unwinder as if the suspended
/// context `ctx` had made the call.
///
/// A scheduler records the stack of a parked thread with it, from outside. The walk sees `f`, this
/// function, and then the frames of `ctx`; it doesn't see the caller. `ctx` is neither resumed nor
/// changed, and its stack doesn't grow. The walker reads that stack where it looks for return
/// addresses.
///
/// # Safety
/// `ctx` is suspended, and stays so while `f` runs. `f` may be called with `data`. It doesn't
/// unwind: as an `extern "C"` function in Rust it ends the process if it panics.
///
/// ```
/// use core::mem::MaybeUninit;
/// use greenthread_context::{Context, MmapStack, StackBounds, init, switch, with_bridge};
///
/// static mut MAIN: MaybeUninit<Context> = MaybeUninit::uninit();
/// static mut GREEN: MaybeUninit<Context> = MaybeUninit::uninit();
///
/// #[inline(never)]
/// unsafe fn parked_here() {
///     // SAFETY: MAIN is saved while GREEN runs. Nothing resumes GREEN again.
///     unsafe { switch((&raw mut GREEN).cast(), MAIN.assume_init(), 0) };
/// }
/// unsafe extern "C" fn green(_: usize) -> ! {
///     // SAFETY: MAIN is saved, as this is the context that it switched to.
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
///     let start = init(StackBounds::of(&stack), green);
///     switch((&raw mut MAIN).cast(), start, 0);
///     with_bridge(GREEN.assume_init(), record, (&raw mut text).cast());
/// }
/// assert!(text.contains("parked_here"));
/// # Ok::<(), greenthread_context::StackError>(())
/// ```
#[inline]
pub unsafe fn with_bridge(ctx: Context, f: extern "C" fn(data: *mut u8), data: *mut u8) {
    // SAFETY: the caller vouches that `ctx` is suspended and that `f` may be called with `data`.
    unsafe { arch::with_bridge(ctx, f, data) }
}
