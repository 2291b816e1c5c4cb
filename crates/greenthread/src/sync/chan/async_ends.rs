//! The methods of the public senders and receivers that return futures. See `ends`, which uses
//! these macros in its own.

/// `send_async`, of a sender whose `core` is a handle of a channel.
macro_rules! send_async {
    ($path:literal, $bounded:literal) => {
        /// As [`send`](Self::send), for a future: it waits by its waker, in a task of any executor,
        /// and blocks no thread. It is served in the order in which it was first polled, as threads
        /// are. If it is dropped before it is ready, the message has been sent, or is dropped with
        /// it.
        ///
        /// # Errors
        ///
        /// If all receivers have been dropped. The error holds the message.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use greenthread::{block_on, ", $path, "::", $bounded, ", thread};")]
        ///
        #[doc = concat!("let (s, r) = ", $bounded, "(1);")]
        /// let receiver = thread::spawn(move || r.iter().sum::<i32>());
        /// block_on(async move {
        ///     for n in 1..=4 {
        ///         s.send_async(n).await.unwrap();
        ///     }
        /// });
        /// assert_eq!(receiver.join().unwrap(), 10);
        /// ```
        pub fn send_async(&self, msg: T) -> impl Future<Output = Result<(), SendError<T>>> + Unpin {
            let mut future = $crate::sync::chan::awaiting::SendFuture::new(&self.core, msg);
            core::future::poll_fn(move |context| future.poll(context.waker()).map_err(SendError))
        }
    };
}

/// `recv_async`, of a receiver whose `core` makes futures (`Core::recv_future`).
macro_rules! recv_async {
    ($path:literal, $unbounded:literal) => {
        /// As [`recv`](Self::recv), for a future: it waits by its waker, in a task of any executor,
        /// and blocks no thread. It is served in the order in which it was first polled, as threads
        /// are. If it is dropped before it is ready, no message is lost: one that it was given goes
        /// to the next receiver, or is the first in the channel again.
        ///
        /// Polling or dropping it blocks in one case only: if the arm of a `select!` has been
        /// chosen to send to it, and the message of that arm is still being evaluated.
        ///
        /// # Errors
        ///
        /// As for [`recv`](Self::recv).
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use greenthread::{block_on, ", $path, "::{RecvError, ", $unbounded, "}, thread};")]
        ///
        #[doc = concat!("let (s, r) = ", $unbounded, "();")]
        /// thread::spawn(move || s.send(5).unwrap());
        /// block_on(async {
        ///     assert_eq!(r.recv_async().await, Ok(5));
        ///     assert_eq!(r.recv_async().await, Err(RecvError));
        /// });
        /// ```
        pub fn recv_async(&self) -> impl Future<Output = Result<T, RecvError>> + Unpin {
            let mut future = self.core.recv_future();
            core::future::poll_fn(move |context| future.poll(context.waker()).map_err(|_| RecvError))
        }
    };
}

pub(crate) use {recv_async, send_async};
