//! What ends an OS thread's wait for a descriptor.

use std::{
    io::{self, PipeReader, PipeWriter, Write},
    os::fd::{AsFd, BorrowedFd},
};

/// A pipe, which is readable from the first ring on. Nobody reads it. (An eventfd would save one
/// descriptor; macOS has none.)
#[derive(Debug)]
pub(crate) struct Alarm {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Alarm {
    /// # Errors
    /// An error if the process has no descriptors left.
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        Ok(Self { reader, writer })
    }

    /// Ends the waits for this alarm. Called once, so the pipe has room.
    pub(crate) fn ring(&self) {
        // It could only fail if nobody had the other end.
        let _ = (&self.writer).write(&[0]);
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
