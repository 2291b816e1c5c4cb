//! The type of a suspended context.

use core::fmt;
use core::ptr::NonNull;

/// A suspended context: a pointer into its own stack, to where its registers were saved.
///
/// It is a plain value without a lifetime. Copies of it are the same context, which may be resumed
/// once. It is neither `Send` nor `Sync`, because the OS thread on which a context started is the
/// one to resume it.
///
/// ```
/// use core::mem::size_of;
/// use greenthread_context::Context;
///
/// assert_eq!(size_of::<Option<Context>>(), size_of::<usize>());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Context(pub(crate) NonNull<u8>);

impl Context {
    /// The pointer, for callers that keep it in a word of their own.
    ///
    /// ```
    /// # use greenthread_context::{init, Context, MmapStack, Stack, StackBounds};
    /// # unsafe extern "C" fn entry(_: usize) -> ! { unreachable!() }
    /// let stack = MmapStack::new(4096)?;
    /// // SAFETY: the stack is unused; the context is never resumed.
    /// let context = unsafe { init(StackBounds::of(&stack), entry) };
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
    /// # use greenthread_context::{init, Context, MmapStack, StackBounds};
    /// # unsafe extern "C" fn entry(_: usize) -> ! { unreachable!() }
    /// # let stack = MmapStack::new(4096)?;
    /// # // SAFETY: the stack is unused; the context is never resumed.
    /// # let context = unsafe { init(StackBounds::of(&stack), entry) };
    /// let word = context.as_ptr();
    /// // SAFETY: `word` was a context.
    /// assert_eq!(unsafe { Context::from_ptr(word) }, context);
    /// # Ok::<(), greenthread_context::StackError>(())
    /// ```
    #[inline]
    pub const unsafe fn from_ptr(ptr: NonNull<u8>) -> Context {
        Context(ptr)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({:p})", self.0)
    }
}
