//! The word that a switch carries from one context to another.

use core::mem::MaybeUninit;

/// Any bits of the size of a pointer. The context that is resumed receives them, as the argument of
/// its entry function if it starts.
pub(crate) type Word = MaybeUninit<*mut u8>;

/// An integer as a word.
#[inline(always)]
pub(crate) fn to_word(value: usize) -> Word {
    Word::new(core::ptr::without_provenance_mut(value))
}

/// The integer of a word.
///
/// # Safety
/// The word was made of an integer or of a pointer, so that all of its bytes are initialised.
#[inline(always)]
pub(crate) unsafe fn from_word(word: Word) -> usize {
    // SAFETY: the caller vouches that the word is initialised.
    unsafe { word.assume_init() }.addr()
}
