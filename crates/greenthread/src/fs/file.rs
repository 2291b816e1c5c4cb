//! Open files.

use std::{
    fmt,
    fs::{self, FileTimes, Metadata, Permissions, TryLockError},
    io::{IoSlice, IoSliceMut, IsTerminal, Read, Result, Seek, SeekFrom, Write},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd},
        unix::fs::FileExt,
    },
    path::Path,
    process::Stdio,
    time::SystemTime,
};

use super::{OpenOptions, op::Open};
use crate::{runtime, sys::lookup::About};

/// An open file: [`std::fs::File`], for which only the calling thread waits.
///
/// It reads, writes and seeks by reference as well, and positioned by the trait
/// [`FileExt`](crate::os::unix::fs::FileExt); all of it works straight on the caller's buffer. It
/// converts from and into std's.
///
/// Non-blocking mode (`O_NONBLOCK`) counts for what waits for others: a FIFO, a terminal, a socket.
/// A call that would wait gives `WouldBlock` then. The kernel is asked before each wait, so the
/// mode may be changed at any time, as by `fcntl`; who waits already goes on waiting. Whether the
/// file is read past the cache (`O_DIRECT`), and a socket's timeouts, are asked once, at the first
/// call.
///
/// Dropping it closes it, on the spot: on a local file system that doesn't wait for the disk. Where
/// it might (a network file system, the last handle to a large file that has been removed), drop it
/// inside [`unblock`](crate::thread::unblock).
///
/// # Differs from std
///
/// * There is no `Read`, `Write` and `Seek` for `Arc<File>`, which only std could add: use
///   `&*file`.
/// * [`is_terminal`](File::is_terminal) is a method, and of
///   [`io::IsTerminal`](crate::io::IsTerminal): std's trait is closed to others.
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
    /// ```
    /// let file = greenthread::run(|| greenthread::fs::File::open("/proc/self/stat"));
    /// assert!(file.is_ok());
    /// ```
    pub fn open<P: AsRef<Path>>(path: P) -> Result<File> {
        OpenOptions::new().read(true).open(path)
    }

    /// Opens a file for writing; it is made if it isn't there, and emptied if it is.
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

    /// Makes a file, for reading and writing.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if something of that name is there; and as [`OpenOptions::open`].
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

    /// The same as [`OpenOptions::new`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::File;
    /// let file = File::options().read(true).open("/dev/null")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// Waits until everything is on the disk, what is known about the file included.
    ///
    /// # Errors
    ///
    /// What couldn't be written; other errors, as the system gives them.
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

    /// As [`sync_all`](Self::sync_all), without what isn't needed to read the data again.
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

    /// Locks the file for this handle alone. Waits for as long as others hold it, shared or not; if
    /// it has to wait, that takes an OS thread (see
    /// [`blocking_threads`](crate::RuntimeBuilder::blocking_threads)).
    ///
    /// As in std the lock is advisory, belongs to the handle (and those made by
    /// [`try_clone`](Self::try_clone)), not to a thread, and ends when they are closed.
    ///
    /// # Errors
    ///
    /// As the system gives them; or, of the kind `QuotaExceeded`, there is no OS thread to wait on.
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

    /// Locks the file together with others that do the same; waits while somebody has locked it
    /// alone. As [`lock`](Self::lock).
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

    /// Locks the file for this handle alone, if nobody else holds it.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if somebody does; others as the system gives them.
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

    /// Locks the file together with others that do the same, if nobody has locked it alone.
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

    /// Ends this handle's lock, if it has one.
    ///
    /// # Errors
    ///
    /// As the system gives them.
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

    /// Makes the file so long: cuts it off, or fills it up with zeros. The position stays.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it isn't open for writing, or the size is out of range; others as the
    /// system gives them.
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

    /// What the system knows about the file.
    ///
    /// # Errors
    ///
    /// As the system gives them.
    ///
    /// # Examples
    ///
    /// ```
    /// let metadata = greenthread::run(|| greenthread::fs::File::open(".")?.metadata())?;
    /// assert!(metadata.is_dir());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn metadata(&self) -> Result<Metadata> {
        self.0.ask(fs::File::metadata)
    }

    /// Another handle to the same open file, with the same position.
    ///
    /// # Errors
    ///
    /// No descriptor is left.
    ///
    /// # Examples
    ///
    /// ```
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
    /// The file isn't yours; others as the system gives them.
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

    /// Sets the times at which the file was last read and changed, as far as `times` says.
    ///
    /// # Errors
    ///
    /// The file isn't yours; others as the system gives them.
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

    /// Sets the time at which the file was last changed.
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

    /// Whether it is a terminal: as [`IsTerminal`](crate::io::IsTerminal), which it has too.
    ///
    /// # Examples
    ///
    /// ```
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

    /// Nothing is held back here; see [`sync_all`](File::sync_all).
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
        self.0.quick(|mut file| file.seek(to))
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        (&*self).seek(to)
    }
}

impl FileExt for File {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        self.0.read(buf, Some(offset), |file, buf| file.read_at(buf, offset))
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> Result<usize> {
        self.0.write(&[IoSlice::new(buf)], Some(offset), |file| file.write_at(buf, offset))
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

impl From<OwnedFd> for File {
    fn from(descriptor: OwnedFd) -> Self {
        Self::new(descriptor.into())
    }
}

impl From<File> for OwnedFd {
    fn from(file: File) -> Self {
        file.0.into_file().into()
    }
}

impl From<File> for Stdio {
    fn from(file: File) -> Self {
        file.0.into_file().into()
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl FromRawFd for File {
    unsafe fn from_raw_fd(descriptor: RawFd) -> Self {
        // SAFETY: open and the caller's to give, says the caller.
        Self::new(unsafe { fs::File::from_raw_fd(descriptor) })
    }
}

impl IntoRawFd for File {
    fn into_raw_fd(self) -> RawFd {
        self.0.into_file().into_raw_fd()
    }
}
