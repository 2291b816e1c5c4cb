//! Stacks made of plain memory, as before.

use std::io;
use std::ops::Range;

/// A stack.
#[derive(Debug)]
pub(crate) struct Stack(Vec<u128>);

impl Stack {
    /// What a thread gets that asks for nothing.
    pub(crate) const DEFAULT_SIZE: usize = 256 * 1024;

    /// What a thread gets that asks for less. There is no guard yet, and a `println!` alone
    /// would run over the end of a kilobyte.
    const MIN_SIZE: usize = 64 * 1024;

    /// Makes a stack of `size` bytes, or more.
    pub(crate) fn new(size: usize) -> io::Result<Self> {
        let mut memory = Vec::new();
        memory
            .try_reserve_exact(size.max(Self::MIN_SIZE).div_ceil(16))
            .map_err(|_| io::ErrorKind::OutOfMemory)?;
        Ok(Self(memory))
    }

    /// Its bytes. They end at a multiple of 16.
    pub(crate) fn memory(&self) -> Range<*mut u8> {
        let bottom = self.0.as_ptr().cast_mut();
        bottom.cast()..bottom.wrapping_add(self.0.capacity()).cast()
    }
}
