//! Calls that read and write descriptors.
//!
//! Each is made first in a way that does not block, whatever the descriptor's mode is. If it would
//! block, the thread waits at its worker's driver. What a call of the system would do at once, such
//! as to write all bytes, is done by several calls here.
//!
//! Not each kind of descriptor can be told not to block for one call: for `accept`, and for reads
//! of what knows no `RWF_NOWAIT` (a terminal, an eventfd), the thread waits until the descriptor is
//! ready, and then makes the plain call. If another thread was faster, that blocks the worker.

use core::ffi::{c_int, c_void};
use std::os::fd::RawFd;

use greenthread::os::linux::interpose::run_elsewhere;
use libc::{iovec, msghdr, size_t, sockaddr, socklen_t, ssize_t};

use crate::{
    may_park,
    raw::{self, answer, raw},
    watch::{Direction, Failed, Watched, closes, is_nonblocking, is_ready, repeat},
};

const WOULD_BLOCK: isize = -(libc::EAGAIN as isize);

/// Reads or writes what can't be told to do so without waiting.
unsafe fn plain(number: libc::c_long, direction: Direction, arguments: [usize; 6]) -> isize {
    let fd = arguments[0] as RawFd;
    // SAFETY: the caller vouches for the arguments, which are valid until this returns.
    let call = move || unsafe { raw::call(number, arguments) };
    let result = repeat(fd, direction, || if is_ready(fd, direction) { call() } else { WOULD_BLOCK });
    result.unwrap_or_else(|| run_elsewhere(call))
}

/// One read or write without waiting, or `plain`.
unsafe fn vectored(direction: Direction, fd: c_int, vectors: *const iovec, count: usize) -> isize {
    let (now, later) = match direction {
        Direction::Read => (libc::SYS_preadv2, libc::SYS_readv),
        Direction::Write => (libc::SYS_pwritev2, libc::SYS_writev),
    };
    let arguments = [fd as usize, vectors as usize, count, usize::MAX, usize::MAX, libc::RWF_NOWAIT as usize];
    // SAFETY: the caller vouches for the vectors.
    unsafe {
        let result = repeat(fd, direction, || raw::call(now, arguments));
        match result {
            None => {
                let plain = [fd as usize, vectors as usize, count, 0, 0, 0];
                // SAFETY: as above.
                run_elsewhere(move || raw::call(later, plain))
            }
            Some(result) if [libc::EOPNOTSUPP, libc::ENOSYS, libc::EINVAL].contains(&(-result as c_int)) => {
                otherwise(direction, fd, vectors, count)
            }
            Some(result) => result,
        }
    }
}

/// One read or write, where the system has no `RWF_NOWAIT` for it: of a socket, and of others.
unsafe fn otherwise(direction: Direction, fd: c_int, vectors: *const iovec, count: usize) -> isize {
    const NO_SOCKET: isize = -(libc::ENOTSOCK as isize);
    // SAFETY: the caller vouches for the vectors. Zero is a valid message.
    unsafe {
        let mut message: msghdr = core::mem::zeroed();
        (message.msg_iov, message.msg_iovlen) = (vectors.cast_mut(), count);
        let call = || match direction {
            Direction::Read => raw!(SYS_recvmsg, fd, &raw mut message, libc::MSG_DONTWAIT),
            Direction::Write => raw!(SYS_sendmsg, fd, &raw const message, libc::MSG_DONTWAIT),
        };
        match (repeat(fd, direction, call), direction) {
            (Some(NO_SOCKET), Direction::Read) => {
                plain(libc::SYS_readv, direction, [fd as usize, vectors as usize, count, 0, 0, 0])
            }
            (Some(NO_SOCKET), Direction::Write) => {
                // A large write would wait for the reader, who may be a sibling.
                let call = || without_waiting(fd, || raw!(SYS_writev, fd, vectors, count));
                repeat(fd, direction, call).unwrap_or(WOULD_BLOCK)
            }
            (result, _) => result.unwrap_or(WOULD_BLOCK),
        }
    }
}

/// Makes a call while the descriptor is in non-blocking mode.
fn without_waiting(fd: RawFd, call: impl FnOnce() -> isize) -> isize {
    // SAFETY: the calls touch no memory.
    unsafe {
        let flags = raw!(SYS_fcntl, fd, libc::F_GETFL) as c_int;
        if flags & libc::O_NONBLOCK != 0 {
            return call();
        }
        raw!(SYS_fcntl, fd, libc::F_SETFL, flags | libc::O_NONBLOCK);
        let result = call();
        raw!(SYS_fcntl, fd, libc::F_SETFL, flags);
        result
    }
}

