//! Reading directories.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fmt,
    fs::{self, FileType, Metadata},
    io::Result,
    panic::{RefUnwindSafe, UnwindSafe},
    path::{Path, PathBuf},
};

use crate::{runtime, task::worker_core};

/// The number of entries that one trip to the pool fetches. A larger batch spreads the cost of the
/// trip over more entries, but takes more memory and shows older entries; a smaller one makes more
/// trips.
const BATCH: usize = 128;

/// An iterator over the entries of a directory: [`std::fs::ReadDir`]. [`read_dir`](super::read_dir)
/// returns it.
///
/// # Differs from std
///
/// On a green thread entries are fetched in batches of up to 128. An entry that is added or removed
/// meanwhile may be noticed later than with std. (std does not promise to notice such a change
/// either.)
///
/// # Examples
///
/// ```
/// use greenthread::fs;
///
/// let names = greenthread::run(|| {
///     fs::read_dir(".")?.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<Vec<_>>>()
/// })?;
/// assert!(names.iter().any(|name| name == "Cargo.toml"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct ReadDir {
    entries: fs::ReadDir,
    fetched: VecDeque<Result<DirEntry>>,
    ended: bool,
}

// A panic leaves no operation half done. An `io::Error` in the queue is not `UnwindSafe` by itself,
// but the items of std's `ReadDir` are such errors too.
impl UnwindSafe for ReadDir {}
impl RefUnwindSafe for ReadDir {}

impl ReadDir {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let green = worker_core::current().is_some();
        runtime::unblock_disk(|| {
            let entries = fs::read_dir(path)?;
            let mut dir = Self { entries, fetched: VecDeque::new(), ended: false };
            if green {
                dir.fetch();
            }
            Ok(dir)
        })
    }

    fn fetch(&mut self) {
        self.fetched.extend(self.entries.by_ref().take(BATCH).map(|entry| entry.map(DirEntry::with_type)));
        self.ended = self.fetched.len() < BATCH;
    }
}

impl Iterator for ReadDir {
    type Item = Result<DirEntry>;

    fn next(&mut self) -> Option<Result<DirEntry>> {
        if self.fetched.is_empty() && !self.ended {
            if worker_core::current().is_none() {
                return self
                    .entries
                    .next()
                    .map(|entry| entry.map(|entry| DirEntry { entry, file_type: None }));
            }
            runtime::unblock_disk(|| self.fetch());
        }
        self.fetched.pop_front()
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.fmt(f)
    }
}

/// An entry of a directory: [`std::fs::DirEntry`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
///
/// greenthread::run(|| {
///     for entry in fs::read_dir(".")? {
///         let entry = entry?;
///         println!("{:?}: {} bytes", entry.path(), entry.metadata()?.len());
///     }
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct DirEntry {
    entry: fs::DirEntry,
    /// The type. Most file systems return it together with the name. For the others, the pool's
    /// thread asked for it, where waiting does no harm.
    file_type: Option<FileType>,
}

impl DirEntry {
    fn with_type(entry: fs::DirEntry) -> Self {
        let file_type = entry.file_type().ok();
        Self { entry, file_type }
    }

    /// Returns the path of the entry: the path that was given to `read_dir`, joined with the
    /// entry's name.
    ///
    /// # Examples
    ///
    /// ```
    /// let entry = greenthread::fs::read_dir(".")?.next().unwrap()?;
    /// assert!(entry.path().starts_with("."));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.entry.path()
    }

    /// Returns the metadata of the entry. A symbolic link is not followed.
    ///
    /// # Errors
    ///
    /// The system's error: for example, the entry may have been removed.
    ///
    /// # Examples
    ///
    /// ```
    /// let entry = greenthread::fs::read_dir(".")?.next().unwrap()?;
    /// assert!(entry.metadata()?.modified().is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn metadata(&self) -> Result<Metadata> {
        runtime::unblock_disk(|| self.entry.metadata())
    }

    /// Returns the type of the entry. A symbolic link is not followed.
    ///
    /// # Errors
    ///
    /// The system's error, if the file system does not return the type with the name.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut entries = greenthread::fs::read_dir(".")?;
    /// assert!(entries.any(|entry| entry.unwrap().file_type().unwrap().is_dir()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn file_type(&self) -> Result<FileType> {
        self.file_type.map_or_else(|| runtime::unblock_disk(|| self.entry.file_type()), Ok)
    }

    /// Returns the name of the entry, without the directory.
    ///
    /// # Examples
    ///
    /// ```
    /// let entry = greenthread::fs::read_dir(".")?.next().unwrap()?;
    /// assert_eq!(entry.path().file_name(), Some(entry.file_name().as_os_str()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn file_name(&self) -> OsString {
        self.entry.file_name()
    }
}

#[cfg(unix)]
impl std::os::unix::fs::DirEntryExt for DirEntry {
    fn ino(&self) -> u64 {
        std::os::unix::fs::DirEntryExt::ino(&self.entry)
    }
}

impl fmt::Debug for DirEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry.fmt(f)
    }
}
