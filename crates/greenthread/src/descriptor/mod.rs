//! A descriptor whose calls block the calling thread, green or OS, and never the worker.
//!
//! On a green thread a call is made first, in a way that does not block and leaves the descriptor's
//! flags as the user has set them. If the call would block, or is known to block, the thread waits
//! at its worker's driver. Outside a runtime, and inside `without_yield`, the kernel blocks the OS
//! thread, and handles timeouts itself.
//!
//! * This file: the settings in effect, and the loop of call and wait that all calls share.
//! * `os_thread`: the same loop for an OS thread, where it has to wait by itself.
//! * `fd_impls`: the trait implementations that the public types have in common.
//! * `plain`: reading and writing of what is not a socket: pipes, terminals, files.
//! * `readiness`: waiting without a call. `polled`: calls of tasks.
//! * `settings`: the timeouts and the non-blocking mode that the user has set for a socket. Both
//!   the kernel and the library record them: to ask the kernel before each wait would cost three
//!   system calls. What is not a socket has its mode set by `fcntl` only, behind the library's
//!   back; there the kernel is asked.

use std::{
    io, mem,
    sync::{Arc, MutexGuard, OnceLock, PoisonError, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use crate::{
    driver::{CallResult, Driver, Interest, Registration, Source, Turn},
    runtime,
    sys::{
        self,
        error::{OsError, OsResult},
        fd::{AsFd, BorrowedFd, OwnedFd},
        poller::is_shut,
        socket::{self, Blocking, NO_SHUTDOWN_EVENT},
    },
    task::{
        cancel,
        coop::{CALL, begin_call},
        time::deadline_after,
        wait::Outcome,
    },
};

pub(crate) mod fd_impls;
pub(crate) mod os_thread;
pub(crate) mod plain;
pub(crate) mod polled;
mod readiness;
mod settings;

use settings::Settings;

/// A descriptor with its settings; see the module's comment.
#[derive(Debug)]
pub(crate) struct Descriptor {
    source: Source,
    /// Whether it is a socket whose shutdown causes no event for threads that wait to write.
    no_write_shutdown_event: bool,
    /// Whether it is a listening socket. The kernel then has it in non-blocking mode, whatever the
    /// user's mode is.
    listens: bool,
    /// `None` as long as all settings have their defaults and there is no clone.
    settings: OnceLock<Arc<Settings>>,
}

impl Descriptor {
    /// Wraps a descriptor that the library has made, whose settings have their defaults.
    pub(crate) const fn new(descriptor: OwnedFd) -> Self {
        Self::with(descriptor, OnceLock::new())
    }

    /// Wraps a descriptor that comes from the user, with the settings that it has.
    pub(crate) fn adopt(descriptor: OwnedFd) -> Self {
        let settings = Settings::default();
        settings.expose();
        Self::with(descriptor, Arc::new(settings).into())
    }

    const fn with(descriptor: OwnedFd, settings: OnceLock<Arc<Settings>>) -> Self {
        Self { source: Source::new(descriptor), no_write_shutdown_event: false, listens: false, settings }
    }

    pub(crate) fn into_owned(mut self) -> OwnedFd {
        self.source.take().expect("only this and the drop take it")
    }

    /// Lends the descriptor to the user, who may change its settings.
    pub(crate) fn expose(&self) -> BorrowedFd<'_> {
        self.settings().expose();
        self.as_fd()
    }

    /// Whether the user has ever had access to the descriptor itself.
    pub(crate) fn is_exposed(&self) -> bool {
        self.settings.get().is_some_and(|settings| settings.is_exposed())
    }

    /// For a listening socket: whether a connection inherits settings that the user has made
    /// through the descriptor itself.
    pub(crate) fn is_inherited(&self) -> bool {
        self.current_settings().is_some_and(Settings::is_inherited)
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        let mut clone = Self::new(self.as_fd().try_clone_to_owned()?);
        clone.no_write_shutdown_event = self.no_write_shutdown_event;
        clone.listens = self.listens;
        clone.settings.get_or_init(|| self.settings().clone());
        Ok(clone)
    }

    /// Whether there are clones made by `try_clone`.
    pub(crate) fn is_shared(&self) -> bool {
        self.settings.get().is_some_and(|settings| Arc::strong_count(settings) > 1)
    }

    fn settings(&self) -> &Arc<Settings> {
        self.settings.get_or_init(Arc::default)
    }

    /// The settings, brought up to date; `None` if all have their defaults.
    #[inline]
    fn current_settings(&self) -> Option<&Settings> {
        let settings = self.settings.get()?;
        settings.refresh(self.as_fd(), self.listens);
        Some(settings)
    }

    /// Records the mode without telling the kernel.
    pub(crate) fn remember_nonblocking(&self, nonblocking: bool) {
        if nonblocking || self.settings.get().is_some() {
            self.settings().remember_nonblocking(nonblocking);
        }
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        sys::io::set_nonblocking(self, nonblocking)?;
        self.remember_nonblocking(nonblocking);
        Ok(())
    }

    pub(crate) fn is_nonblocking(&self) -> bool {
        self.current_settings().is_some_and(|settings| settings.nonblocking.load(Relaxed))
    }

    /// Marks it as a Unix socket.
    #[cfg(unix)]
    pub(crate) fn unix(mut self) -> Self {
        self.no_write_shutdown_event = sys::socket::NO_WRITE_SHUTDOWN_EVENT;
        self
    }

    pub(crate) fn has_no_write_shutdown_event(&self) -> bool {
        self.no_write_shutdown_event
    }

    /// Marks it as a listening socket, which the kernel has in non-blocking mode.
    pub(crate) fn listening(mut self) -> Self {
        self.listens = true;
        self
    }

    /// Shuts a socket down by `shut`. Where the system has no event for threads that wait to write,
    /// these are made to try their calls again.
    pub(crate) fn shutting(&self, shut: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        shut()?;
        if self.no_write_shutdown_event || NO_SHUTDOWN_EVENT {
            self.writers().iter().for_each(Registration::force_ready);
        }
        Ok(())
    }

    /// For a call to receive that would have blocked: whether nothing can arrive any more, since
    /// the socket was shut down. A blocking call returns at such an end. A non-blocking one that
    /// receives datagrams or connections only says that it would block. The shutdown causes an
    /// event, after which the call is made again, and only then the kernel is asked. So `again` is
    /// a variable of one call, and `false` at first.
    #[inline]
    pub(crate) fn has_ended(&self, again: &mut bool) -> bool {
        let known = self.settings.get().is_some_and(|settings| settings.ended.load(Relaxed));
        (known || mem::replace(again, true) && self.ask_for_end()) && !self.is_nonblocking()
    }

    #[cold]
    fn ask_for_end(&self) -> bool {
        let ended = is_shut(self.as_fd());
        if ended {
            self.settings().ended.store(true, Relaxed);
        }
        ended
    }

    fn writers(&self) -> MutexGuard<'_, Vec<Registration>> {
        self.settings().writers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure that `shutting` finds the threads that wait to write at this driver. `false` if
    /// it finds them already.
    fn join_writers(&self, driver: &Driver) -> io::Result<bool> {
        let this = driver.registration(&self.source)?;
        let mut writers = self.writers();
        if writers.contains(&this) {
            return Ok(false);
        }
        writers.retain(Registration::is_alive);
        writers.try_reserve(1)?;
        writers.push(this);
        Ok(true)
    }

    /// Records a timeout without telling the kernel.
    pub(crate) fn remember_timeout(&self, interest: Interest, timeout: Option<Duration>) {
        if timeout.is_some() || self.settings.get().is_some() {
            self.settings().remember_timeout(interest, timeout);
        }
    }

    /// The time until which a call that begins now may wait.
    pub(crate) fn deadline(&self, interest: Interest) -> Option<Instant> {
        match self.current_settings()?.timeout(interest).load(Relaxed) {
            0 => None,
            nanos => deadline_after(Duration::from_nanos(nanos)),
        }
    }

    /// Repeats a call for a green thread until it does not block. All calls go through this loop.
    /// In non-blocking mode, and after the deadline, it returns `WouldBlock`.
    pub(crate) fn attempt<T>(
        &self,
        driver: &Driver,
        interest: Interest,
        deadline: Option<Instant>,
        mut call: impl FnMut() -> OsResult<(T, CallResult)>,
    ) -> io::Result<T> {
        let result = self.repeat(driver, interest, deadline, |turn| match call() {
            Ok((value, shown)) => {
                turn.record(shown);
                Ok(value)
            }
            Err(OsError::WOULD_BLOCK) => {
                turn.record(CallResult::Blocked);
                Err(OsError::WOULD_BLOCK)
            }
            Err(error) => Err(error),
        });
        result.map_err(cancel::raise)
    }

    /// Like `attempt`, for the driver's own `send`. A short count shows `short`.
    pub(crate) fn send(
        &self,
        driver: &Driver,
        bytes: &[u8],
        short: CallResult,
        deadline: Option<Instant>,
    ) -> io::Result<usize> {
        self.repeat(driver, Interest::Write, deadline, |_| driver.send(&self.source, bytes, short))
            .map_err(cancel::raise)
    }

    /// Sends what an earlier call has left, on a green thread with its driver, or on a watched OS
    /// thread. If it is cancelled it has an error, since the earlier call has a result.
    // Rare, and apart from `send`, which has its own copy of the loop.
    #[cold]
    pub(crate) fn send_rest(
        &self,
        driver: Option<&Driver>,
        bytes: &[u8],
        short: CallResult,
        deadline: Option<Instant>,
    ) -> io::Result<usize> {
        match driver {
            Some(driver) => {
                self.repeat(driver, Interest::Write, deadline, |_| driver.send(&self.source, bytes, short))
            }
            None => self.repeat_on_os_thread(Interest::Write, deadline, || {
                socket::send(self, bytes, Blocking::Never)
            }),
        }
    }

    /// The loop behind `attempt` and `send`. `call` records what its result has shown.
    ///
    /// # Errors
    /// `cancel::error` if the thread is cancelled before a call has succeeded; `raise` unwinds
    /// then.
    fn repeat<T>(
        &self,
        driver: &Driver,
        interest: Interest,
        deadline: Option<Instant>,
        mut call: impl FnMut(&Turn<'_>) -> OsResult<T>,
    ) -> io::Result<T> {
        begin_call(CALL)?;
        let nonblocking = self.is_nonblocking();
        let mut turn = driver.turn(&self.source, interest);
        let mut blocked = !nonblocking && turn.is_blocked();
        loop {
            // A shutdown may have come before the driver joined the writers, so a thread that has
            // just joined makes its call once more before it waits.
            let hears_nothing =
                NO_SHUTDOWN_EVENT || self.no_write_shutdown_event && interest == Interest::Write;
            let waits = blocked && !(hears_nothing && self.join_writers(driver)?);
            if waits {
                match turn.wait(deadline)? {
                    Outcome::Woken => {}
                    Outcome::TimedOut => return Err(OsError::WOULD_BLOCK.into()),
                    // `turn` passes on what was meant for this thread.
                    Outcome::Cancelled => return Err(cancel::error()),
                }
            }
            match call(&turn) {
                Err(OsError::WOULD_BLOCK) if !nonblocking => blocked = true,
                Err(OsError::INTERRUPTED) => {}
                Ok(value) => return Ok(value),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Like `attempt`, but on any thread: for a call that does not block, or a descriptor that the
    /// kernel has in non-blocking mode.
    pub(crate) fn attempt_anywhere<T>(
        &self,
        interest: Interest,
        deadline: Option<Instant>,
        mut call: impl FnMut() -> OsResult<T>,
    ) -> io::Result<T> {
        if let Some(driver) = runtime::driver() {
            return self.attempt(driver, interest, deadline, || Ok((call()?, CallResult::Full)));
        }
        self.attempt_on_os_thread(interest, deadline, call)
    }

    /// Like `attempt`, on an OS thread: for a call that does not block.
    pub(crate) fn attempt_on_os_thread<T>(
        &self,
        interest: Interest,
        deadline: Option<Instant>,
        call: impl FnMut() -> OsResult<T>,
    ) -> io::Result<T> {
        self.repeat_on_os_thread(interest, deadline, call).map_err(cancel::raise)
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.source.as_fd()
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // Only an exposed descriptor can block in `close`.
        if self.is_exposed()
            && let Some(descriptor) = self.source.take()
        {
            settings::close(descriptor);
        }
    }
}
