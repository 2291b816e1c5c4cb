//! OS threads for workers, by pthreads.
//!
//! Not `std::thread`: a thread that std spawns inherits the spawning test's captured output, so what the
//! green threads of one test print would land in another test's buffer. (std gives every thread of its own an
//! alternate signal stack; here the worker brings one, see `signal`.)
//!
//! Invariants:
//! 1. The pointer handed to `pthread_create` is a leaked `Box<Main>`; `start` alone takes it back, or the
//!    creator if the call failed.
//! 2. A handle is joined or detached exactly once.

use std::{ffi::CString, io, mem, ptr};

type Main = Box<dyn FnOnce() + Send>;

/// An OS thread; detached when dropped.
#[derive(Debug)]
pub(crate) struct OsThread(libc::pthread_t);

// SAFETY: a pthread handle may be used from any thread.
unsafe impl Send for OsThread {}
// SAFETY: as above; only `join` and `drop` use it, and they own it.
unsafe impl Sync for OsThread {}

impl OsThread {
    /// Runs `main` on a new OS thread. A panic in it aborts the process.
    pub(crate) fn spawn(name: &str, main: Main) -> io::Result<Self> {
        extern "C" fn start(main: *mut libc::c_void) -> *mut libc::c_void {
            // SAFETY: invariant 1.
            let (name, main) = *unsafe { Box::from_raw(main.cast::<(CString, Main)>()) };
            // The kernel keeps 15 bytes of it.
            let _ = rustix::thread::set_name(&name);
            drop(name);
            main();
            ptr::null_mut()
        }
        let name =
            CString::new(name.bytes().filter(|b| *b != 0).take(15).collect::<Vec<_>>()).unwrap_or_default();
        let main = Box::into_raw(Box::new((name, main)));
        let mut handle = mem::MaybeUninit::uninit();
        // SAFETY: `start` takes over `main` (invariant 1).
        let error = unsafe { libc::pthread_create(handle.as_mut_ptr(), ptr::null(), start, main.cast()) };
        if error != 0 {
            // SAFETY: no thread was made, so it is still ours (invariant 1).
            drop(unsafe { Box::from_raw(main) });
            return Err(io::Error::from_raw_os_error(error));
        }
        // SAFETY: filled by the successful call.
        Ok(Self(unsafe { handle.assume_init() }))
    }

    /// Waits until it has ended.
    pub(crate) fn join(self) {
        // SAFETY: ours, and forgotten after (invariant 2).
        unsafe { libc::pthread_join(self.0, ptr::null_mut()) };
        mem::forget(self);
    }
}

impl Drop for OsThread {
    fn drop(&mut self) {
        // SAFETY: neither joined nor detached before (invariant 2).
        unsafe { libc::pthread_detach(self.0) };
    }
}
