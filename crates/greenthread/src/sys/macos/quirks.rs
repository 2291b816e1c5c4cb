//! What the code that all Unix ports share must know about macOS.

use core::{
    ffi::{CStr, c_int},
    mem, ptr,
};

use rustix::net::SendFlags;

/// The flags of a send that may block.
///
/// `MSG_NOSIGNAL` is for sockets that the program got from elsewhere: this port's own sockets have
/// the option `SO_NOSIGPIPE`. Before macOS 11 the kernel ignores the flag
/// (`bsd/kern/uipc_syscalls.c`). rustix lacks it for macOS.
pub(crate) const BLOCKING_SEND: SendFlags = SendFlags::from_bits_retain(libc::MSG_NOSIGNAL as u32);

/// The flags of a send that does not block.
///
/// `MSG_DONTWAIT` is not enough: a send to a full socket waits in spite of it (`sosendcheck` in
/// `bsd/kern/uipc_socket.c`). `MSG_NBIO` has the effect for one call that `O_NONBLOCK` has for all.
/// Only a private header names it, but the number has been the same since macOS 10.12 at least
/// (xnu-3789), and the system's own libraries pass it.
///
/// `O_NONBLOCK` was rejected: other processes that have the socket open share the mode, and a
/// program that asks for the mode would see one that it has not set.
pub(crate) const NONBLOCKING_SEND: SendFlags =
    BLOCKING_SEND.union(SendFlags::DONTWAIT).union(SendFlags::from_bits_retain(MSG_NBIO));

/// See `bsd/sys/socket_private.h`.
const MSG_NBIO: u32 = 0x2_0000;

/// The major number of `/dev/null` and similar devices, which have no other process behind them
/// (`bsd/dev/arm/conf.c`, `bsd/dev/i386/conf.c`: the entry with `mmread`).
pub(crate) const MEMORY_DEVICES: u32 = 3;

/// The number of bytes of a thread's name that the system keeps: `MAXTHREADNAMESIZE` without the
/// zero at the end. The system refuses a longer name.
pub(crate) const NAME_LEN: usize = 63;

/// Names the calling OS thread. (macOS cannot name another one.)
pub(crate) fn set_thread_name(name: &CStr) {
    // SAFETY: the name is a C string, which the call copies.
    unsafe { libc::pthread_setname_np(name.as_ptr()) };
}

/// Returns the number of open descriptors that the system allows a process, whatever its limit is.
/// The kernel enforces the smaller of both numbers (`bsd/kern/kern_resource.c`). Older kernels
/// refuse a soft limit above this number, and a hard limit is often infinite (setrlimit(2)).
pub(crate) fn most_descriptors() -> u64 {
    let mut most: c_int = 0;
    let mut len = mem::size_of_val(&most);
    // SAFETY: the kernel writes at most `len` bytes to `most`, and the new length to `len`.
    let result = unsafe {
        libc::sysctlbyname(
            c"kern.maxfilesperproc".as_ptr(),
            (&raw mut most).cast(),
            &raw mut len,
            ptr::null_mut(),
            0,
        )
    };
    // `OPEN_MAX`, which each kernel accepts.
    const SAFE: u64 = 10_240;
    if result == 0 { u64::try_from(most).unwrap_or(SAFE) } else { SAFE }
}

/// Returns whether `si_code` says that a process has sent a signal, rather than that the processor
/// has raised it.
///
/// macOS tells this only in part. On x86-64 a SIGSEGV that was sent has the code 0
/// (`bsd/dev/i386/unix_signal.c`). On Apple silicon, and for each SIGBUS, the kernel sets the code
/// and the address of the last fault whatever the cause is (`bsd/dev/arm/unix_signal.c`). Such a
/// signal is treated as a fault: if its action is the default one, it is lost once, and the next
/// one ends the process.
#[inline]
pub(crate) fn was_sent(code: c_int) -> bool {
    const SI_USER: c_int = 0x1_0001;
    code == 0 || code >= SI_USER
}

/// Returns the size of an alternate stack in bytes: what Apple recommends (128 KiB; less than
/// 32 KiB is refused, see sigaltstack(2)). Our handler needs little. What the system itself puts on
/// the stack is far below the difference.
pub(crate) fn alternate_size() -> usize {
    libc::SIGSTKSZ
}
