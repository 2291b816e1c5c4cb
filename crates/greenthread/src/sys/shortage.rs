//! The error when memory or address space has run out.

use std::io;

/// Makes an error that says that memory or address space has run out. `text` says which of them,
/// and what the user can do.
///
/// If there is no memory for the text, the error has none. That is better than an abort.
#[cold]
pub(crate) fn exhausted(text: core::fmt::Arguments<'_>) -> io::Error {
    match Vec::<u8>::new().try_reserve(1024) {
        Ok(()) => io::Error::new(io::ErrorKind::OutOfMemory, text.to_string()),
        Err(_) => io::ErrorKind::OutOfMemory.into(),
    }
}
