//! Memory that will be wanted soon.

/// Has the processor fetch so many bytes while it does something else. Nothing is read: the memory need not be there.
#[inline(always)]
pub(crate) fn prefetch<T>(start: *const T, bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        const LINE: usize = 64;
        for offset in (0..bytes).step_by(LINE) {
            // SAFETY: a prefetch reads nothing that the program could notice, and no address is wrong for it.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.cast::<i8>().wrapping_add(offset)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (start, bytes);
}
