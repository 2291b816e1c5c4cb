//! Options for opening files and for making directories.

use std::{fmt, fs, io::Result, path::Path};

use crate::{runtime, sys::lookup::Access};

/// Options for opening a file: [`std::fs::OpenOptions`]. The trait
/// [`OpenOptionsExt`](crate::os::unix::fs::OpenOptionsExt) adds the mode of new files, and flags.
///
/// # Examples
///
/// ```
/// use greenthread::fs::{self, OpenOptions};
/// use std::io::Write;
///
/// # let path = std::env::temp_dir().join(format!("greenthread-options-{}", std::process::id()));
/// greenthread::run(|| {
///     for line in ["one\n", "two\n"] {
///         OpenOptions::new().append(true).create(true).open(&path)?.write_all(line.as_bytes())?;
///     }
///     assert_eq!(fs::read_to_string(&path)?, "one\ntwo\n");
///     fs::remove_file(&path)
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct OpenOptions {
    inner: fs::OpenOptions,
    requested: Requested,
}

/// A copy of the options that std's type does not reveal.
#[derive(Clone, Copy, Default)]
struct Requested {
    read: bool,
    write: bool,
    append: bool,
    truncate: bool,
    create: bool,
    create_new: bool,
    flags: i32,
}

impl Requested {
    /// The access mode for an existing file; see [`OpenOptions::access`].
    fn access(self) -> Option<Access> {
        let access = match self {
            Self { truncate: true, .. } | Self { create: true, .. } | Self { create_new: true, .. } => None,
            Self { read: true, write: false, append: false, .. } => Some(Access::READ),
            Self { read: false, write: true, append: false, .. } => Some(Access::WRITE),
            Self { read: true, write: true, append: false, .. } => Some(Access::READ_WRITE),
            Self { read: false, append: true, .. } => Some(Access::APPEND),
            Self { read: true, append: true, .. } => Some(Access::READ_APPEND),
            _ => None,
        };
        access.filter(|_| self.flags == 0)
    }
}

impl OpenOptions {
    /// Creates options with every option off.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::fs::OpenOptions;
    /// let file = OpenOptions::new().read(true).open("/dev/null")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[expect(clippy::new_without_default, reason = "std's has no default either")]
    #[must_use]
    pub fn new() -> Self {
        Self { inner: fs::OpenOptions::new(), requested: Requested::default() }
    }

    /// Sets whether the file is opened for reading.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::fs::OpenOptions;
    /// let file = OpenOptions::new().read(true).open("/dev/zero")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read(&mut self, read: bool) -> &mut Self {
        self.inner.read(read);
        self.requested.read = read;
        self
    }

    /// Sets whether the file is opened for writing. Writes overwrite the content in place.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::fs::OpenOptions;
    /// let file = OpenOptions::new().write(true).open("/dev/null")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write(&mut self, write: bool) -> &mut Self {
        self.inner.write(write);
        self.requested.write = write;
        self
    }

    /// Sets whether the file is opened for appending: every write goes to the end of the file.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::fs::OpenOptions;
    /// let file = OpenOptions::new().append(true).open("/dev/null")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn append(&mut self, append: bool) -> &mut Self {
        self.inner.append(append);
        self.requested.append = append;
        self
    }

    /// Sets whether an existing file is emptied. This needs `write`.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::fs::OpenOptions;
    /// let file = OpenOptions::new().write(true).truncate(true).open("/dev/null")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn truncate(&mut self, truncate: bool) -> &mut Self {
        self.inner.truncate(truncate);
        self.requested.truncate = truncate;
        self
    }

    /// Sets whether the file is created if it does not exist. This needs `write` or `append`.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::{self, OpenOptions};
    /// # let path = std::env::temp_dir().join(format!("greenthread-option-create-{}", std::process::id()));
    /// let file = OpenOptions::new().write(true).create(true).open(&path)?;
    /// # fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn create(&mut self, create: bool) -> &mut Self {
        self.inner.create(create);
        self.requested.create = create;
        self
    }

    /// Sets whether the file must be created by this call, so that opening an existing file fails.
    /// The check and the creation are one step: if several threads or processes try it, one
    /// succeeds.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::{self, OpenOptions};
    /// # let path = std::env::temp_dir().join(format!("greenthread-option-new-{}", std::process::id()));
    /// let mut options = OpenOptions::new();
    /// options.write(true).create_new(true);
    /// let file = options.open(&path)?;
    /// assert_eq!(options.open(&path).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
    /// # fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn create_new(&mut self, create_new: bool) -> &mut Self {
        self.inner.create_new(create_new);
        self.requested.create_new = create_new;
        self
    }

    /// How an existing file is opened. `None` if the call may create or empty a file, or if only
    /// std's call can judge the options.
    pub(super) fn access(&self) -> Option<Access> {
        self.requested.access()
    }

    /// Returns std's options.
    pub(super) fn as_std(&self) -> &fs::OpenOptions {
        &self.inner
    }
}

