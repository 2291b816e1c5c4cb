//! `IsTerminal`.

use std::os::fd::AsFd;

/// Whether something is a terminal: [`std::io::IsTerminal`], which allows no implementations but
/// its own. This one is there for all that has a descriptor.
///
/// # Examples
///
/// ```
/// use greenthread::io::{self, IsTerminal};
///
/// let (reader, _writer) = io::pipe()?;
/// assert!(!reader.is_terminal());
/// if io::stdin().is_terminal() {
///     println!("Somebody may be there.");
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait IsTerminal {
    /// Whether it is a terminal. Does not block.
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

impl<T: AsFd + ?Sized> IsTerminal for T {
    fn is_terminal(&self) -> bool {
        std::io::IsTerminal::is_terminal(&self.as_fd())
    }
}
