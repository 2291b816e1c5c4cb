//! The symbols, and what their definitions use.

pub use crate::fd::{
    __read_chk, __recv_chk, __recvfrom_chk, accept, accept4, close, connect, read, readv, recv, recvfrom,
    recvmsg, send, sendmsg, sendto, write, writev,
};
pub use crate::futex::syscall;
pub use crate::identity::{
    initgroups, setegid, seteuid, setgid, setgroups, setregid, setresgid, setresuid, setreuid, setuid,
};
pub use crate::open::{__open_2, __open64_2, __openat_2, __openat64_2, open, open64, openat, openat64};
pub use crate::poll::{__poll_chk, __ppoll_chk, epoll_pwait, epoll_wait, poll, ppoll, select};
pub use crate::process::{
    clock_nanosleep, fdatasync, flock, fsync, getaddrinfo, nanosleep, pthread_join, sched_yield, usleep,
    wait4, waitid, waitpid,
};
pub use crate::pthread::{
    pthread_cond_broadcast, pthread_cond_clockwait, pthread_cond_signal, pthread_cond_timedwait,
    pthread_cond_wait, pthread_mutex_lock, pthread_mutex_timedlock, pthread_mutex_unlock,
    pthread_rwlock_rdlock, pthread_rwlock_unlock, pthread_rwlock_wrlock, sem_post, sem_timedwait, sem_wait,
};
pub use crate::signal::{sigaction, signal};
pub use core::ffi::{c_char, c_int, c_long, c_uint, c_void};
pub use libc::{
    addrinfo, clockid_t, epoll_event, fd_set, gid_t, id_t, idtype_t, iovec, mode_t, msghdr, nfds_t, pid_t,
    pollfd, pthread_cond_t, pthread_mutex_t, pthread_rwlock_t, pthread_t, rusage, sem_t, sighandler_t,
    siginfo_t, sigset_t, size_t, sockaddr, socklen_t, ssize_t, timespec, timeval, uid_t,
};

use core::sync::atomic::Ordering::Relaxed;

/// C's structure has the name of the function.
#[allow(non_camel_case_types, reason = "as C's types")]
pub type sigaction_t = libc::sigaction;

/// Called before `main`, if the executable has the symbols.
pub extern "C" fn installed() {
    unsafe extern "C" fn forked() {
        // SAFETY: this runs in the child of a fork.
        unsafe {
            crate::queue::forked();
            crate::watch::forked();
        }
    }
    // SAFETY: the function may run in a child. Without memory for it, a child may find a lock that
    // is not released.
    unsafe { libc::pthread_atfork(None, None, Some(forked)) };
    crate::INSTALLED.store(true, Relaxed);
}

/// Defines the C library's blocking calls anew, for the whole process. It stands once, at the top
/// of the executable.
///
/// # Examples
///
/// ```
/// greenthread_foreign::install!();
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! install {
    () => {
        $crate::__install! {
            fn pthread_join(thread: pthread_t, result: *mut *mut c_void) -> c_int;
        }
    };
}

