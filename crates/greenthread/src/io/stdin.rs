//! Standard input.

use std::{
    fmt,
    io::{self, BufRead, BufReader, IoSliceMut, Lines, Read},
    sync::{LazyLock, PoisonError},
};

use crate::{
    descriptor::{fd_impls::stream, plain::read_foreign},
    sync::{Mutex, MutexGuard},
    sys::{self, error::OsError},
};

/// The descriptor, without a buffer.
#[derive(Debug)]
struct Raw;

impl Read for Raw {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_vectored(&mut [IoSliceMut::new(buf)])
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match read_foreign(sys::io::stdin(), bufs) {
            // A process that was started without a standard input is at its end.
            Err(error) if OsError::of(&error) == Some(OsError::BAD_DESCRIPTOR) => Ok(0),
            result => result,
        }
    }
}

static STDIN: LazyLock<Mutex<BufReader<Raw>>> = LazyLock::new(|| Mutex::new(BufReader::new(Raw)));

/// Returns a handle to the standard input of the process: [`std::io::stdin`] for green threads.
///
/// # Examples
///
/// ```no_run
/// use greenthread::io;
///
/// greenthread::run(|| {
///     let mut line = String::new();
///     io::stdin().read_line(&mut line)?;
///     println!("You said: {}", line.trim_end());
///     io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn stdin() -> Stdin {
    Stdin { shared: &STDIN }
}

/// A handle to the standard input: [`std::io::Stdin`] for green threads. All handles share one
/// buffer.
///
/// Reading blocks only the calling thread. The descriptor's mode is never changed, because other
/// processes have the descriptor open too. Data that is there is read at once; otherwise the thread
/// waits in its worker's poller. A terminal is then read on an OS thread; a terminal whose reads
/// may end for other reasons (a `VMIN` of 0, for example) is read there without that wait.
///
/// A process that is moved to the background during the wait is stopped by its terminal only when
/// there is input to read.
///
/// # Differs from std
///
/// The buffer is not that of [`std::io::stdin`]. Input that one of the two has buffered does not
/// reach the other.
///
/// # Examples
///
/// ```no_run
/// use greenthread::io::{self, Read};
///
/// let mut all = String::new();
/// io::stdin().read_to_string(&mut all)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Stdin {
    shared: &'static Mutex<BufReader<Raw>>,
}

/// A lock on the standard input, which one thread holds: [`std::io::StdinLock`] for green threads.
///
/// # Examples
///
/// ```no_run
/// use greenthread::io::{self, BufRead};
///
/// for line in io::stdin().lock().lines() {
///     println!("{}", line?);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "the lock is released when this is dropped"]
pub struct StdinLock<'a> {
    buffer: MutexGuard<'a, BufReader<Raw>>,
}

impl Stdin {
    /// Locks the standard input. Blocks the calling thread while another thread holds the lock.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use greenthread::io::{self, BufRead};
    ///
    /// let mut input = io::stdin().lock();
    /// let (mut first, mut second) = (String::new(), String::new());
    /// input.read_line(&mut first)?;
    /// input.read_line(&mut second)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn lock(&self) -> StdinLock<'static> {
        StdinLock { buffer: self.shared.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// Locks the standard input and appends a line, with its line terminator, to the string.
    /// Returns the number of bytes read, which is 0 at the end of the input. Blocks the calling
    /// thread.
    ///
    /// # Errors
    ///
    /// `InvalidData` if the line is not UTF-8; otherwise the system's error.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use greenthread::io;
    ///
    /// let mut line = String::new();
    /// while io::stdin().read_line(&mut line)? > 0 {
    ///     print!("{line}");
    ///     line.clear();
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read_line(&self, buf: &mut String) -> io::Result<usize> {
        self.lock().read_line(buf)
    }

    /// Locks the standard input, and returns an iterator over its lines.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use greenthread::io;
    ///
    /// for line in io::stdin().lines() {
    ///     println!("{}", line?);
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use = "iterators are lazy and do nothing unless consumed"]
    pub fn lines(self) -> Lines<StdinLock<'static>> {
        self.lock().lines()
    }
}

/// Implements `Read` by `$inner`. Each call locks the input once, as in std.
macro_rules! read_by {
    ($(impl $type:ty, $self:ident => $inner:expr;)*) => { $(
        impl Read for $type {
            fn read(&mut $self, buf: &mut [u8]) -> io::Result<usize> {
                $inner.read(buf)
            }

            fn read_vectored(&mut $self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                $inner.read_vectored(bufs)
            }

            fn read_to_end(&mut $self, buf: &mut Vec<u8>) -> io::Result<usize> {
                $inner.read_to_end(buf)
            }

            fn read_to_string(&mut $self, buf: &mut String) -> io::Result<usize> {
                $inner.read_to_string(buf)
            }

            fn read_exact(&mut $self, buf: &mut [u8]) -> io::Result<()> {
                $inner.read_exact(buf)
            }
        }
    )* };
}

read_by! {
    impl Stdin, self => self.lock();
    impl &Stdin, self => self.lock();
    impl StdinLock<'_>, self => self.buffer;
}

impl BufRead for StdinLock<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.buffer.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.buffer.consume(amount);
    }

    fn read_until(&mut self, byte: u8, buf: &mut Vec<u8>) -> io::Result<usize> {
        self.buffer.read_until(byte, buf)
    }

    fn read_line(&mut self, buf: &mut String) -> io::Result<usize> {
        self.buffer.read_line(buf)
    }
}

stream!(Stdin, sys::io::stdin());
stream!(StdinLock<'_>, sys::io::stdin());

impl fmt::Debug for Stdin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stdin").finish_non_exhaustive()
    }
}

impl fmt::Debug for StdinLock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdinLock").finish_non_exhaustive()
    }
}
