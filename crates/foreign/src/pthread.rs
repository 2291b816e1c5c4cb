//! Locks, condition variables and semaphores of C.
//!
//! A green thread tries a lock, and parks in `queue` if it is taken. An unlock wakes it. But an
//! unlock inside the C library itself does not come by here: that of an OS thread in its wait for a
//! condition variable, or one in another process or in a signal handler. Therefore a waiter also
//! tries again by itself, after a millisecond at first and at most `MAX_PAUSE`.
//!
//! A condition variable is waited for by green threads in `queue` alone, so a signal goes to one of
//! them, or if there is none to an OS thread.

use core::ffi::c_int;
use std::time::{Duration, Instant};

use libc::{clockid_t, pthread_cond_t, pthread_mutex_t, pthread_rwlock_t, sem_t, timespec};

use crate::{
    may_park,
    queue::{self, Outcome},
    raw::{errno, fail, next},
    time,
};

/// The first and the longest pause between two tries of a lock. With longer ones an unlock that was
/// missed delays its waiters for longer; shorter ones use more processor time.
const MIN_PAUSE: Duration = Duration::from_millis(1);
const MAX_PAUSE: Duration = Duration::from_millis(50);

/// Tries until the result is not `EBUSY`, or the deadline has passed.
fn acquire(address: usize, deadline: Option<Instant>, attempt: impl Fn() -> c_int) -> c_int {
    let (mut result, mut pause) = (attempt(), MIN_PAUSE);
    while result == libc::EBUSY {
        let again = time::after(pause);
        let until = [again, deadline].into_iter().flatten().min();
        let looks = || {
            result = attempt();
            result == libc::EBUSY
        };
        match queue::wait(address, u32::MAX, until, looks) {
            Outcome::NoWait => return result,
            Outcome::TimedOut if deadline.is_some_and(|deadline| deadline <= Instant::now()) => {
                return libc::ETIMEDOUT;
            }
            Outcome::TimedOut => pause = (2 * pause).min(MAX_PAUSE),
            Outcome::Woken => pause = MIN_PAUSE,
        }
        result = attempt();
    }
    result
}

/// Functions that take one of C's objects: the C library's own, or by `attempt` on a green thread.
macro_rules! functions {
    ($($(#[$attr:meta])* fn $name:ident, $c:literal, $try:literal, $type:ty;)*) => {$(
        $(#[$attr])*
        ///
        /// # Safety
        /// As for the C library's.
        pub unsafe extern "C" fn $name(object: *mut $type) -> c_int {
            if !may_park() {
                // SAFETY: the caller vouches for the object.
                return unsafe { next!($c as unsafe extern "C" fn(*mut $type) -> c_int)(object) };
            }
            let attempt = next!($try as unsafe extern "C" fn(*mut $type) -> c_int);
            // SAFETY: as above.
            acquire(object.addr(), None, || unsafe { attempt(object) })
        }
    )*};
}

functions! {
    /// `pthread_mutex_lock`.
    fn pthread_mutex_lock, c"pthread_mutex_lock", c"pthread_mutex_trylock", pthread_mutex_t;
    /// `pthread_rwlock_rdlock`.
    fn pthread_rwlock_rdlock, c"pthread_rwlock_rdlock", c"pthread_rwlock_tryrdlock", pthread_rwlock_t;
    /// `pthread_rwlock_wrlock`.
    fn pthread_rwlock_wrlock, c"pthread_rwlock_wrlock", c"pthread_rwlock_trywrlock", pthread_rwlock_t;
}

/// `pthread_mutex_timedlock`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn pthread_mutex_timedlock(
    mutex: *mut pthread_mutex_t,
    until: *const timespec,
) -> c_int {
    type Function = unsafe extern "C" fn(*mut pthread_mutex_t, *const timespec) -> c_int;
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        if !may_park() {
            return next!(c"pthread_mutex_timedlock" as Function)(mutex, until);
        }
        let attempt = next!(c"pthread_mutex_trylock" as unsafe extern "C" fn(*mut pthread_mutex_t) -> c_int);
        acquire(mutex.addr(), time::at(libc::CLOCK_REALTIME, &*until), || attempt(mutex))
    }
}

/// `pthread_mutex_unlock`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn pthread_mutex_unlock(mutex: *mut pthread_mutex_t) -> c_int {
    let next = next!(c"pthread_mutex_unlock" as unsafe extern "C" fn(*mut pthread_mutex_t) -> c_int);
    // SAFETY: the caller vouches for the mutex. Afterwards only its address is used.
    let result = unsafe { next(mutex) };
    queue::wake(mutex.addr(), 1, u32::MAX);
    result
}

/// `pthread_rwlock_unlock`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn pthread_rwlock_unlock(lock: *mut pthread_rwlock_t) -> c_int {
    let next = next!(c"pthread_rwlock_unlock" as unsafe extern "C" fn(*mut pthread_rwlock_t) -> c_int);
    // SAFETY: the caller vouches for the lock. Afterwards only its address is used.
    let result = unsafe { next(lock) };
    queue::wake(lock.addr(), u32::MAX, u32::MAX);
    result
}

