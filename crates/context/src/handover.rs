//! Handing over a value as the argument of a switch.
//!
//! - **H1** If the type fits into the word, the value is copied into the word and moves with it.
//!   Otherwise the word is the address of the value. The type alone decides, so both sides agree.

use core::mem::ManuallyDrop;
use core::ptr;

use crate::word::Word;

/// Whether a `T` travels in the word itself.
const fn fits<T>() -> bool {
    size_of::<T>() <= size_of::<Word>() && align_of::<T>() <= align_of::<Word>()
}

/// The word that hands over `value`. The value must stay where it is until it is taken.
#[inline(always)]
pub(crate) fn give<T>(value: &mut ManuallyDrop<T>) -> Word {
    if fits::<T>() {
        let mut word = Word::uninit();
        // SAFETY: it fits into the word (H1), and the bytes in a `ManuallyDrop` may be copied out.
        unsafe { ptr::copy_nonoverlapping(&raw const *value, (&raw mut word).cast(), 1) };
        word
    } else {
        Word::new((&raw mut *value).cast())
    }
}

/// The value that was handed over.
///
/// # Safety
/// `give` made `word` for a `T` that has stayed where it was. The value is taken only once.
#[inline(always)]
pub(crate) unsafe fn take<T>(word: Word) -> T {
    if fits::<T>() {
        // SAFETY: the word holds a `T` (H1).
        unsafe { (&raw const word).cast::<T>().read() }
    } else {
        // SAFETY: a `T` doesn't fit, so the word is a pointer to one (H1).
        unsafe { word.assume_init().cast::<T>().read() }
    }
}
