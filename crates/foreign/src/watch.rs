//! How a green thread waits for a descriptor, and how it learns that the descriptor is closed.

use core::ffi::c_int;
use std::{
    collections::BTreeMap,
    os::fd::{BorrowedFd, RawFd},
    sync::Arc,
    time::Instant,
};

use greenthread::os::linux::interpose::{End, Watch};

pub(crate) use greenthread::os::linux::interpose::Direction;

use crate::{raw::raw, signal, spin::Spin, time};

/// The threads that wait for each descriptor.
static WATCHED: Spin<BTreeMap<RawFd, Vec<Arc<Watch>>>> = Spin::new(BTreeMap::new());

/// In the child of a fork: the threads that waited are the parent's.
///
/// # Safety
/// The process has just been forked.
pub(crate) unsafe fn forked() {
    // SAFETY: the caller vouches for that.
    unsafe { WATCHED.renew(BTreeMap::new()) };
}

/// The waits of one call.
pub(crate) struct Watched {
    fd: RawFd,
    watch: Option<Arc<Watch>>,
}

/// Why a wait did not end with readiness: an error number, or that there is nothing to wait for, as
/// at a file.
pub(crate) enum Failed {
    By(c_int),
    CannotWait,
}

impl Watched {
    pub(crate) fn new(fd: RawFd) -> Self {
        Self { fd, watch: None }
    }

    /// Waits, right after a call that would have blocked. `false` if the deadline has passed.
    pub(crate) fn wait(&mut self, direction: Direction, deadline: Option<Instant>) -> Result<bool, Failed> {
        let watch = match &self.watch {
            Some(watch) => watch,
            None => {
                if self.fd < 0 {
                    return Err(Failed::By(libc::EBADF));
                }
                // SAFETY: the descriptor is the caller's, who has just used it.
                let fd = unsafe { BorrowedFd::borrow_raw(self.fd) };
                let watch = Arc::new(Watch::new(fd).map_err(|_| Failed::By(libc::EMFILE))?);
                WATCHED.lock().entry(self.fd).or_default().push(watch.clone());
                self.watch.insert(watch)
            }
        };
        match watch.wait(direction, deadline) {
            Ok(End::Ready) => Ok(true),
            Ok(End::TimedOut) => Ok(false),
            Ok(End::Cancelled) => Err(Failed::By(libc::ECANCELED)),
            Ok(End::Closed) => Err(Failed::By(libc::EBADF)),
            Err(_) => Err(Failed::CannotWait),
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let Some(watch) = self.watch.take() else { return };
        let mut watched = WATCHED.lock();
        if let Some(watches) = watched.get_mut(&self.fd) {
            watches.retain(|other| !Arc::ptr_eq(other, &watch));
            if watches.is_empty() {
                watched.remove(&self.fd);
            }
        }
        drop(watched);
    }
}

/// Wakes all who wait for a descriptor. Their calls fail with `EBADF`.
pub(crate) fn closes(fd: RawFd) {
    if signal::is_in_handler() {
        return;
    }
    let watches = WATCHED.lock().remove(&fd);
    watches.into_iter().flatten().for_each(|watch| watch.close());
}

/// Whether a descriptor is in non-blocking mode.
pub(crate) fn is_nonblocking(fd: RawFd) -> bool {
    // SAFETY: the call touches no memory.
    let flags = unsafe { raw!(SYS_fcntl, fd, libc::F_GETFL) };
    flags < 0 || flags as c_int & libc::O_NONBLOCK != 0
}

/// What a look at a descriptor shows: whether a call may succeed.
pub(crate) fn is_ready(fd: RawFd, direction: Direction) -> bool {
    let events = match direction {
        Direction::Read => libc::POLLIN,
        Direction::Write => libc::POLLOUT,
    };
    let mut polled = libc::pollfd { fd, events, revents: 0 };
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call reads and writes these.
    unsafe { raw!(SYS_ppoll, &raw mut polled, 1, &raw const now, 0, 8) != 0 }
}

/// The deadline of a call on a socket that begins now, from the timeout that was set.
fn deadline(fd: RawFd, direction: Direction) -> Option<Instant> {
    let option = match direction {
        Direction::Read => libc::SO_RCVTIMEO,
        Direction::Write => libc::SO_SNDTIMEO,
    };
    let mut time = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let mut len = size_of::<libc::timeval>() as libc::socklen_t;
    // SAFETY: the call writes to these.
    let result = unsafe { raw!(SYS_getsockopt, fd, libc::SOL_SOCKET, option, &raw mut time, &raw mut len) };
    if result != 0 || (time.tv_sec, time.tv_usec) == (0, 0) {
        return None;
    }
    time::after(time::duration(&libc::timespec { tv_sec: time.tv_sec, tv_nsec: time.tv_usec * 1000 }))
}

/// Repeats a call that does not block until it would not have blocked. In non-blocking mode, and
/// after the deadline, the result is `-EAGAIN`. `None` if the descriptor can't be waited for.
pub(crate) fn repeat(fd: RawFd, direction: Direction, mut call: impl FnMut() -> isize) -> Option<isize> {
    const WOULD_BLOCK: isize = -(libc::EAGAIN as isize);
    let result = call();
    if result != WOULD_BLOCK || is_nonblocking(fd) {
        return Some(result);
    }
    let deadline = deadline(fd, direction);
    let mut watched = Watched::new(fd);
    loop {
        match watched.wait(direction, deadline) {
            Ok(true) => {}
            Ok(false) => return Some(WOULD_BLOCK),
            Err(Failed::By(error)) => return Some(-(error as isize)),
            Err(Failed::CannotWait) => return None,
        }
        let result = call();
        if result != WOULD_BLOCK {
            return Some(result);
        }
    }
}
