//! A temporary directory for each test.

#![allow(dead_code, reason = "each test program uses its own part of it")]

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use super::world::everywhere;

/// A directory of the test's own. It is removed on drop.
pub(crate) struct Dir(pub PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("fs-{}-{}", std::process::id(), NEXT.fetch_add(1, SeqCst));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // A process with this number may have been killed before it removed its own.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs the test in a thread of each world.
pub(crate) fn each(test: impl Fn(&Dir) + Send + Sync + 'static) {
    let test = Arc::new(test);
    everywhere(move |world| {
        let test = test.clone();
        world.spawn(move || test(&Dir::new())).end();
    });
}

pub(crate) fn kind<T>(result: std::io::Result<T>) -> ErrorKind {
    result.map(|_| ()).unwrap_err().kind()
}

/// Makes a FIFO.
#[cfg(unix)]
pub(crate) fn fifo(path: &Path) {
    use std::{ffi::CString, os::unix::ffi::OsStrExt};

    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: the path is a string with a terminating zero.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
}

/// Bytes that show their position.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 7 + i / 251) as u8).collect()
}

/// What `std::os::unix::fs::FileExt` does, but for the file's position, which moves on Windows.
#[cfg(windows)]
pub(crate) trait FileExt: greenthread::os::windows::fs::FileExt {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
        self.seek_read(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> std::io::Result<usize> {
        self.seek_write(buf, offset)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<()> {
        let count = self.seek_read(buf, offset)?;
        if count == buf.len() { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> std::io::Result<()> {
        let count = self.seek_write(buf, offset)?;
        if count == buf.len() { Ok(()) } else { Err(ErrorKind::WriteZero.into()) }
    }
}

#[cfg(windows)]
impl<T: greenthread::os::windows::fs::FileExt> FileExt for T {}
