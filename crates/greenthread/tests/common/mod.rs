//! Helpers that the tests share.

#![allow(dead_code, reason = "each test program uses its own part of it")]

use std::{
    env,
    process::{Child, Command, Output, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

use greenthread::Runtime;

pub(crate) mod dir;
#[cfg(target_os = "linux")]
pub(crate) mod filter;
pub(crate) mod machine;
pub(crate) mod sockets;
pub(crate) mod system;
pub(crate) mod world;

/// The numbers of workers with which a test runs: the usual ones, or the one that
/// `GREENTHREAD_TEST_WORKERS` says.
pub(crate) fn worker_counts(usual: &[usize]) -> Vec<usize> {
    let given = env::var("GREENTHREAD_TEST_WORKERS").ok();
    given.map_or(usual.to_vec(), |given| vec![given.parse().expect("a number of workers")])
}

/// Runs `test` as a green thread on runtimes of 1, 2 and 8 workers.
pub(crate) fn everywhere(test: impl Fn() + Sync) {
    for workers in worker_counts(&[1, 2, 8]) {
        runtime(workers).run(&test);
    }
}

/// A runtime with this many workers.
pub(crate) fn runtime(workers: usize) -> Runtime {
    Runtime::builder().workers(workers).build().expect("a runtime")
}

/// How many times longer everything takes than usual. `cargo xtask valgrind` says so.
pub(crate) fn slowness() -> u32 {
    env::var("GREENTHREAD_TEST_SLOWNESS").map_or(1, |number| number.parse().expect("a number"))
}

/// The time after which a child counts as hung. Its test fails, and the other tests go on.
const CHILD_LIMIT: Duration = Duration::from_secs(900);

/// The name of the test that runs on this OS thread, with its module's path. The harness gives the
/// thread this name.
pub(crate) fn test_name() -> String {
    std::thread::current().name().expect("the thread of a test").to_owned()
}

/// A path in the system's directory for temporary files that no other process has. (A process's
/// number alone is not enough: it is given again, and a test that was killed leaves its files.)
pub(crate) fn scratch(name: &str) -> std::path::PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let (id, next) = (std::process::id(), NEXT.fetch_add(1, SeqCst));
    env::temp_dir().join(format!("greenthread-{name}-{id}-{since:x}-{next}"))
}

/// A command that runs this program with only the test that calls this. There `is_child` is true.
pub(crate) fn again() -> Command {
    let (mut command, name) = (Command::new(env::current_exe().expect("this program")), test_name());
    command.args(["--exact", &name, "--test-threads=1"]).env("GREENTHREAD_TEST_CHILD", name);
    command
}

/// In the parent: runs the test that calls this again, in a process of its own where `is_child` is
/// true.
pub(crate) fn child(set: impl FnOnce(&mut Command)) -> Output {
    let (mut command, name) = (again(), test_name());
    command.arg("--nocapture").env("RUST_BACKTRACE", "0").stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    set(&mut command);
    let child = command.spawn().expect("the child runs");
    let (kill, (ended, end)) = (killer(&child), mpsc::channel::<()>());
    let guard = std::thread::spawn(move || {
        let hangs = end.recv_timeout(CHILD_LIMIT * slowness()) == Err(RecvTimeoutError::Timeout);
        if hangs {
            kill();
        }
        hangs
    });
    let output = child.wait_with_output().expect("the child can be waited for");
    drop(ended);
    assert!(!guard.join().unwrap(), "`{name}` has hung:\n{}", text(&output));
    // With a name that no test has, the child would run nothing and succeed.
    assert!(!text(&output).contains("running 0 tests"), "there is no test `{name}`");
    output
}

/// What kills a child while another thread waits for it.
#[cfg(unix)]
fn killer(child: &Child) -> impl FnOnce() + Send + use<> {
    let id = child.id().cast_signed();
    // SAFETY: `kill` touches no memory.
    move || _ = unsafe { libc::kill(id, libc::SIGKILL) }
}

/// What kills a child while another thread waits for it.
#[cfg(windows)]
fn killer(child: &Child) -> impl FnOnce() + Send + use<> {
    use std::os::windows::io::{AsHandle, AsRawHandle};
    use windows_sys::Win32::System::Threading::TerminateProcess;

    let process = child.as_handle().try_clone_to_owned().expect("a handle");
    // SAFETY: the handle is open, and the call touches no memory.
    move || _ = unsafe { TerminateProcess(process.as_raw_handle(), 1) }
}

/// Whether this process was started by `again`, to run this test alone.
pub(crate) fn is_child() -> bool {
    env::var_os("GREENTHREAD_TEST_CHILD").is_some()
}

/// Whether a child has ended as by `abort`.
#[cfg(unix)]
pub(crate) fn was_aborted(output: &Output) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&output.status) == Some(libc::SIGABRT)
}

