//! Standard output and standard error, and the macros that print.

use std::{
    cell::{Cell, RefCell},
    fmt,
    io::{self, IoSlice, LineWriter, Write},
    panic::{RefUnwindSafe, UnwindSafe},
    process::Stdio,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use crate::{
    descriptor::{fd_impls::stream, plain::write_foreign},
    runtime::unblock,
    sync::{ReentrantLock, ReentrantLockGuard},
    sys::{self, error::OsError, fd::BorrowedFd, process::at_exit},
    task::worker_core::{self, process_exits},
};

/// A descriptor, without a buffer.
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
            // A process that was started without this stream discards its output.
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

/// Flushes the buffer and replaces it by one of no capacity, because nothing flushes it after this.
/// If a thread is writing at that moment, the buffer is left to that thread.
extern "C" fn flush_at_exit() {
    // No thread may switch from here on, whichever exit handler runs first.
    process_exits();
    if let Some(guard) = STDOUT.try_lock()
        && let Ok(mut lines) = guard.try_borrow_mut()
    {
        let _ = lines.flush();
        *lines = LineWriter::with_capacity(0, Raw::Out);
    }
}

/// Returns a handle to the standard output of the process: [`std::io::stdout`] for green threads.
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

/// Returns a handle to the standard error of the process: [`std::io::stderr`] for green threads.
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

/// A handle to the standard output: [`std::io::Stdout`] for green threads.
///
/// Output is buffered by lines, and the rest of the buffer is written when the process exits.
/// Writing blocks only the calling thread. The descriptor's mode is never changed, because other
/// processes have the descriptor open too. If a write would block, the thread waits in its worker's
/// poller until there is space. Writes to a terminal or a file are made on an OS thread if there is
/// one.
///
/// # Differs from std
///
/// The buffer and the lock are not those of [`std::io::stdout`], which `std::println!` uses. Whole
/// lines still come out in order, but flushing this handle does not bring out a prompt that
/// `std::print!` has printed. On a green thread [`greenthread::print!`](crate::print) and
/// [`greenthread::println!`](crate::println) use this handle: `use greenthread::{print, println}`.
///
/// # Tests
///
/// `cargo test` captures the output of a test, and shows it if the test fails. It captures output
/// that a macro (std's or this crate's) prints on the test's own OS thread, and on OS threads that
/// the test has spawned by [`std::thread::spawn`]. Output of a green thread is not captured,
/// whichever macro prints it: it appears at once, between the lines of the harness, and so do
/// reports of panics on green threads. The reason is that one worker runs the green threads of all
/// tests, and cannot know which thread belongs to which test.
/// `cargo test -- --nocapture --test-threads=1` brings the output into order. Output that is
/// written to a handle, this one or std's, is never captured.
///
/// # Examples
///
/// ```
/// use greenthread::io::{self, Write};
///
/// greenthread::run(|| {
///     let mut stdout = io::stdout();
///     stdout.write_all(b"hello\n")?;
///     // Each call takes the lock. This guard keeps two lines together.
///     let mut lock = stdout.lock();
///     writeln!(lock, "one")?;
///     writeln!(lock, "two")
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Stdout {
    shared: &'static Lines,
}

/// A lock on the standard output, which one thread holds: [`std::io::StdoutLock`] for green
/// threads.
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
#[must_use = "the lock is released when this is dropped"]
pub struct StdoutLock<'a> {
    guard: ReentrantLockGuard<'a, RefCell<LineWriter<Raw>>>,
}

impl Stdout {
    /// Locks the stream. Blocks the calling thread while another thread holds the lock. A thread
    /// that holds the lock may lock it again.
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

/// A handle to the standard error: [`std::io::Stderr`] for green threads.
///
/// Output is not buffered. Writing blocks only the calling thread, as for [`Stdout`].
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
///     // Each call takes the lock. This guard keeps two lines together.
///     let mut lock = stderr.lock();
///     writeln!(lock, "one")?;
///     writeln!(lock, "two")
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Stderr {
    shared: &'static ReentrantLock<RefCell<Raw>>,
}

/// A lock on the standard error, which one thread holds: [`std::io::StderrLock`] for green threads.
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
#[must_use = "the lock is released when this is dropped"]
pub struct StderrLock<'a> {
    guard: ReentrantLockGuard<'a, RefCell<Raw>>,
}

