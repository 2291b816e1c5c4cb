//! How files are opened and directories are made.

use std::{
    fmt, fs,
    io::Result,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use crate::{runtime, sys::lookup::Access};

/// How a file is to be opened: [`std::fs::OpenOptions`]. The trait
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
    asked: Asked,
}

/// What std's options don't tell.
#[derive(Clone, Copy, Default)]
struct Asked {
    read: bool,
    write: bool,
    append: bool,
    truncate: bool,
    create: bool,
    create_new: bool,
    flags: i32,
}

impl Asked {
    /// See [`OpenOptions::access`].
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
    /// Nothing is set yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::OpenOptions;
    /// let file = OpenOptions::new().read(true).open("/dev/null")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[expect(clippy::new_without_default, reason = "std's has no default either")]
    #[must_use]
    pub fn new() -> Self {
        Self { inner: fs::OpenOptions::new(), asked: Asked::default() }
    }

    /// For reading.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::OpenOptions;
    /// let file = OpenOptions::new().read(true).open("/dev/zero")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read(&mut self, read: bool) -> &mut Self {
        self.inner.read(read);
        self.asked.read = read;
        self
    }

    /// For writing, over what is there.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::OpenOptions;
    /// let file = OpenOptions::new().write(true).open("/dev/null")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write(&mut self, write: bool) -> &mut Self {
        self.inner.write(write);
        self.asked.write = write;
        self
    }

    /// For writing, always at the end.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::OpenOptions;
    /// let file = OpenOptions::new().append(true).open("/dev/null")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn append(&mut self, append: bool) -> &mut Self {
        self.inner.append(append);
        self.asked.append = append;
        self
    }

    /// Emptied, if it is there. Needs `write`.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::OpenOptions;
    /// let file = OpenOptions::new().write(true).truncate(true).open("/dev/null")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn truncate(&mut self, truncate: bool) -> &mut Self {
        self.inner.truncate(truncate);
        self.asked.truncate = truncate;
        self
    }

    /// Made, if it isn't there. Needs `write` or `append`.
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
        self.asked.create = create;
        self
    }

    /// Made, and not there before: in one step, so of several that try it one succeeds.
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
        self.asked.create_new = create_new;
        self
    }

    /// How a file that is there is opened; none if that is for the plain call to judge, or a file
    /// may be made or emptied.
    pub(super) fn access(&self) -> Option<Access> {
        self.asked.access()
    }

    /// std's options.
    pub(super) fn as_std(&self) -> &fs::OpenOptions {
        &self.inner
    }
}

impl OpenOptionsExt for OpenOptions {
    fn mode(&mut self, mode: u32) -> &mut Self {
        self.inner.mode(mode);
        self
    }

    fn custom_flags(&mut self, flags: i32) -> &mut Self {
        self.inner.custom_flags(flags);
        self.asked.flags = flags;
        self
    }
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// How a directory is to be made: [`std::fs::DirBuilder`]. The trait
/// [`DirBuilderExt`](crate::os::unix::fs::DirBuilderExt) adds its mode.
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
    /// A directory whose parent is there.
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

    /// With all its parents, and content if it is there already.
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

    /// Makes it.
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

impl DirBuilderExt for DirBuilder {
    fn mode(&mut self, mode: u32) -> &mut Self {
        self.0.mode(mode);
        self
    }
}

impl fmt::Debug for DirBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
