//! A value as the argument of a switch.
//!
//! - **H1** What fits into the word is copied into it, and moves with the word; of what doesn't, the word is the address.
//!   Which of the two it is follows from the type alone, so that both sides agree.

use core::mem::ManuallyDrop;
use core::ptr;

use crate::arch::Word;

/// Whether a `T` is handed over in the word itself.
const fn fits<T>() -> bool {
    size_of::<T>() <= size_of::<Word>() && align_of::<T>() <= align_of::<Word>()
}

/// The word that hands over `value`, which must stay where it is until it is taken.
#[inline(always)]
pub(crate) fn give<T>(value: &mut ManuallyDrop<T>) -> Word {
    if fits::<T>() {
        let mut word = Word::uninit();
        // SAFETY: it fits (H1), and what is in a `ManuallyDrop` may be moved out bit by bit.
        unsafe { ptr::copy_nonoverlapping(&raw const *value, (&raw mut word).cast(), 1) };
        word
    } else {
        Word::new((&raw mut *value).cast())
    }
}

/// The value that was handed over.
///
/// # Safety
/// `word` was made by `give` for a `T` that is where it was, and is taken once.
#[inline(always)]
pub(crate) unsafe fn take<T>(word: Word) -> T {
    if fits::<T>() {
        // SAFETY: it fits, and is a `T` (H1).
        unsafe { (&raw const word).cast::<T>().read() }
    } else {
        // SAFETY: not fitting, it is a pointer to a `T` (H1).
        unsafe { word.assume_init().cast::<T>().read() }
    }
}
