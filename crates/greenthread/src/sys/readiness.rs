//! Types for readiness, which all ports share.

/// A direction of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Receiving or accepting.
    Read,
    /// Sending or connecting.
    Write,
}

/// The readiness that an event reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// A reading call would not block.
    pub(crate) readable: bool,
    /// A writing call would not block.
    pub(crate) writable: bool,
    /// The end of the data, an error or urgent data lies ahead. A short read then says nothing
    /// about the data that is left.
    pub(crate) read_ahead: bool,
    /// The same for writing: both directions are shut down, or there is an error.
    pub(crate) write_ahead: bool,
}
