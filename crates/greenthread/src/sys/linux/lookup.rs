//! Paths that the kernel has in its cache: what is there, without waiting for a disk.
//!
//! `openat2` with `RESOLVE_CACHED` (Linux 5.12) goes along a path as far as the cache knows it, and
//! answers `EAGAIN` instead of asking the disk. That holds for the path, not for the file at its
//! end: opening that may wait for a server or for a FUSE process, for a FIFO's other end, for a
//! terminal's line. So a path is looked up first (`O_PATH` opens nothing), and opened on the spot
//! if it leads to a file or a directory on a file system that is known to be local. `O_NONBLOCK`
//! sees to it that nobody waits if something else has come to the path meanwhile, and is taken back
//! after that.
//!
//! Nothing but success, and that there is no such file, is taken at its word: all else may be the
//! answer of an older kernel or of a filter on system calls, and the plain call, made elsewhere,
//! tells the truth.
//!
//! Whether a file system is local can only be asked in a way that may wait for it. So it is asked
//! once for each mount, where waiting is no harm ([`Mount::learn`]), and remembered.

use std::{
    fs::File,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    sync::atomic::{
        AtomicU64, AtomicUsize,
        Ordering::{Relaxed, SeqCst},
    },
};

use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, StatxFlags, fstatfs, openat2, statx},
    io::{Errno, ioctl_fionbio},
};

use super::error::OsResult;

/// How many mounts are remembered. A lookup reads them all; a process that uses more asks some of
/// them again.
const MOUNTS: usize = 32;

/// The mounts that are known: their keys, shifted, and whether they are local. 0 is none.
static KNOWN: [AtomicU64; MOUNTS] = [const { AtomicU64::new(0) }; MOUNTS];

/// Where the next one goes.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// `STATX_MNT_ID_UNIQUE` (Linux 6.8): the number of a mount, which no later one has again.
const UNIQUE: StatxFlags = StatxFlags::from_bits_retain(0x4000);

/// The file systems, as `statfs(2)` names them, that answer from memory and from a disk of this
/// machine, and not from another process or another machine.
const LOCAL: [u64; 15] = [
    0xef53,      // ext2, ext3, ext4
    0x5846_5342, // xfs
    0x9123_683e, // btrfs
    0x0102_1994, // tmpfs
    0x8584_58f6, // ramfs
    0x794c_7630, // overlayfs
    0xf2f5_2010, // f2fs
    0x2fc1_2fc1, // zfs
    0xca45_1a4e, // bcachefs
    0xe0f5_e1e2, // erofs
    0x7371_7368, // squashfs
    0x4d44,      // vfat
    0x2011_bab0, // exfat
    0x3153_464a, // jfs
    0x9660,      // iso9660
];

/// How a file that is there is opened: it is neither made nor emptied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access(OFlags);

impl Access {
    pub(crate) const READ: Self = Self(OFlags::RDONLY);
    pub(crate) const WRITE: Self = Self(OFlags::WRONLY);
    pub(crate) const READ_WRITE: Self = Self(OFlags::RDWR);
    /// Writes, each of them at the end.
    pub(crate) const APPEND: Self = Self(OFlags::WRONLY.union(OFlags::APPEND));
    pub(crate) const READ_APPEND: Self = Self(OFlags::RDWR.union(OFlags::APPEND));
}

/// What an open file or a path says about itself without waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    pub(super) file_type: FileType,
    /// In bytes. Of a file that is not local it may be out of date.
    pub(crate) size: u64,
    mount: u64,
}

impl About {
    /// # Errors
    /// Of an older kernel, or of a filter.
    pub(crate) fn new(descriptor: impl AsFd) -> OsResult<Self> {
        // A server or a FUSE process is not asked.
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        let wanted = StatxFlags::TYPE | StatxFlags::SIZE | StatxFlags::MNT_ID | UNIQUE;
        let stat = statx(descriptor, c"", flags, wanted)?;
        // Before Linux 6.8 numbers are used again. That the same device has it then makes that less
        // likely.
        let mount = match StatxFlags::from_bits_retain(stat.stx_mask) {
            mask if mask.contains(UNIQUE) => stat.stx_mnt_id,
            mask if mask.contains(StatxFlags::MNT_ID) => {
                let device = u64::from(stat.stx_dev_major) << 20 ^ u64::from(stat.stx_dev_minor);
                stat.stx_mnt_id << 32 ^ device
            }
            _ => 0,
        };
        Ok(Self {
            file_type: FileType::from_raw_mode(stat.stx_mode.into()),
            size: stat.stx_size,
            mount: mount << 1,
        })
    }

