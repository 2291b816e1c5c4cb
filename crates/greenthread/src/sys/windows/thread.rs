//! OS threads for workers, made with `CreateThread`.
//!
//! `std::thread` was rejected for the reason that the port to Linux gives: its threads inherit the
//! captured output of a test.
//!
//! Invariants:
//! 1. The pointer that is passed to `CreateThread` is a leaked `Box<(Vec<u16>, Main)>`. Only
//!    `start` takes it back, or the creator if the call failed.

use core::{ffi::c_void, ptr};
use std::{
    io,
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
};

use windows_sys::{
    Win32::{
        Foundation::HANDLE,
        System::{
            LibraryLoader::{GetModuleHandleW, GetProcAddress},
            Threading::{
                CreateThread, GetCurrentThread, GetCurrentThreadId, INFINITE,
                STACK_SIZE_PARAM_IS_A_RESERVATION, WaitForSingleObject,
            },
        },
    },
    core::{HRESULT, PCWSTR, s, w},
};

type Main = Box<dyn FnOnce() + Send>;

/// The system's ID of an OS thread.
pub(crate) type ThreadId = u32;

/// Returns the ID of the calling OS thread.
pub(crate) fn id() -> ThreadId {
    // SAFETY: the call has no precondition.
    unsafe { GetCurrentThreadId() }
}

/// Returns `false`: Windows does not say whether an OS thread waits in the kernel.
pub(crate) fn is_blocked(_: ThreadId) -> bool {
    false
}

/// A handle to an OS thread. Dropping it detaches the thread.
#[derive(Debug)]
pub(crate) struct OsThread(OwnedHandle);

impl OsThread {
    /// Runs `main` on a new OS thread. A panic in it aborts the process.
    pub(crate) fn spawn(name: &str, main: Main) -> io::Result<Self> {
        Self::spawn_with_stack(name, DEFAULT_STACK, main)
    }

    /// As `spawn`, with a stack of at least `size` bytes.
    pub(crate) fn spawn_with_stack(name: &str, size: usize, main: Main) -> io::Result<Self> {
        /// Runs what the creator has passed. It is an `extern` function, so a panic ends the
        /// process.
        unsafe extern "system" fn start(main: *mut c_void) -> u32 {
            // SAFETY: the pointer is the leaked box, and only this function takes it back
            // (invariant 1).
            let (name, main) = *unsafe { Box::from_raw(main.cast::<(Vec<u16>, Main)>()) };
            set_name(&name);
            drop(name);
            main();
            0
        }
        let name = name.encode_utf16().filter(|unit| *unit != 0).chain([0]).collect::<Vec<u16>>();
        let main = Box::into_raw(Box::new((name, main)));
        // SAFETY: `start` takes over `main` (invariant 1).
        let handle = unsafe {
            CreateThread(
                ptr::null(),
                size,
                Some(start),
                main.cast(),
                STACK_SIZE_PARAM_IS_A_RESERVATION,
                ptr::null_mut(),
            )
        };
        if handle.is_null() {
            let error = io::Error::last_os_error();
            // SAFETY: no thread was made, so this function still owns the box (invariant 1).
            drop(unsafe { Box::from_raw(main) });
            return Err(error);
        }
        // SAFETY: the call has made the handle, and nothing else owns it.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    /// Waits until the thread has ended.
    pub(crate) fn join(self) {
        // SAFETY: the handle is open.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), INFINITE) };
    }
}

/// Bytes of address space for the stack of an OS thread, as std gives its threads. Windows's own
/// default depends on the program.
const DEFAULT_STACK: usize = 2 << 20;

/// Names the calling OS thread. Windows 10 before 1607 has no such call.
fn set_name(name: &[u16]) {
    type SetThreadDescription = unsafe extern "system" fn(HANDLE, PCWSTR) -> HRESULT;
    // SAFETY: the module is always loaded, the function has this type, and the name ends with 0.
    unsafe {
        let module = GetModuleHandleW(w!("kernel32.dll"));
        if let Some(found) = GetProcAddress(module, s!("SetThreadDescription")) {
            let set =
                core::mem::transmute::<unsafe extern "system" fn() -> isize, SetThreadDescription>(found);
            set(GetCurrentThread(), name.as_ptr());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_thread_runs_and_is_joined() {
        let (sender, receiver) = mpsc::channel();
        let thread =
            OsThread::spawn_with_stack("a name", 1 << 20, Box::new(move || sender.send(id()).unwrap()));
        thread.unwrap().join();
        assert_ne!(receiver.try_recv().unwrap(), id());
    }
}
