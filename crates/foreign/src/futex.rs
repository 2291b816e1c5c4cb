//! `syscall`, for futexes: std's locks, its condition variables and its `park` use it.
//!
//! A wait of a green thread is in `queue`, that of an OS thread in the kernel. A wake-up goes to
//! both. Operations that move waiters, which std does not use, wake all green ones instead: a futex
//! may always be woken for nothing. Futexes with priority inheritance name their owner to the
//! kernel, so they are left to the kernel as they are.

use core::{
    ffi::{c_int, c_long},
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};

use crate::{
    may_park,
    queue::{self, Outcome},
    raw::{self, answer, fail},
    time,
};

/// `syscall`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn syscall(
    number: c_long,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> c_long {
    let arguments = [a, b, c, d, e, f];
    // SAFETY: the caller vouches for the call.
    unsafe {
        if number == libc::SYS_futex {
            futex(arguments) as c_long
        } else {
            answer(raw::call(number, arguments)) as c_long
        }
    }
}

/// # Safety
/// As for the system call.
unsafe fn futex(arguments: [usize; 6]) -> isize {
    let [address, operation, value, time, second, mask] = arguments;
    let flags = libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME;
    let (operation, value) = (operation as c_int, value as u32);
    let command = operation & !flags;
    let mask = match command {
        libc::FUTEX_WAIT_BITSET | libc::FUTEX_WAKE_BITSET => mask as u32,
        _ => u32::MAX,
    };
    // SAFETY: the caller vouches for the arguments.
    unsafe {
        match command {
            libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET if may_park() => {
                let time = (time as *const libc::timespec).as_ref();
                let deadline = time.and_then(|time| match command {
                    libc::FUTEX_WAIT => time::after(time::duration(time)),
                    _ if operation & libc::FUTEX_CLOCK_REALTIME != 0 => time::at(libc::CLOCK_REALTIME, time),
                    _ => time::at(libc::CLOCK_MONOTONIC, time),
                });
                let word = AtomicU32::from_ptr(address as *mut u32);
                match queue::wait(address, mask, deadline, || word.load(SeqCst) == value) {
                    Outcome::NoWait => fail(libc::EAGAIN),
                    Outcome::Woken => 0,
                    Outcome::TimedOut => fail(libc::ETIMEDOUT),
                }
            }
            libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET => answer(raw::call(libc::SYS_futex, arguments)),
            libc::FUTEX_WAKE | libc::FUTEX_WAKE_BITSET => {
                let woken = queue::wake(address, value, mask);
                if woken == value {
                    return woken as isize;
                }
                let mut arguments = arguments;
                arguments[2] = (value - woken) as usize;
                let others = raw::call(libc::SYS_futex, arguments);
                if others < 0 { answer(others) } else { others + woken as isize }
            }
            libc::FUTEX_REQUEUE | libc::FUTEX_CMP_REQUEUE | libc::FUTEX_WAKE_OP => {
                queue::wake(address, u32::MAX, u32::MAX);
                if command == libc::FUTEX_WAKE_OP {
                    queue::wake(second, u32::MAX, u32::MAX);
                }
                answer(raw::call(libc::SYS_futex, arguments))
            }
            _ => answer(raw::call(libc::SYS_futex, arguments)),
        }
    }
}
