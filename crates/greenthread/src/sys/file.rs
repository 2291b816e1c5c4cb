//! Files, beyond what std has.
//!
//! Invariants:
//! 1. A [`View`] lives no longer than the borrow of its descriptor, and never closes it.

use std::{
    fs::File,
    io::{IoSlice, IoSliceMut, Result},
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Deref,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd},
    sync::LazyLock,
};

use rustix::{
    fs::{FileType, OFlags, fcntl_getfl, fstat},
    io::{Errno, ReadWriteFlags, preadv2, pwritev2},
    process::getpgrp,
    termios::{LocalModes, SpecialCodeIndex, tcgetattr, tcgetpgrp},
};

use super::{is_refused, lookup::About};

/// How many buffers the kernel takes in one call.
pub(crate) const MAX_BUFFERS: usize = 1024;

/// std's file for a descriptor that somebody else closes.
pub(crate) struct View<'a> {
    file: ManuallyDrop<File>,
    descriptor: PhantomData<BorrowedFd<'a>>,
}

impl<'a> View<'a> {
    pub(crate) fn new(descriptor: BorrowedFd<'a>) -> Self {
        // SAFETY: open as long as the borrow lasts, and not closed here (invariant 1).
        let file = unsafe { File::from_raw_fd(descriptor.as_raw_fd()) };
        Self { file: ManuallyDrop::new(file), descriptor: PhantomData }
    }
}

impl Deref for View<'_> {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

/// Reads what is there without waiting: for a disk, or for others. At `offset`, or without one at
/// the file's position, which moves on. The mode of the descriptor is left alone, since others may
/// have it open as well.
///
/// # Errors
/// `AGAIN` if it would have to wait; `OPNOTSUPP` if only the plain call can tell. Others as the
/// plain call gives them.
pub(crate) fn read_now(
    file: impl AsFd,
    bufs: &mut [IoSliceMut<'_>],
    offset: Option<u64>,
) -> rustix::io::Result<usize> {
    match preadv2(file, bufs, checked(offset)?, ReadWriteFlags::NOWAIT) {
        Ok(0) if !*ZERO_IS_THE_END && bufs.iter().any(|buf| !buf.is_empty()) => Err(Errno::OPNOTSUPP),
        result => result.map_err(refused),
    }
}

/// Writes what there is room for without waiting, as [`read_now`] reads.
///
/// # Errors
/// As there.
pub(crate) fn write_now(
    file: impl AsFd,
    bufs: &[IoSlice<'_>],
    offset: Option<u64>,
) -> rustix::io::Result<usize> {
    pwritev2(file, bufs, checked(offset)?, ReadWriteFlags::NOWAIT).map_err(refused)
}

/// For the kernel, the largest number means no offset; beyond the largest signed one there are no
/// files.
fn checked(offset: Option<u64>) -> rustix::io::Result<u64> {
    match offset {
        None => Ok(u64::MAX),
        Some(offset) if offset <= i64::MAX as u64 => Ok(offset),
        Some(_) => Err(Errno::OPNOTSUPP),
    }
}

/// One answer for all that say that the call, the flag or the file can't be asked so: a plain call
/// that gives the same error will say it again.
fn refused(error: Errno) -> Errno {
    if is_refused(error) { Errno::OPNOTSUPP } else { error }
}

/// Whether nothing read without waiting means the end of the file: Linux 5.9 and 5.10 say so too
/// early (preadv2(2), "BUGS").
static ZERO_IS_THE_END: LazyLock<bool> = LazyLock::new(|| {
    let name = rustix::system::uname();
    !["5.9.", "5.10."].iter().any(|early| name.release().to_bytes().starts_with(early.as_bytes()))
});

/// Whether the descriptor is in non-blocking mode. The kernel is asked, as anyone who has it open
/// may have changed it.
pub(crate) fn is_nonblocking(descriptor: impl AsFd) -> bool {
    fcntl_getfl(descriptor).is_ok_and(|flags| flags.contains(OFlags::NONBLOCK))
}

/// Whether a read comes back, or goes on, as soon as there is something to be read, and not for
/// other reasons. A terminal may be set to give back nothing after a while, or to wait for several
/// bytes; and in the background a read stops the process.
pub(crate) fn waits_until_readable(descriptor: BorrowedFd<'_>) -> bool {
    let Ok(settings) = tcgetattr(descriptor) else { return true };
    let (least, time) = (SpecialCodeIndex::VMIN, SpecialCodeIndex::VTIME);
    let (least, time) = (settings.special_codes[least], settings.special_codes[time]);
    let by_bytes = least == 1 || least > 1 && time > 0;
    let in_background = tcgetpgrp(descriptor).is_ok_and(|group| group != getpgrp());
    (settings.local_modes.contains(LocalModes::ICANON) || by_bytes) && !in_background
}

/// What an open file is, as far as it matters how it is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file or a disk: its calls wait for a disk at most.
    Disk {
        /// They pass the cache by (`O_DIRECT`). Such a read waits for the disk, whatever it was asked.
        direct: bool,
    },
    Directory,
    /// A FIFO, a terminal or another device, a socket, or one of the kernel's own kinds: its calls
    /// wait for others.
    Stream,
}

impl Kind {
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
    pub(crate) fn new(about: About) -> Self {
        Self { kind: Kind::new(about.file_type, false), is_local: about.is_local() }
    }
}
