//! Waits for several descriptors: `poll`, `select`, `epoll_wait`.
//!
//! For one direction of one descriptor a green thread waits as for a read. For more, the
//! descriptors are put into an epoll of this call alone, for which it waits. An epoll can be waited
//! for like any descriptor, so `epoll_wait` needs nothing else.

use core::{
    ffi::{c_int, c_ulong},
    mem,
};
use std::{os::fd::RawFd, time::Instant};

use libc::{epoll_event, fd_set, nfds_t, pollfd, sigset_t, timespec, timeval};

use crate::{
    fd::wait,
    may_park, process,
    raw::{answer, raw},
    time,
    watch::Direction,
};

/// A look, without waiting.
///
/// # Safety
/// As for `ppoll`.
unsafe fn look(polled: *mut pollfd, count: usize) -> isize {
    let now = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the caller vouches for the array.
    unsafe { raw!(SYS_ppoll, polled, count, &raw const now, 0, 8) }
}

/// Polls until something is ready or the deadline has passed, on a thread that may park.
///
/// # Safety
/// As for `ppoll`.
unsafe fn poll_until(polled: *mut pollfd, count: usize, deadline: Option<Instant>) -> isize {
    // SAFETY: the caller vouches for the array.
    unsafe {
        let result = look(polled, count);
        if result != 0 {
            return result;
        }
        let given = if count == 0 { &[][..] } else { core::slice::from_raw_parts(polled, count) };
        let mut used = given.iter().filter(|entry| entry.fd >= 0);
        match (used.next(), used.next()) {
            (None, _) => {
                process::sleep_until(deadline);
                0
            }
            (Some(one), None) if one.events & libc::POLLOUT == 0 => {
                wait(one.fd, Direction::Read, deadline, || look(polled, count))
            }
            (Some(one), None) if one.events & libc::POLLIN == 0 => {
                wait(one.fd, Direction::Write, deadline, || look(polled, count))
            }
            _ => poll_many(polled, given, deadline),
        }
    }
}

/// # Safety
/// As for `ppoll`; `given` is the array.
unsafe fn poll_many(polled: *mut pollfd, given: &[pollfd], deadline: Option<Instant>) -> isize {
    // SAFETY: the calls get what they expect, and the epoll is closed by nobody else.
    unsafe {
        let epoll = raw!(SYS_epoll_create1, libc::EPOLL_CLOEXEC);
        if epoll < 0 {
            return epoll;
        }
        for entry in given.iter().filter(|entry| entry.fd >= 0) {
            // An entry that is there twice is waited for in all its ways.
            let same = given.iter().filter(|other| other.fd == entry.fd);
            let events = same.fold(0, |events, other| events | other.events);
            let mut event = epoll_event { events: u32::from(events.cast_unsigned()), u64: 0 };
            raw!(SYS_epoll_ctl, epoll, libc::EPOLL_CTL_ADD, entry.fd, &raw mut event);
        }
        let result = wait(epoll as RawFd, Direction::Read, deadline, || look(polled, given.len()));
        raw!(SYS_close, epoll);
        result
    }
}

/// `poll`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn poll(polled: *mut pollfd, count: nfds_t, timeout: c_int) -> c_int {
    // SAFETY: the caller vouches for the array.
    unsafe {
        if timeout == 0 || !may_park() {
            let until =
                u64::try_from(timeout).ok().map(|ms| time::timespec(std::time::Duration::from_millis(ms)));
            let until = until.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
            return answer(raw!(SYS_ppoll, polled, count, until, 0, 8)) as c_int;
        }
        answer(poll_until(polled, count as usize, time::in_millis(timeout))) as c_int
    }
}

/// `ppoll`. With a mask of signals it blocks the worker, since the mask is the OS thread's.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn ppoll(
    polled: *mut pollfd,
    count: nfds_t,
    timeout: *const timespec,
    mask: *const sigset_t,
) -> c_int {
    // SAFETY: the caller vouches for the pointers. The kernel writes to the time, C's function does
    // not.
    unsafe {
        let mut copy = timeout.as_ref().copied();
        if !mask.is_null() || !may_park() {
            let until = copy.as_mut().map_or(core::ptr::null_mut(), core::ptr::from_mut);
            return answer(raw!(SYS_ppoll, polled, count, until, mask, 8)) as c_int;
        }
        let deadline = copy.and_then(|timeout| time::after(time::duration(&timeout)));
        answer(poll_until(polled, count as usize, deadline)) as c_int
    }
}

