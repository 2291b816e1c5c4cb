//! Why a stack could not be had, as an error that says what helps.

use core::fmt;
use std::io;

use crate::sys::memory;

/// A request for a stack that was refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) size: usize,
    pub(super) reason: Reason,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Reason {
    /// There is no address space.
    Space,
    /// There is no memory map for a guard. So many other threads have one or will get one.
    Maps(usize),
    /// There is no memory for the stack or its tables.
    Memory,
}

/// The error for a stack of `size` bytes for which there is no address space.
#[cold]
pub(crate) fn no_space(size: usize) -> io::Error {
    Refusal { size, reason: Reason::Space }.into_error()
}

/// The error for a stack of `size` bytes for which there is no memory map, as so many threads have
/// one or will get one.
#[cold]
pub(crate) fn no_map(size: usize, threads: usize) -> io::Error {
    Refusal { size, reason: Reason::Maps(threads) }.into_error()
}

impl Refusal {
    pub(super) fn into_error(self) -> io::Error {
        memory::exhausted(format_args!("{self}"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.size;
        match self.reason {
            Reason::Space => {
                write!(f, "no address space for a stack of {size} bytes: {}", memory::MORE_ADDRESSES)
            }
            Reason::Maps(others) => {
                write!(f, "no guard for a stack of {size} bytes after {others} others: {}", memory::MORE_MAPS)
            }
            Reason::Memory => {
                write!(f, "no memory for a stack of {size} bytes and its tables: {}", memory::MORE_MEMORY)
            }
        }
    }
}
