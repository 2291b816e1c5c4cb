//! Lookups of paths in the system's cache. Windows has none, so the pool makes each call.

use std::{convert::Infallible, fs::File, io, path::Path};

use super::fd::{AsFd, OwnedFd};

/// The access mode for opening an existing file.
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
    pub(crate) size: u64,
    pub(super) never: Infallible,
}

impl About {
    /// # Errors
    /// Always.
    pub(crate) fn new(_: impl AsFd) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// The answer of a lookup.
#[derive(Debug)]
#[expect(dead_code, reason = "this port has only one answer")]
pub(crate) enum Lookup {
    Local(Found),
    Missing,
    Unknown(Option<Mount>),
}

/// A file that was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) descriptor: OwnedFd,
    never: Infallible,
}

/// A mount. There are none.
#[derive(Debug)]
pub(crate) struct Mount(Infallible);

impl Mount {
    pub(crate) fn learn(self) {
        match self.0 {}
    }
}

/// Returns that only a call that may wait can tell.
pub(crate) fn look_up(_: &Path, _: bool) -> Lookup {
    Lookup::Unknown(None)
}

/// Opens the file that was found.
pub(crate) fn open_found(_: &Path, found: Found, _: Access) -> Option<(File, About)> {
    match found.never {}
}
