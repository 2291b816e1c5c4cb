//! The methods that all socket types except listeners share.

/// Defines the methods for settings. `$setup` is doctest code that makes a `socket`; `$receive` is
/// an expression that reads from it.
macro_rules! settings {
    ($type:ident, $setup:literal, $receive:literal) => {
        /// Creates another handle to the same socket. Both handles see the same data, and settings
        /// that are changed through one apply to both.
        ///
        /// # Errors
        ///
        /// An error if the process has no descriptor left.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = $setup]
        /// let clone = socket.try_clone()?;
        /// socket.set_read_timeout(Some(std::time::Duration::from_secs(1)))?;
        /// assert_eq!(clone.read_timeout()?, socket.read_timeout()?);
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn try_clone(&self) -> std::io::Result<$type> {
            self.0.try_clone().map($type)
        }

        /// Sets how long a receiving call may block; `None` means without limit. A call that takes
        /// longer returns `WouldBlock`.
        ///
        /// # Errors
        ///
        /// `InvalidInput` if the timeout is zero.
        ///
        /// # Examples
        ///
        /// ```
        /// use std::{io::ErrorKind, time::Duration};
        ///
        #[doc = $setup]
        /// socket.set_read_timeout(Some(Duration::from_millis(5)))?;
        #[doc = concat!("let nothing = ", $receive, ";")]
        /// assert_eq!(nothing.unwrap_err().kind(), ErrorKind::WouldBlock);
        /// let zero = socket.set_read_timeout(Some(Duration::ZERO));
        /// assert_eq!(zero.unwrap_err().kind(), ErrorKind::InvalidInput);
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn set_read_timeout(&self, timeout: Option<std::time::Duration>) -> std::io::Result<()> {
            self.0.set_timeout(crate::driver::Interest::Read, timeout)
        }

        /// Sets how long a sending call may block; `None` means without limit. A call that takes
        /// longer returns the number of bytes that it has sent, or `WouldBlock` if it has sent
        /// none.
        ///
        /// # Errors
        ///
        /// `InvalidInput` if the timeout is zero.
        ///
        /// # Examples
        ///
        /// ```
        /// use std::{io::ErrorKind, time::Duration};
        ///
        #[doc = $setup]
        /// socket.set_write_timeout(Some(Duration::from_secs(1)))?;
        /// assert_eq!(socket.write_timeout()?, Some(Duration::from_secs(1)));
        /// let zero = socket.set_write_timeout(Some(Duration::ZERO));
        /// assert_eq!(zero.unwrap_err().kind(), ErrorKind::InvalidInput);
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn set_write_timeout(&self, timeout: Option<std::time::Duration>) -> std::io::Result<()> {
            self.0.set_timeout(crate::driver::Interest::Write, timeout)
        }

        /// Returns the timeout that [`set_read_timeout`](Self::set_read_timeout) has set, as
        /// rounded by the system.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = $setup]
        /// assert_eq!(socket.read_timeout()?, None);
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn read_timeout(&self) -> std::io::Result<Option<std::time::Duration>> {
            self.0.timeout(crate::driver::Interest::Read)
        }

        /// Returns the timeout that [`set_write_timeout`](Self::set_write_timeout) has set, as
        /// rounded by the system.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = $setup]
        /// assert_eq!(socket.write_timeout()?, None);
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn write_timeout(&self) -> std::io::Result<Option<std::time::Duration>> {
            self.0.timeout(crate::driver::Interest::Write)
        }

        /// Returns the socket's pending error (`SO_ERROR`) and clears it.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = $setup]
        /// assert!(socket.take_error()?.is_none());
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn take_error(&self) -> std::io::Result<Option<std::io::Error>> {
            self.0.take_error()
        }

        /// Sets whether receiving and sending calls return `WouldBlock` instead of blocking.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = $setup]
        /// socket.set_nonblocking(true)?;
        #[doc = concat!("let nothing = ", $receive, ";")]
        /// assert_eq!(nothing.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn set_nonblocking(&self, nonblocking: bool) -> std::io::Result<()> {
            self.0.set_nonblocking(nonblocking)
        }
    };
}
pub(crate) use settings;