/// Whether a child has ended as by `abort`, which Windows calls `STATUS_STACK_BUFFER_OVERRUN`.
#[cfg(windows)]
pub(crate) fn was_aborted(output: &Output) -> bool {
    output.status.code() == Some(0xC000_0409_u32.cast_signed())
}

/// Whether a child has ended by a bad access to memory.
#[cfg(unix)]
pub(crate) fn was_faulted(output: &Output) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&output.status) == Some(libc::SIGSEGV)
}

/// Whether a child has ended by a bad access to memory: `STATUS_ACCESS_VIOLATION`.
#[cfg(windows)]
pub(crate) fn was_faulted(output: &Output) -> bool {
    output.status.code() == Some(0xC000_0005_u32.cast_signed())
}

/// The output of a child, of both streams.
pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A number from `/proc/self/status`, in the unit that it has there.
pub(crate) fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

/// Leaves the process `bytes` bytes of address space. Windows has no such limit.
#[cfg(unix)]
pub(crate) fn leave_addresses(bytes: u64) {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let limit = Rlimit { current: Some((status("VmSize") << 10) + bytes), maximum: None };
    setrlimit(Resource::As, limit).unwrap();
}

/// Makes the system refuse OS threads; `allow_os_threads` undoes it. The limit does not hold for
/// the superuser, so the process changes its user.
#[cfg(unix)]
pub(crate) fn forbid_os_threads() {
    // SAFETY: the call touches no memory.
    if unsafe { libc::geteuid() } == 0 {
        // If there is no other user (in some containers), the superuser is limited too.
        // SAFETY: the call touches no memory of this program. It changes the user of all its
        // threads.
        let _ = unsafe { libc::setuid(61_234) };
    }
    limit_os_threads(Some(1));
}

#[cfg(unix)]
pub(crate) fn allow_os_threads() {
    use rustix::process::{Resource, getrlimit};

    limit_os_threads(getrlimit(Resource::Nproc).maximum);
}

#[cfg(unix)]
fn limit_os_threads(current: Option<u64>) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let maximum = getrlimit(Resource::Nproc).maximum;
    setrlimit(Resource::Nproc, Rlimit { current, maximum }).expect("a lower limit, or the old one");
}

/// Makes standard error a pipe that is not read, and fills it except for a few bytes.
#[cfg(unix)]
pub(crate) fn fill_stderr() -> std::io::PipeReader {
    use std::{
        io::{self, Write},
        os::fd::AsRawFd,
    };

    let (reader, mut writer) = io::pipe().unwrap();
    // SAFETY: both descriptors are open, and nothing needs what the second one was before.
    unsafe {
        assert_eq!(libc::dup2(writer.as_raw_fd(), 2), 2);
    }
    let size = system::narrow(2);
    writer.write_all(&vec![b'.'; size - 6]).unwrap();
    reader
}

/// Makes standard error a pipe that is not read, and fills it except for a few bytes. A write
/// waits if it does not fit as a whole.
#[cfg(windows)]
pub(crate) fn fill_stderr() -> std::io::PipeReader {
    use std::{
        io::{self, Write},
        os::windows::io::IntoRawHandle,
    };
    use windows_sys::Win32::System::Console::{STD_ERROR_HANDLE, SetStdHandle};

    /// What the system gives a pipe if it isn't told otherwise.
    const SIZE: usize = 4096;
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(&vec![b'.'; SIZE - 6]).unwrap();
    // SAFETY: the handle is open, and nothing closes it.
    assert_ne!(unsafe { SetStdHandle(STD_ERROR_HANDLE, writer.into_raw_handle()) }, 0);
    reader
}

/// A small random number generator. A test prints its seed, and takes one from
/// `GREENTHREAD_TEST_SEED`.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// The next number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}
