//! Sleeps, waits for child processes, and calls that only another OS thread can make without
//! blocking the worker.

use core::ffi::{c_char, c_int, c_uint, c_void};
use std::{os::fd::RawFd, time::Instant};

use greenthread::os::linux::interpose::{self, Wait, run_elsewhere};
use libc::{addrinfo, clockid_t, id_t, idtype_t, pid_t, rusage, siginfo_t, timespec};

use crate::{
    fd::wait,
    may_park,
    raw::{self, answer, errno, next, raw, set_errno},
    time,
    watch::Direction,
};

/// Parks the calling green thread until the deadline.
pub(crate) fn sleep_until(deadline: Option<Instant>) {
    Wait::new().wait(deadline);
}

/// `clock_nanosleep`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn clock_nanosleep(
    clock: clockid_t,
    flags: c_int,
    request: *const timespec,
    left: *mut timespec,
) -> c_int {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let valid = request.as_ref().filter(|time| (0..1_000_000_000).contains(&time.tv_nsec));
        let known = [libc::CLOCK_REALTIME, libc::CLOCK_MONOTONIC, libc::CLOCK_BOOTTIME].contains(&clock);
        match valid.filter(|_| known && may_park()) {
            Some(time) => {
                sleep_until(match flags & libc::TIMER_ABSTIME {
                    0 => time::after(time::duration(time)),
                    _ => time::at(clock, time),
                });
                0
            }
            None => -raw!(SYS_clock_nanosleep, clock, flags, request, left) as c_int,
        }
    }
}

/// `nanosleep`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn nanosleep(request: *const timespec, left: *mut timespec) -> c_int {
    // SAFETY: the caller vouches for the pointers.
    match unsafe { clock_nanosleep(libc::CLOCK_MONOTONIC, 0, request, left) } {
        0 => 0,
        error => raw::fail(error) as c_int,
    }
}

/// `usleep`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn usleep(micros: c_uint) -> c_int {
    let time = time::timespec(std::time::Duration::from_micros(micros.into()));
    // SAFETY: the time is valid.
    unsafe { nanosleep(&raw const time, core::ptr::null_mut()) }
}

/// `sched_yield`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn sched_yield() -> c_int {
    if may_park() {
        interpose::yield_now();
        return 0;
    }
    // SAFETY: the call touches no memory.
    answer(unsafe { raw!(SYS_sched_yield) }) as c_int
}

/// Waits for a child. `arguments` are those of the call, of which `options` is the index of its
/// options.
///
/// # Safety
/// As for the call.
unsafe fn wait_for(
    child: Option<pid_t>,
    number: libc::c_long,
    arguments: [usize; 6],
    options: usize,
) -> isize {
    // SAFETY: the caller vouches for the arguments, until this returns.
    let call = move |arguments| unsafe { raw::call(number, arguments) };
    if arguments[options] & libc::WNOHANG as usize != 0 || !may_park() {
        return call(arguments);
    }
    if let Some(child) = child {
        // SAFETY: the calls touch no memory.
        let descriptor = unsafe { raw!(SYS_pidfd_open, child, 0) };
        if descriptor >= 0 {
            if !crate::watch::is_ready(descriptor as RawFd, Direction::Read) {
                let look = || isize::from(crate::watch::is_ready(descriptor as RawFd, Direction::Read));
                wait(descriptor as RawFd, Direction::Read, None, look);
            }
            // SAFETY: as above.
            unsafe { raw!(SYS_close, descriptor) };
            return call(arguments);
        }
    }
    run_elsewhere(move || call(arguments))
}

/// `wait4`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn wait4(
    child: pid_t,
    status: *mut c_int,
    options: c_int,
    usage: *mut rusage,
) -> pid_t {
    let arguments = [child as usize, status as usize, options as usize, usage as usize, 0, 0];
    // SAFETY: the caller vouches for the pointers.
    answer(unsafe { wait_for((child > 0).then_some(child), libc::SYS_wait4, arguments, 2) }) as pid_t
}

/// `waitpid`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn waitpid(child: pid_t, status: *mut c_int, options: c_int) -> pid_t {
    // SAFETY: the caller vouches for the pointer.
    unsafe { wait4(child, status, options, core::ptr::null_mut()) }
}

/// `waitid`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn waitid(kind: idtype_t, child: id_t, info: *mut siginfo_t, options: c_int) -> c_int {
    let arguments = [kind as usize, child as usize, info as usize, options as usize, 0, 0];
    let known = (kind == libc::P_PID).then_some(child.cast_signed());
    // SAFETY: the caller vouches for the pointer.
    answer(unsafe { wait_for(known, libc::SYS_waitid, arguments, 3) }) as c_int
}

/// Makes a call on another OS thread, if the calling thread may park.
fn elsewhere(call: impl FnOnce() -> isize + Send) -> c_int {
    answer(if may_park() { run_elsewhere(call) } else { call() }) as c_int
}

/// `flock`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn flock(fd: c_int, operation: c_int) -> c_int {
    // SAFETY: the call touches no memory.
    let call = move |operation: c_int| unsafe { raw!(SYS_flock, fd, operation) };
    if !may_park() {
        return answer(call(operation)) as c_int;
    }
    match call(operation | libc::LOCK_NB) {
        result if result == -(libc::EWOULDBLOCK as isize) && operation & libc::LOCK_NB == 0 => {
            elsewhere(move || call(operation))
        }
        result => answer(result) as c_int,
    }
}

/// `fsync`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    // SAFETY: the call touches no memory.
    elsewhere(move || unsafe { raw!(SYS_fsync, fd) })
}

/// `fdatasync`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    // SAFETY: the call touches no memory.
    elsewhere(move || unsafe { raw!(SYS_fdatasync, fd) })
}

/// `getaddrinfo`, which asks files and servers.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn getaddrinfo(
    name: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    found: *mut *mut addrinfo,
) -> c_int {
    type Function =
        unsafe extern "C" fn(*const c_char, *const c_char, *const addrinfo, *mut *mut addrinfo) -> c_int;
    let next = next!(c"getaddrinfo" as Function);
    if !may_park() {
        // SAFETY: the caller vouches for the pointers.
        return unsafe { next(name, service, hints, found) };
    }
    let arguments = [name.addr(), service.addr(), hints.addr(), found.addr()];
    let (result, error) = run_elsewhere(move || {
        let [name, service, hints, found] = arguments;
        // SAFETY: the caller vouches for the pointers, until this returns.
        let result = unsafe {
            next(name as *const c_char, service as *const c_char, hints as *const addrinfo, found as *mut _)
        };
        (result, errno())
    });
    set_errno(error);
    result
}

/// `pthread_join`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn pthread_join(thread: libc::pthread_t, result: *mut *mut c_void) -> c_int {
    let next = next!(c"pthread_join" as unsafe extern "C" fn(libc::pthread_t, *mut *mut c_void) -> c_int);
    let result = result as usize;
    // SAFETY: the caller vouches for the thread and the pointer, until this returns.
    let call = move || unsafe { next(thread, result as *mut *mut c_void) };
    if may_park() { run_elsewhere(call) } else { call() }
}
