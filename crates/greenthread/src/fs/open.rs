//! How options open a file: above both, so that neither needs the other.

use std::{io::Result, path::Path};

use super::{
    File, OpenOptions,
    path::{self, Opened},
};

impl OpenOptions {
    /// Opens a file so. Waits for the disk, and for the other end of a FIFO.
    ///
    /// # Errors
    ///
    /// As [`std::fs::OpenOptions::open`]: `NotFound`, `PermissionDenied`, `AlreadyExists`,
    /// `InvalidInput` for options that contradict each other, and what else the system says.
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
            Some(access) => match path::open_here(path, access)? {
                Opened::Here(file, about) => return Ok(File::with(file, about)),
                Opened::Elsewhere(mount) => mount,
            },
            None => None,
        };
        path::opening(&[path], mount, || self.as_std().open(path)).map(File::new)
    }
}
