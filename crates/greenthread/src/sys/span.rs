//! A range of addresses, which all ports share.

use core::ptr;

/// A range of addresses. Its layout is that of the `struct iovec` of Unix.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: *mut u8,
    pub(crate) len: usize,
}

impl Span {
    pub(crate) const EMPTY: Self = Self { start: ptr::null_mut(), len: 0 };
}
