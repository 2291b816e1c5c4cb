//! The methods of the public senders and receivers. `channel`, `sync::mpmc` and `sync::mpsc` have
//! the same ones, over one core, and differ in the types of their errors and in the names that
//! their examples use.
//!
//! `$path` is the module of the end, `$unbounded` and `$bounded` are the functions there that make
//! channels. The errors, `Receiver` and the like are those that the calling module has in scope.

/// A sender for any number of threads.
macro_rules! sender {
    ($path:literal, $unbounded:literal, $bounded:literal) => {
        /// The sending end of a channel. Clone it, or share it, for more senders.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use greenthread::{", $path, "::", $unbounded, ", thread};")]
        ///
        #[doc = concat!("let (s1, r) = ", $unbounded, "();")]
        /// let s2 = s1.clone();
        /// thread::spawn(move || s1.send(1).unwrap());
        /// thread::spawn(move || s2.send(2).unwrap());
        /// assert_eq!(r.recv().unwrap() + r.recv().unwrap(), 3);
        /// ```
        pub struct Sender<T> {
            pub(super) core: $crate::sync::chan::handle::Tx<T>,
        }

        impl<T> Sender<T> {
            $crate::sync::chan::ends::send_methods!($path, $bounded);

            /// As [`send`](Sender::send), waiting for `timeout` at most.
            ///
            /// # Errors
            ///
            /// There was no room in time, or there is no receiver any more; the error holds the
            /// message.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::{", $path, "::{SendTimeoutError, ", $bounded, "}, time::Duration};")]
            ///
            #[doc = concat!("let (s, r) = ", $bounded, "(0);")]
            /// let timeout = Duration::from_millis(5);
            /// assert_eq!(s.send_timeout(1, timeout), Err(SendTimeoutError::Timeout(1)));
            /// drop(r);
            /// assert_eq!(s.send_timeout(1, timeout), Err(SendTimeoutError::Disconnected(1)));
            /// ```
            pub fn send_timeout(&self, msg: T, timeout: core::time::Duration) -> Result<(), SendTimeoutError<T>> {
                self.send_within(msg, $crate::sync::chan::core::Timeout::within(timeout))
            }

            /// As [`send`](Sender::send), waiting until `deadline` at most.
            ///
            /// # Errors
            ///
            /// There was no room in time, or there is no receiver any more; the error holds the
            /// message.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!(
                "use greenthread::{", $path, "::{SendTimeoutError, ", $bounded, "}, time::{Duration, Instant}};"
            )]
            ///
            #[doc = concat!("let (s, _r) = ", $bounded, "(0);")]
            /// let deadline = Instant::now() + Duration::from_millis(5);
            /// assert_eq!(s.send_deadline(1, deadline), Err(SendTimeoutError::Timeout(1)));
            /// ```
            pub fn send_deadline(&self, msg: T, deadline: $crate::time::Instant) -> Result<(), SendTimeoutError<T>> {
                self.send_within(msg, $crate::sync::chan::core::Timeout::until(deadline))
            }

            fn send_within(
                &self,
                message: T,
                timeout: $crate::sync::chan::core::Timeout,
            ) -> Result<(), SendTimeoutError<T>> {
                use $crate::sync::chan::core::SendFailed;
                self.core.send(message, timeout).map_err(|failed| match failed {
                    SendFailed::Full(message) => SendTimeoutError::Timeout(message),
                    SendFailed::Closed(message) => SendTimeoutError::Disconnected(message),
                })
            }
        }

        $crate::sync::chan::ends::shared!(Sender, 0, "send to", $path, $unbounded, $bounded);
    };
}

