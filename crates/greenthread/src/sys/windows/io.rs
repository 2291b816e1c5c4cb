//! Operations on any descriptor: reading, writing, and its mode.
//!
//! A handle of a file, a pipe or a console has no call that does not wait. So `read_now` and
//! `write_now` support none of them, and the library calls on OS threads that may block.

use std::{
    io::{self, IoSlice, IoSliceMut, Read, Write},
    mem,
    os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
    ptr,
};

use windows_sys::Win32::{
    Foundation::{
        ERROR_HANDLE_EOF, ERROR_IO_PENDING, ERROR_MORE_DATA, GetLastError, HANDLE, INVALID_HANDLE_VALUE, TRUE,
    },
    Storage::FileSystem::{FILE_TYPE_PIPE, GetFileType, ReadFile, WriteFile},
    System::{
        Console::{
            GetConsoleMode, GetStdHandle, STD_ERROR_HANDLE, STD_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
        },
        IO::{GetOverlappedResult, OVERLAPPED},
        Threading::CreateEventW,
    },
};

use super::{
    error::{OsError, OsResult},
    fd::{AsFd, BorrowedFd, OwnedFd},
    process::is_ending,
    socket::{self, Blocking},
    socket_options::socket_linger,
};

/// The number of buffers that a call accepts. A call on a handle uses one of them.
pub(crate) const MAX_BUFFERS: usize = 1024;

