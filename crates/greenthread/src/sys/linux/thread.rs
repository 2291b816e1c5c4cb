//! OS threads for workers, by pthreads.
//!
//! Not `std::thread`: a thread that std spawns inherits the spawning test's captured output, so
//! what the green threads of one test print would land in another test's buffer. (std gives every
//! thread of its own an alternate signal stack; here the worker brings one, see `signal`.)
//!
//! Invariants:
//! 1. The pointer handed to `pthread_create` is a leaked `Box<Main>`; `start` alone takes it back,
//!    or the creator if the call failed.
//! 2. A handle is joined or detached exactly once.
//! 3. `Attributes` are initialised from `new` to `drop`.

use std::{ffi::CString, fs, io, mem, ptr};

use super::memory::page_size;

type Main = Box<dyn FnOnce() + Send>;

/// The kernel's number of an OS thread.
pub(crate) type ThreadId = rustix::thread::Pid;

/// That of the calling one.
pub(crate) fn id() -> ThreadId {
    rustix::thread::gettid()
}

/// Whether an OS thread of this process is blocked in the kernel; `false` if that isn't known.
pub(crate) fn is_blocked(thread: ThreadId) -> bool {
    let path = format!("/proc/self/task/{}/stat", thread.as_raw_nonzero());
    // Its state comes after its name, which is in parentheses and may contain some.
    let stat = fs::read(path).unwrap_or_default();
    let name_end = stat.iter().rposition(|byte| *byte == b')').unwrap_or(stat.len());
    matches!(stat.get(name_end..), Some([b')', b' ', b'S' | b'D', ..]))
}

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
        Self::start(name, &Attributes::new(), main)
    }

    /// The same, with a stack of so many bytes or a little more.
    pub(crate) fn spawn_with_stack(name: &str, size: usize, main: Main) -> io::Result<Self> {
        let mut attributes = Attributes::new();
        attributes.set_stack_size(size);
        Self::start(name, &attributes, main)
    }

    fn start(name: &str, attributes: &Attributes, main: Main) -> io::Result<Self> {
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
        // SAFETY: `start` takes over `main` (invariant 1), and the attributes are initialised
        // (invariant 3).
        let error =
            unsafe { libc::pthread_create(handle.as_mut_ptr(), &raw const attributes.0, start, main.cast()) };
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

/// What a thread is made with.
struct Attributes(libc::pthread_attr_t);

impl Attributes {
    fn new() -> Self {
        let mut attributes = mem::MaybeUninit::uninit();
        // SAFETY: it initialises what it is given; on Linux it can't fail (invariant 3).
        unsafe {
            libc::pthread_attr_init(attributes.as_mut_ptr());
            Self(attributes.assume_init())
        }
    }

    fn set_stack_size(&mut self, size: usize) {
        let size = size.max(libc::PTHREAD_STACK_MIN);
        let size = size.checked_next_multiple_of(page_size()).unwrap_or(size);
        // SAFETY: initialised (invariant 3). A size that the system doesn't take leaves the
        // default.
        unsafe { libc::pthread_attr_setstacksize(&raw mut self.0, size) };
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised, and not used again (invariant 3).
        unsafe { libc::pthread_attr_destroy(&raw mut self.0) };
    }
}

impl Drop for OsThread {
    fn drop(&mut self) {
        // SAFETY: neither joined nor detached before (invariant 2).
        unsafe { libc::pthread_detach(self.0) };
    }
}
