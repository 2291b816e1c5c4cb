//! Hints to the processor about memory that will be used soon.

use crate::arch;
use crate::context::Context;

/// Bytes that one prefetch instruction fetches: the cache line of the machines here. On a machine
/// with larger lines (Apple's have 128 bytes) every other hint is superfluous. A larger step would
/// leave out every other line of the machines that have lines of 64 bytes.
const LINE: usize = 64;

impl Context {
    /// Hints to the processor that this context will be resumed soon: fetches `bytes` of its stack
    /// into the cache, beginning with the innermost frames.
    ///
    /// The first touch of a stack that has not been used for a while costs more than a hundred
    /// switches. A scheduler that knows a few switches ahead which context comes next can have it
    /// fetched meanwhile. The context need not be alive: the program reads nothing.
    ///
    /// ```
    /// # use greenthread_context::{init, MmapStack, StackBounds};
    /// # unsafe extern "C" fn entry(_: usize) -> ! { unreachable!() }
    /// # let stack = MmapStack::new(4096)?;
    /// # // SAFETY: the stack is unused; the context is never resumed.
    /// # let context = unsafe { init(StackBounds::of(&stack), entry) };
    /// context.prefetch(256);
    /// # Ok::<(), greenthread_context::StackError>(())
    /// ```
    #[inline(always)]
    pub fn prefetch(self, bytes: usize) {
        prefetch(self.as_ptr().as_ptr().cast(), bytes);
    }
}

/// Hints to the processor that memory will be used soon: fetches `bytes` from `start` on into the
/// cache.
///
/// [`Context::prefetch`] does this for a stack. This function is for what the context's owner keeps
/// about it elsewhere. The program reads nothing, so any address is allowed. On a machine that has
/// no such instruction (RISC-V without extensions) nothing happens.
///
/// ```
/// let word = 7_u64;
/// greenthread_context::prefetch((&raw const word).cast(), size_of_val(&word));
/// ```
#[inline(always)]
pub fn prefetch(start: *const u8, bytes: usize) {
    for offset in (0..bytes).step_by(LINE) {
        arch::prefetch_line(start.wrapping_add(offset));
    }
}