/// A receiver for any number of threads, over a `$core` that has the methods of `Core`. The
/// attributes are the first paragraphs of the documentation of `try_recv`.
macro_rules! receiver {
    ($(#[$try_recv:meta])* $path:literal, $unbounded:literal, $bounded:literal, $core:ty) => {
        /// The receiving end of a channel. Clone it, or share it, for more receivers: each message
        /// is received by one of them.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use greenthread::{", $path, "::", $unbounded, ", thread};")]
        ///
        #[doc = concat!("let (s, r) = ", $unbounded, "();")]
        /// thread::spawn(move || (0..3).for_each(|n| s.send(n).unwrap()));
        /// assert!(r.iter().eq(0..3));
        /// ```
        pub struct Receiver<T> {
            pub(super) core: $core,
        }

        impl<T> Receiver<T> {
            $crate::sync::chan::ends::recv_methods!($(#[$try_recv])* $path, $unbounded);

            /// As [`recv`](Receiver::recv), waiting until `deadline` at most.
            ///
            /// # Errors
            ///
            /// No message came in time, or none can come any more.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!(
                "use greenthread::{", $path, "::{RecvTimeoutError, ", $unbounded, "}, time::{Duration, Instant}};"
            )]
            ///
            #[doc = concat!("let (_s, r) = ", $unbounded, "::<()>();")]
            /// let deadline = Instant::now() + Duration::from_millis(5);
            /// assert_eq!(r.recv_deadline(deadline), Err(RecvTimeoutError::Timeout));
            /// ```
            pub fn recv_deadline(&self, deadline: $crate::time::Instant) -> Result<T, RecvTimeoutError> {
                self.recv_within($crate::sync::chan::core::Timeout::until(deadline))
            }
        }

        $crate::sync::chan::ends::shared!(Receiver, 1, "receive from", $path, $unbounded, $bounded);
        $crate::sync::chan::ends::iterators!($path, $unbounded);
        $crate::opaque_debug::opaque_debug!(Iter<'_, T>, TryIter<'_, T>, IntoIter<T>);
    };
}

/// What both ends have that any number of threads may use. `$field` is the end's place in the pair
/// that makes a channel.
macro_rules! shared {
    ($name:ident, $field:literal, $do:literal, $path:literal, $unbounded:literal, $bounded:literal) => {
        impl<T> $name<T> {
            /// Whether there is no message in the channel; with a capacity of 0, always.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::", $path, "::", $unbounded, ";")]
            ///
            #[doc = concat!("let (s, r) = ", $unbounded, "();")]
            /// assert!(s.is_empty() && r.is_empty());
            /// s.send(1).unwrap();
            /// assert!(!s.is_empty() && !r.is_empty());
            /// ```
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Whether there are as many messages in the channel as may be; with a capacity of 0,
            /// always.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::", $path, "::", $bounded, ";")]
            ///
            #[doc = concat!("let (s, r) = ", $bounded, "(1);")]
            /// assert!(!s.is_full() && !r.is_full());
            /// s.send(1).unwrap();
            /// assert!(s.is_full() && r.is_full());
            /// ```
            pub fn is_full(&self) -> bool {
                self.core.is_full()
            }

            /// How many messages are in the channel.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::", $path, "::", $unbounded, ";")]
            ///
            #[doc = concat!("let (s, r) = ", $unbounded, "();")]
            /// s.send(1).unwrap();
            /// s.send(2).unwrap();
            /// assert_eq!((s.len(), r.len()), (2, 2));
            /// ```
            pub fn len(&self) -> usize {
                self.core.len()
            }

            /// How many messages there may be in the channel; `None` if there is no limit.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::", $path, "::{", $bounded, ", ", $unbounded, "};")]
            ///
            #[doc = concat!("assert_eq!(", $unbounded, "::<()>().", $field, ".capacity(), None);")]
            #[doc = concat!("assert_eq!(", $bounded, "::<()>(5).", $field, ".capacity(), Some(5));")]
            /// ```
            pub fn capacity(&self) -> Option<usize> {
                self.core.capacity()
            }

            #[doc = concat!("Whether both ", $do, " one channel.")]
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::", $path, "::", $unbounded, ";")]
            ///
            #[doc = concat!("let pair = ", $unbounded, "::<()>();")]
            #[doc = concat!("assert!(pair.", $field, ".same_channel(&pair.", $field, ".clone()));")]
            #[doc = concat!("assert!(!pair.", $field, ".same_channel(&", $unbounded, "().", $field, "));")]
            /// ```
            pub fn same_channel(&self, other: &Self) -> bool {
                self.core.same_channel(&other.core)
            }
        }

        impl<T> core::panic::UnwindSafe for $name<T> {}
        impl<T> core::panic::RefUnwindSafe for $name<T> {}

        impl<T> Clone for $name<T> {
            /// One more for the same channel.
            fn clone(&self) -> Self {
                Self { core: self.core.clone() }
            }
        }

        $crate::opaque_debug::opaque_debug!($name<T>);
    };
}

/// `try_send` and `send`.
macro_rules! send_methods {
    ($path:literal, $bounded:literal) => {
        /// Sends a message if there is room at this moment, or a receiver waiting. Never blocks.
        ///
        /// # Errors
        ///
        /// There is no room ([`TrySendError::Full`]), or no receiver any more
        /// ([`TrySendError::Disconnected`]); the error holds the message.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use greenthread::", $path, "::{TrySendError, ", $bounded, "};")]
        ///
        #[doc = concat!("let (s, r) = ", $bounded, "(1);")]
        /// assert_eq!(s.try_send(1), Ok(()));
        /// assert_eq!(s.try_send(2), Err(TrySendError::Full(2)));
        /// drop(r);
        /// assert_eq!(s.try_send(3), Err(TrySendError::Disconnected(3)));
        /// ```
        pub fn try_send(&self, msg: T) -> Result<(), TrySendError<T>> {
            use $crate::sync::chan::core::{SendFailed, Timeout};
            self.core.send(msg, Timeout::Try).map_err(|failed| match failed {
                SendFailed::Full(message) => TrySendError::Full(message),
                SendFailed::Closed(message) => TrySendError::Disconnected(message),
            })
        }

        /// Sends a message, and waits for room if there is none; with a capacity of 0, until it is
        /// received.
        ///
        /// Blocks the calling thread, green or OS.
        ///
        /// # Errors
        ///
        /// There is no receiver any more; the error holds the message.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use greenthread::{", $path, "::{SendError, ", $bounded, "}, thread};")]
        ///
        #[doc = concat!("let (s, r) = ", $bounded, "(1);")]
        /// assert_eq!(s.send(1), Ok(()));
        /// let receiver = thread::spawn(move || (r.recv(), r));
        /// assert_eq!(s.send(2), Ok(())); // Waits for the first message to be received.
        /// let (first, r) = receiver.join().unwrap();
        /// assert_eq!(first, Ok(1));
        /// drop(r);
        /// assert_eq!(s.send(3), Err(SendError(3)));
        /// ```
        pub fn send(&self, msg: T) -> Result<(), SendError<T>> {
            use $crate::sync::chan::core::Timeout;
            self.core.send(msg, Timeout::Wait(None)).map_err(|failed| SendError(failed.into_message()))
        }
    };
}

/// `try_recv`, `recv`, `recv_timeout`, and the methods that make iterators.
macro_rules! recv_methods {
    ($(#[$try_recv:meta])* $path:literal, $unbounded:literal) => {
        $(#[$try_recv])*
        ///
        /// # Errors
        ///
        /// There is no message ([`TryRecvError::Empty`]), or there can't be one any more
        /// ([`TryRecvError::Disconnected`]).
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use greenthread::", $path, "::{TryRecvError, ", $unbounded, "};")]
        ///
        #[doc = concat!("let (s, r) = ", $unbounded, "();")]
        /// assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
        /// s.send(5).unwrap();
        /// drop(s);
        /// assert_eq!(r.try_recv(), Ok(5));
        /// assert_eq!(r.try_recv(), Err(TryRecvError::Disconnected));
        /// ```
        pub fn try_recv(&self) -> Result<T, TryRecvError> {
            use $crate::sync::chan::core::{RecvFailed, Timeout};
            self.core.recv(Timeout::Try).map_err(|failed| match failed {
                RecvFailed::Empty => TryRecvError::Empty,
                RecvFailed::Closed => TryRecvError::Disconnected,
            })
        }

        /// Takes the oldest message, and waits for one if there is none.
        ///
        /// Blocks the calling thread, green or OS.
        ///
        /// # Errors
        ///
        /// There is no message, and no sender any more. What was sent before the last sender went
        /// is received first.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use greenthread::{", $path, "::{RecvError, ", $unbounded, "}, thread};")]
        ///
        #[doc = concat!("let (s, r) = ", $unbounded, "();")]
        /// thread::spawn(move || s.send(5).unwrap());
        /// assert_eq!(r.recv(), Ok(5));
        /// assert_eq!(r.recv(), Err(RecvError));
        /// ```
        pub fn recv(&self) -> Result<T, RecvError> {
            self.core.recv($crate::sync::chan::core::Timeout::Wait(None)).map_err(|_| RecvError)
        }

        /// As [`recv`](Receiver::recv), waiting for `timeout` at most.
        ///
        /// # Errors
        ///
        /// No message came in time ([`RecvTimeoutError::Timeout`]), or none can come any more
        /// ([`RecvTimeoutError::Disconnected`]).
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use greenthread::{", $path, "::{RecvTimeoutError, ", $unbounded, "}, time::Duration};")]
        ///
        #[doc = concat!("let (s, r) = ", $unbounded, "::<()>();")]
        /// let timeout = Duration::from_millis(5);
        /// assert_eq!(r.recv_timeout(timeout), Err(RecvTimeoutError::Timeout));
        /// drop(s);
        /// assert_eq!(r.recv_timeout(timeout), Err(RecvTimeoutError::Disconnected));
        /// ```
        pub fn recv_timeout(&self, timeout: core::time::Duration) -> Result<T, RecvTimeoutError> {
            self.recv_within($crate::sync::chan::core::Timeout::within(timeout))
        }

        fn recv_within(&self, timeout: $crate::sync::chan::core::Timeout) -> Result<T, RecvTimeoutError> {
            use $crate::sync::chan::core::RecvFailed;
            self.core.recv(timeout).map_err(|failed| match failed {
                RecvFailed::Empty => RecvTimeoutError::Timeout,
                RecvFailed::Closed => RecvTimeoutError::Disconnected,
            })
        }

        /// The messages as they come; it waits for each, and ends when there can be none any more.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use greenthread::{", $path, "::", $unbounded, ", thread};")]
        ///
        #[doc = concat!("let (s, r) = ", $unbounded, "();")]
        /// thread::spawn(move || (0..3).for_each(|n| s.send(n).unwrap()));
        /// assert_eq!(r.iter().collect::<Vec<_>>(), [0, 1, 2]);
        /// ```
        pub fn iter(&self) -> Iter<'_, T> {
            Iter { receiver: self }
        }

        /// The messages that are there already; it never waits.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use greenthread::", $path, "::", $unbounded, ";")]
        ///
        #[doc = concat!("let (s, r) = ", $unbounded, "();")]
        /// assert_eq!(r.try_iter().count(), 0);
        /// s.send(1).unwrap();
        /// s.send(2).unwrap();
        /// assert!(r.try_iter().eq([1, 2]));
        /// ```
        pub fn try_iter(&self) -> TryIter<'_, T> {
            TryIter { receiver: self }
        }
    };
}

/// The iterators of a `Receiver`; each gets the attributes.
macro_rules! iterators {
    ($(#[$meta:meta])* $path:literal, $unbounded:literal) => {
        /// The messages of a [`Receiver`], waited for; see [`Receiver::iter`].
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use greenthread::", $path, "::", $unbounded, ";")]
        ///
        #[doc = concat!("let (s, r) = ", $unbounded, "();")]
        /// s.send(1).unwrap();
        /// s.send(2).unwrap();
        /// drop(s);
        /// assert_eq!(r.iter().collect::<Vec<_>>(), [1, 2]);
        /// ```
        $(#[$meta])*
        pub struct Iter<'a, T: 'a> {
            receiver: &'a Receiver<T>,
        }

        /// The messages that a [`Receiver`] has already; see [`Receiver::try_iter`].
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use greenthread::", $path, "::", $unbounded, ";")]
        ///
        #[doc = concat!("let (s, r) = ", $unbounded, "();")]
        /// s.send(1).unwrap();
        /// assert_eq!(r.try_iter().collect::<Vec<_>>(), [1]);
        /// assert_eq!(r.try_iter().next(), None);
        /// drop(s);
        /// ```
        $(#[$meta])*
        pub struct TryIter<'a, T: 'a> {
            receiver: &'a Receiver<T>,
        }

        /// The messages of a [`Receiver`], waited for, with the receiver inside; `for message in
        /// receiver` makes it.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use greenthread::", $path, "::", $unbounded, ";")]
        ///
        #[doc = concat!("let (s, r) = ", $unbounded, "();")]
        /// s.send(1).unwrap();
        /// drop(s);
        /// let mut messages = r.into_iter();
        /// assert_eq!((messages.next(), messages.next()), (Some(1), None));
        /// ```
        $(#[$meta])*
        pub struct IntoIter<T> {
            receiver: Receiver<T>,
        }

        impl<T> Iterator for Iter<'_, T> {
            type Item = T;

            fn next(&mut self) -> Option<T> {
                self.receiver.recv().ok()
            }
        }

        impl<T> Iterator for TryIter<'_, T> {
            type Item = T;

            fn next(&mut self) -> Option<T> {
                self.receiver.try_recv().ok()
            }
        }

        impl<T> Iterator for IntoIter<T> {
            type Item = T;

            fn next(&mut self) -> Option<T> {
                self.receiver.recv().ok()
            }
        }

        impl<'a, T> IntoIterator for &'a Receiver<T> {
            type Item = T;
            type IntoIter = Iter<'a, T>;

            fn into_iter(self) -> Iter<'a, T> {
                self.iter()
            }
        }

        impl<T> IntoIterator for Receiver<T> {
            type Item = T;
            type IntoIter = IntoIter<T>;

            fn into_iter(self) -> IntoIter<T> {
                IntoIter { receiver: self }
            }
        }
    };
}

/// The traits of an error that holds a message or a handle, which need not be `Debug`. It is made
/// from `$from`, which says that the other end is gone; then come the texts.
macro_rules! error {
    ($name:ident<T>, $from:ty, $error:pat => $disconnected:expr, $($this:pat => $text:expr),+ $(,)?) => {
        impl<T> From<$from> for $name<T> {
            fn from($error: $from) -> Self {
                $disconnected
            }
        }

        impl<T> core::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl<T> core::fmt::Display for $name<T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(match self {
                    $($this => $text,)+
                })
            }
        }

        impl<T> core::error::Error for $name<T> {}
    };
}

pub(crate) use {error, iterators, receiver, recv_methods, send_methods, sender, shared};
