//! `File`.

use std::{
    fmt,
    fs::{self, FileTimes, Metadata, Permissions, TryLockError},
    io::{IoSlice, IoSliceMut, IsTerminal, Read, Result, Seek, SeekFrom, Write},
    path::Path,
    process::Stdio,
    time::SystemTime,
};

use super::{OpenOptions, op::Open};
use crate::{descriptor::fd_impls::file, runtime, sys::lookup::About};

/// An open file: [`std::fs::File`], but only the calling thread waits for it.
///
/// `&File` also implements `Read`, `Write` and `Seek`, and the trait
/// [`FileExt`](crate::os::unix::fs::FileExt) adds reads and writes at an offset. All of them use
/// the caller's buffer directly. A `File` converts from and into std's `File`.
///
/// Non-blocking mode (`O_NONBLOCK`) has an effect on a file that waits for another party: a FIFO, a
/// terminal, a socket. In this mode a call that would wait returns `WouldBlock`. The mode may
/// change at any time (by `fcntl`, for example), because the kernel is asked before each wait; a
/// thread that waits already goes on waiting. The kernel is asked only once, at the first call,
/// whether the file bypasses the page cache (`O_DIRECT`), and for the timeouts of a socket.
///
/// Dropping a `File` closes it directly. On a local file system, closing does not wait for the
/// disk. On a network file system, or if this is the last handle to a large file that has been
/// removed, closing may wait; drop the file inside [`unblock`](crate::thread::unblock) then.
///
/// # Differs from std
///
/// * `Arc<File>` does not implement `Read`, `Write` and `Seek`: only std could add that. Use
///   `&*file`.
/// * [`is_terminal`](File::is_terminal) is an inherent method, and a method of
///   [`io::IsTerminal`](crate::io::IsTerminal): std's trait cannot be implemented outside of std.
///
/// # Examples
///
/// ```
/// use greenthread::fs::{self, File};
/// use std::io::{Read, Write};
///
/// # let dir = std::env::temp_dir().join(format!("greenthread-file-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// let path = dir.join("greeting");
/// greenthread::run(|| {
///     File::create(&path)?.write_all(b"hello")?;
///     let mut text = String::new();
///     File::open(&path)?.read_to_string(&mut text)?;
///     assert_eq!(text, "hello");
///     std::io::Result::Ok(())
/// })?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct File(Open);

impl File {
    pub(super) fn new(file: fs::File) -> Self {
        Self(Open::new(file))
    }

    pub(super) fn with(file: fs::File, about: About) -> Self {
        Self(Open::with(file, about))
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    ///
    /// As [`OpenOptions::open`].
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// let file = greenthread::run(|| greenthread::fs::File::open("/proc/self/stat"));
    /// assert!(file.is_ok());
    /// ```
    pub fn open<P: AsRef<Path>>(path: P) -> Result<File> {
        OpenOptions::new().read(true).open(path)
    }

    /// Opens a file for writing. The file is created if it does not exist, and emptied if it does.
    ///
    /// # Errors
    ///
    /// As [`OpenOptions::open`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::{self, File};
    /// # let path = std::env::temp_dir().join(format!("greenthread-create-{}", std::process::id()));
    /// let file = File::create(&path)?;
    /// assert_eq!(file.metadata()?.len(), 0);
    /// # fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn create<P: AsRef<Path>>(path: P) -> Result<File> {
        OpenOptions::new().write(true).create(true).truncate(true).open(path)
    }

