//! Opening a file by `OpenOptions`. This is a module of its own so that neither `options` nor
//! `file` depends on the other.

use std::{io::Result, path::Path};

use super::{
    File, OpenOptions,
    path::{self, Opened},
};

impl OpenOptions {
    /// Opens a file with these options. Blocks the calling thread while the disk is read, and until
    /// the other end of a FIFO is opened.
    ///
    /// # Errors
    ///
    /// As [`std::fs::OpenOptions::open`]: `NotFound`, `PermissionDenied`, `AlreadyExists`,
    /// `InvalidInput` for options that contradict each other, and other errors of the system.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::fs::OpenOptions;
    /// let error = OpenOptions::new().read(true).open("/no/such/file").unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    /// ```
    pub fn open<P: AsRef<Path>>(&self, path: P) -> Result<File> {
        let path = path.as_ref();
        let mount = match self.access() {
            Some(access) => match path::open_now(path, access)? {
                Opened::Now(file, about) => return Ok(File::with(file, about)),
                Opened::MayWait(mount) => mount,
            },
            None => None,
        };
        path::open_on_pool(&[path], mount, || self.as_std().open(path)).map(File::new)
    }
}