/// Writes all of the vectors, as far as that is possible, by calls of `write`.
unsafe fn write_all(
    vectors: *const iovec,
    count: usize,
    mut write: impl FnMut(*const iovec, usize) -> isize,
) -> isize {
    // SAFETY: the caller vouches for the vectors.
    let given = if count == 0 { &[][..] } else { unsafe { core::slice::from_raw_parts(vectors, count) } };
    let all: usize = given.iter().map(|vector| vector.iov_len).sum();
    let result = write(vectors, count);
    if result < 0 || result as usize >= all {
        return result;
    }
    let mut written = result as usize;
    loop {
        let mut skip = written;
        let mut left = Vec::with_capacity(given.len());
        for vector in given {
            let here = skip.min(vector.iov_len);
            skip -= here;
            if here < vector.iov_len {
                let iov_base = vector.iov_base.wrapping_byte_add(here);
                left.push(iovec { iov_base, iov_len: vector.iov_len - here });
            }
        }
        match write(left.as_ptr(), left.len()) {
            more if more > 0 && written + (more as usize) < all => written += more as usize,
            more => return (written + more.max(0) as usize) as isize,
        }
    }
}

/// `read`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn read(fd: c_int, buffer: *mut c_void, count: size_t) -> ssize_t {
    // SAFETY: the caller vouches for the buffer.
    unsafe {
        if !may_park() {
            return answer(raw!(SYS_read, fd, buffer, count));
        }
        let vector = iovec { iov_base: buffer, iov_len: count };
        answer(vectored(Direction::Read, fd, &raw const vector, 1))
    }
}

/// `readv`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn readv(fd: c_int, vectors: *const iovec, count: c_int) -> ssize_t {
    // SAFETY: the caller vouches for the vectors.
    unsafe {
        if !may_park() || count < 0 {
            return answer(raw!(SYS_readv, fd, vectors, count));
        }
        answer(vectored(Direction::Read, fd, vectors, count as usize))
    }
}

/// `write`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn write(fd: c_int, buffer: *const c_void, count: size_t) -> ssize_t {
    // SAFETY: the caller vouches for the buffer.
    unsafe {
        if !may_park() {
            return answer(raw!(SYS_write, fd, buffer, count));
        }
        let vector = iovec { iov_base: buffer.cast_mut(), iov_len: count };
        writev(fd, &raw const vector, 1)
    }
}

/// `writev`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn writev(fd: c_int, vectors: *const iovec, count: c_int) -> ssize_t {
    // SAFETY: the caller vouches for the vectors.
    unsafe {
        if !may_park() || count < 0 {
            return answer(raw!(SYS_writev, fd, vectors, count));
        }
        answer(write_all(vectors, count as usize, |vectors, count| {
            vectored(Direction::Write, fd, vectors, count)
        }))
    }
}

/// `recvfrom`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn recvfrom(
    fd: c_int,
    buffer: *mut c_void,
    count: size_t,
    flags: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
) -> ssize_t {
    let waits_for_all = flags & libc::MSG_WAITALL != 0 && flags & libc::MSG_PEEK == 0;
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        if !may_park() || flags & libc::MSG_DONTWAIT != 0 {
            return answer(raw!(SYS_recvfrom, fd, buffer, count, flags, address, len));
        }
        let mut received = 0;
        loop {
            let now = flags | libc::MSG_DONTWAIT;
            let call = || {
                let (buffer, count) = (buffer.byte_add(received), count - received);
                raw!(SYS_recvfrom, fd, buffer, count, now, address, len)
            };
            let result = repeat(fd, Direction::Read, call).unwrap_or(WOULD_BLOCK);
            if result <= 0 {
                return if received > 0 { received as isize } else { answer(result) };
            }
            received += result as usize;
            if !waits_for_all || received >= count {
                return received as isize;
            }
        }
    }
}

/// `recv`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn recv(fd: c_int, buffer: *mut c_void, count: size_t, flags: c_int) -> ssize_t {
    // SAFETY: the caller vouches for the buffer.
    unsafe { recvfrom(fd, buffer, count, flags, core::ptr::null_mut(), core::ptr::null_mut()) }
}

/// `recv`, compiled with checks.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn __recv_chk(
    fd: c_int,
    buffer: *mut c_void,
    count: size_t,
    size: size_t,
    flags: c_int,
) -> ssize_t {
    check(count, size);
    // SAFETY: the caller vouches for the buffer.
    unsafe { recv(fd, buffer, count, flags) }
}

/// `recvfrom`, compiled with checks.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn __recvfrom_chk(
    fd: c_int,
    buffer: *mut c_void,
    count: size_t,
    size: size_t,
    flags: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
) -> ssize_t {
    check(count, size);
    // SAFETY: the caller vouches for the pointers.
    unsafe { recvfrom(fd, buffer, count, flags, address, len) }
}

/// `read`, compiled with checks.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn __read_chk(fd: c_int, buffer: *mut c_void, count: size_t, size: size_t) -> ssize_t {
    check(count, size);
    // SAFETY: the caller vouches for the buffer.
    unsafe { read(fd, buffer, count) }
}

/// Ends the process if a call would write more bytes than the caller's compiler knows to be there.
fn check(count: size_t, size: size_t) {
    if count > size {
        std::process::abort();
    }
}

/// `recvmsg`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t {
    // SAFETY: the caller vouches for the message.
    unsafe {
        if !may_park() || flags & libc::MSG_DONTWAIT != 0 {
            return answer(raw!(SYS_recvmsg, fd, message, flags));
        }
        let now = flags | libc::MSG_DONTWAIT;
        let result = repeat(fd, Direction::Read, || raw!(SYS_recvmsg, fd, message, now));
        answer(result.unwrap_or(WOULD_BLOCK))
    }
}