/// `poll`, compiled with checks.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn __poll_chk(polled: *mut pollfd, count: nfds_t, timeout: c_int, _: usize) -> c_int {
    // SAFETY: the caller vouches for the array.
    unsafe { poll(polled, count, timeout) }
}

/// `ppoll`, compiled with checks.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn __ppoll_chk(
    polled: *mut pollfd,
    count: nfds_t,
    timeout: *const timespec,
    mask: *const sigset_t,
    _: usize,
) -> c_int {
    // SAFETY: the caller vouches for the pointers.
    unsafe { ppoll(polled, count, timeout, mask) }
}

/// `select`. On a green thread the timeout is left as it is.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn select(
    count: c_int,
    readable: *mut fd_set,
    writable: *mut fd_set,
    exceptional: *mut fd_set,
    timeout: *mut timeval,
) -> c_int {
    /// Bits of a word of a set.
    const BITS: usize = c_ulong::BITS as usize;
    /// For a read, a write, and an exception: what to ask `poll` for, and what it may answer.
    const KINDS: [(i16, i16); 3] = [
        (libc::POLLIN, libc::POLLIN | libc::POLLHUP | libc::POLLERR),
        (libc::POLLOUT, libc::POLLOUT | libc::POLLERR),
        (libc::POLLPRI, libc::POLLPRI),
    ];
    let sets = [readable, writable, exceptional];
    // SAFETY: the caller vouches for the sets, of which the kernel uses as many words as `count`
    // says, and for the timeout.
    unsafe {
        let time =
            timeout.as_ref().map(|time| timespec { tv_sec: time.tv_sec, tv_nsec: time.tv_usec * 1000 });
        if !may_park() || count < 0 {
            let mut time = time;
            let until = time.as_mut().map_or(core::ptr::null_mut(), core::ptr::from_mut);
            let result = raw!(SYS_pselect6, count, readable, writable, exceptional, until, 0);
            if let (Some(timeout), Some(left)) = (timeout.as_mut(), time) {
                (timeout.tv_sec, timeout.tv_usec) = (left.tv_sec, left.tv_nsec / 1000);
            }
            return answer(result) as c_int;
        }
        let word = |set: *mut fd_set, fd: usize| set.cast::<c_ulong>().add(fd / BITS);
        let has = |set: *mut fd_set, fd: usize| !set.is_null() && *word(set, fd) >> (fd % BITS) & 1 == 1;
        let mut polled = Vec::new();
        for fd in 0..count as usize {
            let asked = sets.iter().zip(KINDS).filter(|(set, _)| has(**set, fd));
            let events = asked.fold(0, |events, (_, (asks, _))| events | asks);
            if events != 0 {
                polled.push(pollfd { fd: fd as RawFd, events, revents: 0 });
            }
        }
        let deadline = time.and_then(|time| time::after(time::duration(&time)));
        let result = poll_until(polled.as_mut_ptr(), polled.len(), deadline);
        if result < 0 {
            return answer(result) as c_int;
        }
        if polled.iter().any(|entry| entry.revents & libc::POLLNVAL != 0) {
            return answer(-(libc::EBADF as isize)) as c_int;
        }
        let mut found = 0;
        for entry in &polled {
            let fd = entry.fd as usize;
            for (set, (_, answers)) in sets.iter().zip(KINDS) {
                if has(*set, fd) {
                    if entry.revents & answers == 0 {
                        *word(*set, fd) &= !(1 << (fd % BITS));
                    } else {
                        found += 1;
                    }
                }
            }
        }
        found
    }
}

/// `epoll_wait`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn epoll_wait(
    epoll: c_int,
    events: *mut epoll_event,
    most: c_int,
    timeout: c_int,
) -> c_int {
    // SAFETY: the caller vouches for the array.
    unsafe { epoll_pwait(epoll, events, most, timeout, core::ptr::null()) }
}

/// `epoll_pwait`. With a mask of signals it blocks the worker, since the mask is the OS thread's.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn epoll_pwait(
    epoll: c_int,
    events: *mut epoll_event,
    most: c_int,
    timeout: c_int,
    mask: *const sigset_t,
) -> c_int {
    // SAFETY: the caller vouches for the array and the mask.
    unsafe {
        let call = |timeout: c_int| raw!(SYS_epoll_pwait, epoll, events, most, timeout, mask, 8);
        if timeout == 0 || !mask.is_null() || !may_park() {
            return answer(call(timeout)) as c_int;
        }
        let result = call(0);
        if result != 0 {
            return answer(result) as c_int;
        }
        answer(wait(epoll, Direction::Read, time::in_millis(timeout), || call(0))) as c_int
    }
}

const _: () = assert!(mem::size_of::<sigset_t>() >= 8);
