//! Where a stack lies. This file has no invariants: the bounds are numbers until `init` takes them.

use core::ptr::NonNull;

/// Where a stack lies, for [`init`](crate::init).
///
/// Windows keeps the bounds of the running stack in the thread's information block, and each switch
/// exchanges them. Other systems don't ask, and there the lower bounds are used for nothing.
///
/// ```
/// use greenthread_context::{MmapStack, Stack, StackBounds};
///
/// let stack = MmapStack::new(64 * 1024)?;
/// let bounds = StackBounds::of(&stack);
/// assert_eq!(bounds, StackBounds::new(stack.limit(), stack.top()));
/// # Ok::<(), greenthread_context::StackError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackBounds {
    pub(crate) limit: NonNull<u8>,
    pub(crate) committed: NonNull<u8>,
    pub(crate) top: NonNull<u8>,
    pub(crate) guaranteed: usize,
}

impl StackBounds {
    /// The stack from `limit`, its lowest address, to `top`, one past its highest. All of it can be
    /// used at once.
    ///
    /// See [the example](StackBounds).
    #[inline]
    pub const fn new(limit: NonNull<u8>, top: NonNull<u8>) -> StackBounds {
        StackBounds { limit, committed: limit, top, guaranteed: 0 }
    }

    /// The same stack, if Windows has committed only the pages from `committed` up, and commits
    /// further ones when code runs into the page below, which is a `PAGE_GUARD` page.
    ///
    /// Where this is not exact, exceptions fail on Windows (an address too high) or large frames
    /// jump over the guard page (one too low). A stack that is used again says what is committed by
    /// then.
    ///
    /// ```
    /// # use greenthread_context::{MmapStack, Stack, StackBounds};
    /// let stack = MmapStack::new(64 * 1024)?;
    /// let bounds = StackBounds::of(&stack);
    /// // SAFETY: both addresses are within the stack.
    /// let higher = unsafe { stack.limit().add(32 * 1024) };
    /// assert_ne!(bounds.committed_from(higher), bounds);
    /// assert_eq!(bounds.committed_from(stack.limit()), bounds);
    /// # Ok::<(), greenthread_context::StackError>(())
    /// ```
    #[inline]
    #[must_use]
    pub const fn committed_from(self, committed: NonNull<u8>) -> StackBounds {
        StackBounds { committed, ..self }
    }

    /// The same stack, if handlers of its overflow shall find so many bytes of room on Windows.
    /// They lie between the guard page and the low end. With 0 bytes Windows leaves two pages.
    ///
    /// ```
    /// # use greenthread_context::{MmapStack, Stack, StackBounds};
    /// let stack = MmapStack::new(64 * 1024)?;
    /// let bounds = StackBounds::of(&stack);
    /// assert_eq!(bounds.guarantee(0), bounds);
    /// # Ok::<(), greenthread_context::StackError>(())
    /// ```
    #[inline]
    #[must_use]
    pub const fn guarantee(self, bytes: usize) -> StackBounds {
        StackBounds { guaranteed: bytes, ..self }
    }
}
