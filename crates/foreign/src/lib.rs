//! Crates and C libraries that block, unmodified, on green threads.
//!
//! A green thread with [thread-locals of its own](greenthread::thread::Builder::own_tls) is to all
//! code what an OS thread is, but for one thing: what blocks there blocks the worker. This crate is
//! for executables, and takes that away. [`install!`] defines the C library's blocking calls anew
//! for the whole process. On such a green thread they park it, and the worker runs other threads
//! meanwhile. On every other thread they are what they were.
//!
//! ```
//! use greenthread::thread::Builder;
//! use std::time::Duration;
//!
//! // Once, at the top of the executable.
//! greenthread_foreign::install!();
//!
//! fn main() -> std::io::Result<()> {
//!     greenthread::run(|| {
//!         // Two threads that know nothing of green threads: they use std alone.
//!         let (sender, receiver) = std::sync::mpsc::channel();
//!         let waits = Builder::new().own_tls(true).spawn(move || receiver.recv());
//!         let sends = Builder::new().own_tls(true).spawn(move || {
//!             std::thread::sleep(Duration::from_millis(1));
//!             sender.send("hello")
//!         });
//!         match (waits, sends) {
//!             (Ok(waits), Ok(_)) => assert_eq!(waits.join().unwrap(), Ok("hello")),
//!             // Not every system has such threads.
//!             (Err(error), _) | (_, Err(error)) => eprintln!("{error}"),
//!         }
//!         // For one call, from any thread.
//!         assert_eq!(greenthread_foreign::call(|| 7), 7);
//!     });
//!     Ok(())
//! }
//! ```
//!
//! # Which calls
//!
//! * `read` `readv` `write` `writev` `recv` `recvfrom` `recvmsg` `send` `sendto` `sendmsg` `accept`
//!   `accept4` `connect`, on sockets, pipes, terminals and what else can be polled. The timeouts of
//!   sockets hold. A `close` wakes who waits for the descriptor, with `EBADF`.
//! * `poll` `ppoll` `select` `epoll_wait` `epoll_pwait`.
//! * `nanosleep` `clock_nanosleep` `usleep` `sched_yield`.
//! * `syscall` for futexes: all of `std::sync`, `std::thread::park`, `parking_lot`.
//! * `pthread_mutex_*` `pthread_rwlock_*` `pthread_cond_*` `sem_*`.
//! * On an OS thread of the blocking pool: `getaddrinfo` `fsync` `fdatasync` `flock` `wait4`
//!   `waitpid` `waitid` `pthread_join`, reads of files that are not in memory, `open` and `openat`
//!   of a FIFO, `setuid` and its like.
//!
//! A call that does not wait spends some of the thread's budget, so one that polls in a loop lets
//! its siblings run. A loop *without* a call does not: `while !flag.load(Relaxed) {}` waits for
//! ever if a sibling on the same worker is to set the flag.
//!
//! # The axiom
//!
//! For these threads greenthread's axiom has no exceptions: code that is sound on OS threads is
//! sound on them, since nothing that is not `Send` comes to them from a sibling. That goes for
//! ordinary green threads too when they meet such a thread, at a lock of std for example, but they
//! still *block their worker* there: a `std::sync::Mutex` that such a thread holds while it is
//! parked, and that an ordinary green thread of its worker locks, stops the worker for ever. Share
//! locks of std between threads of one kind.
//!
//! # Known holes
//!
//! * These threads are on Linux with glibc only, on x86-64 and AArch64. Elsewhere [`call`] is
//!   [`unblock`](greenthread::thread::unblock).
//! * A program that is linked statically, and code that makes system calls itself (`rustix`, Go),
//!   go by these functions. So do calls inside the C library: `fread` of a pipe, `system`,
//!   `getpwnam`, the allocator's own locks.
//! * After a wait for `accept`, and for a read of something else than a socket, a pipe or a file,
//!   the plain call is made. If two threads wait for the same thing, it may block the worker.
//! * The mask of signals is the OS thread's: a `ppoll` with a mask blocks the worker, and a mask
//!   that is set across a wait holds for siblings.
//! * `setuid` and its like end when each worker has been interrupted while none of these threads
//!   ran on it. One that computes without a call delays them. The same holds if an OS thread calls
//!   them.
//! * A robust mutex is not recovered from a green thread, one with priority inheritance can't be
//!   waited for, and an error-checking one that its own thread locks again waits for ever. A
//!   condition variable that another process signals is not noticed.
//! * A futex that the system wakes by itself, or another process, is not noticed: that of a
//!   thread's end, for which `pthread_join` is the call.
//! * On a green thread no call is a cancellation point of pthreads. When greenthread cancels the
//!   thread, a wait for a descriptor ends with `ECANCELED`; locks and sleeps go on.
//! * A handler that leaves by `siglongjmp` keeps its thread from parking. In a handler no call
//!   parks.
//! * `select` does not say how much of its timeout is left.

#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod fd;
#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod futex;
#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod identity;
#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[doc(hidden)]
#[macro_use]
pub mod install;
#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod open;
#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod poll;
#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod process;
#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod pthread;
#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod queue;
#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod raw;
#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod signal;
#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod spin;
#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod time;
#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod watch;

use std::{
    io,
    panic::resume_unwind,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use greenthread::thread::{self, Builder};

/// Whether the executable has [`install!`].
static INSTALLED: AtomicBool = AtomicBool::new(false);

/// The size of the stack of a thread for one call. C libraries need more than most Rust code.
const STACK_SIZE: usize = 1 << 20;

/// Does nothing, where the calls can't be defined anew.
#[cfg(not(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
#[macro_export]
macro_rules! install {
    () => {};
}

#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn may_park() -> bool {
    !signal::is_in_handler() && greenthread::os::linux::interpose::begin_call()
}

/// Runs a closure that blocks, while the calling green thread is parked.
///
/// It runs on a green thread with thread-locals of its own, on which the [calls](crate#which-calls)
/// park. Where that can't be had, and if the executable has no [`install!`], it runs on an OS
/// thread of the blocking pool, as by [`unblock`](greenthread::thread::unblock), or on the caller
/// if that is an OS thread.
///
/// # Panics
///
/// Panics with the panic of the closure.
///
/// # Examples
///
/// ```
/// greenthread_foreign::install!();
///
/// # fn main() {
/// let length = greenthread::run(|| {
///     let text = String::from("borrowed");
///     greenthread_foreign::call(|| text.len())
/// });
/// assert_eq!(length, 8);
/// # }
/// ```
pub fn call<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    let mut f = Some(f);
    let in_place = &mut f;
    let result: io::Result<_> = thread::scope(|scope| {
        if !INSTALLED.load(Relaxed) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let body = move || in_place.take().map(|f| f());
        let thread = Builder::new().own_tls(true).stack_size(STACK_SIZE).spawn_scoped(scope, body);
        thread.map(|thread| thread.join().unwrap_or_else(|payload| resume_unwind(payload)))
    });
    match (result, f) {
        (Ok(result), _) => result.expect("the closure was there"),
        (Err(_), Some(f)) => thread::unblock(f),
        (Err(_), None) => unreachable!("a closure that has not run is still there"),
    }
}