    /// Creates a new file, and opens it for reading and writing.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the path exists; otherwise as [`OpenOptions::open`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::{self, File};
    /// # let path = std::env::temp_dir().join(format!("greenthread-create-new-{}", std::process::id()));
    /// File::create_new(&path)?;
    /// assert_eq!(File::create_new(&path).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
    /// # fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn create_new<P: AsRef<Path>>(path: P) -> Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).open(path)
    }

    /// Returns new options, as [`OpenOptions::new`] does.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::fs::File;
    /// let file = File::options().read(true).open("/dev/null")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// Waits until the file's data and metadata are on the disk.
    ///
    /// # Errors
    ///
    /// An error if data could not be written; other errors of the system.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::{self, File};
    /// # let path = std::env::temp_dir().join(format!("greenthread-sync-{}", std::process::id()));
    /// greenthread::run(|| File::create(&path)?.sync_all())?;
    /// # fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn sync_all(&self) -> Result<()> {
        self.0.sync(false, fs::File::sync_all)
    }

    /// Waits as [`sync_all`](Self::sync_all) does, but only for the data and for the metadata that
    /// is needed to read the data back.
    ///
    /// # Errors
    ///
    /// As `sync_all`.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::{self, File};
    /// # let path = std::env::temp_dir().join(format!("greenthread-sync-data-{}", std::process::id()));
    /// greenthread::run(|| File::create(&path)?.sync_data())?;
    /// # fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn sync_data(&self) -> Result<()> {
        self.0.sync(true, fs::File::sync_data)
    }

    /// Takes an exclusive lock on the file. Blocks the calling thread while other handles hold a
    /// lock, shared or exclusive. A call that has to wait takes an OS thread (see
    /// [`blocking_threads`](crate::RuntimeBuilder::blocking_threads)).
    ///
    /// As in std, the lock is advisory. It belongs to the handle and to its clones made by
    /// [`try_clone`](Self::try_clone), not to a thread. It ends when all of them are closed.
    ///
    /// # Errors
    ///
    /// The system's error; `QuotaExceeded` if there is no OS thread to wait on.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::{self, File};
    /// # let path = std::env::temp_dir().join(format!("greenthread-lock-{}", std::process::id()));
    /// let file = File::create(&path)?;
    /// file.lock()?;
    /// file.unlock()?;
    /// # fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn lock(&self) -> Result<()> {
        match self.try_lock() {
            Err(TryLockError::WouldBlock) => runtime::unblock_wait(|| self.0.file().lock())?,
            Err(TryLockError::Error(error)) => Err(error),
            Ok(()) => Ok(()),
        }
    }

    /// Takes a shared lock on the file. Blocks the calling thread while another handle holds an
    /// exclusive lock; see [`lock`](Self::lock).
    ///
    /// # Errors
    ///
    /// As `lock`.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::{self, File};
    /// # let path = std::env::temp_dir().join(format!("greenthread-lock-shared-{}", std::process::id()));
    /// let (one, two) = (File::create(&path)?, File::open(&path)?);
    /// one.lock_shared()?;
    /// two.lock_shared()?;
    /// # fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn lock_shared(&self) -> Result<()> {
        match self.try_lock_shared() {
            Err(TryLockError::WouldBlock) => runtime::unblock_wait(|| self.0.file().lock_shared())?,
            Err(TryLockError::Error(error)) => Err(error),
            Ok(()) => Ok(()),
        }
    }

    /// Takes an exclusive lock on the file if no other handle holds a lock.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if another handle holds a lock; otherwise the system's error.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::{self, File, TryLockError};
    /// # let path = std::env::temp_dir().join(format!("greenthread-try-lock-{}", std::process::id()));
    /// let (one, two) = (File::create(&path)?, File::open(&path)?);
    /// one.try_lock()?;
    /// assert!(matches!(two.try_lock(), Err(TryLockError::WouldBlock)));
    /// # fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_lock(&self) -> std::result::Result<(), TryLockError> {
        self.0.call(|file| Ok(file.try_lock())).unwrap_or_else(|error| Err(TryLockError::Error(error)))
    }

    /// Takes a shared lock on the file if no other handle holds an exclusive lock.
    ///
    /// # Errors
    ///
    /// As [`try_lock`](Self::try_lock).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::{self, File, TryLockError};
    /// # let path = std::env::temp_dir().join(format!("greenthread-try-shared-{}", std::process::id()));
    /// let (one, two) = (File::create(&path)?, File::open(&path)?);
    /// one.try_lock_shared()?;
    /// two.try_lock_shared()?;
    /// assert!(matches!(two.try_lock(), Err(TryLockError::WouldBlock)));
    /// # fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_lock_shared(&self) -> std::result::Result<(), TryLockError> {
        self.0.call(|file| Ok(file.try_lock_shared())).unwrap_or_else(|error| Err(TryLockError::Error(error)))
    }

    /// Releases this handle's lock, if it holds one.
    ///
    /// # Errors
    ///
    /// The system's error.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::{self, File};
    /// # let path = std::env::temp_dir().join(format!("greenthread-unlock-{}", std::process::id()));
    /// let (one, two) = (File::create(&path)?, File::open(&path)?);
    /// one.lock()?;
    /// one.unlock()?;
    /// two.lock()?;
    /// # fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn unlock(&self) -> Result<()> {
        self.0.call(fs::File::unlock)
    }

    /// Sets the length of the file: a longer file is cut off, and a shorter one is extended with
    /// zeros. The position does not change.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the file is not open for writing, or if the size is out of range;
    /// otherwise the system's error.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::{self, File};
    /// # let path = std::env::temp_dir().join(format!("greenthread-set-len-{}", std::process::id()));
    /// let file = File::create(&path)?;
    /// file.set_len(10)?;
    /// assert_eq!(fs::read(&path)?, [0; 10]);
    /// # fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_len(&self, size: u64) -> Result<()> {
        self.0.call(|file| file.set_len(size))
    }

    /// Returns the metadata of the file.
    ///
    /// # Errors
    ///
    /// The system's error.
    ///
    /// # Examples
    ///
    /// ```
    /// let metadata = greenthread::run(|| greenthread::fs::File::open("Cargo.toml")?.metadata())?;
    /// assert!(metadata.is_file());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn metadata(&self) -> Result<Metadata> {
        self.0.ask(fs::File::metadata)
    }

    /// Creates another handle to the same open file. Both handles share the position.
    ///
    /// # Errors
    ///
    /// An error if the process has no descriptor left.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::fs::File;
    /// let file = File::open("/dev/null")?;
    /// let other = file.try_clone()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_clone(&self) -> Result<File> {
        self.0.try_clone().map(Self)
    }

    /// Sets the file's permissions.
    ///
    /// # Errors
    ///
    /// An error if the user does not own the file; otherwise the system's error.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::{self, File};
    /// # let path = std::env::temp_dir().join(format!("greenthread-permissions-{}", std::process::id()));
    /// let file = File::create(&path)?;
    /// let mut permissions = file.metadata()?.permissions();
    /// permissions.set_readonly(true);
    /// file.set_permissions(permissions)?;
    /// # fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_permissions(&self, perm: Permissions) -> Result<()> {
        self.0.call(|file| file.set_permissions(perm))
    }

    /// Sets the times of the last access and of the last change, as far as `times` contains them.
    ///
    /// # Errors
    ///
    /// An error if the user does not own the file; otherwise the system's error.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{fs::{self, File, FileTimes}, time::{Duration, SystemTime}};
    /// # let path = std::env::temp_dir().join(format!("greenthread-times-{}", std::process::id()));
    /// let file = File::create(&path)?;
    /// let then = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
    /// file.set_times(FileTimes::new().set_accessed(then).set_modified(then))?;
    /// assert_eq!(file.metadata()?.accessed()?, then);
    /// # fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_times(&self, times: FileTimes) -> Result<()> {
        self.0.call(|file| file.set_times(times))
    }

    /// Sets the time of the last change.
    ///
    /// # Errors
    ///
    /// As [`set_times`](Self::set_times).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{fs::{self, File}, time::SystemTime};
    /// # let path = std::env::temp_dir().join(format!("greenthread-modified-{}", std::process::id()));
    /// let file = File::create(&path)?;
    /// file.set_modified(SystemTime::UNIX_EPOCH)?;
    /// assert_eq!(file.metadata()?.modified()?, SystemTime::UNIX_EPOCH);
    /// # fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_modified(&self, time: SystemTime) -> Result<()> {
        self.set_times(FileTimes::new().set_modified(time))
    }

    /// Returns whether the file is a terminal, as [`IsTerminal`](crate::io::IsTerminal) does.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// assert!(!greenthread::fs::File::open("/dev/null")?.is_terminal());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.0.file().is_terminal()
    }
}

