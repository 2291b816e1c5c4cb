//! Files, beyond what std has.

use std::{
    fs::File,
    io::{IoSliceMut, Result},
};

use rustix::{
    fs::{FileType, OFlags, fcntl_getfl, fstat},
    io::{Errno, ReadWriteFlags, preadv2},
};

/// What became of a read that may not wait.
#[derive(Debug)]
pub(crate) enum Cached {
    /// So many bytes were there, one at least.
    Read(usize),
    /// Only the plain call can tell: it would have to wait, or it is the end of the file, or something is wrong.
    Unknown,
    /// Files of this kind can't be asked so.
    Never,
}

/// Reads what is there without waiting for a disk: at `offset`, or without one at the file's position, which moves on.
///
/// Nothing but success is taken at its word: Linux 5.9 and 5.10 report an early end of the file (preadv2(2), "BUGS"), and
/// some older ones spurious errors.
pub(crate) fn read_cached(file: &File, bufs: &mut [IoSliceMut<'_>], offset: Option<u64>) -> Cached {
    // For the kernel, the largest number means no offset; beyond the largest signed one there are no files.
    let offset = match offset {
        None => u64::MAX,
        Some(offset) if offset <= i64::MAX as u64 => offset,
        Some(_) => return Cached::Unknown,
    };
    match preadv2(file, bufs, offset, ReadWriteFlags::NOWAIT) {
        Ok(0) => Cached::Unknown,
        Ok(count) => Cached::Read(count),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Cached::Never,
        Err(_) => Cached::Unknown,
    }
}

/// What an open file is, as far as it matters how it is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file or a disk: its calls wait for a disk at most.
    Disk {
        /// They pass the cache by (`O_DIRECT`). Such a read waits for the disk, whatever it was asked.
        direct: bool,
    },
    /// A FIFO: it has no position, and its calls wait for others.
    Stream,
    /// Something else.
    Other,
}

pub(crate) fn kind(file: &File) -> Result<Kind> {
    Ok(match FileType::from_raw_mode(fstat(file)?.st_mode) {
        FileType::RegularFile | FileType::BlockDevice => {
            Kind::Disk { direct: fcntl_getfl(file)?.contains(OFlags::DIRECT) }
        }
        FileType::Fifo => Kind::Stream,
        _ => Kind::Other,
    })
}
