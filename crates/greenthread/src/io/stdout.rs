//! The standard output and the standard error.

use std::{
    cell::{Cell, RefCell},
    fmt,
    io::{self, IoSlice, LineWriter, Write},
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
    panic::{RefUnwindSafe, UnwindSafe},
    process::Stdio,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use crate::{
    descriptor::plain::write_foreign,
    runtime::unblock,
    sync::{ReentrantLock, ReentrantLockGuard},
    sys::{self, error::OsError, process::at_exit},
    task::worker_core::{self, process_exits},
};

/// A descriptor itself.
#[derive(Clone, Copy, Debug)]
enum Raw {
    Out,
    Err,
}

impl Raw {
    fn descriptor(self) -> BorrowedFd<'static> {
        match self {
            Self::Out => sys::io::stdout(),
            Self::Err => sys::io::stderr(),
        }
    }
}

impl Write for Raw {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)])
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        match write_foreign(self.descriptor(), bufs) {
            // A process that was started without one has nobody to tell it to.
            Err(error) if OsError::of(&error) == Some(OsError::BAD_DESCRIPTOR) => {
                Ok(bufs.iter().map(|buf| buf.len()).sum())
            }
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Lines = ReentrantLock<RefCell<LineWriter<Raw>>>;

static STDOUT: LazyLock<Lines> = LazyLock::new(|| {
    at_exit(flush_at_exit);
    ReentrantLock::new(RefCell::new(LineWriter::new(Raw::Out)))
});

static STDERR: ReentrantLock<RefCell<Raw>> = ReentrantLock::new(RefCell::new(Raw::Err));

/// Writes what is in the buffer, and has no more of it: nobody would come again. If somebody is
/// just writing there, it is left to them.
extern "C" fn flush_at_exit() {
    // Nothing may switch any more, whoever says so first.
    process_exits();
    if let Some(guard) = STDOUT.try_lock()
        && let Ok(mut lines) = guard.try_borrow_mut()
    {
        let _ = lines.flush();
        *lines = LineWriter::with_capacity(0, Raw::Out);
    }
}

/// The standard output of the process: [`std::io::stdout`], for green threads.
///
/// # Examples
///
/// ```
/// use greenthread::io::{self, Write};
///
/// greenthread::run(|| writeln!(io::stdout(), "hello"))?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn stdout() -> Stdout {
    Stdout { shared: &STDOUT }
}

/// The standard error of the process: [`std::io::stderr`], for green threads.
///
/// # Examples
///
/// ```
/// use greenthread::io::{self, Write};
///
/// greenthread::run(|| writeln!(io::stderr(), "it does not work"))?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn stderr() -> Stderr {
    Stderr { shared: &STDERR }
}

/// A handle to the standard output: [`std::io::Stdout`], for green threads.
///
/// It is buffered line by line, and what is left in the buffer is written when the process exits.
/// Writing blocks the calling thread only; the descriptor's mode is never touched, since other
/// processes have it open as well. What can't be written at once waits in the worker's poller until
/// there is room; what leads to a terminal or a file is written on an OS thread, if there is one.
///
/// # Differs from std
///
/// Neither the buffer nor the lock is that of [`std::io::stdout`], which `std::println!` uses.
/// Whole lines come out in order all the same; but to flush this one does not bring out a prompt by
/// `std::print!`. On a green thread [`greenthread::print!`](crate::print) and
/// [`greenthread::println!`](crate::println) use this one: `use greenthread::{print, println}`.
///
/// # Tests
///
/// `cargo test` keeps back what a test prints, and shows it if the test fails. It does so for what
/// is printed by a macro (of std's, or of this crate's) on the test's own OS thread, and on OS
/// threads that the test has spawned by [`std::thread::spawn`]. What is printed on a green thread,
/// by whichever macro, is not kept back: it appears at once, among the lines of the harness, and so
/// do the reports of panics there. A worker serves the green threads of all tests, and to which of
/// them a thread belongs it can't know. `cargo test -- --nocapture --test-threads=1` puts things in
/// order. What is written to a handle, this one or std's, is never kept back.
///
/// # Examples
///
/// ```
/// use greenthread::io::{self, Write};
///
/// greenthread::run(|| {
///     let mut stdout = io::stdout();
///     stdout.write_all(b"hello\n")?;
///     // Each call locks it for itself; this keeps two together.
///     let mut lock = stdout.lock();
///     writeln!(lock, "one")?;
///     writeln!(lock, "two")
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Stdout {
    shared: &'static Lines,
}

/// The standard output, held by one thread: [`std::io::StdoutLock`], for green threads.
///
/// # Examples
///
/// ```
/// use greenthread::io::{self, Write};
///
/// let mut lock = io::stdout().lock();
/// writeln!(lock, "one")?;
/// writeln!(lock, "two")?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "it is given back as soon as this is dropped"]
pub struct StdoutLock<'a> {
    guard: ReentrantLockGuard<'a, RefCell<LineWriter<Raw>>>,
}

