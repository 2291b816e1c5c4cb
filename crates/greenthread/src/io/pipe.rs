//! Pipes.

use std::io;

use crate::{
    descriptor::{
        Descriptor,
        fd_impls::{pipe_end, reading, writing},
    },
    sys::fd::OwnedFd,
};

/// Creates a pipe: [`std::io::pipe`] for green threads. Bytes that are written into one end come
/// out of the other end in order.
///
/// A read waits until there are bytes, and returns 0 when all writers are gone. A write waits while
/// the pipe is full (64 KiB on Linux), and fails with `BrokenPipe` when all readers are gone.
/// Between green threads a [`channel`](crate::sync::mpsc::channel) is faster; a pipe can also lead
/// to another process.
///
/// # Errors
///
/// An error if the process has no descriptors left.
///
/// # Examples
///
/// ```
/// use greenthread::{io, thread};
/// use std::io::{Read, Write};
///
/// greenthread::run(|| {
///     let (mut reader, mut writer) = io::pipe()?;
///     let sender = thread::spawn(move || writer.write_all(b"through the pipe"));
///     let mut all = String::new();
///     reader.read_to_string(&mut all)?;
///     assert_eq!(all, "through the pipe");
///     sender.join().unwrap()
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    let wrap = |end: OwnedFd| Descriptor::new(end);
    Ok((PipeReader(wrap(reader.into())), PipeWriter(wrap(writer.into()))))
}

/// The reading end of a [`pipe`]: [`std::io::PipeReader`] for green threads.
///
/// Reading blocks the calling thread until something is written or all writers are gone. Several
/// threads may read from one pipe; each byte goes to one of them.
///
/// # Examples
///
/// ```ignore-windows
/// use greenthread::{io, process::Command};
/// use std::io::Read;
///
/// let (mut reader, writer) = io::pipe()?;
/// let mut child = Command::new("echo").arg("hello").stdout(writer).spawn()?;
/// let mut all = String::new();
/// reader.read_to_string(&mut all)?;
/// assert_eq!(all, "hello\n");
/// assert!(child.wait()?.success());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct PipeReader(Descriptor);

/// The writing end of a [`pipe`]: [`std::io::PipeWriter`] for green threads.
///
/// Writing blocks the calling thread while the pipe is full. Several threads may write to one pipe;
/// a write of at most `PIPE_BUF` bytes (4096 on Linux) is not mixed with others.
///
/// # Examples
///
/// ```
/// use greenthread::io;
/// use std::io::{ErrorKind, Write};
///
/// let (reader, mut writer) = io::pipe()?;
/// drop(reader);
/// assert_eq!(writer.write(b"to nobody").unwrap_err().kind(), ErrorKind::BrokenPipe);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct PipeWriter(Descriptor);

impl PipeReader {
    /// Creates another handle to the same end of the pipe.
    ///
    /// # Errors
    ///
    /// An error if the process has no descriptor left.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::io;
    /// use std::io::{Read, Write};
    ///
    /// let (reader, mut writer) = io::pipe()?;
    /// let mut clone = reader.try_clone()?;
    /// drop(reader);
    /// writer.write_all(b"word")?;
    /// assert_eq!(clone.read(&mut [0; 8])?, 4);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }
}

impl PipeWriter {
    /// Creates another handle to the same end of the pipe. The reader reaches the end of the data
    /// when all handles are gone.
    ///
    /// # Errors
    ///
    /// An error if the process has no descriptor left.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::io;
    /// use std::io::{Read, Write};
    ///
    /// let (mut reader, writer) = io::pipe()?;
    /// let mut clone = writer.try_clone()?;
    /// drop(writer);
    /// clone.write_all(b"word")?;
    /// drop(clone);
    /// assert_eq!(reader.read_to_end(&mut Vec::new())?, 4);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }
}

reading!(PipeReader, &PipeReader);
writing!(PipeWriter, &PipeWriter);
pipe_end!(PipeReader, io::PipeReader);
pipe_end!(PipeWriter, io::PipeWriter);
