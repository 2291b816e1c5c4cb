//! What Windows keeps about a stack, a stack such as Windows makes one, and ways to stand on it.

// ANCHOR: rooms
#[cfg(windows)]
mod call;
mod dive;
#[cfg(windows)]
mod fiber;
#[cfg(windows)]
mod notes;
#[cfg(windows)]
mod overflow;
#[cfg(windows)]
mod stack;
#[cfg(windows)]
mod switch;
#[cfg(windows)]
mod table;
#[cfg(windows)]
mod walk;

#[cfg(not(windows))]
mod elsewhere;

pub use dive::dive;
#[cfg(not(windows))]
pub use elsewhere::*;
#[cfg(windows)]
pub use {call::*, fiber::*, notes::*, overflow::*, stack::*, switch::*, table::*, walk::*};
// ANCHOR_END: rooms
