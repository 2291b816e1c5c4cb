//! Operations on files that std lacks.

use std::{fs::File, io::Result};

use rustix::fs::{FileType, fstat};

pub(crate) use super::super::unix::file::{Kind, Nature, View, open_waits_for_others};

use super::lookup::About;

impl Nature {
    /// Asks the system about an open file. No file is known to be local, because there are no calls
    /// that read only what is cached: all calls on files go to the pool.
    ///
    /// # Errors
    /// The system's error.
    pub(crate) fn of(file: &File) -> Result<Self> {
        let file_type = FileType::from_raw_mode(fstat(file)?.st_mode);
        // The flag that bypasses the cache (`F_NOCACHE`) can be set but not asked for.
        Ok(Self { kind: Kind::new(file_type, false), is_local: false })
    }

    /// As `of`. There is no `About` to derive it from.
    pub(crate) fn new(about: About) -> Self {
        about.never()
    }
}
