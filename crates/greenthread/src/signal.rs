//! Signals for green threads: only the calling thread waits for a signal. The module is built on
//! [`signal-hook`](https://docs.rs/signal-hook), which installs the handlers.
//!
//! The first request for a signal, here or elsewhere through `signal-hook`, disables the system's
//! default action for it (usually, ending the process). The default action does not come back when
//! no one waits for the signal any more. The handler runs on the stack of whichever thread the
//! system chooses, and uses a few KiB of it.
//!
//! # Examples
//!
//! An orderly end. At Ctrl-C whatever runs under the token is unwound, with all threads of its
//! scopes, and destructors run:
//!
//! ```
//! use greenthread::{cancel::Token, signal, thread};
//! # use greenthread::cancel;
//! # fn serve() {
//! #     // From here on a Ctrl-C does not end the process.
//! #     let _all = signal::Signals::new([signal::SIGINT]).unwrap();
//! #     _ = cancel::scope(|s| {
//! #         s.spawn(|| Ok::<_, ()>(thread::park()));
//! #         loop {
//! #             // The terminal would send the signal like this.
//! #             signal_hook::low_level::raise(signal::SIGINT).unwrap();
//! #             thread::sleep(std::time::Duration::from_millis(1));
//! #         }
//! #         #[allow(unreachable_code)]
//! #         Ok(())
//! #     });
//! # }
//!
//! greenthread::run(|| {
//!     let token = Token::new();
//!     let stop = token.clone();
//!     thread::spawn(move || signal::ctrl_c().map(|()| stop.cancel()));
//!     assert!(token.run(serve).is_err());
//!     println!("goodbye");
//! });
//! ```
//!
//! What does not run under the token is cancelled with its runtime:
//! [`Runtime::shutdown_cancel`](crate::Runtime::shutdown_cancel).

use std::{
    borrow::Borrow,
    fmt,
    io::{self, Read},
    iter::FusedIterator,
};

use signal_hook::{
    consts::FORBIDDEN,
    iterator::{
        backend::{Handle as HookHandle, Pending, SignalDelivery},
        exfiltrator::SignalOnly,
    },
};

pub use crate::sys::signal::{
    SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU,
    SIGUSR1, SIGUSR2, SIGWINCH,
};

use crate::{
    channel::{self, Receiver},
    os::unix::net::UnixStream,
    runtime::spawn::spawn_on_default,
    sys,
    task::{
        cancel,
        coop::{CALL, consume_budget},
    },
};

/// Waits for a Ctrl-C at the terminal (`SIGINT`). Blocks the calling thread. A signal that arrives
/// between two calls is lost; [`Signals`] keeps it.
///
/// A Ctrl-C before the first call ends the process, so also one that comes before a spawned thread
/// gets to its call. A [`Signals`] that was made before the spawn leaves no such gap.
///
/// # Errors
///
/// An error if the process has no descriptors left.
///
/// # Examples
///
/// ```
/// use greenthread::{signal, thread, time::Duration};
///
/// greenthread::run(|| {
///     // From here on a Ctrl-C does not end the process.
///     let _all = signal::Signals::new([signal::SIGINT])?;
///     let waiting = thread::spawn(signal::ctrl_c);
///     while !waiting.is_finished() {
///         // The terminal would send the signal like this.
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
        None => Err(match cancel::check_call() {
            Err(cancelled) => cancelled,
            Ok(()) => io::Error::other("waiting for Ctrl-C has failed"),
        }),
    }
}

/// An iterator over the signals that arrive. It blocks the calling thread until there is one, and
/// ends when it is [closed](Handle::close).
///
/// A signal that arrives several times before the iterator returns it is returned once. If several
/// iterators have asked for a signal, each of them returns it.
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
///     // Another process would send the signal like this.
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
    /// Creates an iterator that collects these signals from now on.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a signal that cannot be requested (`SIGKILL`, `SIGSTOP`, `SIGSEGV`,
    /// `SIGILL`, `SIGFPE`, and numbers that are not signals); otherwise the system's error, if no
    /// descriptors are left.
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

    /// Returns the signals that have arrived and were not returned yet. Does not block.
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

    /// Turns the iterator into the receiving end of a channel, so that a signal can stand in a
    /// [`select!`](crate::channel::select), or be awaited. A green thread of the default runtime
    /// passes the signals on. The channel holds as many as have not been received. It disconnects
    /// when the iterator is [closed](Handle::close); the thread ends then, or at the first signal
    /// after the last receiver was dropped.
    ///
    /// # Errors
    ///
    /// If the thread can't be spawned.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::{after, select}, signal::{SIGINT, Signals}, time::Duration};
    ///
    /// let interrupted = Signals::new([SIGINT])?.into_receiver()?;
    /// // The terminal would send the signal like this.
    /// signal_hook::low_level::raise(SIGINT)?;
    /// select! {
    ///     recv(interrupted) -> signal => assert_eq!(signal, Ok(SIGINT)),
    ///     recv(after(Duration::from_secs(60))) -> _ => panic!("no Ctrl-C"),
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_receiver(self) -> io::Result<Receiver<i32>> {
        let (sender, receiver) = channel::unbounded();
        let pass_on = move || {
            for signal in self {
                if sender.send(signal).is_err() {
                    break;
                }
            }
        };
        spawn_on_default("signals", pass_on)?;
        Ok(receiver)
    }

    /// Returns a handle that can close this iterator from another thread.
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
            // Signals that arrived before the iterator was closed are still returned.
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

/// A handle that adds signals to a [`Signals`], or closes it, from any thread.
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
pub struct Handle(HookHandle);

impl Handle {
    /// Adds a signal to the iterator.
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
        // `signal-hook` panics for these signals.
        if !(1..=sys::signal::last()).contains(&signal) || FORBIDDEN.contains(&signal) {
            let message = format!("signal {signal} can't be waited for");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        self.0.add_signal(signal)
    }

    /// Ends the iterator, and wakes the thread that waits in it. Signals that arrived earlier are
    /// still returned.
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

    /// Returns whether the iterator was closed.
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