impl Stderr {
    /// Locks the stream. Blocks the calling thread while another thread holds the lock. A thread
    /// that holds the lock may lock it again.
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

/// Implements `Write` by `$inner`. Each call locks the stream once, as in std.
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

/// Implements `Write` for a handle by its lock. A formatted write holds the lock until it is
/// complete, so its parts stay together.
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

macro_rules! handle_impls {
    ($($type:ty, $name:literal, $raw:expr;)*) => { $(
        stream!($type, $raw.descriptor());

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($name).finish_non_exhaustive()
            }
        }
    )* };
}

handle_impls! {
    Stdout, "Stdout", Raw::Out;
    StdoutLock<'_>, "StdoutLock", Raw::Out;
    Stderr, "Stderr", Raw::Err;
    StderrLock<'_>, "StderrLock", Raw::Err;
}

// A panic can leave at most a line incomplete, in both streams.
impl UnwindSafe for Stdout {}
impl RefUnwindSafe for Stdout {}
impl UnwindSafe for StdoutLock<'_> {}
impl RefUnwindSafe for StdoutLock<'_> {}
impl UnwindSafe for Stderr {}
impl RefUnwindSafe for Stderr {}
impl UnwindSafe for StderrLock<'_> {}
impl RefUnwindSafe for StderrLock<'_> {}

impl From<Stdout> for Stdio {
    /// The child gets the same standard output as this process.
    fn from(_: Stdout) -> Stdio {
        io::stdout().into()
    }
}

impl From<Stderr> for Stdio {
    /// The child gets the same standard error as this process.
    fn from(_: Stderr) -> Stdio {
        io::stderr().into()
    }
}

/// The implementation of `print!`.
#[doc(hidden)]
pub fn print(args: fmt::Arguments<'_>) {
    if !is_green() {
        return print_by_std(args);
    }
    if let Err(error) = stdout().write_fmt(args) {
        panic!("failed printing to stdout: {error}");
    }
}

/// The implementation of `eprint!`.
#[doc(hidden)]
pub fn eprint(args: fmt::Arguments<'_>) {
    if !is_green() {
        return std::eprint!("{args}");
    }
    if let Err(error) = stderr().write_fmt(args) {
        panic!("failed printing to stderr: {error}");
    }
}

/// Returns whether the calling thread is a green thread. An OS thread prints through std, which
/// knows whether a test harness captures the output.
fn is_green() -> bool {
    worker_core::get().is_some_and(|core| core.running().is_some())
}

/// Whether an OS thread has printed the beginning of a line, which std's buffer may still hold.
static LINE_BEGUN: AtomicBool = AtomicBool::new(false);

/// Prints on an OS thread. The contents of the two buffers come out in the order in which they were
/// printed, because each buffer is flushed before the other one is used again.
fn print_by_std(args: fmt::Arguments<'_>) {
    /// Formatted text that records whether it ends within a line.
    struct Tracked<'a>(fmt::Arguments<'a>, Cell<bool>);

    impl fmt::Display for Tracked<'_> {
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

    // An error concerns the threads whose output was in the buffer, not this one.
    let _ = stdout().flush();
    let tracked = Tracked(args, Cell::new(false));
    std::print!("{tracked}");
    LINE_BEGUN.store(tracked.1.get(), Relaxed);
}

/// Flushes the line that an OS thread has begun. Does nothing on a green thread that may not
/// switch, because another green thread of this worker may hold std's lock.
#[cold]
fn finish_line_of_std() {
    if (!is_green() || worker_core::current().is_some()) && LINE_BEGUN.swap(false, Relaxed) {
        let _ = unblock(|| io::stdout().flush());
    }
}

/// Prints to the standard output: [`std::print!`], but only the calling thread waits if the output
/// is slow.
///
/// On an OS thread this is `std::print!`, and a test harness captures it. On a green thread it
/// writes to [`io::stdout()`](crate::io::stdout), which a harness does not capture (see
/// [`Stdout`](crate::io::Stdout)). Each of the two buffers is flushed before the other one is used.
///
/// # Panics
///
/// Panics if the write fails.
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
/// the output is slow. A test harness captures the line only on an OS thread, as with
/// [`print!`](crate::print).
///
/// # Panics
///
/// Panics if the write fails.
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

/// Prints to the standard error: [`std::eprint!`], but only the calling thread waits if the output
/// is slow. A test harness captures the text only on an OS thread, as with
/// [`print!`](crate::print).
///
/// # Panics
///
/// Panics if the write fails.
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
/// the output is slow. A test harness captures the line only on an OS thread, as with
/// [`print!`](crate::print).
///
/// # Panics
///
/// Panics if the write fails.
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
