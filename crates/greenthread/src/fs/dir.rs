//! What is in a directory.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fmt,
    fs::{self, FileType, Metadata},
    io::Result,
    os::unix::fs::DirEntryExt,
    panic::{RefUnwindSafe, UnwindSafe},
    path::{Path, PathBuf},
};

use crate::{runtime, task::worker_core};

/// How many entries are fetched at once: the way to the pool and back is shared by so many.
const BATCH: usize = 128;

/// The entries of a directory: [`std::fs::ReadDir`], made by [`read_dir`](super::read_dir).
///
/// # Differs from std
///
/// On a green thread entries are fetched in batches of up to 128: what is added or removed
/// meanwhile may be seen later than with std, where it may or may not be seen as well.
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

// Nothing is half done when a panic leaves it. An `io::Error` in there isn't by itself, but std's
// directory gives the like.
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
        self.fetched.extend(self.entries.by_ref().take(BATCH).map(|entry| entry.map(DirEntry::told)));
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

/// One entry of a directory: [`std::fs::DirEntry`].
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
    /// Most file systems tell it with the name; where they don't, it was asked for where waiting is
    /// no harm.
    file_type: Option<FileType>,
}

impl DirEntry {
    fn told(entry: fs::DirEntry) -> Self {
        let file_type = entry.file_type().ok();
        Self { entry, file_type }
    }

    /// The path: that of the directory, as it was given, and the name.
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

    /// What the system knows about it; a symbolic link is not followed.
    ///
    /// # Errors
    ///
    /// As the system gives them: it may have gone.
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

    /// What kind of thing it is; a symbolic link is one.
    ///
    /// # Errors
    ///
    /// As the system gives them, if the directory doesn't tell.
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

    /// The name, without the directory.
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

impl DirEntryExt for DirEntry {
    fn ino(&self) -> u64 {
        self.entry.ino()
    }
}

impl fmt::Debug for DirEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry.fmt(f)
    }
}
