//! Operations on files that std lacks.
//!
//! Invariants:
//! 1. A [`View`] does not outlive the borrow of its descriptor, and never closes the descriptor.

use std::{
    fs::{File, Metadata},
    io::Result,
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Deref,
    os::windows::io::{AsRawHandle, FromRawHandle},
};

use windows_sys::Win32::Storage::FileSystem::{FILE_TYPE_DISK, GetFileType};

use super::{fd::BorrowedFd, lookup::About};

/// std's file for a borrowed descriptor.
pub(crate) struct View<'a> {
    file: ManuallyDrop<File>,
    descriptor: PhantomData<BorrowedFd<'a>>,
}

impl<'a> View<'a> {
    pub(crate) fn new(descriptor: BorrowedFd<'a>) -> Self {
        // SAFETY: the handle is open while it is borrowed, and `ManuallyDrop` does not close it
        // (invariant 1).
        let file = unsafe { File::from_raw_handle(descriptor.handle().as_raw_handle()) };
        Self { file: ManuallyDrop::new(file), descriptor: PhantomData }
    }
}

impl Deref for View<'_> {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

/// How a file is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file whose calls wait for a disk at most.
    Disk {
        /// Whether calls bypass the cache.
        direct: bool,
    },
    /// A directory.
    Directory,
    /// A file whose calls wait for another party.
    Stream,
}

/// What is known about a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nature {
    pub(crate) kind: Kind,
    /// Whether the file is known to be on a local file system. Windows does not tell without a
    /// wait.
    pub(crate) is_local: bool,
}

impl Nature {
    pub(crate) fn of(file: &File) -> Result<Self> {
        // SAFETY: the call only asks about the handle.
        let kind = if unsafe { GetFileType(file.as_raw_handle()) } != FILE_TYPE_DISK {
            Kind::Stream
        } else if file.metadata()?.is_dir() {
            Kind::Directory
        } else {
            // No call asks for cached data alone, so the cache is as good as bypassed.
            Kind::Disk { direct: true }
        };
        Ok(Self { kind, is_local: false })
    }

    pub(crate) fn new(about: About) -> Self {
        about.never()
    }
}

/// Returns `false`: opening never waits for another party.
pub(crate) fn open_waits_for_others(_: &Metadata) -> bool {
    false
}