    /// Whether its file system is local; none if that isn't known.
    fn locality(&self) -> Option<bool> {
        let mount = |known: &AtomicU64| {
            let known = known.load(Relaxed);
            (known & !1 == self.mount && self.mount != 0).then_some(known & 1 == 1)
        };
        KNOWN.iter().find_map(mount)
    }

    /// Whether its file system is known to be local.
    pub(crate) fn is_local(&self) -> bool {
        self.locality() == Some(true)
    }
}

/// What a lookup has found.
#[derive(Debug)]
pub(crate) enum Lookup {
    /// Something on a local file system.
    Local(Found),
    /// There is nothing.
    Missing,
    /// Only a call that may wait can tell; of the mount, if there is one, it is not known whether
    /// it is local.
    Unknown(Option<Mount>),
}

/// Something that is there: a descriptor that stands for it (`O_PATH`).
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) descriptor: OwnedFd,
    pub(crate) about: About,
}

/// A mount of which it isn't known whether it is local.
#[derive(Debug)]
pub(crate) struct Mount(Found);

impl Mount {
    /// Asks and remembers. May wait, as long as the file system likes.
    pub(crate) fn learn(self) {
        let Self(Found { descriptor, about }) = self;
        if about.mount == 0 || about.locality().is_some() {
            return;
        }
        if let Ok(stat) = fstatfs(&descriptor) {
            let local = LOCAL.contains(&(stat.f_type as u64));
            let index = NEXT.fetch_add(1, SeqCst) % MOUNTS;
            KNOWN[index].store(about.mount | u64::from(local), Relaxed);
        }
    }
}

/// Looks up what is at `path`. A symbolic link at its end is followed, or found itself.
pub(crate) fn look_up(path: &Path, follow: bool) -> Lookup {
    let mut flags = OFlags::PATH | OFlags::CLOEXEC;
    flags.set(OFlags::NOFOLLOW, !follow);
    let descriptor = match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED) {
        Ok(descriptor) => descriptor,
        Err(Errno::NOENT) => return Lookup::Missing,
        Err(_) => return Lookup::Unknown(None),
    };
    let Ok(about) = About::new(&descriptor) else { return Lookup::Unknown(None) };
    let found = Found { descriptor, about };
    match about.locality() {
        Some(true) => Lookup::Local(found),
        Some(false) => Lookup::Unknown(None),
        None => Lookup::Unknown(Some(Mount(found))),
    }
}

/// Opens the file or directory that was found at `path`. None if that may wait.
pub(crate) fn open_found(path: &Path, found: Found, access: Access) -> Option<(File, About)> {
    if !matches!(found.about.file_type, FileType::RegularFile | FileType::Directory) {
        return None;
    }
    // Not two descriptors at a time: the last one that is left would do for the plain call.
    drop(found);
    let flags = access.0 | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED).ok()?);
    ioctl_fionbio(&file, false).ok()?;
    let about = About::new(&file).ok()?;
    Some((file, about))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cached_is_found_and_opened() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        std::fs::metadata(&path).unwrap();
        let found = match look_up(&path, true) {
            // A system without.
            Lookup::Unknown(None) => return,
            Lookup::Unknown(Some(mount)) => {
                mount.learn();
                look_up(&path, true)
            }
            found => found,
        };
        let found = match found {
            Lookup::Local(found) => found,
            // Some other file system.
            Lookup::Unknown(None) => return,
            other => panic!("{other:?}"),
        };
        assert_eq!(found.about.size, std::fs::metadata(&path).unwrap().len());
        let (file, _) = open_found(&path, found, Access::READ).unwrap();
        assert!(!rustix::fs::fcntl_getfl(&file).unwrap().contains(OFlags::NONBLOCK));
        assert_eq!(std::io::read_to_string(file).unwrap(), std::fs::read_to_string(path).unwrap());
    }

    #[test]
    fn what_is_missing_is_known_to_be() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("no such file");
        assert!(std::fs::metadata(&path).is_err());
        assert!(matches!(look_up(&path, true), Lookup::Missing | Lookup::Unknown(None)));
        // An empty path is nothing, as with the plain call.
        assert!(matches!(look_up(Path::new(""), true), Lookup::Missing | Lookup::Unknown(None)));
    }
}