impl Stdout {
    /// Takes it for this thread, which may take it again. Blocks the calling thread while another
    /// has it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::io::{self, Write};
    ///
    /// let mut outer = io::stdout().lock();
    /// writeln!(io::stdout(), "the same thread")?;
    /// writeln!(outer, "goes on")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn lock(&self) -> StdoutLock<'static> {
        if LINE_BEGUN.load(Relaxed) {
            finish_line_of_std();
        }
        StdoutLock { guard: self.shared.lock() }
    }
}

/// A handle to the standard error: [`std::io::Stderr`], for green threads.
///
/// It is not buffered. Writing blocks the calling thread only, as for [`Stdout`].
///
/// # Differs from std
///
/// The lock is not that of [`std::io::stderr`], which `std::eprintln!` uses.
///
/// # Examples
///
/// ```
/// use greenthread::io::{self, Write};
///
/// greenthread::run(|| {
///     let mut stderr = io::stderr();
///     stderr.write_all(b"hello\n")?;
///     // Each call locks it for itself; this keeps two together.
///     let mut lock = stderr.lock();
///     writeln!(lock, "one")?;
///     writeln!(lock, "two")
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Stderr {
    shared: &'static ReentrantLock<RefCell<Raw>>,
}

/// The standard error, held by one thread: [`std::io::StderrLock`], for green threads.
///
/// # Examples
///
/// ```
/// use greenthread::io::{self, Write};
///
/// let mut lock = io::stderr().lock();
/// writeln!(lock, "one")?;
/// writeln!(lock, "two")?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "it is given back as soon as this is dropped"]
pub struct StderrLock<'a> {
    guard: ReentrantLockGuard<'a, RefCell<Raw>>,
}

impl Stderr {
    /// Takes it for this thread, which may take it again. Blocks the calling thread while another
    /// has it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::io::{self, Write};
    ///
    /// let mut outer = io::stderr().lock();
    /// writeln!(io::stderr(), "the same thread")?;
    /// writeln!(outer, "goes on")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn lock(&self) -> StderrLock<'static> {
        StderrLock { guard: self.shared.lock() }
    }
}

/// By what there is to write to: one lock for each call, as in std.
macro_rules! write_by {
    ($(impl $type:ty, $self:ident => $inner:expr;)*) => { $(
        impl Write for $type {
            fn write(&mut $self, buf: &[u8]) -> io::Result<usize> {
                $inner.write(buf)
            }

            fn write_vectored(&mut $self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                $inner.write_vectored(bufs)
            }

            fn write_all(&mut $self, buf: &[u8]) -> io::Result<()> {
                $inner.write_all(buf)
            }

            fn flush(&mut $self) -> io::Result<()> {
                $inner.flush()
            }
        }
    )* };
}

write_by! {
    impl StdoutLock<'_>, self => self.guard.borrow_mut();
    impl StderrLock<'_>, self => self.guard.borrow_mut();
}

/// Handles, by their locks: also what is formatted stays together.
macro_rules! write_by_lock {
    ($($type:ty),*) => { $(
        impl Write for $type {
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                self.lock().write(buf)
            }

            fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                self.lock().write_vectored(bufs)
            }

            fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
                self.lock().write_all(buf)
            }

            fn write_fmt(&mut self, args: fmt::Arguments<'_>) -> io::Result<()> {
                self.lock().write_fmt(args)
            }

            fn flush(&mut self) -> io::Result<()> {
                self.lock().flush()
            }
        }
    )* };
}

write_by_lock!(Stdout, &Stdout, Stderr, &Stderr);

macro_rules! faces {
    ($($type:ty, $name:literal, $raw:expr;)*) => { $(
        impl AsFd for $type {
            fn as_fd(&self) -> BorrowedFd<'_> {
                $raw.descriptor()
            }
        }

        impl AsRawFd for $type {
            fn as_raw_fd(&self) -> RawFd {
                $raw.descriptor().as_raw_fd()
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($name).finish_non_exhaustive()
            }
        }
    )* };
}

faces! {
    Stdout, "Stdout", Raw::Out;
    StdoutLock<'_>, "StdoutLock", Raw::Out;
    Stderr, "Stderr", Raw::Err;
    StderrLock<'_>, "StderrLock", Raw::Err;
}

// What is left half done by a panic is a line, for both.
impl UnwindSafe for Stdout {}
impl RefUnwindSafe for Stdout {}
impl UnwindSafe for StdoutLock<'_> {}
impl RefUnwindSafe for StdoutLock<'_> {}
impl UnwindSafe for Stderr {}
impl RefUnwindSafe for Stderr {}
impl UnwindSafe for StderrLock<'_> {}
impl RefUnwindSafe for StderrLock<'_> {}

impl From<Stdout> for Stdio {
    /// The child has the same output as this process.
    fn from(_: Stdout) -> Stdio {
        io::stdout().into()
    }
}

