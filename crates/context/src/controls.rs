//! The same switch for contexts that keep their floating-point control words: MXCSR and the x87 control word on x86,
//! FPCR on AArch64, fcsr on RISC-V.
//!
//! The rounding mode, the masked exceptions and flush-to-zero then belong to each context, as they belong to each
//! OS thread otherwise. This costs a multiple of the plain switch. It is for C code that changes them and calls back, or
//! switches; Rust code may not run with them changed.
//!
//! What a site saves, that same site restores. So the flavours mix: a context saved here may be resumed by
//! [`crate::switch`], [`crate::switch_final`] and [`crate::switch_call`] and finds its words; one that was saved there
//! may be resumed from here, and goes on with the words of whoever resumes it. [`with_bridge`](crate::with_bridge)
//! walks both.
//!
//! ```
//! use core::mem::MaybeUninit;
//! use greenthread_context::{Context, MmapStack, Stack, controls, switch_final};
//!
//! static mut MAIN: MaybeUninit<Context> = MaybeUninit::uninit();
//!
//! unsafe extern "C" fn green(arg: usize) -> ! {
//!     // ... a C library that sets the rounding mode is called here ...
//!     // SAFETY: main waits in MAIN.
//!     unsafe { switch_final(MAIN.assume_init(), arg + 1) }
//! }
//!
//! let stack = MmapStack::new(64 * 1024)?;
//! // SAFETY: each context is resumed once, on this OS thread.
//! unsafe {
//!     let start = controls::init(stack.top(), green);
//!     // Whatever `green` has done to the control words, here they are what they were.
//!     assert_eq!(controls::switch((&raw mut MAIN).cast(), start, 1), 2);
//! }
//! # Ok::<(), greenthread_context::StackError>(())
//! ```

// Invariants of this file: none of its own; see lib.rs.

use core::ptr::NonNull;

use crate::arch::{self, from_word, to_word};
use crate::{Context, asan};

/// As [`crate::init`]; the context starts with the control words of the caller of this function, whoever resumes it.
///
/// # Safety
/// As for [`crate::init`].
///
/// See [the example](self).
#[inline]
pub unsafe fn init(top: NonNull<u8>, entry: unsafe extern "C" fn(arg: usize) -> !) -> Context {
    #[cfg(greenthread_asan)]
    let entry = asan::init(top, entry);
    // SAFETY: the caller's promise.
    unsafe { arch::init_controls(top, entry) }
}

/// As [`crate::switch`]; on return the control words are what they were before.
///
/// # Safety
/// As for [`crate::switch`].
///
/// See [the example](self).
#[inline(always)]
pub unsafe fn switch(save: *mut Context, to: Context, arg: usize) -> usize {
    let left = asan::leave(to);
    // SAFETY: the caller's promise.
    let got = unsafe { from_word(arch::switch_controls(save, to, to_word(arg))) };
    asan::arrive(left);
    got
}

/// As [`crate::switch_call`]; on return the control words are what they were before. `f` runs with those of its caller.
///
/// # Safety
/// As for [`crate::switch_call`].
///
/// See [its example](crate::switch_call).
#[inline(always)]
pub unsafe fn switch_call(
    save: *mut Context,
    to: Context,
    f: unsafe extern "C-unwind" fn(arg: usize) -> usize,
    arg: usize,
) -> usize {
    let left = asan::leave(to);
    // SAFETY: the caller's promise.
    let got = unsafe { from_word(arch::switch_call_controls(save, to, f, to_word(arg))) };
    asan::arrive(left);
    got
}

/// The same function as [`crate::switch_final`]: a context that is abandoned has nothing to keep.
///
/// ```
/// // See the example of the module.
/// use greenthread_context::controls::switch_final;
/// # let _ = switch_final as unsafe fn(_, _) -> _;
/// ```
pub use crate::switch_final;