/// Waits for a condition variable on a thread that may park.
///
/// # Safety
/// As for `pthread_cond_wait`.
unsafe fn await_condition(
    condition: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    deadline: Option<Instant>,
) -> c_int {
    let release = || {
        // SAFETY: the caller has the mutex locked.
        unsafe { pthread_mutex_unlock(mutex) };
    };
    let outcome = queue::wait_after(condition.addr(), u32::MAX, deadline, || true, release);
    // SAFETY: the caller vouches for the mutex.
    match unsafe { pthread_mutex_lock(mutex) } {
        0 if outcome == Outcome::TimedOut => libc::ETIMEDOUT,
        result => result,
    }
}

/// `pthread_cond_wait`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn pthread_cond_wait(
    condition: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
) -> c_int {
    type Function = unsafe extern "C" fn(*mut pthread_cond_t, *mut pthread_mutex_t) -> c_int;
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        if may_park() {
            await_condition(condition, mutex, None)
        } else {
            next!(c"pthread_cond_wait" as Function)(condition, mutex)
        }
    }
}

/// `pthread_cond_timedwait`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn pthread_cond_timedwait(
    condition: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    until: *const timespec,
) -> c_int {
    type Function = unsafe extern "C" fn(*mut pthread_cond_t, *mut pthread_mutex_t, *const timespec) -> c_int;
    /// The word of a condition that says in its second bit that its clock is the monotonic one.
    const FLAGS: usize = 9;
    // SAFETY: the caller vouches for the pointers. A condition is twelve words long.
    unsafe {
        if !may_park() {
            return next!(c"pthread_cond_timedwait" as Function)(condition, mutex, until);
        }
        let is_monotonic = condition.cast::<u32>().add(FLAGS).read_volatile() & 2 != 0;
        let clock = if is_monotonic { libc::CLOCK_MONOTONIC } else { libc::CLOCK_REALTIME };
        await_condition(condition, mutex, time::at(clock, &*until))
    }
}

/// `pthread_cond_clockwait`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn pthread_cond_clockwait(
    condition: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    clock: clockid_t,
    until: *const timespec,
) -> c_int {
    type Function =
        unsafe extern "C" fn(*mut pthread_cond_t, *mut pthread_mutex_t, clockid_t, *const timespec) -> c_int;
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        if may_park() {
            await_condition(condition, mutex, time::at(clock, &*until))
        } else {
            next!(c"pthread_cond_clockwait" as Function)(condition, mutex, clock, until)
        }
    }
}

/// `pthread_cond_signal`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn pthread_cond_signal(condition: *mut pthread_cond_t) -> c_int {
    let next = next!(c"pthread_cond_signal" as unsafe extern "C" fn(*mut pthread_cond_t) -> c_int);
    match queue::wake(condition.addr(), 1, u32::MAX) {
        // SAFETY: the caller vouches for the condition.
        0 => unsafe { next(condition) },
        _ => 0,
    }
}

/// `pthread_cond_broadcast`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn pthread_cond_broadcast(condition: *mut pthread_cond_t) -> c_int {
    let next = next!(c"pthread_cond_broadcast" as unsafe extern "C" fn(*mut pthread_cond_t) -> c_int);
    queue::wake(condition.addr(), u32::MAX, u32::MAX);
    // SAFETY: the caller vouches for the condition.
    unsafe { next(condition) }
}

/// Takes a semaphore, or says that it is busy.
fn try_semaphore(semaphore: *mut sem_t) -> c_int {
    let attempt = next!(c"sem_trywait" as unsafe extern "C" fn(*mut sem_t) -> c_int);
    // SAFETY: the callers' callers vouch for the semaphore.
    match unsafe { attempt(semaphore) } {
        0 => 0,
        _ if errno() == libc::EAGAIN => libc::EBUSY,
        _ => errno(),
    }
}

/// `sem_wait`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn sem_wait(semaphore: *mut sem_t) -> c_int {
    if !may_park() {
        // SAFETY: the caller vouches for the semaphore.
        return unsafe { next!(c"sem_wait" as unsafe extern "C" fn(*mut sem_t) -> c_int)(semaphore) };
    }
    match acquire(semaphore.addr(), None, || try_semaphore(semaphore)) {
        0 => 0,
        error => fail(error) as c_int,
    }
}

/// `sem_timedwait`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn sem_timedwait(semaphore: *mut sem_t, until: *const timespec) -> c_int {
    type Function = unsafe extern "C" fn(*mut sem_t, *const timespec) -> c_int;
    // SAFETY: the caller vouches for the pointers.
    let deadline = unsafe {
        if !may_park() {
            return next!(c"sem_timedwait" as Function)(semaphore, until);
        }
        time::at(libc::CLOCK_REALTIME, &*until)
    };
    match acquire(semaphore.addr(), deadline, || try_semaphore(semaphore)) {
        0 => 0,
        error => fail(error) as c_int,
    }
}

/// `sem_post`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn sem_post(semaphore: *mut sem_t) -> c_int {
    let next = next!(c"sem_post" as unsafe extern "C" fn(*mut sem_t) -> c_int);
    // SAFETY: the caller vouches for the semaphore. Afterwards only its address is used.
    let result = unsafe { next(semaphore) };
    queue::wake(semaphore.addr(), 1, u32::MAX);
    result
}
