//! Lookups of paths in the kernel's cache, without waiting for a disk.
//!
//! `openat2` with `RESOLVE_CACHED` (Linux 5.12) follows a path as far as the cache knows it, and
//! fails with `EAGAIN` instead of asking the disk. This covers the path, but not the file at its
//! end: opening the file may wait for a server, a FUSE process, the other end of a FIFO, or a
//! terminal line. Therefore a path is looked up first (`O_PATH` opens nothing), and is opened
//! directly only if it leads to a file or a directory on a file system that is known to be local.
//! Another file may take over the path between the two calls; `O_NONBLOCK` prevents the second call
//! from waiting for that file, and is cleared afterwards.
//!
//! Only two answers are believed: success, and that there is no such file. Any other answer may
//! come from an older kernel or from a filter on system calls. The plain call, which the pool
//! makes, then gives the true answer.
//!
//! The call that tells whether a file system is local may itself wait for the file system.
//! Therefore it is made once for each mount, where waiting does no harm ([`Mount::learn`]), and its
//! answer is remembered.

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

/// The number of mounts that are remembered. Every lookup reads all of the entries. A process that
/// uses more mounts asks about some of them again.
const MOUNTS: usize = 32;

/// The known mounts: each entry is the mount's key, shifted left by one, and in the lowest bit
/// whether the mount is local. 0 is an empty entry.
static KNOWN: [AtomicU64; MOUNTS] = [const { AtomicU64::new(0) }; MOUNTS];

/// The index of the entry that is replaced next, modulo `MOUNTS`.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// `STATX_MNT_ID_UNIQUE` (Linux 6.8): asks for an ID of the mount that is never used again.
const UNIQUE: StatxFlags = StatxFlags::from_bits_retain(0x4000);

/// The magic numbers (`statfs(2)`) of the local file systems: those that answer from memory or from
/// a disk of this machine, and not from another process or another machine.
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

/// The access mode for opening an existing file. The file is neither created nor emptied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access(OFlags);

impl Access {
    pub(crate) const READ: Self = Self(OFlags::RDONLY);
    pub(crate) const WRITE: Self = Self(OFlags::WRONLY);
    pub(crate) const READ_WRITE: Self = Self(OFlags::RDWR);
    /// Each write goes to the end of the file.
    pub(crate) const APPEND: Self = Self(OFlags::WRONLY.union(OFlags::APPEND));
    pub(crate) const READ_APPEND: Self = Self(OFlags::RDWR.union(OFlags::APPEND));
}

/// Metadata of an open file or a path that is available without waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    pub(super) file_type: FileType,
    /// The size in bytes. For a file that is not local it may be out of date.
    pub(crate) size: u64,
    mount: u64,
}

impl About {
    /// # Errors
    /// An error from an older kernel, or from a filter on system calls.
    pub(crate) fn new(descriptor: impl AsFd) -> OsResult<Self> {
        // `STATX_DONT_SYNC` makes the call ask neither a server nor a FUSE process.
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        let wanted = StatxFlags::TYPE | StatxFlags::SIZE | StatxFlags::MNT_ID | UNIQUE;
        let stat = statx(descriptor, c"", flags, wanted)?;
        // Before Linux 6.8 an ID may be used again for another mount. Mixing in the device number
        // makes a false match less likely.
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

    /// Returns whether the file system is local, or `None` if that is not known.
    fn locality(&self) -> Option<bool> {
        let mount = |known: &AtomicU64| {
            let known = known.load(Relaxed);
            (known & !1 == self.mount && self.mount != 0).then_some(known & 1 == 1)
        };
        KNOWN.iter().find_map(mount)
    }

    /// Returns whether the file system is known to be local.
    pub(crate) fn is_local(&self) -> bool {
        self.locality() == Some(true)
    }
}

/// The result of a lookup.
#[derive(Debug)]
pub(crate) enum Lookup {
    /// A file on a local file system.
    Local(Found),
    /// There is no file.
    Missing,
    /// Only a call that may wait can tell. Of the mount, if there is one, it is not known whether
    /// it is local.
    Unknown(Option<Mount>),
}

/// A file that exists: a descriptor that stands for its path (`O_PATH`).
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) descriptor: OwnedFd,
    pub(crate) about: About,
}

/// A mount of which it is not known whether it is local.
#[derive(Debug)]
pub(crate) struct Mount(Found);

impl Mount {
    /// Asks the system whether the mount is local, and remembers the answer. May wait as long as
    /// the file system takes.
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

/// Looks up `path`. With `follow`, a symbolic link at the end of the path is followed; otherwise
/// the link itself is looked up.
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

/// Opens the file or directory that was found at `path`. `None` if that may wait.
pub(crate) fn open_found(path: &Path, found: Found, access: Access) -> Option<(File, About)> {
    if !matches!(found.about.file_type, FileType::RegularFile | FileType::Directory) {
        return None;
    }
    // Closing the first descriptor before the second is opened leaves one for the plain call when
    // only one is left.
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
    fn cached_paths_are_found_and_opened() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        std::fs::metadata(&path).unwrap();
        let found = match look_up(&path, true) {
            // A system without such lookups.
            Lookup::Unknown(None) => return,
            Lookup::Unknown(Some(mount)) => {
                mount.learn();
                look_up(&path, true)
            }
            found => found,
        };
        let found = match found {
            Lookup::Local(found) => found,
            // A file system that is not on the list.
            Lookup::Unknown(None) => return,
            other => panic!("{other:?}"),
        };
        assert_eq!(found.about.size, std::fs::metadata(&path).unwrap().len());
        let (file, _) = open_found(&path, found, Access::READ).unwrap();
        assert!(!rustix::fs::fcntl_getfl(&file).unwrap().contains(OFlags::NONBLOCK));
        assert_eq!(std::io::read_to_string(file).unwrap(), std::fs::read_to_string(path).unwrap());
    }

    #[test]
    fn a_missing_path_is_known_to_be_missing() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("no such file");
        assert!(std::fs::metadata(&path).is_err());
        assert!(matches!(look_up(&path, true), Lookup::Missing | Lookup::Unknown(None)));
        // An empty path leads to no file, as with the plain call.
        assert!(matches!(look_up(Path::new(""), true), Lookup::Missing | Lookup::Unknown(None)));
    }
}
