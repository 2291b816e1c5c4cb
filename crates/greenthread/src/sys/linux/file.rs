//! Files, beyond what std has.
//!
//! Invariants:
//! 1. A [`View`] lives no longer than the borrow of its descriptor, and never closes it.

use std::{
    fs::{File, Metadata},
    io::Result,
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Deref,
    os::{
        fd::{AsRawFd, BorrowedFd, FromRawFd},
        unix::fs::{FileTypeExt, MetadataExt},
    },
};

use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, major};

use super::lookup::About;

/// std's file for a descriptor that somebody else closes.
pub(crate) struct View<'a> {
    file: ManuallyDrop<File>,
    descriptor: PhantomData<BorrowedFd<'a>>,
}

impl<'a> View<'a> {
    #[inline]
    pub(crate) fn new(descriptor: BorrowedFd<'a>) -> Self {
        // SAFETY: open as long as the borrow lasts, and not closed here (invariant 1).
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

/// What an open file is, as far as it matters how it is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file or a disk: its calls wait for a disk at most.
    Disk {
        /// They pass the cache by (`O_DIRECT`). Such a read waits for the disk, whatever it was
        /// asked.
        direct: bool,
    },
    Directory,
    /// A FIFO, a terminal or another device, a socket, or one of the kernel's own kinds: its calls
    /// wait for others.
    Stream,
}

impl Kind {
    #[inline]
    fn new(file_type: FileType, direct: bool) -> Self {
        match file_type {
            FileType::RegularFile | FileType::BlockDevice => Self::Disk { direct },
            FileType::Directory => Self::Directory,
            _ => Self::Stream,
        }
    }
}

/// Of what kind an open file is, and whether it is known to be on a local file system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nature {
    pub(crate) kind: Kind,
    pub(crate) is_local: bool,
}

impl Nature {
    /// Asks the file.
    ///
    /// # Errors
    /// As the system gives them.
    pub(crate) fn of(file: &File) -> Result<Self> {
        let direct = fcntl_getfl(file)?.contains(OFlags::DIRECT);
        Ok(match About::new(file) {
            Ok(about) => Self { kind: Kind::new(about.file_type, direct), is_local: about.is_local() },
            Err(_) => {
                let file_type = FileType::from_raw_mode(fstat(file)?.st_mode);
                Self { kind: Kind::new(file_type, direct), is_local: false }
            }
        })
    }

    /// Of a file that was not opened to pass the cache by.
    #[inline]
    pub(crate) fn new(about: About) -> Self {
        Self { kind: Kind::new(about.file_type, false), is_local: about.is_local() }
    }
}

/// Whether a call that opens such a file may wait for others.
pub(crate) fn open_waits_for_others(metadata: &Metadata) -> bool {
    // `/dev/null` and its like: they have nobody behind them.
    const MEMORY: u32 = 1;
    let kind = metadata.file_type();
    kind.is_fifo() || kind.is_char_device() && major(metadata.rdev()) != MEMORY
}
