//! Stands for `lookup` on systems that cannot be asked for what their cache holds: each lookup may
//! wait for a disk. A port names this file as its module `lookup`.

use std::{convert::Infallible, fs::File, path::Path};

use super::{
    error::{OsError, OsResult},
    fd::{AsFd, OwnedFd},
};

/// The access mode for opening a file that was found. None is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access(());

impl Access {
    pub(crate) const READ: Self = Self(());
    pub(crate) const WRITE: Self = Self(());
    pub(crate) const READ_WRITE: Self = Self(());
    pub(crate) const APPEND: Self = Self(());
    pub(crate) const READ_APPEND: Self = Self(());
}

/// Metadata that is available without waiting. There is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    never: Infallible,
    pub(crate) size: u64,
}

impl About {
    /// # Errors
    /// Always: `fstat` may ask a server.
    pub(crate) fn new(_: impl AsFd) -> OsResult<Self> {
        Err(OsError::UNSUPPORTED)
    }

    /// There is no value to call it on.
    pub(super) fn never(self) -> ! {
        match self.never {}
    }
}

/// The result of a lookup: always `Unknown(None)`.
#[derive(Debug)]
pub(crate) enum Lookup {
    #[expect(dead_code, reason = "the contract's variant, which this port never makes")]
    Local(Found),
    #[expect(dead_code, reason = "the contract's variant, which this port never makes")]
    Missing,
    Unknown(Option<Mount>),
}

/// A file that was found. None is.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) descriptor: OwnedFd,
    pub(crate) about: About,
}

/// A mount to ask about. There is none.
#[derive(Debug)]
pub(crate) struct Mount(Infallible);

impl Mount {
    pub(crate) fn learn(self) {
        match self.0 {}
    }
}

/// Looks up a path: only a call that may wait can tell.
pub(crate) fn look_up(_: &Path, _: bool) -> Lookup {
    Lookup::Unknown(None)
}

/// Opens a file that was found. None is.
pub(crate) fn open_found(_: &Path, found: Found, _: Access) -> Option<(File, About)> {
    found.about.never()
}
