//! `IsTerminal`.

#[cfg(unix)]
use std::os::fd::AsFd;
#[cfg(windows)]
use std::os::windows::io::AsHandle;

/// A trait that tells whether a descriptor is a terminal: [`std::io::IsTerminal`], which cannot be
/// implemented outside of std. This trait is implemented for all types that have a descriptor.
///
/// # Examples
///
/// ```
/// use greenthread::io::{self, IsTerminal};
///
/// let (reader, _writer) = io::pipe()?;
/// assert!(!reader.is_terminal());
/// if io::stdin().is_terminal() {
///     println!("The input is a terminal.");
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait IsTerminal {
    /// Returns whether this is a terminal. Does not block.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::io::{self, IsTerminal};
    ///
    /// let (reader, _writer) = io::pipe()?;
    /// assert!(!reader.is_terminal());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn is_terminal(&self) -> bool;
}

#[cfg(unix)]
impl<T: AsFd + ?Sized> IsTerminal for T {
    fn is_terminal(&self) -> bool {
        std::io::IsTerminal::is_terminal(&self.as_fd())
    }
}

#[cfg(windows)]
impl<T: AsHandle + ?Sized> IsTerminal for T {
    fn is_terminal(&self) -> bool {
        std::io::IsTerminal::is_terminal(&self.as_handle())
    }
}
