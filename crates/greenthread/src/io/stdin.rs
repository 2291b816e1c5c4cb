//! The standard input.

use std::{
    fmt,
    io::{self, BufRead, BufReader, IoSliceMut, Lines, Read},
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
    sync::{LazyLock, PoisonError},
};

use crate::{
    descriptor::plain::read_foreign,
    sync::{Mutex, MutexGuard},
    sys::{self, error::OsError},
};

/// The descriptor itself.
#[derive(Debug)]
struct Raw;

impl Read for Raw {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_vectored(&mut [IoSliceMut::new(buf)])
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match read_foreign(sys::io::stdin(), bufs) {
            // A process that was started without one has come to its end.
            Err(error) if OsError::of(&error) == Some(OsError::BAD_DESCRIPTOR) => Ok(0),
            result => result,
        }
    }
}

static STDIN: LazyLock<Mutex<BufReader<Raw>>> = LazyLock::new(|| Mutex::new(BufReader::new(Raw)));

/// The standard input of the process: [`std::io::stdin`], for green threads.
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

/// A handle to the standard input, which all share with its buffer: [`std::io::Stdin`], for green
/// threads.
///
/// Reading blocks the calling thread only. The descriptor's mode is never touched, since other
/// processes have it open as well: what is there is taken at once, and otherwise the thread waits
/// in its worker's poller until there is something. A terminal is read on an OS thread then, and a
/// terminal whose reads end for other reasons (`VMIN` of 0, for example) at once.
///
/// A process that is moved to the background while it waits is stopped by its terminal when there
/// is something to read, not before.
///
/// # Differs from std
///
/// The buffer is not that of [`std::io::stdin`]: what the one has taken in, the other does not
/// find.
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

/// The standard input, held by one thread: [`std::io::StdinLock`], for green threads.
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
#[must_use = "it is given back as soon as this is dropped"]
pub struct StdinLock<'a> {
    buffer: MutexGuard<'a, BufReader<Raw>>,
}

impl Stdin {
    /// Takes it for this thread. Blocks the calling thread while another has it.
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

    /// Takes it and adds a line to the string, with its end of line; gives its length, which is 0
    /// at the end. Blocks the calling thread.
    ///
    /// # Errors
    ///
    /// `InvalidData` if it is not UTF-8; otherwise what the system says.
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

    /// Takes it, and gives its lines.
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

/// By what there is to read from: one lock for each call, as in std.
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

macro_rules! descriptor_of_stdin {
    ($($type:ty),*) => { $(
        impl AsFd for $type {
            fn as_fd(&self) -> BorrowedFd<'_> {
                sys::io::stdin()
            }
        }

        impl AsRawFd for $type {
            fn as_raw_fd(&self) -> RawFd {
                sys::io::stdin().as_raw_fd()
            }
        }
    )* };
}

descriptor_of_stdin!(Stdin, StdinLock<'_>);

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
