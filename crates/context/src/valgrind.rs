//! Registration of stacks with Valgrind, and whether the program runs under it.
//!
//! Valgrind takes a big jump of the stack pointer for a big stack frame, and reports nonsense
//! afterwards. If it knows where the stacks are, it recognises a switch. Without Valgrind each of
//! these functions is a handful of instructions that do nothing. [`MmapStack`](crate::MmapStack)
//! registers itself.
//!
//! ```
//! use greenthread_context::valgrind;
//!
//! let stack = vec![0u8; 64 * 1024].into_boxed_slice();
//! let range = stack.as_ptr_range();
//! let id = valgrind::register(range.start, range.end);
//! // ... contexts run on it ...
//! valgrind::deregister(id);
//! ```

// Nothing here is unsafe: `arch` makes the request in a safe function, and Valgrind keeps only the
// addresses.

use crate::arch;
#[cfg(any(greenthread_asan, greenthread_tsan))]
use crate::sanitizer;

/// A stack that is registered with Valgrind until [`deregister`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a stack stays registered until it is deregistered"]
pub struct StackId(u32, #[cfg(any(greenthread_asan, greenthread_tsan))] usize);

/// Request numbers, from Valgrind's header `valgrind.h`.
const RUNNING: usize = 0x1001;
const REGISTER: usize = 0x1501;
const DEREGISTER: usize = 0x1502;

/// Whether the program runs under Valgrind, where everything takes some fifty times as long.
///
/// ```
/// let patience = if greenthread_context::valgrind::is_running() { 50 } else { 1 };
/// # assert!(patience > 0);
/// ```
#[inline]
pub fn is_running() -> bool {
    arch::valgrind_request(RUNNING, [0; 5], 0) != 0
}

/// Registers the stack from `limit`, its lowest address, to `top`, one past its highest.
///
/// See [the example](self).
#[inline]
pub fn register(limit: *const u8, top: *const u8) -> StackId {
    #[cfg(any(greenthread_asan, greenthread_tsan))]
    sanitizer::register(limit, top);
    // Valgrind wants the addresses of the lowest and of the highest byte.
    let last = top.addr().saturating_sub(1);
    // Valgrind's numbers start at 1; without Valgrind this is 0.
    let id = arch::valgrind_request(REGISTER, [limit.addr(), last, 0, 0, 0], 0) as u32;
    StackId(
        id,
        #[cfg(any(greenthread_asan, greenthread_tsan))]
        top.addr(),
    )
}

/// Ends the registration of a stack. Call it before the stack's memory is given back.
///
/// See [the example](self).
#[inline]
pub fn deregister(id: StackId) {
    #[cfg(any(greenthread_asan, greenthread_tsan))]
    sanitizer::deregister(id.1);
    arch::valgrind_request(DEREGISTER, [id.0 as usize, 0, 0, 0, 0], 0);
}
