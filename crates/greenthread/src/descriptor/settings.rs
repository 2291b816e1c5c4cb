//! The settings that the user has made on a descriptor, and when the kernel is asked for them
//! again.
//!
//! Timeouts and the mode are set by methods of this library, which tell the kernel and record them.
//! The user may also set them through the descriptor itself (`socket2::SockRef`, `libc`). A
//! descriptor is *exposed* once the user has had access to it (`as_fd`, `as_raw_fd`), or if it came
//! from the user. Each such access makes the recorded settings *stale*, and the next call asks the
//! kernel. So a socket that is never exposed needs no system call for this, and one that is exposed
//! needs three, once per access. Changes through a handle that the user has kept from an earlier
//! access, or by another process, are not noticed.
//!
//! Closing may block too, if the user has set `SO_LINGER`, which only an exposed socket can have:
//! see `close`.

use std::{
    sync::{
        Mutex,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    time::Duration,
};

use crate::{
    driver::{Interest, Registration},
    runtime,
    sys::{
        fd::{BorrowedFd, OwnedFd},
        io::{close_may_wait, nonblocking_mode},
        socket::timeout,
        socket_options::{set_socket_linger, socket_linger},
    },
    task::worker_core,
};

/// The settings. Clones share them, as they share the open file description.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) nonblocking: AtomicBool,
    /// The user has had access to the descriptor.
    exposed: AtomicBool,
    /// The user has had access since the kernel was asked last.
    stale: AtomicBool,
    /// `SO_LINGER` is set. This is kept up to date for listening sockets only, whose connections
    /// inherit it.
    lingers: AtomicBool,
    /// The kernel has said that nothing will be received any more.
    pub(super) ended: AtomicBool,
    /// The registrations at the drivers where threads have waited to write, if a shutdown of the
    /// socket causes no event for them.
    pub(super) writers: Mutex<Vec<Registration>>,
    /// The read timeout in nanoseconds; 0 is none.
    read: AtomicU64,
    /// The write timeout in nanoseconds; 0 is none.
    write: AtomicU64,
}

impl Settings {
    /// The timeout in nanoseconds; 0 is none.
    pub(super) fn timeout(&self, interest: Interest) -> &AtomicU64 {
        match interest {
            Interest::Read => &self.read,
            Interest::Write => &self.write,
        }
    }

    pub(super) fn remember_timeout(&self, interest: Interest, timeout: Option<Duration>) {
        let nanos = timeout.map_or(0, |timeout| timeout.as_nanos().try_into().unwrap_or(u64::MAX));
        self.timeout(interest).store(nanos, Relaxed);
        self.ask_again();
    }

    pub(super) fn remember_nonblocking(&self, nonblocking: bool) {
        self.nonblocking.store(nonblocking, Relaxed);
        self.ask_again();
    }

    /// A call that asks the kernel at the same time may overwrite the recorded value with an older
    /// one. So the next call asks once more.
    fn ask_again(&self) {
        if self.exposed.load(Relaxed) {
            self.stale.store(true, Release);
        }
    }

    pub(super) fn expose(&self) {
        self.exposed.store(true, Relaxed);
        self.stale.store(true, Release);
    }

    pub(super) fn is_exposed(&self) -> bool {
        self.exposed.load(Relaxed)
    }

    /// Asks the kernel if the settings are stale. The kernel's mode of a socket that `listens` is
    /// the library's, so it is not asked for.
    #[inline]
    pub(super) fn refresh(&self, descriptor: BorrowedFd<'_>, listens: bool) {
        if self.stale.load(Relaxed) {
            self.ask_kernel(descriptor, listens);
        }
    }

    /// A setting that the kernel does not report stays as it was.
    #[cold]
    fn ask_kernel(&self, descriptor: BorrowedFd<'_>, listens: bool) {
        self.stale.swap(false, Acquire);
        if listens {
            let linger = socket_linger(descriptor);
            self.lingers.store(linger.is_ok_and(|linger| linger.is_some()), Relaxed);
        } else if let Ok(nonblocking) = nonblocking_mode(descriptor) {
            self.nonblocking.store(nonblocking, Relaxed);
        }
        for interest in [Interest::Read, Interest::Write] {
            // Only sockets have timeouts.
            let Ok(timeout) = timeout(descriptor, interest) else { return };
            let nanos = timeout.map_or(0, |timeout| timeout.as_nanos().try_into().unwrap_or(u64::MAX));
            self.timeout(interest).store(nanos, Relaxed);
        }
    }

    /// Whether an accepted connection inherits a setting that has an effect.
    pub(super) fn is_inherited(&self) -> bool {
        self.lingers.load(Relaxed) || self.read.load(Relaxed) != 0 || self.write.load(Relaxed) != 0
    }
}

/// Closes an exposed descriptor. As in std, the calling thread waits if the user has set
/// `SO_LINGER`, or if the device has output left. Other threads of the worker do not wait. No
/// cancellation point: destructors call it.
#[cold]
pub(super) fn close(descriptor: OwnedFd) {
    if !close_may_wait(&descriptor) {
        return;
    }
    let mut descriptor = Some(descriptor);
    // The worker must not wait while it runs no thread (it drops the closure of a thread that could
    // not start). Otherwise another OS thread waits.
    let runs_no_thread = worker_core::get().is_some_and(|core| core.running().is_none());
    if runs_no_thread || runtime::unblock_wait_unchecked(|| drop(descriptor.take())).is_err() {
        // No thread waits for the rest. Without `SO_LINGER`, `close` returns at once, and the
        // kernel still sends it.
        let _ = descriptor.as_ref().map(|descriptor| set_socket_linger(descriptor, None));
    }
}