#[cfg(unix)]
impl std::os::unix::fs::OpenOptionsExt for OpenOptions {
    fn mode(&mut self, mode: u32) -> &mut Self {
        std::os::unix::fs::OpenOptionsExt::mode(&mut self.inner, mode);
        self
    }

    fn custom_flags(&mut self, flags: i32) -> &mut Self {
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut self.inner, flags);
        self.requested.flags = flags;
        self
    }
}

#[cfg(windows)]
impl std::os::windows::fs::OpenOptionsExt for OpenOptions {
    fn access_mode(&mut self, access: u32) -> &mut Self {
        std::os::windows::fs::OpenOptionsExt::access_mode(&mut self.inner, access);
        self
    }

    fn share_mode(&mut self, val: u32) -> &mut Self {
        std::os::windows::fs::OpenOptionsExt::share_mode(&mut self.inner, val);
        self
    }

    fn custom_flags(&mut self, flags: u32) -> &mut Self {
        std::os::windows::fs::OpenOptionsExt::custom_flags(&mut self.inner, flags);
        self
    }

    fn attributes(&mut self, val: u32) -> &mut Self {
        std::os::windows::fs::OpenOptionsExt::attributes(&mut self.inner, val);
        self
    }

    fn security_qos_flags(&mut self, flags: u32) -> &mut Self {
        std::os::windows::fs::OpenOptionsExt::security_qos_flags(&mut self.inner, flags);
        self
    }
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// Options for making a directory: [`std::fs::DirBuilder`]. The trait
/// [`DirBuilderExt`](crate::os::unix::fs::DirBuilderExt) adds the directory's mode.
///
/// # Examples
///
/// ```
/// use greenthread::fs::{self, DirBuilder};
///
/// # let path = std::env::temp_dir().join(format!("greenthread-builder-{}", std::process::id()));
/// greenthread::run(|| {
///     DirBuilder::new().recursive(true).create(path.join("a/b/c"))?;
///     fs::remove_dir_all(&path)
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct DirBuilder(fs::DirBuilder);

impl DirBuilder {
    /// Creates options for one directory whose parent exists.
    ///
    /// # Examples
    ///
    /// ```
    /// let builder = greenthread::fs::DirBuilder::new();
    /// assert_eq!(builder.create("/").unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
    /// ```
    #[expect(clippy::new_without_default, reason = "std's has no default either")]
    #[must_use]
    pub fn new() -> Self {
        Self(fs::DirBuilder::new())
    }

    /// Sets whether missing parents are made too. If set, it is no error that the directory exists.
    ///
    /// # Examples
    ///
    /// ```
    /// greenthread::fs::DirBuilder::new().recursive(true).create("/")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recursive(&mut self, recursive: bool) -> &mut Self {
        self.0.recursive(recursive);
        self
    }

    /// Makes the directory.
    ///
    /// # Errors
    ///
    /// As [`std::fs::DirBuilder::create`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::{self, DirBuilder};
    /// # let path = std::env::temp_dir().join(format!("greenthread-builder-create-{}", std::process::id()));
    /// DirBuilder::new().create(&path)?;
    /// fs::remove_dir(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn create<P: AsRef<Path>>(&self, path: P) -> Result<()> {
        let path = path.as_ref();
        runtime::unblock_disk(|| self.0.create(path))
    }
}

#[cfg(unix)]
impl std::os::unix::fs::DirBuilderExt for DirBuilder {
    fn mode(&mut self, mode: u32) -> &mut Self {
        std::os::unix::fs::DirBuilderExt::mode(&mut self.0, mode);
        self
    }
}

impl fmt::Debug for DirBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
