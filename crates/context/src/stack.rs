//! Stacks for coroutines: the trait, and a stack made by the operating system.
//!
//! This file has no invariants of its own. Those of [`MmapStack`] are in the file of the system.

use core::fmt;
use core::ptr::NonNull;

use crate::bounds::StackBounds;

/// Memory on which a [`Coroutine`](crate::Coroutine) can run.
///
/// # Safety
/// - The memory from `limit()` to `top()` is readable, writable, aligned to 16 bytes at both ends,
///   and used only through this value. Both functions always return the same address.
/// - The memory stays where it is when the value is moved. It stays valid until the value is
///   dropped, and for ever if the value is forgotten. (`Coroutine` wants the type to be `'static`
///   for that.)
/// - A guard lies below `limit()`: code that runs past the end faults, and writes into nobody's
///   memory. Rust code probes its stack page by page, so a guard of one page is enough for it. C
///   code may jump over one page.
///
/// ```
/// use core::ptr::NonNull;
/// use greenthread_context::{Coroutine, MmapStack, Stack};
///
/// /// A stack that prints when it is freed.
/// struct Noisy(MmapStack);
///
/// // SAFETY: the stack inside keeps the contract.
/// unsafe impl Stack for Noisy {
///     fn top(&self) -> NonNull<u8> {
///         self.0.top()
///     }
///     fn limit(&self) -> NonNull<u8> {
///         self.0.limit()
///     }
/// }
/// impl Drop for Noisy {
///     fn drop(&mut self) {
///         println!("a stack of {} bytes is freed", self.0.size());
///     }
/// }
///
/// let stack = Noisy(MmapStack::new(64 * 1024)?);
/// let mut once = Coroutine::with_stack(stack, |co, ()| co.suspend("hello"));
/// assert_eq!(once.next(), Some("hello"));
/// # Ok::<(), greenthread_context::StackError>(())
/// ```
pub unsafe trait Stack {
    /// One past the highest address, where a context starts.
    fn top(&self) -> NonNull<u8>;

    /// The lowest address that may be used. The guard lies below it.
    fn limit(&self) -> NonNull<u8>;
}

impl StackBounds {
    /// The bounds of `stack`.
    ///
    /// See [the example](StackBounds).
    #[inline]
    pub fn of(stack: &(impl Stack + ?Sized)) -> StackBounds {
        StackBounds::new(stack.limit(), stack.top())
    }
}

/// Why no stack could be made: the size, the system call that failed, and its error number.
///
/// ```
/// use greenthread_context::MmapStack;
///
/// let error = MmapStack::new(usize::MAX / 2).unwrap_err();
/// assert!(error.to_string().contains("smaller"));
/// # #[cfg(feature = "std")] {
/// let error: std::io::Error = error.into();
/// assert_eq!(error.kind(), std::io::ErrorKind::OutOfMemory);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackError {
    call: Call,
    size: usize,
    errno: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Map,
    Protect,
}

/// The names of the system calls.
const MAP: &str = if cfg!(windows) { "VirtualAlloc" } else { "mmap" };
const PROTECT: &str = if cfg!(windows) { "VirtualAlloc" } else { "mprotect" };

/// The system's number for a lack of memory: ENOMEM, or ERROR_NOT_ENOUGH_MEMORY.
const NO_MEMORY: i32 = if cfg!(windows) { 8 } else { 12 };

impl StackError {
    /// The operating system's number for the error.
    ///
    /// ```
    /// # use greenthread_context::MmapStack;
    /// let no_memory = if cfg!(windows) { 8 } else { 12 }; // ERROR_NOT_ENOUGH_MEMORY or ENOMEM
    /// assert_eq!(MmapStack::new(usize::MAX / 2).unwrap_err().errno(), no_memory);
    /// ```
    pub fn errno(&self) -> i32 {
        self.errno
    }
}

impl fmt::Display for StackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StackError { call, size, errno } = self;
        match call {
            Call::Map => write!(f, "cannot map a stack of {size} bytes ({MAP}, error {errno})")?,
            Call::Protect => {
                write!(f, "cannot set apart the guard of a stack of {size} bytes ({PROTECT}, error {errno})")?
            }
        }
        match (call, *errno) {
            _ if cfg!(windows) => f.write_str(
                ": use fewer or smaller stacks, or raise the limit on committed memory (the paging file); all of a \
                 stack counts as committed",
            ),
            (Call::Map, NO_MEMORY) => f.write_str(
                ": use fewer or smaller stacks, or raise the limit on address space (ulimit -v) or on maps \
                 (sysctl vm.max_map_count; a stack takes two)",
            ),
            (Call::Protect, NO_MEMORY) => f.write_str(
                ": each stack takes two of the process's maps; use fewer stacks or raise sysctl vm.max_map_count",
            ),
            _ => Ok(()),
        }
    }
}

impl core::error::Error for StackError {}

#[cfg(feature = "std")]
impl From<StackError> for std::io::Error {
    fn from(error: StackError) -> Self {
        let kind = std::io::Error::from_raw_os_error(error.errno).kind();
        std::io::Error::new(kind, error)
    }
}

#[cfg(any(unix, windows))]
pub use system::MmapStack;

#[cfg_attr(unix, path = "stack/unix.rs")]
#[cfg_attr(windows, path = "stack/windows.rs")]
#[cfg(any(unix, windows))]
mod system;
