//! A library for `LD_PRELOAD`, with which all threads of a program but its first are green.
//!
//! `pthread_create` makes a green thread with thread-locals of its own, on a runtime with one
//! worker, and the C library's blocking calls park it. The program is not changed: that of a
//! crate's tests runs its tests on such threads, and what these spawn are siblings on the same
//! worker.
//!
//! The library brings a std of its own. The threads of that one, workers above all, stay OS
//! threads.
//!
//! Invariants:
//! 1. A thread's handle is an odd number, which no address of a pthread's record is.

use std::{
    collections::BTreeMap,
    env,
    ffi::{CStr, c_int, c_void},
    fs,
    mem::{MaybeUninit, transmute},
    sync::{
        LazyLock, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use greenthread::{
    Runtime,
    thread::{Builder, JoinHandle},
};
use libc::{pthread_attr_t, pthread_t};

greenthread_foreign::__install! {}

/// How many threads there were.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// The threads that have been neither joined nor detached.
static THREADS: Mutex<BTreeMap<pthread_t, JoinHandle<usize>>> = Mutex::new(BTreeMap::new());

/// Where the number of threads is written to at the end of the program.
static REPORT: OnceLock<String> = OnceLock::new();

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    // SAFETY: the function may run at the end of the program.
    unsafe { libc::atexit(report) };
    Runtime::builder().workers(1).build().expect("a runtime")
});

/// The system calls this before `main`.
#[used]
#[unsafe(link_section = ".init_array")]
static BEGIN: extern "C" fn() = begin;

extern "C" fn begin() {
    if let Ok(path) = env::var("SUITES_REPORT") {
        _ = REPORT.set(path);
    }
    // Children are programs as they are.
    // SAFETY: there is one thread yet.
    unsafe {
        env::remove_var("LD_PRELOAD");
        env::remove_var("SUITES_REPORT");
    }
}

extern "C" fn report() {
    if let Some(path) = REPORT.get() {
        _ = fs::write(path, COUNT.load(Relaxed).to_string());
    }
}

unsafe extern "C" {
    fn pthread_attr_getdetachstate(attributes: *const pthread_attr_t, state: *mut c_int) -> c_int;
}

type Body = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

/// The next definition of a function, which is the C library's.
fn next(name: &CStr) -> *mut c_void {
    // SAFETY: the name ends with a zero.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    assert!(!found.is_null(), "the C library has no {name:?}");
    found
}

/// The module that an address is in.
fn module(address: usize) -> usize {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: the call writes to `info`, for which zero is valid.
    unsafe {
        libc::dladdr(address as *const c_void, info.as_mut_ptr());
        info.assume_init().dli_fbase.addr()
    }
}

/// Makes a green thread. Those of this library itself are OS threads.
///
/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_create(
    thread: *mut pthread_t,
    attributes: *const pthread_attr_t,
    body: Body,
    argument: *mut c_void,
) -> c_int {
    if module(body as usize) == module(next as fn(_) -> _ as usize) {
        type Function =
            unsafe extern "C" fn(*mut pthread_t, *const pthread_attr_t, Body, *mut c_void) -> c_int;
        // SAFETY: the function has this type, and the caller vouches for the arguments.
        return unsafe {
            transmute::<*mut c_void, Function>(next(c"pthread_create"))(thread, attributes, body, argument)
        };
    }
    let (mut stack, mut state) = (8 << 20, libc::PTHREAD_CREATE_JOINABLE);
    if !attributes.is_null() {
        // SAFETY: the caller vouches for the attributes.
        unsafe {
            libc::pthread_attr_getstacksize(attributes, &raw mut stack);
            pthread_attr_getdetachstate(attributes, &raw mut state);
        }
    }
    let argument = argument.expose_provenance();
    let handle = 2 * COUNT.fetch_add(1, Relaxed) + 1;
    let spawn = move || {
        // SAFETY: the caller vouches for the function and its argument.
        let call = move || unsafe { body(argument as *mut c_void) }.expose_provenance();
        Builder::new().own_tls(true).stack_size(stack).spawn(call)
    };
    let green = if greenthread::thread::is_green() { spawn() } else { RUNTIME.run(spawn) };
    match green {
        Ok(green) => {
            // SAFETY: the caller vouches for the pointer.
            unsafe { thread.write(handle) };
            if state == libc::PTHREAD_CREATE_JOINABLE {
                THREADS.lock().unwrap().insert(handle, green);
            }
            0
        }
        Err(error) => {
            eprintln!("{error}");
            libc::EAGAIN
        }
    }
}

/// Waits for a thread.
///
/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_join(thread: pthread_t, result: *mut *mut c_void) -> c_int {
    if thread.is_multiple_of(2) {
        // SAFETY: the caller vouches for the arguments.
        return unsafe { greenthread_foreign::install::pthread_join(thread, result) };
    }
    let Some(green) = THREADS.lock().unwrap().remove(&thread) else { return libc::ESRCH };
    let value = green.join().expect("a function of C returns");
    if !result.is_null() {
        // SAFETY: the caller vouches for the pointer.
        unsafe { result.write(std::ptr::with_exposed_provenance_mut(value)) };
    }
    0
}

/// Lets a thread go on alone.
///
/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_detach(thread: pthread_t) -> c_int {
    if thread.is_multiple_of(2) {
        // SAFETY: the function has this type, and the caller vouches for the thread.
        return unsafe {
            transmute::<*mut c_void, unsafe extern "C" fn(pthread_t) -> c_int>(next(c"pthread_detach"))(
                thread,
            )
        };
    }
    if THREADS.lock().unwrap().remove(&thread).is_some() { 0 } else { libc::ESRCH }
}
