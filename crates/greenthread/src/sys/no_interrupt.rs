//! Stands for `interrupt` on systems whose calls end only by themselves. A port names this file as
//! its module `interrupt`.

use std::{
    io::{self, IoSliceMut},
    process::{Child, ExitStatus},
};

use super::{error::OsResult, fd::BorrowedFd, io::read};

/// Calls that another OS thread could interrupt. None can be.
#[derive(Debug)]
pub(crate) struct Interruptible(());

impl Interruptible {
    pub(crate) const POSSIBLE: bool = false;

    pub(crate) fn new() -> Self {
        Self(())
    }

    pub(crate) fn interrupt(&self) {}

    pub(crate) fn read(&self, descriptor: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> OsResult<usize> {
        read(descriptor, buffers)
    }

    pub(crate) fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        child.wait()
    }
}