/// All but what a definition of `pthread_create` goes with, and what is given beside it.
#[doc(hidden)]
#[macro_export]
macro_rules! __install {
    ($($others:tt)*) => {
        const _: () = {
            #[allow(unused_imports)]
            use $crate::install::*;

            $crate::__define! {
                fn read(fd: c_int, buffer: *mut c_void, count: size_t) -> ssize_t;
                fn readv(fd: c_int, vectors: *const iovec, count: c_int) -> ssize_t;
                fn write(fd: c_int, buffer: *const c_void, count: size_t) -> ssize_t;
                fn writev(fd: c_int, vectors: *const iovec, count: c_int) -> ssize_t;
                fn recv(fd: c_int, buffer: *mut c_void, count: size_t, flags: c_int) -> ssize_t;
                fn recvfrom(fd: c_int, buffer: *mut c_void, count: size_t, flags: c_int, address: *mut sockaddr, len: *mut socklen_t) -> ssize_t;
                fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t;
                fn send(fd: c_int, buffer: *const c_void, count: size_t, flags: c_int) -> ssize_t;
                fn sendto(fd: c_int, buffer: *const c_void, count: size_t, flags: c_int, address: *const sockaddr, len: socklen_t) -> ssize_t;
                fn sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t;
                fn accept(fd: c_int, address: *mut sockaddr, len: *mut socklen_t) -> c_int;
                fn accept4(fd: c_int, address: *mut sockaddr, len: *mut socklen_t, flags: c_int) -> c_int;
                fn connect(fd: c_int, address: *const sockaddr, len: socklen_t) -> c_int;
                fn close(fd: c_int) -> c_int;
                fn __read_chk(fd: c_int, buffer: *mut c_void, count: size_t, size: size_t) -> ssize_t;
                fn __recv_chk(fd: c_int, buffer: *mut c_void, count: size_t, size: size_t, flags: c_int) -> ssize_t;
                fn __recvfrom_chk(fd: c_int, buffer: *mut c_void, count: size_t, size: size_t, flags: c_int, address: *mut sockaddr, len: *mut socklen_t) -> ssize_t;
                fn poll(polled: *mut pollfd, count: nfds_t, timeout: c_int) -> c_int;
                fn ppoll(polled: *mut pollfd, count: nfds_t, timeout: *const timespec, mask: *const sigset_t) -> c_int;
                fn __poll_chk(polled: *mut pollfd, count: nfds_t, timeout: c_int, size: size_t) -> c_int;
                fn __ppoll_chk(polled: *mut pollfd, count: nfds_t, timeout: *const timespec, mask: *const sigset_t, size: size_t) -> c_int;
                fn select(count: c_int, readable: *mut fd_set, writable: *mut fd_set, exceptional: *mut fd_set, timeout: *mut timeval) -> c_int;
                fn epoll_wait(epoll: c_int, events: *mut epoll_event, most: c_int, timeout: c_int) -> c_int;
                fn epoll_pwait(epoll: c_int, events: *mut epoll_event, most: c_int, timeout: c_int, mask: *const sigset_t) -> c_int;
                fn nanosleep(request: *const timespec, left: *mut timespec) -> c_int;
                fn clock_nanosleep(clock: clockid_t, flags: c_int, request: *const timespec, left: *mut timespec) -> c_int;
                fn usleep(micros: c_uint) -> c_int;
                fn sched_yield() -> c_int;
                fn wait4(child: pid_t, status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t;
                fn waitpid(child: pid_t, status: *mut c_int, options: c_int) -> pid_t;
                fn waitid(kind: idtype_t, child: id_t, info: *mut siginfo_t, options: c_int) -> c_int;
                fn flock(fd: c_int, operation: c_int) -> c_int;
                fn fsync(fd: c_int) -> c_int;
                fn fdatasync(fd: c_int) -> c_int;
                fn getaddrinfo(name: *const c_char, service: *const c_char, hints: *const addrinfo, found: *mut *mut addrinfo) -> c_int;
                fn syscall(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> c_long;
                fn pthread_mutex_lock(mutex: *mut pthread_mutex_t) -> c_int;
                fn pthread_mutex_timedlock(mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int;
                fn pthread_mutex_unlock(mutex: *mut pthread_mutex_t) -> c_int;
                fn pthread_rwlock_rdlock(lock: *mut pthread_rwlock_t) -> c_int;
                fn pthread_rwlock_wrlock(lock: *mut pthread_rwlock_t) -> c_int;
                fn pthread_rwlock_unlock(lock: *mut pthread_rwlock_t) -> c_int;
                fn pthread_cond_wait(condition: *mut pthread_cond_t, mutex: *mut pthread_mutex_t) -> c_int;
                fn pthread_cond_timedwait(condition: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int;
                fn pthread_cond_clockwait(condition: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, clock: clockid_t, until: *const timespec) -> c_int;
                fn pthread_cond_signal(condition: *mut pthread_cond_t) -> c_int;
                fn pthread_cond_broadcast(condition: *mut pthread_cond_t) -> c_int;
                fn sem_wait(semaphore: *mut sem_t) -> c_int;
                fn sem_timedwait(semaphore: *mut sem_t, until: *const timespec) -> c_int;
                fn sem_post(semaphore: *mut sem_t) -> c_int;
                fn sigaction(signal: c_int, new: *const sigaction_t, old: *mut sigaction_t) -> c_int;
                fn signal(signal: c_int, handler: sighandler_t) -> sighandler_t;
                fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int;
                fn open64(path: *const c_char, flags: c_int, mode: mode_t) -> c_int;
                fn openat(folder: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int;
                fn openat64(folder: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int;
                fn __open_2(path: *const c_char, flags: c_int) -> c_int;
                fn __open64_2(path: *const c_char, flags: c_int) -> c_int;
                fn __openat_2(folder: c_int, path: *const c_char, flags: c_int) -> c_int;
                fn __openat64_2(folder: c_int, path: *const c_char, flags: c_int) -> c_int;
                fn setuid(user: uid_t) -> c_int;
                fn setgid(group: gid_t) -> c_int;
                fn seteuid(user: uid_t) -> c_int;
                fn setegid(group: gid_t) -> c_int;
                fn setreuid(real: uid_t, effective: uid_t) -> c_int;
                fn setregid(real: gid_t, effective: gid_t) -> c_int;
                fn setresuid(real: uid_t, effective: uid_t, saved: uid_t) -> c_int;
                fn setresgid(real: gid_t, effective: gid_t, saved: gid_t) -> c_int;
                fn setgroups(count: size_t, groups: *const gid_t) -> c_int;
                fn initgroups(user: *const c_char, group: gid_t) -> c_int;
                $($others)*
            }
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __define {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        // The system calls this before `main`.
        #[used]
        #[unsafe(link_section = ".init_array")]
        static INSTALL: extern "C" fn() = $crate::install::installed;

        $(const _: () = {
            // SAFETY: the function does what that of the C library does.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name($($argument: $type),*) -> $result {
                // SAFETY: the caller knows what the C library's function asks for.
                unsafe { $crate::install::$name($($argument),*) }
            }
        };)*
    };
}
