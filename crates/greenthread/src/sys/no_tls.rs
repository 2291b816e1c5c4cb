//! Where threads can't have thread-locals of their own.

use std::io;

/// No value of this type exists.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Base {}

impl Base {
    /// # Safety
    /// None here: there is no base.
    pub(crate) unsafe fn set(self) {
        match self {}
    }
}

/// No value of this type exists.
#[derive(Debug)]
pub(crate) enum Block {}

impl Block {
    pub(crate) fn new() -> io::Result<Self> {
        Err(unsupported())
    }

    pub(crate) fn bases(&self) -> Option<(Base, Base)> {
        match *self {}
    }

    /// # Safety
    /// None here: there is no block.
    pub(crate) unsafe fn call(&self, _: unsafe extern "C" fn(*mut u8), _: *mut u8) {
        match *self {}
    }
}

pub(crate) fn available() -> io::Result<()> {
    Err(unsupported())
}

/// # Safety
/// None here: this function does nothing.
pub(crate) unsafe fn destroy() {}

pub(crate) fn before_fork() {}

/// # Safety
/// None here: this function does nothing.
pub(crate) unsafe fn after_fork() {}

fn unsupported() -> io::Error {
    let message = "a green thread can have thread-locals of its own on Linux with glibc only, on x86-64 and AArch64, \
                   and not under a sanitizer; use thread::unblock for code that needs an OS thread";
    io::Error::new(io::ErrorKind::Unsupported, message)
}
