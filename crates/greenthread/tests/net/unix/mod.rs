//! `greenthread::os::unix::net` behaves as `std::os::unix::net` does, on green threads, on OS
//! threads, and between the two.

mod datagrams;
mod streams;
mod waits;

use std::{
    os::unix::net::SocketAddr,
    path::{Path, PathBuf},
};

/// A directory that is removed on drop.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new() -> Self {
        let path = crate::common::scratch("unix");
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An address that no other socket has: an abstract one, where the system has these.
pub(crate) fn nameless_file() -> SocketAddr {
    crate::common::system::address("test")
}
