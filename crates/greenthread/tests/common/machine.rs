//! What a machine may lack. This is the one list of tests that cannot hold everywhere: each such
//! test names what it needs, and the reasons are below.

#![allow(dead_code, reason = "each test program uses its own part of it")]

use std::{
    ffi::{CStr, c_void},
    fs,
    io::{self, Write},
    process::Command,
    thread,
};

/// What a test needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// Filters on system calls. Emulators of a processor don't have them, nor do other systems than
    /// Linux.
    Filters,
    /// The memory, the addresses and their limits are this program's own. In an emulator they are
    /// the emulator's, and it sets no limit to the addresses.
    OwnMemory,
    /// A forked child can start OS threads. In qemu 7.2 the child dies of it if its parent had
    /// several; in qemu 11.1 it does not.
    ThreadsAfterFork,
    /// A program that can't be started is an error of the call that should start it. For qemu a
    /// `vfork` is a `fork`, so that the C library is not told.
    StartErrors,
    /// A program that aborts says nothing. qemu tells of it, and waits for its standard error.
    QuietAborts,
    /// The C library's heap can be made to give memory back. musl's can't.
    HeapTrim,
    /// The exit of the process runs destructors of std's thread-locals. With musl it doesn't.
    DestructorsAtExit,
    /// A child that was forked while another OS thread unwound can unwind. On x86 with 32 bits
    /// glibc itself has the lookup of unwind tables, with a lock that a fork leaves locked.
    UnwindingAfterFork,
    /// A program is told of its own end, also by `std::process::exit`. Wine tells only libraries.
    CallsAtExit,
    /// std's `File::unlock` unlocks once. Wine says of the second lock that it is not there by
    /// another error than Windows.
    Unlocking,
    /// The system says how much of a file it has copied. Wine does not.
    CopyLength,
    /// Green threads can have thread-locals of their own, which takes glibc on x86-64 or AArch64,
    /// and no sanitizer.
    OwnTls,
}

impl Need {
    fn is_met(self) -> bool {
        match self {
            Need::Filters => has_filters(),
            Need::OwnMemory | Need::QuietAborts => !is_emulated(),
            Need::ThreadsAfterFork => !is_emulated() || (0..3).all(|_| has_threads_after_fork()),
            Need::StartErrors => Command::new("greenthread-no-such-program").spawn().is_err(),
            Need::HeapTrim => symbol(c"malloc_trim").is_some(),
            Need::DestructorsAtExit => symbol(c"__cxa_thread_atexit_impl").is_some(),
            Need::CallsAtExit | Need::Unlocking | Need::CopyLength => !is_wine(),
            Need::OwnTls => has_own_tls(),
            Need::UnwindingAfterFork => !symbol(c"_Unwind_Find_FDE").is_some_and(is_c_library),
        }
    }
}

/// Whether the machine lacks one of these. Then the test says so, and returns.
pub(crate) fn lacks(needs: &[Need]) -> bool {
    let missing = needs.iter().find(|need| !need.is_met());
    if let Some(need) = missing {
        // `cargo xtask cross` counts these lines. The harness would keep a macro's back.
        let test = thread::current();
        let test = test.name().unwrap_or("a test");
        _ = io::stderr().write_all(format!("not tested here: {test}, for lack of {need:?}\n").as_bytes());
    }
    missing.is_some()
}

/// Whether an emulator of a processor runs this program.
fn is_emulated() -> bool {
    // Emulators hide themselves behind the second of these names only.
    let exe = |path| fs::read_link(path).ok();
    exe("/proc/thread-self/exe").is_some_and(|real| exe("/proc/self/exe") != Some(real))
}

#[cfg(unix)]
fn has_threads_after_fork() -> bool {
    let forks = || {
        // qemu numbers the threads. It fails if the number of the child's new thread, which follows
        // that of the thread that has forked, was another's in the parent.
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let other = thread::spawn(move || ended.recv().is_ok());
        // SAFETY: the child only starts a thread and waits for it. Emulators allow that, or they
        // end the child.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: nothing is written to these before the end of the process. qemu would.
            unsafe { (libc::close(1), libc::close(2)) };
            let has_run = thread::Builder::new().spawn(|| ()).is_ok_and(|it| it.join().is_ok());
            // SAFETY: the call only ends the process.
            unsafe { libc::_exit(i32::from(!has_run)) };
        }
        let mut status = -1;
        // SAFETY: the call writes to `status`.
        unsafe { libc::waitpid(child, &raw mut status, 0) };
        drop(end);
        !other.join().expect("the thread does not panic") && status == 0
    };
    thread::spawn(forks).join().expect("the thread does not panic")
}

#[cfg(windows)]
fn has_threads_after_fork() -> bool {
    false
}

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(greenthread_asan),
    not(greenthread_tsan)
))]
fn has_own_tls() -> bool {
    // The bit says that programs may set the register, which they always may on AArch64.
    // SAFETY: the call reads a table of the process.
    let has_instructions =
        cfg!(target_arch = "aarch64") || unsafe { libc::getauxval(libc::AT_HWCAP2) } & 2 != 0;
    has_instructions && symbol(c"_dl_allocate_tls").is_some()
}

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(greenthread_asan),
    not(greenthread_tsan)
)))]
fn has_own_tls() -> bool {
    false
}

#[cfg(target_os = "linux")]
fn has_filters() -> bool {
    // SAFETY: the call returns a number, and touches no memory.
    unsafe { libc::prctl(libc::PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 }
}

#[cfg(not(target_os = "linux"))]
fn has_filters() -> bool {
    false
}

#[cfg(unix)]
fn is_wine() -> bool {
    false
}

#[cfg(windows)]
fn is_wine() -> bool {
    use windows_sys::{
        Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress},
        core::{s, w},
    };

    // SAFETY: the library is always loaded, and the names end with 0.
    unsafe { GetProcAddress(GetModuleHandleW(w!("ntdll.dll")), s!("wine_get_version")).is_some() }
}

/// The address of a function or variable of a shared library.
#[cfg(unix)]
fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the name has a terminating zero.
    Some(unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }).filter(|symbol| !symbol.is_null())
}

/// Windows has none of the C library's functions that are asked for here.
#[cfg(windows)]
fn symbol(_: &CStr) -> Option<*mut c_void> {
    None
}

#[cfg(windows)]
fn is_c_library(_: *mut c_void) -> bool {
    false
}

#[cfg(unix)]
fn is_c_library(symbol: *mut c_void) -> bool {
    let mut found = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    // SAFETY: the call fills `found`, and its names stay as long as the library is loaded.
    unsafe {
        libc::dladdr(symbol, &mut found) != 0
            && !found.dli_fname.is_null()
            && CStr::from_ptr(found.dli_fname).to_string_lossy().contains("/libc.so")
    }
}
