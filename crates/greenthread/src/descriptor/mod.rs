//! A descriptor whose calls block the calling thread, green or OS, and never the worker.
//!
//! On a green thread a call is made first, in a way that does not block and leaves the descriptor's
//! own flags as the user set them; only if it would block, or is known to, the thread waits in its
//! worker's driver. Off the runtime, and inside `without_yield`, the kernel blocks the OS thread,
//! and looks after timeouts itself.
//!
//! * This file: the settings that count, and the loop of call and wait that all share.
//! * `fd_impls`: what the public types have alike.
//! * `plain`: reading and writing what is no socket: pipes, terminals, files.
//! * `settings`: what the user set for a socket (timeouts, non-blocking mode). The kernel knows it,
//!   and we as well: to ask it at each wait would cost three system calls. The mode of what is no
//!   socket is asked for: nothing but `fcntl` sets it.

use std::{
    io, mem,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{Arc, MutexGuard, OnceLock, PoisonError, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use crate::{
    driver::{CallResult, Driver, Interest, Registration, Source, Turn},
    runtime,
    sys::{
        self,
        error::{OsError, OsResult},
        poller::{is_shut, poll_one},
        socket::NO_WRITE_SHUTDOWN_EVENT,
    },
    task::{
        coop::{CALL, consume_budget},
        time::{block_until, deadline_after},
        wait::Outcome,
    },
};

pub(crate) mod fd_impls;
pub(crate) mod plain;
mod settings;

use settings::Settings;

/// See the module.
#[derive(Debug)]
pub(crate) struct Descriptor {
    source: Source,
    /// Whether it is a socket whose shutdown is no event for those who wait to write.
    no_write_shutdown_event: bool,
    /// Whether it is a socket that listens: the kernel's mode is non-blocking, whatever the user's
    /// is.
    listens: bool,
    /// None as long as all is at its defaults and there is no clone.
    settings: OnceLock<Arc<Settings>>,
}

impl Descriptor {
    /// One of our own making, with all at its defaults.
    pub(crate) const fn new(descriptor: OwnedFd) -> Self {
        Self::with(descriptor, OnceLock::new())
    }

    /// One that comes from elsewhere, in the mode that it is in.
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

    /// The user's view of it, who may do anything with it.
    pub(crate) fn expose(&self) -> BorrowedFd<'_> {
        self.settings().expose();
        self.as_fd()
    }

    /// Whether the user has ever had it in hand.
    pub(crate) fn is_exposed(&self) -> bool {
        self.settings.get().is_some_and(|settings| settings.is_exposed())
    }

    /// For one that listens: whether a connection has inherited something that the user set behind
    /// our back.
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

    /// Whether there are clones that were made by `try_clone`.
    pub(crate) fn is_shared(&self) -> bool {
        self.settings.get().is_some_and(|settings| Arc::strong_count(settings) > 1)
    }

    fn settings(&self) -> &Arc<Settings> {
        self.settings.get_or_init(Arc::default)
    }

    /// What the user set, if anything.
    #[inline]
    fn current_settings(&self) -> Option<&Settings> {
        let settings = self.settings.get()?;
        settings.refresh(self.as_fd(), self.listens);
        Some(settings)
    }

    /// Remembers the mode without telling the kernel.
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

    /// The same, for a Unix socket.
    pub(crate) fn unix(mut self) -> Self {
        self.no_write_shutdown_event = NO_WRITE_SHUTDOWN_EVENT;
        self
    }

    pub(crate) fn has_no_write_shutdown_event(&self) -> bool {
        self.no_write_shutdown_event
    }

    /// The same, for a socket that listens, and is in the kernel's non-blocking mode.
    pub(crate) fn listening(mut self) -> Self {
        self.listens = true;
        self
    }

    /// Shuts a socket down: `shut` does. Where the system has no event for them, those who wait to
    /// write look again all the same.
    pub(crate) fn shutting(&self, shut: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        shut()?;
        if self.no_write_shutdown_event {
            self.writers().iter().for_each(Registration::force_ready);
        }
        Ok(())
    }

    /// For a call to receive that would have blocked, with a variable that is its own and `false`
    /// at first: whether nothing will ever come, since somebody has shut the socket down. A
    /// blocking call finds the end then; one that doesn't block, and gets datagrams or connections,
    /// is told to try again. There is an event for it, after which the call is made once more; only
    /// then the kernel is asked.
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

    /// Sees to it that `shutting` finds who waits to write by this driver; `false` if it does
    /// already.
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

    /// Remembers a timeout without telling the kernel.
    pub(crate) fn remember_timeout(&self, interest: Interest, timeout: Option<Duration>) {
        if timeout.is_some() || self.settings.get().is_some() {
            self.settings().remember_timeout(interest, timeout);
        }
    }

    /// Until when a call that begins now may wait.
    pub(crate) fn deadline(&self, interest: Interest) -> Option<Instant> {
        match self.current_settings()?.timeout(interest).load(Relaxed) {
            0 => None,
            nanos => deadline_after(Duration::from_nanos(nanos)),
        }
    }

    /// Makes a call on behalf of a green thread, until it does not block: the one loop behind all
    /// of them. In non-blocking mode, and past the deadline, it gives `WouldBlock`.
    pub(crate) fn attempt<T>(
        &self,
        driver: &Driver,
        interest: Interest,
        deadline: Option<Instant>,
        mut call: impl FnMut() -> OsResult<(T, CallResult)>,
    ) -> io::Result<T> {
        self.repeat(driver, interest, deadline, |turn| match call() {
            Ok((value, shown)) => {
                turn.record(shown);
                Ok(value)
            }
            Err(OsError::WOULD_BLOCK) => {
                turn.record(CallResult::Blocked);
                Err(OsError::WOULD_BLOCK)
            }
            Err(error) => Err(error),
        })
    }

    /// As `attempt`, for the driver's own way to send. A short count shows `short`.
    pub(crate) fn send(
        &self,
        driver: &Driver,
        bytes: &[u8],
        short: CallResult,
        deadline: Option<Instant>,
    ) -> io::Result<usize> {
        self.repeat(driver, Interest::Write, deadline, |_| driver.send(&self.source, bytes, short))
    }

    /// The loop. What `call` has shown is noted when it is back.
    fn repeat<T>(
        &self,
        driver: &Driver,
        interest: Interest,
        deadline: Option<Instant>,
        mut call: impl FnMut(&Turn<'_>) -> OsResult<T>,
    ) -> io::Result<T> {
        consume_budget(CALL);
        let nonblocking = self.is_nonblocking();
        let mut turn = driver.turn(&self.source, interest);
        let mut blocked = !nonblocking && turn.is_blocked();
        loop {
            // Who has joined just now may have missed it, and looks once more before it waits.
            let waits = blocked
                && !(self.no_write_shutdown_event
                    && interest == Interest::Write
                    && self.join_writers(driver)?);
            if waits {
                match turn.wait(deadline)? {
                    Outcome::Woken => {}
                    Outcome::TimedOut | Outcome::Cancelled => return Err(OsError::WOULD_BLOCK.into()),
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

    /// As `attempt`, from any thread: for a call that does not block, or a descriptor in the
    /// kernel's non-blocking mode.
    pub(crate) fn attempt_anywhere<T>(
        &self,
        interest: Interest,
        deadline: Option<Instant>,
        mut call: impl FnMut() -> OsResult<T>,
    ) -> io::Result<T> {
        if let Some(driver) = runtime::driver() {
            return self.attempt(driver, interest, deadline, || Ok((call()?, CallResult::Full)));
        }
        loop {
            match call() {
                Ok(value) => return Ok(value),
                Err(OsError::INTERRUPTED) => {}
                Err(OsError::WOULD_BLOCK) if !self.is_nonblocking() => {
                    let ready = block_until(deadline, |deadline| poll_one(self.as_fd(), interest, deadline));
                    ready.map_err(|error| match error.kind() {
                        io::ErrorKind::TimedOut => OsError::WOULD_BLOCK.into(),
                        _ => error,
                    })?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.source.as_fd()
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // Of no other can closing block.
        if self.is_exposed()
            && let Some(descriptor) = self.source.take()
        {
            settings::close(descriptor);
        }
    }
}
