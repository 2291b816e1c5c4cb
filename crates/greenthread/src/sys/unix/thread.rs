//! OS threads for workers, made with pthreads.
//!
//! `std::thread` was rejected. A thread that std spawns inherits the captured output of the test
//! that spawns it, so the green threads of one test would print into the buffer of another. (std
//! gives each of its threads an alternate signal stack. Here the worker makes its own, see
//! `signal`.)
//!
//! Invariants:
//! 1. The pointer that is passed to `pthread_create` is a leaked `Box<(CString, Main)>`. Only
//!    `start` takes it back, or the creator if the call failed.
//! 2. Each handle is joined or detached exactly once.
//! 3. `Attributes` are initialised from `new` to `drop`.

use std::{ffi::CString, io, mem, ptr};

use super::super::port::{
    memory::page_size,
    quirks::{NAME_LEN, set_thread_name},
};

type Main = Box<dyn FnOnce() + Send>;

/// A handle to an OS thread. Dropping it detaches the thread.
#[derive(Debug)]
pub(crate) struct OsThread(libc::pthread_t);

// SAFETY: a pthread handle may be used from any thread.
unsafe impl Send for OsThread {}
// SAFETY: a shared reference to a handle allows no operation: only `join` and `drop` use it, and
// both own it.
unsafe impl Sync for OsThread {}

impl OsThread {
    /// Runs `main` on a new OS thread. A panic in it aborts the process.
    pub(crate) fn spawn(name: &str, main: Main) -> io::Result<Self> {
        Self::start(name, &Attributes::new(), main)
    }

    /// As `spawn`, with a stack of at least `size` bytes, rounded up to whole pages.
    pub(crate) fn spawn_with_stack(name: &str, size: usize, main: Main) -> io::Result<Self> {
        let mut attributes = Attributes::new();
        attributes.set_stack_size(size);
        Self::start(name, &attributes, main)
    }

    fn start(name: &str, attributes: &Attributes, main: Main) -> io::Result<Self> {
        extern "C" fn start(main: *mut libc::c_void) -> *mut libc::c_void {
            // SAFETY: the pointer is the leaked box, and only this function takes it back
            // (invariant 1).
            let (name, main) = *unsafe { Box::from_raw(main.cast::<(CString, Main)>()) };
            set_thread_name(&name);
            drop(name);
            main();
            ptr::null_mut()
        }
        let name = CString::new(name.bytes().filter(|b| *b != 0).take(NAME_LEN).collect::<Vec<_>>())
            .unwrap_or_default();
        let main = Box::into_raw(Box::new((name, main)));
        let mut handle = mem::MaybeUninit::uninit();
        // SAFETY: `start` takes over `main` (invariant 1), and the attributes are initialised
        // (invariant 3).
        let error =
            unsafe { libc::pthread_create(handle.as_mut_ptr(), &raw const attributes.0, start, main.cast()) };
        if error != 0 {
            // SAFETY: no thread was made, so this function still owns the box (invariant 1).
            drop(unsafe { Box::from_raw(main) });
            return Err(io::Error::from_raw_os_error(error));
        }
        // SAFETY: the call succeeded, so it has filled the handle.
        Ok(Self(unsafe { handle.assume_init() }))
    }

    /// Waits until the thread has ended.
    pub(crate) fn join(self) {
        // SAFETY: the handle is owned, and is forgotten after the call (invariant 2).
        unsafe { libc::pthread_join(self.0, ptr::null_mut()) };
        mem::forget(self);
    }
}

/// The attributes with which a thread is made.
struct Attributes(libc::pthread_attr_t);

impl Attributes {
    fn new() -> Self {
        let mut attributes = mem::MaybeUninit::uninit();
        // SAFETY: the call initialises the attributes; it fails only without memory, of which it
        // needs none (invariant 3).
        unsafe {
            libc::pthread_attr_init(attributes.as_mut_ptr());
            Self(attributes.assume_init())
        }
    }

    fn set_stack_size(&mut self, size: usize) {
        let size = size.max(libc::PTHREAD_STACK_MIN);
        let size = size.checked_next_multiple_of(page_size()).unwrap_or(size);
        // SAFETY: the attributes are initialised (invariant 3). If the system refuses the size, the
        // default stays.
        unsafe { libc::pthread_attr_setstacksize(&raw mut self.0, size) };
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: the attributes are initialised, and are not used again (invariant 3).
        unsafe { libc::pthread_attr_destroy(&raw mut self.0) };
    }
}

impl Drop for OsThread {
    fn drop(&mut self) {
        // SAFETY: the handle was neither joined nor detached before (invariant 2).
        unsafe { libc::pthread_detach(self.0) };
    }
}
