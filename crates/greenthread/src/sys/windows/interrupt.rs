//! Calls that wait, and that another OS thread can interrupt: reads of pipes, and waiting for a
//! child.
//!
//! Windows does not tell when a pipe has data, or only to a completion port, to which the parent's
//! ends of a child's pipes could belong, and no other pipes. So an OS thread makes the plain call,
//! and another one ends it. libuv ends its reads of pipes so, too. Waiting for a child would need
//! no OS thread by `RegisterWaitForSingleObject`; it goes the way that is there.
//!
//! Invariants:
//! 1. While `current` has a call, its OS thread makes that call, its handles are open, and its
//!    `OVERLAPPED` is alive. `current` changes under the lock only, so whoever holds the lock may
//!    use what it names.

use std::{
    io::{self, IoSliceMut},
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
    process::{Child, ExitStatus},
    sync::{Mutex, MutexGuard, PoisonError},
};

use windows_sys::Win32::{
    Foundation::{FALSE, HANDLE, WAIT_OBJECT_0},
    System::{
        IO::{CancelIoEx, CancelSynchronousIo, OVERLAPPED},
        Threading::{CreateEventW, INFINITE, OpenThread, SetEvent, THREAD_TERMINATE, WaitForMultipleObjects},
    },
};

use super::{
    error::{OsError, OsResult},
    fd::BorrowedFd,
    io::{event, read_during},
    thread::{self, ThreadId},
};

/// Calls of one OS thread, one at a time, which others can interrupt.
#[derive(Debug)]
pub(crate) struct Interruptible {
    current: Mutex<Option<Call>>,
}

/// The call that is being made.
#[derive(Debug)]
enum Call {
    Read {
        thread: ThreadId,
        file: HANDLE,
        overlapped: *const OVERLAPPED,
    },
    /// A wait that this event ends as well.
    Wait(HANDLE),
}

// SAFETY: what the pointers stand for may be used by any thread as long as the call is `current`
// (invariant 1).
unsafe impl Send for Call {}

impl Interruptible {
    pub(crate) const POSSIBLE: bool = true;

    pub(crate) fn new() -> Self {
        Self { current: Mutex::new(None) }
    }

    /// Interrupts the call that is being made. A read that is just about to begin is missed.
    pub(crate) fn interrupt(&self) {
        match &*self.lock() {
            None => {}
            // SAFETY: the event is open (invariant 1).
            Some(Call::Wait(event)) => _ = unsafe { SetEvent(*event) },
            Some(Call::Read { thread, file, overlapped }) => {
                // SAFETY: the handle is open, the structure alive (invariant 1). If the system does
                // not use it, there is nothing to cancel.
                unsafe { CancelIoEx(*file, *overlapped) };
                // SAFETY: the thread runs (invariant 1), so no other has its ID.
                let handle = unsafe { OpenThread(THREAD_TERMINATE, FALSE, *thread) };
                if !handle.is_null() {
                    // SAFETY: the handle is new, and nothing else owns it.
                    let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
                    // If the file is not open for overlapped operations, the thread waits in the
                    // call. SAFETY: the call needs an open handle.
                    unsafe { CancelSynchronousIo(handle.as_raw_handle()) };
                }
            }
        }
    }

    /// Reads as `io::read` does. A read of a pipe can be interrupted.
    pub(crate) fn read(&self, descriptor: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> OsResult<usize> {
        read_during(descriptor, buffers, |file, overlapped| {
            self.begin(Call::Read { thread: thread::id(), file, overlapped })
        })
    }

    /// Waits until a child has ended.
    pub(crate) fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let Ok(event) = event() else { return child.wait() };
        let handles = [child.as_raw_handle(), event.as_raw_handle()];
        let during = self.begin(Call::Wait(event.as_raw_handle()));
        // SAFETY: both handles are open, and the array has two.
        let which = unsafe { WaitForMultipleObjects(2, handles.as_ptr(), FALSE, INFINITE) };
        let result = match which.wrapping_sub(WAIT_OBJECT_0) {
            0 => Ok(()),
            1 => Err(OsError::CANCELED.into()),
            _ => Err(io::Error::last_os_error()),
        };
        drop(during);
        result.and_then(|()| child.wait())
    }

    /// Makes the call known until the result is dropped, which happens before anything that the
    /// call names ends (invariant 1).
    fn begin(&self, call: Call) -> During<'_> {
        *self.lock() = Some(call);
        During(self)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Call>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call is being made.
struct During<'a>(&'a Interruptible);

impl Drop for During<'_> {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}
