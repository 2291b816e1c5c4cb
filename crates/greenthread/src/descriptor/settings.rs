//! What the user set on a descriptor, and when the kernel is asked for it again.
//!
//! Timeouts and the mode are set by methods of ours, which tell the kernel and remember. The user
//! may also set them through the descriptor itself (`socket2::SockRef`, `libc`). A descriptor is
//! *exposed* once it has been shown to the user (`as_fd`, `as_raw_fd`), or has come from elsewhere;
//! each time, what is remembered becomes *stale*, and the next call asks the kernel. So a socket
//! that nobody has ever shown costs nothing, and one that was shown three system calls, once. What
//! is changed through a handle that the user kept from before, or by another process, is not
//! noticed.
//!
//! Closing may block too, if the user has set `SO_LINGER`, which only an exposed socket can have:
//! see `close`.

use std::{
    os::fd::{BorrowedFd, OwnedFd},
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
        io::{close_may_wait, nonblocking_mode},
        socket::timeout,
        socket_options::{set_socket_linger, socket_linger},
    },
    task::worker_core,
};

/// What the user set. Clones share it, as they share what is open.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) nonblocking: AtomicBool,
    /// The user has had the descriptor in hand.
    exposed: AtomicBool,
    /// It was in the user's hands since the kernel was asked last.
    stale: AtomicBool,
    /// `SO_LINGER` is set. Only kept up to date for those that listen, whose connections inherit
    /// it.
    lingers: AtomicBool,
    /// It has been found out that no more will be received.
    pub(super) ended: AtomicBool,
    /// Where threads have waited to write, if there is no event for them when the socket is shut
    /// down.
    pub(super) writers: Mutex<Vec<Registration>>,
    /// Nanoseconds; 0 is none.
    read: AtomicU64,
    write: AtomicU64,
}

impl Settings {
    /// In nanoseconds; 0 is none.
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

    /// A call that asks the kernel just now may overwrite what was just remembered with what was so
    /// before: then the next call asks once more.
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

    /// Asks the kernel, if there may be something new. The mode of one that `listens` is ours, and
    /// tells nothing.
    #[inline]
    pub(super) fn refresh(&self, descriptor: BorrowedFd<'_>, listens: bool) {
        if self.stale.load(Relaxed) {
            self.ask_kernel(descriptor, listens);
        }
    }

    /// What the kernel doesn't say stays as it was.
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
            // Others than sockets have none.
            let Ok(timeout) = timeout(descriptor, interest) else { return };
            let nanos = timeout.map_or(0, |timeout| timeout.as_nanos().try_into().unwrap_or(u64::MAX));
            self.timeout(interest).store(nanos, Relaxed);
        }
    }

    /// Whether a connection that one accepts has inherited something that counts.
    pub(super) fn is_inherited(&self) -> bool {
        self.lingers.load(Relaxed) || self.read.load(Relaxed) != 0 || self.write.load(Relaxed) != 0
    }
}

/// Closes what the user has had in hand. As in std the calling thread waits, if the user has asked
/// for that by `SO_LINGER` or the device has something left to put out; its siblings don't.
#[cold]
pub(super) fn close(descriptor: OwnedFd) {
    if !close_may_wait(&descriptor) {
        return;
    }
    let mut descriptor = Some(descriptor);
    // The worker itself doesn't wait (it drops the closure of a thread that could not start), and
    // somebody has to be found who does.
    let at_home = worker_core::get().is_some_and(|core| core.running().is_none());
    if at_home || runtime::unblock_wait(|| drop(descriptor.take())).is_err() {
        // The kernel sends what is left all the same; only nobody waits for it.
        let _ = descriptor.as_ref().map(|descriptor| set_socket_linger(descriptor, None));
    }
}