impl From<Stderr> for Stdio {
    /// The child has the same error as this process.
    fn from(_: Stderr) -> Stdio {
        io::stderr().into()
    }
}

/// What `print!` is made of.
#[doc(hidden)]
pub fn print(args: fmt::Arguments<'_>) {
    if !is_green() {
        return print_by_std(args);
    }
    if let Err(error) = stdout().write_fmt(args) {
        panic!("failed printing to stdout: {error}");
    }
}

/// What `eprint!` is made of.
#[doc(hidden)]
pub fn eprint(args: fmt::Arguments<'_>) {
    if !is_green() {
        return std::eprint!("{args}");
    }
    if let Err(error) = stderr().write_fmt(args) {
        panic!("failed printing to stderr: {error}");
    }
}

/// Whether the calling thread is a green one. An OS thread prints by std, which knows whether a
/// test harness captures it.
fn is_green() -> bool {
    worker_core::get().is_some_and(|core| core.running().is_some())
}

/// An OS thread has printed the beginning of a line, which std's buffer may still hold.
static LINE_BEGUN: AtomicBool = AtomicBool::new(false);

/// Prints on an OS thread. What the two buffers hold comes out in the order in which it was
/// printed: each is flushed before the other goes on.
fn print_by_std(args: fmt::Arguments<'_>) {
    /// Knows how what it shows ends.
    struct Shown<'a>(fmt::Arguments<'a>, Cell<bool>);

    impl fmt::Display for Shown<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            struct Pieces<'a, 'f>(&'a mut fmt::Formatter<'f>, &'a Cell<bool>);

            impl fmt::Write for Pieces<'_, '_> {
                fn write_str(&mut self, piece: &str) -> fmt::Result {
                    if !piece.is_empty() {
                        self.1.set(!piece.ends_with('\n'));
                    }
                    self.0.write_str(piece)
                }
            }

            fmt::write(&mut Pieces(f, &self.1), self.0)
        }
    }

    // A failure is that of whoever has printed it.
    let _ = stdout().flush();
    let shown = Shown(args, Cell::new(false));
    std::print!("{shown}");
    LINE_BEGUN.store(shown.1.get(), Relaxed);
}

/// Brings out the line that an OS thread has begun; not where nothing may switch, since a sibling
/// may have std's lock.
#[cold]
fn finish_line_of_std() {
    if (!is_green() || worker_core::current().is_some()) && LINE_BEGUN.swap(false, Relaxed) {
        let _ = unblock(|| io::stdout().flush());
    }
}

/// Prints to the standard output: [`std::print!`], but only the calling thread waits if that is
/// slow.
///
/// On an OS thread it is `std::print!`, and a test harness captures it; on a green thread it writes
/// to [`io::stdout()`](crate::io::stdout), which a harness doesn't capture (see
/// [`Stdout`](crate::io::Stdout)). What either holds in its buffer comes out before the other goes
/// on.
///
/// # Panics
///
/// If it can't be written.
///
/// # Examples
///
/// ```
/// greenthread::run(|| greenthread::print!("{} and ", 1));
/// ```
#[macro_export]
macro_rules! print {
    ($($arg:tt)*) => {
        $crate::io::print(::core::format_args!($($arg)*))
    };
}

/// Prints a line to the standard output: [`std::println!`], but only the calling thread waits if
/// that is slow. A test harness captures it on an OS thread only, as [`print!`](crate::print).
///
/// # Panics
///
/// If it can't be written.
///
/// # Examples
///
/// ```
/// use greenthread::println;
///
/// greenthread::run(|| println!("{} and {}", 1, 2));
/// ```
#[macro_export]
macro_rules! println {
    () => {
        $crate::print!("\n")
    };
    ($($arg:tt)*) => {
        $crate::print!("{}\n", ::core::format_args!($($arg)*))
    };
}

/// Prints to the standard error: [`std::eprint!`], but only the calling thread waits if that is
/// slow. A test harness captures it on an OS thread only, as [`print!`](crate::print).
///
/// # Panics
///
/// If it can't be written.
///
/// # Examples
///
/// ```
/// greenthread::run(|| greenthread::eprint!("{} and ", 1));
/// ```
#[macro_export]
macro_rules! eprint {
    ($($arg:tt)*) => {
        $crate::io::eprint(::core::format_args!($($arg)*))
    };
}

/// Prints a line to the standard error: [`std::eprintln!`], but only the calling thread waits if
/// that is slow. A test harness captures it on an OS thread only, as [`print!`](crate::print).
///
/// # Panics
///
/// If it can't be written.
///
/// # Examples
///
/// ```
/// use greenthread::eprintln;
///
/// greenthread::run(|| eprintln!("{} and {}", 1, 2));
/// ```
#[macro_export]
macro_rules! eprintln {
    () => {
        $crate::eprint!("\n")
    };
    ($($arg:tt)*) => {
        $crate::eprint!("{}\n", ::core::format_args!($($arg)*))
    };
}
