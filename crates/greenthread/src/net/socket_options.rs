//! What all types of sockets but those that listen have alike, written once.

/// The settings that all have but those that listen. `$setup` is Rust that makes a `socket`,
/// `$receive` how it reads a buffer.
macro_rules! settings {
    ($type:ident, $setup:literal, $receive:literal) => {
        /// Another handle to the same socket: the same data, and what is set on one holds for both.
        ///
        /// # Errors
        ///
        /// The process has no descriptor left.
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

        /// How long receiving may block; with `None`, for ever. What takes longer gives
        /// `WouldBlock`.
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

        /// How long sending may block; with `None`, for ever. What takes longer gives how much was
        /// sent, or, if that is nothing, `WouldBlock`.
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

        /// What [`set_read_timeout`](Self::set_read_timeout) has set, as the system has rounded it.
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

        /// What [`set_write_timeout`](Self::set_write_timeout) has set, as the system has rounded
        /// it.
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

        /// The error that is pending on the socket (`SO_ERROR`), which is so taken off it.
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

        /// Whether receiving and sending give `WouldBlock` instead of blocking.
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
