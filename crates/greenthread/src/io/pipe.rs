//! Pipes.

use std::{io, os::fd::OwnedFd};

use crate::descriptor::{
    Descriptor,
    fd_impls::{pipe_end, reading, writing},
};

/// Makes a pipe: what is written into one end comes out of the other, in order: [`std::io::pipe`],
/// for green threads.
///
/// A read waits until there is something, and gives 0 when all writers are gone; a write waits for
/// room (64 KiB on Linux), and fails with `BrokenPipe` when all readers are. Between green threads
/// a [`channel`](crate::sync::mpsc::channel) is faster; a pipe also leads to other processes.
///
/// # Errors
///
/// The process has no descriptors left.
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
    let ours = |end: OwnedFd| Descriptor::new(end);
    Ok((PipeReader(ours(reader.into())), PipeWriter(ours(writer.into()))))
}

/// The end of a [`pipe`] that reads: [`std::io::PipeReader`], for green threads.
///
/// Reading blocks the calling thread until something is written or all writers are gone. Several
/// threads may read; each byte goes to one of them.
///
/// # Examples
///
/// ```
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

/// The end of a [`pipe`] that writes: [`std::io::PipeWriter`], for green threads.
///
/// Writing blocks the calling thread while the pipe is full. Several threads may write; what is no
/// longer than `PIPE_BUF` (4096 bytes on Linux) stays together.
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
    /// Another handle to the same end.
    ///
    /// # Errors
    ///
    /// The process has no descriptor left.
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
    /// Another handle to the same end. The reader comes to the end when all are gone.
    ///
    /// # Errors
    ///
    /// The process has no descriptor left.
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