/// `sendto`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn sendto(
    fd: c_int,
    buffer: *const c_void,
    count: size_t,
    flags: c_int,
    address: *const sockaddr,
    len: socklen_t,
) -> ssize_t {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        if !may_park() || flags & libc::MSG_DONTWAIT != 0 {
            return answer(raw!(SYS_sendto, fd, buffer, count, flags, address, len));
        }
        let now = flags | libc::MSG_DONTWAIT;
        let vector = iovec { iov_base: buffer.cast_mut(), iov_len: count };
        answer(write_all(&raw const vector, 1, |vectors, _| {
            let iovec { iov_base, iov_len } = *vectors;
            let call = || raw!(SYS_sendto, fd, iov_base, iov_len, now, address, len);
            repeat(fd, Direction::Write, call).unwrap_or(WOULD_BLOCK)
        }))
    }
}

/// `send`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn send(fd: c_int, buffer: *const c_void, count: size_t, flags: c_int) -> ssize_t {
    // SAFETY: the caller vouches for the buffer.
    unsafe { sendto(fd, buffer, count, flags, core::ptr::null(), 0) }
}

/// `sendmsg`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t {
    // SAFETY: the caller vouches for the message.
    unsafe {
        if !may_park() || flags & libc::MSG_DONTWAIT != 0 {
            return answer(raw!(SYS_sendmsg, fd, message, flags));
        }
        let now = flags | libc::MSG_DONTWAIT;
        let mut part = *message;
        answer(write_all(part.msg_iov, part.msg_iovlen, |vectors, count| {
            (part.msg_iov, part.msg_iovlen) = (vectors.cast_mut(), count);
            let call = || raw!(SYS_sendmsg, fd, &raw const part, now);
            let result = repeat(fd, Direction::Write, call).unwrap_or(WOULD_BLOCK);
            // What goes with the message, such as descriptors, went with its first part.
            part.msg_controllen = 0;
            result
        }))
    }
}

/// `accept4`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn accept4(
    fd: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
    flags: c_int,
) -> c_int {
    let arguments = [fd as usize, address as usize, len as usize, flags as usize, 0, 0];
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        if !may_park() {
            return answer(raw::call(libc::SYS_accept4, arguments)) as c_int;
        }
        answer(plain(libc::SYS_accept4, Direction::Read, arguments)) as c_int
    }
}

/// `accept`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn accept(fd: c_int, address: *mut sockaddr, len: *mut socklen_t) -> c_int {
    // SAFETY: the caller vouches for the pointers.
    unsafe { accept4(fd, address, len, 0) }
}

/// `connect`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn connect(fd: c_int, address: *const sockaddr, len: socklen_t) -> c_int {
    let arguments = [fd as usize, address as usize, len as usize, 0, 0, 0];
    // SAFETY: the caller vouches for the address, until this returns.
    let call = move || unsafe { raw::call(libc::SYS_connect, arguments) };
    if !may_park() || is_nonblocking(fd) {
        return answer(call()) as c_int;
    }
    let result = without_waiting(fd, call);
    answer(match -result as c_int {
        libc::EINPROGRESS => connected(fd),
        // A Unix socket whose queue is full gives no event when there is room.
        libc::EAGAIN => run_elsewhere(call),
        _ => result,
    }) as c_int
}

/// Waits until a connection has been made, or has failed.
fn connected(fd: RawFd) -> isize {
    let mut first = true;
    let waited = repeat(fd, Direction::Write, || {
        if core::mem::take(&mut first) || !is_ready(fd, Direction::Write) {
            return WOULD_BLOCK;
        }
        let (mut error, mut len) = (0_i32, size_of::<i32>() as socklen_t);
        // SAFETY: the call writes to these.
        let result = unsafe {
            raw!(SYS_getsockopt, fd, libc::SOL_SOCKET, libc::SO_ERROR, &raw mut error, &raw mut len)
        };
        if result < 0 { result } else { -(error as isize) }
    });
    match waited {
        Some(WOULD_BLOCK) | None => -(libc::EINPROGRESS as isize),
        Some(result) => result,
    }
}

/// `close`. Green threads that wait for the descriptor get `EBADF`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn close(fd: c_int) -> c_int {
    closes(fd);
    // SAFETY: the caller vouches that the descriptor is its own.
    answer(unsafe { raw!(SYS_close, fd) }) as c_int
}

/// Waits until a descriptor of which a look has shown that it is not ready is, or the deadline has
/// passed. An error is a negative number.
pub(crate) fn wait(
    fd: RawFd,
    direction: Direction,
    deadline: Option<std::time::Instant>,
    mut look: impl FnMut() -> isize,
) -> isize {
    let mut watched = Watched::new(fd);
    loop {
        match watched.wait(direction, deadline) {
            Ok(false) => return look(),
            Ok(true) => {}
            Err(Failed::By(error)) => return -(error as isize),
            Err(Failed::CannotWait) => return -(libc::EPERM as isize),
        }
        let result = look();
        if result != 0 {
            return result;
        }
    }
}
