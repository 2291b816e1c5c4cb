//! Operations that the system carries out on the memory of a waiting thread. This port has none:
//! each send is a system call, and the calls on files go to the pool.

use std::io::{self, IoSlice, IoSliceMut};

use super::{
    error::OsResult,
    fd::{AsFd, BorrowedFd},
    poller::Waker,
};

/// An operation, which no ring takes.
#[derive(Clone, Debug)]
pub(crate) struct Operation(());

impl Operation {
    /// Stands for a send.
    pub(crate) fn send(_: BorrowedFd<'_>, _: &[u8]) -> Self {
        Self(())
    }

    /// Returns `None`: the system cannot be asked for this.
    pub(crate) fn read(_: impl AsFd, _: &mut [IoSliceMut<'_>], _: Option<u64>) -> Option<Self> {
        None
    }

    /// Returns `None`: the system cannot be asked for this.
    pub(crate) fn write(_: impl AsFd, _: &[IoSlice<'_>], _: Option<u64>) -> Option<Self> {
        None
    }

    /// Stands for a wait until a file is on the disk.
    pub(crate) fn sync(_: impl AsFd, _: bool) -> Self {
        Self(())
    }
}

/// Returns `false`: there will be no ring later either.
pub(crate) fn is_shortage(_: &io::Error) -> bool {
    false
}

/// A ring, of which there is none.
#[derive(Debug)]
pub(crate) enum Ring {}

impl Ring {
    /// # Errors
    /// Always.
    pub(crate) fn new(_: u32, _: u32) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn tell(&self, _: &Waker) -> io::Result<()> {
        match *self {}
    }

    /// # Safety
    /// None: there is no ring.
    pub(crate) unsafe fn push(&mut self, _: Operation, _: u64) -> bool {
        match *self {}
    }

    pub(crate) fn submit(&mut self, _: u32, _: impl FnMut(u64, OsResult<usize>)) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn left(&mut self) -> u32 {
        match *self {}
    }

    pub(crate) fn collect(&mut self, _: impl FnMut(u64, OsResult<usize>)) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn has_news(&mut self) -> bool {
        match *self {}
    }

    pub(crate) fn watch(&mut self) -> bool {
        match *self {}
    }

    pub(crate) fn unwatch(&mut self) {
        match *self {}
    }
}