/// Reads. Blocks if the descriptor is in blocking mode.
pub(crate) fn read(descriptor: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> OsResult<usize> {
    read_during(descriptor, buffers, |_, _| ())
}

/// As `read`. If the descriptor is a pipe, `begin` is called before the read with what it takes to
/// cancel that, and its result is dropped when the read has ended.
pub(super) fn read_during<D>(
    descriptor: BorrowedFd<'_>,
    buffers: &mut [IoSliceMut<'_>],
    begin: impl FnOnce(HANDLE, *const OVERLAPPED) -> D,
) -> OsResult<usize> {
    let BorrowedFd::Handle(handle) = descriptor else {
        return socket::receive_vectored(descriptor, buffers, Blocking::AsSet);
    };
    let empty = &mut IoSliceMut::new(&mut []);
    let buffer = buffers.iter_mut().find(|buffer| !buffer.is_empty()).unwrap_or(empty);
    if is_console(handle) {
        return Ok(io::stdin().lock().read(buffer)?);
    }
    let len = buffer.len().try_into().unwrap_or(u32::MAX);
    let result = transfer(handle, begin, |handle, count, overlapped| {
        // SAFETY: the buffer has `len` bytes, and stays in place until the operation has ended,
        // which `transfer` waits for.
        unsafe { ReadFile(handle, buffer.as_mut_ptr(), len, count, overlapped) }
    });
    match result {
        Err(OsError::BROKEN_PIPE) => Ok(0),
        result => result,
    }
}

/// Writes. Blocks if the descriptor is in blocking mode.
pub(crate) fn write(descriptor: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> OsResult<usize> {
    let BorrowedFd::Handle(handle) = descriptor else {
        return socket::send_vectored(descriptor, buffers, Blocking::AsSet);
    };
    let buffer = buffers.iter().find(|buffer| !buffer.is_empty()).map_or(&[][..], |buffer| &buffer[..]);
    // std's lock may be held for ever when the process ends.
    if is_console(handle) && !is_ending() {
        return Ok(write_to_console(buffer)?);
    }
    let len = buffer.len().try_into().unwrap_or(u32::MAX);
    transfer(
        handle,
        |_, _| (),
        |handle, count, overlapped| {
            // SAFETY: the buffer has `len` bytes, and stays in place until the operation has ended,
            // which `transfer` waits for.
            unsafe { WriteFile(handle, buffer.as_ptr(), len, count, overlapped) }
        },
    )
}

/// Writes. Windows can't wait until a handle is ready.
pub(crate) fn write_part(descriptor: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> OsResult<usize> {
    write(descriptor, buffers)
}

/// Makes a call on a handle, and waits until its operation has ended. The handle of a pipe may be
/// open for overlapped operations, as the parent's ends of a child's pipes are. Such a call needs
/// an event. Anything else is read and written at its own position.
fn transfer<D>(
    handle: BorrowedHandle<'_>,
    begin: impl FnOnce(HANDLE, *const OVERLAPPED) -> D,
    call: impl FnOnce(HANDLE, *mut u32, *mut OVERLAPPED) -> i32,
) -> OsResult<usize> {
    let handle = handle.as_raw_handle();
    let mut count = 0;
    // SAFETY: the call only asks about the handle.
    let result = if unsafe { GetFileType(handle) } == FILE_TYPE_PIPE {
        let event = event()?;
        // SAFETY: all zeros is a valid value of this structure of numbers and pointers.
        let mut overlapped: OVERLAPPED = unsafe { mem::zeroed() };
        overlapped.hEvent = event.as_raw_handle();
        let overlapped = &raw mut overlapped;
        let _during = begin(handle, overlapped);
        match check(call(handle, &raw mut count, overlapped)) {
            // SAFETY: the operation on this handle has begun with this structure, and has not been
            // waited for.
            Err(ERROR_IO_PENDING) => {
                check(unsafe { GetOverlappedResult(handle, overlapped, &raw mut count, TRUE) })
            }
            result => result,
        }
    } else {
        check(call(handle, &raw mut count, ptr::null_mut()))
    };
    match result {
        // A message that is larger than the buffer fills it; the rest is read by the next call.
        Ok(()) | Err(ERROR_HANDLE_EOF | ERROR_MORE_DATA) => Ok(count as usize),
        Err(error) => Err(OsError::from_code(error as i32)),
    }
}

/// Makes an event that stays set.
///
/// # Errors
/// The process has no handle left.
pub(super) fn event() -> OsResult<OwnedHandle> {
    // SAFETY: the call makes an event, and hands it to the caller.
    let event = unsafe { CreateEventW(ptr::null(), TRUE, 0, ptr::null()) };
    if event.is_null() {
        return Err(OsError::last());
    }
    // SAFETY: the event is new, and nothing else owns it.
    Ok(unsafe { OwnedHandle::from_raw_handle(event) })
}

/// The result of a call that has returned whether it is `done`.
fn check(done: i32) -> Result<(), u32> {
    // SAFETY: the call has no precondition.
    if done != 0 { Ok(()) } else { Err(unsafe { GetLastError() }) }
}

fn is_console(handle: BorrowedHandle<'_>) -> bool {
    // SAFETY: the call only asks about the handle, and writes to the variable.
    unsafe { GetConsoleMode(handle.as_raw_handle(), &mut 0) != 0 }
}

/// Writes to the console of the process, which takes UTF-16. std translates.
fn write_to_console(bytes: &[u8]) -> io::Result<usize> {
    let BorrowedFd::Handle(out) = stdout() else { return Ok(0) };
    if is_console(out) {
        let mut out = io::stdout().lock();
        let count = out.write(bytes)?;
        out.flush()?;
        return Ok(count);
    }
    io::stderr().lock().write(bytes)
}

/// Fails: Windows has no such call.
///
/// # Errors
/// `UNSUPPORTED`.
pub(crate) fn read_now(_: impl AsFd, _: &mut [IoSliceMut<'_>], _: Option<u64>) -> OsResult<usize> {
    Err(OsError::UNSUPPORTED)
}

/// Fails: Windows has no such call.
///
/// # Errors
/// `UNSUPPORTED`.
pub(crate) fn write_now(_: impl AsFd, _: &[IoSlice<'_>], _: Option<u64>) -> OsResult<usize> {
    Err(OsError::UNSUPPORTED)
}

/// Returns whether the user wants the descriptor in non-blocking mode (see `fd`).
pub(crate) fn nonblocking_mode(descriptor: impl AsFd) -> OsResult<bool> {
    Ok(is_nonblocking(descriptor))
}

/// As `nonblocking_mode`.
pub(crate) fn is_nonblocking(descriptor: impl AsFd) -> bool {
    descriptor.as_fd().is_nonblocking()
}

/// Records the mode that the user wants. The system's mode does not change.
pub(crate) fn set_nonblocking(descriptor: impl AsFd, nonblocking: bool) -> OsResult<()> {
    descriptor.as_fd().set_nonblocking(nonblocking);
    Ok(())
}

/// Puts a descriptor into non-blocking mode. The user may have changed the system's mode.
pub(crate) fn ensure_nonblocking(descriptor: impl AsFd) -> OsResult<()> {
    let descriptor = descriptor.as_fd();
    descriptor.set_nonblocking(true);
    match descriptor {
        BorrowedFd::Socket(_) => socket::set_system_nonblocking(descriptor, true),
        BorrowedFd::Handle(_) => Ok(()),
    }
}

/// Returns whether a read returns as soon as there is data.
pub(crate) fn waits_until_readable(_: BorrowedFd<'_>) -> bool {
    true
}

/// Returns another descriptor for the same open file, which no child process inherits.
///
/// # Errors
/// An error if the process has no handle left.
pub(crate) fn duplicate(descriptor: BorrowedFd<'_>) -> OsResult<OwnedFd> {
    Ok(descriptor.try_clone_to_owned()?)
}

/// Returns whether closing the descriptor may wait without limit: a socket with `SO_LINGER`. In
/// non-blocking mode the system would refuse to close it, so it is put into blocking mode.
pub(crate) fn close_may_wait(descriptor: &OwnedFd) -> bool {
    let lingers = socket_linger(descriptor);
    let lingers = lingers.is_ok_and(|linger| linger.is_some_and(|linger| !linger.is_zero()));
    // Clones keep the socket open, and need its mode.
    lingers && !descriptor.is_shared() && socket::set_system_nonblocking(descriptor, false).is_ok()
}

/// Returns the standard input.
pub(crate) fn stdin() -> BorrowedFd<'static> {
    standard(STD_INPUT_HANDLE)
}

/// Returns the standard output.
pub(crate) fn stdout() -> BorrowedFd<'static> {
    standard(STD_OUTPUT_HANDLE)
}

/// Returns the standard error.
pub(crate) fn stderr() -> BorrowedFd<'static> {
    standard(STD_ERROR_HANDLE)
}

fn standard(which: STD_HANDLE) -> BorrowedFd<'static> {
    // SAFETY: the call only looks the handle up.
    let handle = unsafe { GetStdHandle(which) };
    // `INVALID_HANDLE_VALUE` is also the number of the process itself.
    let handle = if handle == INVALID_HANDLE_VALUE { ptr::null_mut() } else { handle };
    // SAFETY: the standard handles stay open. A process without the stream has a null handle, with
    // which all calls fail.
    BorrowedFd::Handle(unsafe { BorrowedHandle::borrow_raw(handle) })
}
