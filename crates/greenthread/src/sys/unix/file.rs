//! Operations on files that std lacks.
//!
//! Invariants:
//! 1. A [`View`] does not outlive the borrow of its descriptor, and never closes the descriptor.

use std::{
    fs::{File, Metadata},
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Deref,
    os::{
        fd::{AsRawFd, BorrowedFd, FromRawFd},
        unix::fs::{FileTypeExt, MetadataExt},
    },
};

use rustix::fs::{Dev, FileType, major};

use super::super::port::quirks::MEMORY_DEVICES;

/// std's file for a borrowed descriptor, which it does not close.
pub(crate) struct View<'a> {
    file: ManuallyDrop<File>,
    descriptor: PhantomData<BorrowedFd<'a>>,
}

impl<'a> View<'a> {
    #[inline]
    pub(crate) fn new(descriptor: BorrowedFd<'a>) -> Self {
        // SAFETY: the descriptor is open while it is borrowed, and `ManuallyDrop` does not close it
        // (invariant 1).
        let file = unsafe { File::from_raw_fd(descriptor.as_raw_fd()) };
        Self { file: ManuallyDrop::new(file), descriptor: PhantomData }
    }
}

impl Deref for View<'_> {
    type Target = File;

    #[inline]
    fn deref(&self) -> &File {
        &self.file
    }
}

/// The kind of an open file, as far as it matters to how the file is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file or a disk. Its calls wait for at most a disk.
    Disk {
        /// Its calls bypass the cache (`O_DIRECT`). A read then waits for the disk even with the
        /// flag not to wait.
        direct: bool,
    },
    Directory,
    /// A FIFO, a terminal or another device, a socket, or a kernel object such as an eventfd. Its
    /// calls wait for another party.
    Stream,
}

impl Kind {
    #[inline]
    pub(in super::super) fn new(file_type: FileType, direct: bool) -> Self {
        match file_type {
            FileType::RegularFile | FileType::BlockDevice => Self::Disk { direct },
            FileType::Directory => Self::Directory,
            _ => Self::Stream,
        }
    }
}

/// The kind of an open file, and whether the file is known to be on a local file system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nature {
    pub(crate) kind: Kind,
    pub(crate) is_local: bool,
}

/// Returns whether a call that opens such a file may wait for another party.
pub(crate) fn open_waits_for_others(metadata: &Metadata) -> bool {
    let kind = metadata.file_type();
    kind.is_fifo() || kind.is_char_device() && major(metadata.rdev() as Dev) != MEMORY_DEVICES
}