impl Read for &File {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        self.0.read(buf, None, |mut file, buf| file.read(buf))
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize> {
        self.0.read(bufs, None, |mut file, bufs| file.read_vectored(bufs))
    }

    fn read_to_end(&mut self, buf: &mut Vec<u8>) -> Result<usize> {
        self.0.read_to_end(buf)
    }

    fn read_to_string(&mut self, buf: &mut String) -> Result<usize> {
        self.0.read_to_string(buf)
    }
}

impl Read for File {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        (&*self).read(buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize> {
        (&*self).read_vectored(bufs)
    }

    fn read_to_end(&mut self, buf: &mut Vec<u8>) -> Result<usize> {
        (&*self).read_to_end(buf)
    }

    fn read_to_string(&mut self, buf: &mut String) -> Result<usize> {
        (&*self).read_to_string(buf)
    }
}

impl Write for &File {
    fn write(&mut self, buf: &[u8]) -> Result<usize> {
        self.0.write(&[IoSlice::new(buf)], None, |mut file| file.write(buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.0.write(bufs, None, |mut file| file.write_vectored(bufs))
    }

    /// Does nothing: a `File` has no buffer. See [`sync_all`](File::sync_all).
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Write for File {
    fn write(&mut self, buf: &[u8]) -> Result<usize> {
        (&*self).write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        (&*self).write_vectored(bufs)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Seek for &File {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.0.call_at_position(|mut file| file.seek(to))
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        (&*self).seek(to)
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.file().fmt(f)
    }
}

impl From<fs::File> for File {
    fn from(file: fs::File) -> Self {
        Self::new(file)
    }
}

impl From<File> for fs::File {
    fn from(file: File) -> Self {
        file.0.into_file()
    }
}

impl From<File> for Stdio {
    fn from(file: File) -> Self {
        file.0.into_file().into()
    }
}

file!(File);
