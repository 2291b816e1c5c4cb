//! Operations on files that std lacks.

use std::{fs::File, io::Result};

use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat};

pub(crate) use super::super::unix::file::{Kind, Nature, View, open_waits_for_others};

use super::lookup::About;

impl Nature {
    /// Asks the system about an open file.
    ///
    /// # Errors
    /// The system's error.
    pub(crate) fn of(file: &File) -> Result<Self> {
        let direct = fcntl_getfl(file)?.contains(OFlags::DIRECT);
        Ok(match About::new(file) {
            Ok(about) => Self { kind: Kind::new(about.file_type, direct), is_local: about.is_local() },
            Err(_) => {
                let file_type = FileType::from_raw_mode(fstat(file)?.st_mode);
                Self { kind: Kind::new(file_type, direct), is_local: false }
            }
        })
    }

    /// Derives the nature of a file that was opened without `O_DIRECT`.
    #[inline]
    pub(crate) fn new(about: About) -> Self {
        Self { kind: Kind::new(about.file_type, false), is_local: about.is_local() }
    }
}
