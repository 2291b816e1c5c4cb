//! Stands for `uring` on systems without io_uring, and on processors for which the crate `io-uring`
//! has no bindings, such as all 32-bit ones. No ring can be made, so each send is a system call,
//! and file operations that may wait go to the pool. A port names this file as its module `uring`.

use std::{
    convert::Infallible,
    io::{self, IoSlice, IoSliceMut},
};

use super::{
    error::OsResult,
    fd::{AsFd, BorrowedFd},
    poller::Waker,
};

/// An operation for a ring. It is never handed over.
#[derive(Clone, Debug)]
pub(crate) struct Operation(());

impl Operation {
    pub(crate) fn send(_: BorrowedFd<'_>, _: &[u8]) -> Self {
        Self(())
    }

    pub(crate) fn read(_: impl AsFd, _: &mut [IoSliceMut<'_>], _: Option<u64>) -> Option<Self> {
        None
    }

    pub(crate) fn write(_: impl AsFd, _: &[IoSlice<'_>], _: Option<u64>) -> Option<Self> {
        None
    }

    pub(crate) fn sync(_: impl AsFd, _: bool) -> Self {
        Self(())
    }
}

/// Returns `false`: a ring is never to be had.
pub(crate) fn is_shortage(_: &io::Error) -> bool {
    false
}

/// A ring, of which there is none.
#[derive(Debug)]
pub(crate) struct Ring(Infallible);

impl Ring {
    /// # Errors
    /// Always.
    pub(crate) fn new(_: u32, _: u32) -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this build has no io_uring"))
    }

    pub(crate) fn tell(&self, _: &Waker) -> io::Result<()> {
        match self.0 {}
    }

    /// # Safety
    /// There is no ring to call it on.
    pub(crate) unsafe fn push(&mut self, _: Operation, _: u64) -> bool {
        match self.0 {}
    }

    pub(crate) fn submit(&mut self, _: u32, _: impl FnMut(u64, OsResult<usize>)) -> io::Result<()> {
        match self.0 {}
    }

    pub(crate) fn cancel(&self, _: u64) {
        match self.0 {}
    }

    pub(crate) fn left(&mut self) -> u32 {
        match self.0 {}
    }

    pub(crate) fn collect(&mut self, _: impl FnMut(u64, OsResult<usize>)) -> io::Result<()> {
        match self.0 {}
    }

    pub(crate) fn has_news(&mut self) -> bool {
        match self.0 {}
    }

    pub(crate) fn watch(&mut self) -> bool {
        match self.0 {}
    }

    pub(crate) fn unwatch(&mut self) {
        match self.0 {}
    }
}
