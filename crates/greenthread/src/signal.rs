//! Signals, and only the calling thread waits for them: on
//! [`signal-hook`](https://docs.rs/signal-hook), which does what must be done in a handler.
//!
//! From the first time that a signal is asked for, here or elsewhere through that crate, the system
//! does not do any more what it does by itself (end the process, mostly); that does not come back
//! when nobody asks any more. The handler runs on the stack of whatever thread the system chooses,
//! and takes a few KiB of it.
//!
//! # Examples
//!
//! A server's orderly end:
//!
//! ```no_run
//! use greenthread::{signal, thread};
//!
//! greenthread::run(|| {
//!     thread::spawn(|| { /* serve */ });
//!     signal::ctrl_c()?;
//!     println!("goodbye");
//!     std::io::Result::Ok(())
//! })?;
//! # Ok::<(), std::io::Error>(())
//! ```

use std::{
    borrow::Borrow,
    fmt,
    io::{self, Read},
    iter::FusedIterator,
};

use signal_hook::{
    consts::FORBIDDEN,
    iterator::{
        backend::{Handle as Theirs, Pending, SignalDelivery},
        exfiltrator::SignalOnly,
    },
};

pub use crate::sys::signal::{
    SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU,
    SIGUSR1, SIGUSR2, SIGWINCH,
};

use crate::{
    os::unix::net::UnixStream,
    sys,
    task::coop::{CALL, consume_budget},
};

/// Waits for a Ctrl-C at the terminal (`SIGINT`). Blocks the calling thread. One that came between
/// two calls is not seen; [`Signals`] keeps them.
///
/// # Errors
///
/// The process has no descriptors left.
///
/// # Examples
///
/// ```
/// use greenthread::{signal, thread, time::Duration};
///
/// greenthread::run(|| {
///     // Now a Ctrl-C does not end the process any more.
///     let _all = signal::Signals::new([signal::SIGINT])?;
///     let waiting = thread::spawn(signal::ctrl_c);
///     while !waiting.is_finished() {
///         // What the terminal would do.
///         signal_hook::low_level::raise(signal::SIGINT)?;
///         thread::sleep(Duration::from_millis(1));
///     }
///     waiting.join().unwrap()
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn ctrl_c() -> io::Result<()> {
    match Signals::new([SIGINT])?.next() {
        Some(_) => Ok(()),
        None => Err(io::Error::other("waiting for Ctrl-C has failed")),
    }
}

/// The signals that come, one after the other: an iterator that blocks the calling thread until
/// there is one, and ends when it is [closed](Handle::close).
///
/// A signal that comes again before it was looked at is one; all who ask for a signal get it.
///
/// # Examples
///
/// ```
/// use greenthread::{signal::{SIGUSR1, Signals}, thread};
///
/// greenthread::run(|| {
///     let mut signals = Signals::new([SIGUSR1])?;
///     let handle = signals.handle();
///     let waiting = thread::spawn(move || (signals.next(), signals.next()));
///     // What another process would do.
///     signal_hook::low_level::raise(SIGUSR1)?;
///     handle.close();
///     assert_eq!(waiting.join().unwrap(), (Some(SIGUSR1), None));
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Signals {
    delivery: SignalDelivery<UnixStream, SignalOnly>,
    batch: Option<Pending<SignalOnly>>,
}

impl Signals {
    /// From now on keeps these signals for this iterator.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for what can't be asked for (`SIGKILL`, `SIGSTOP`, `SIGSEGV`, `SIGILL`,
    /// `SIGFPE`, and numbers that are no signals); otherwise what the system says: no descriptors
    /// are left.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::signal::{SIGTERM, Signals};
    ///
    /// let signals = Signals::new([SIGTERM])?;
    /// assert!(Signals::new([9]).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new<I, S>(signals: I) -> io::Result<Signals>
    where
        I: IntoIterator<Item = S>,
        S: Borrow<i32>,
    {
        let (read, write) = UnixStream::pair()?;
        let delivery = SignalDelivery::with_pipe(read, write, SignalOnly, [0; 0])?;
        let this = Signals { delivery, batch: None };
        let handle = this.handle();
        for signal in signals {
            handle.add_signal(*signal.borrow())?;
        }
        Ok(this)
    }

    /// The signals that have come and were not seen yet. Does not block.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::signal::{SIGHUP, Signals};
    ///
    /// assert_eq!(Signals::new([SIGHUP])?.pending().next(), None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pending(&mut self) -> impl Iterator<Item = i32> + use<> {
        consume_budget(CALL);
        let before = self.batch.take();
        before.into_iter().flatten().chain(self.delivery.pending())
    }

    /// What ends this from elsewhere.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::signal::{SIGHUP, Signals};
    ///
    /// let mut signals = Signals::new([SIGHUP])?;
    /// signals.handle().close();
    /// assert_eq!(signals.next(), None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(self.delivery.handle())
    }
}

impl Iterator for Signals {
    type Item = i32;

    fn next(&mut self) -> Option<i32> {
        loop {
            if let Some(signal) = self.batch.as_mut().and_then(Iterator::next) {
                return Some(signal);
            }
            let mut wait = |pipe: &mut UnixStream| match pipe.read(&mut [0]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
                result => Ok(result? > 0),
            };
            // What has come before it was closed is still given.
            let closed = self.delivery.handle().is_closed();
            let batch = self.delivery.poll_pending(&mut wait).ok()?;
            self.batch = Some(batch.unwrap_or_else(|| self.delivery.pending()));
            if closed {
                return self.batch.as_mut().and_then(Iterator::next);
            }
        }
    }
}

impl FusedIterator for Signals {}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signals").field("closed", &self.handle().is_closed()).finish_non_exhaustive()
    }
}

/// Adds to [`Signals`], and ends them, from any thread.
///
/// # Examples
///
/// ```
/// use greenthread::signal::{SIGHUP, SIGUSR2, Signals};
///
/// let handle = Signals::new([SIGHUP])?.handle();
/// handle.add_signal(SIGUSR2)?;
/// handle.close();
/// assert!(handle.is_closed());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Handle(Theirs);

impl Handle {
    /// Adds a signal to those that are waited for.
    ///
    /// # Errors
    ///
    /// As for [`Signals::new`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::signal::{SIGHUP, SIGUSR2, Signals};
    ///
    /// Signals::new([SIGHUP])?.handle().add_signal(SIGUSR2)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn add_signal(&self, signal: i32) -> io::Result<()> {
        // The crate panics where it can't.
        if !(1..=sys::signal::last()).contains(&signal) || FORBIDDEN.contains(&signal) {
            let message = format!("signal {signal} can't be waited for");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        self.0.add_signal(signal)
    }

    /// Ends the iterator, and wakes the one who waits in it. Signals that have come before are
    /// still given.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::signal::{SIGHUP, Signals};
    ///
    /// let mut signals = Signals::new([SIGHUP])?;
    /// signals.handle().close();
    /// assert_eq!(signals.next(), None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether it was closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::signal::{SIGHUP, Signals};
    ///
    /// assert!(!Signals::new([SIGHUP])?.handle().is_closed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}
