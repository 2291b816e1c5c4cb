//! The words in which every port speaks of readiness.

/// A direction of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// To receive or accept.
    Read,
    /// To send, or to have connected.
    Write,
}

/// What an event says about its descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// A call that reads would not block.
    pub(crate) readable: bool,
    /// A call that writes would not block.
    pub(crate) writable: bool,
    /// There is an end, an error or urgent data ahead: a read that comes short says nothing about
    /// what is left.
    pub(crate) read_ahead: bool,
    /// The same for writing: both sides are shut down, or there is an error.
    pub(crate) write_ahead: bool,
}
