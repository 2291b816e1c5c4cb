//! The methods of the public senders and receivers. `channel`, `sync::mpmc` and `sync::mpsc` have
//! the same ones, on top of the same `Core`. They differ in the types of their errors and in the
//! names that their examples use.
//!
//! `$path` is the module of the type, and `$unbounded` and `$bounded` are the functions in that
//! module that make channels. The macros use the names of the errors, of `Receiver` and so on that
//! are in scope where they are called.

/// A sender that several threads may share.
macro_rules! sender {
    ($path:literal, $unbounded:literal, $bounded:literal) => {
        /// The sending end of a channel. To send from several threads, clone it or share it.
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

            /// Like [`send`](Sender::send), but waits for at most `timeout`.
            ///
            /// # Errors
            ///
            /// If the channel was full until the time was up ([`SendTimeoutError::Timeout`]), or if
            /// all receivers have been dropped ([`SendTimeoutError::Disconnected`]). The error
            /// holds the message.
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

            /// Like [`send`](Sender::send), but waits until `deadline` at the latest.
            ///
            /// # Errors
            ///
            /// If the channel was full until the time was up ([`SendTimeoutError::Timeout`]), or if
            /// all receivers have been dropped ([`SendTimeoutError::Disconnected`]). The error
            /// holds the message.
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

/// A receiver that several threads may share, on top of a `$core` with the methods of `Core`. The
/// attributes are the first paragraphs of the documentation of `try_recv`.
macro_rules! receiver {
    ($(#[$try_recv:meta])* $path:literal, $unbounded:literal, $bounded:literal, $core:ty) => {
        /// The receiving end of a channel. To receive in several threads, clone it or share it.
        /// Each message is received by one of them.
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

            /// Like [`recv`](Receiver::recv), but waits until `deadline` at the latest.
            ///
            /// # Errors
            ///
            /// If no message arrived in time ([`RecvTimeoutError::Timeout`]), or if the channel is
            /// empty and all senders have been dropped ([`RecvTimeoutError::Disconnected`]).
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

/// The methods that both ends have if several threads may share them. `$field` is the end's index
/// in the pair that makes a channel.
macro_rules! shared {
    ($name:ident, $field:literal, $do:literal, $path:literal, $unbounded:literal, $bounded:literal) => {
        impl<T> $name<T> {
            /// Whether the channel is empty. With a capacity of 0 it always is.
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

            /// Whether the channel is full. With a capacity of 0 it always is.
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

            /// Returns the number of messages in the channel.
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

            /// Returns the largest number of messages that the channel holds; `None` if it has no
            /// limit.
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

            #[doc = concat!("Whether both ", $do, " the same channel.")]
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
            /// Makes another handle for the same channel.
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
        /// Sends a message if the channel is not full, or if a receiver is waiting. Never blocks.
        ///
        /// # Errors
        ///
        /// If the channel is full and no receiver is waiting ([`TrySendError::Full`]), or if all
        /// receivers have been dropped ([`TrySendError::Disconnected`]). The error holds the
        /// message.
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

        /// Sends a message. If the channel is full, waits until it is not; with a capacity of 0,
        /// waits until a receiver has taken the message.
        ///
        /// This blocks the calling thread, green or OS.
        ///
        /// # Errors
        ///
        /// If all receivers have been dropped. The error holds the message.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use greenthread::{", $path, "::{SendError, ", $bounded, "}, thread};")]
        ///
        #[doc = concat!("let (s, r) = ", $bounded, "(1);")]
        /// assert_eq!(s.send(1), Ok(()));
        /// let receiver = thread::spawn(move || (r.recv(), r));
        /// assert_eq!(s.send(2), Ok(())); // Waits until the first message has been received.
        /// let (first, r) = receiver.join().unwrap();
        /// assert_eq!(first, Ok(1));
        /// drop(r);
        /// assert_eq!(s.send(3), Err(SendError(3)));
        /// ```
        pub fn send(&self, msg: T) -> Result<(), SendError<T>> {
            use $crate::sync::chan::core::Timeout;
            self.core.send(msg, Timeout::Wait(None)).map_err(|failed| SendError(failed.into_message()))
        }

        $crate::sync::chan::async_ends::send_async!($path, $bounded);
    };
}

/// `try_recv`, `recv`, `recv_timeout`, and the methods that make iterators.
macro_rules! recv_methods {
    ($(#[$try_recv:meta])* $path:literal, $unbounded:literal) => {
        $(#[$try_recv])*
        ///
        /// # Errors
        ///
        /// If the channel is empty ([`TryRecvError::Empty`]), or if it is empty and all senders
        /// have been dropped ([`TryRecvError::Disconnected`]).
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

        /// Receives the oldest message. If there is none, waits for one.
        ///
        /// This blocks the calling thread, green or OS.
        ///
        /// # Errors
        ///
        /// If the channel is empty and all senders have been dropped. Messages that were sent
        /// before the last sender was dropped are received first.
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

        $crate::sync::chan::async_ends::recv_async!($path, $unbounded);

        /// Like [`recv`](Receiver::recv), but waits for at most `timeout`.
        ///
        /// # Errors
        ///
        /// If no message arrived in time ([`RecvTimeoutError::Timeout`]), or if the channel is
        /// empty and all senders have been dropped ([`RecvTimeoutError::Disconnected`]).
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

        /// Returns an iterator over the messages. It waits for each message, and ends when the
        /// channel is empty and all senders have been dropped.
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

        /// Returns an iterator over the messages that are in the channel. It never waits, and ends
        /// when it finds the channel empty.
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

/// The iterators of a `Receiver`. The attributes go on each of them.
macro_rules! iterators {
    ($(#[$meta:meta])* $path:literal, $unbounded:literal) => {
        /// An iterator that waits for the messages of a [`Receiver`]; see [`Receiver::iter`].
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

        /// An iterator over the messages that are already in the channel of a [`Receiver`]; see
        /// [`Receiver::try_iter`].
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

        /// An iterator that owns a [`Receiver`] and waits for its messages.
        /// `for message in receiver` makes one.
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

/// The traits of an error that holds a message or a handle, which need not be `Debug`. The error
/// can be made from `$from`, the error that says that the other end is gone. The texts come last.
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
