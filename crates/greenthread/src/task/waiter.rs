//! One wait: its state, and the thread that sleeps. `wait` says how it is used.
//!
//! Invariants:
//! 1. `sleeper` is written by the waiter before it parks, and read by the one claim that left
//!    PARKED, before it has paid its wake-up (see `state`: the waiter doesn't run in between). So
//!    it is never written and read at once.
//! 2. A green thread that is PARKED is suspended, or on its way there on its worker's OS thread: by
//!    the time its worker handles a wake-up, its context is saved.

use core::{cell::UnsafeCell, fmt, ptr};

use super::state::WaitState;

/// The reason for a wait, for people and tools that look at a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Reason {
    /// It doesn't wait.
    Nothing,
    /// `thread::park`.
    Park,
    /// `thread::sleep`.
    Sleep,
    /// Another thread's end.
    Join,
    /// A scope's threads.
    Scope,
    /// A mutex.
    Mutex,
    /// A read lock.
    Read,
    /// A write lock.
    Write,
    /// The end of an initialisation.
    Once,
    /// Others to come to a barrier.
    Barrier,
    /// A semaphore's permits.
    Semaphore,
    /// The members of a wait group.
    WaitGroup,
    /// A condition variable.
    Condvar,
    /// A message.
    Receive,
    /// Room for a message.
    Send,
    /// One of several channels.
    Select,
    /// A descriptor to become readable.
    Readable,
    /// A descriptor to become writable.
    Writable,
    /// A call on the blocking pool.
    Blocking,
    /// A file's data.
    File,
    /// A future to be woken.
    Future,
}

impl Reason {
    /// Whether another thread ends such a wait, perhaps soon. The other waits are ended by the
    /// worker itself (a timer, the driver), or much later.
    #[inline]
    pub(super) fn is_of_siblings(number: u8) -> bool {
        const OTHERS: u32 = 1 << Reason::Nothing as u8
            | 1 << Reason::Sleep as u8
            | 1 << Reason::Readable as u8
            | 1 << Reason::Writable as u8
            | 1 << Reason::Blocking as u8;
        // There are fewer than 32 reasons.
        OTHERS >> (number & 0x1f) & 1 == 0
    }

    /// The name, from the number that a block holds.
    pub(crate) fn name(number: u8) -> &'static str {
        let number = number & !(INTERRUPTIBLE | LOOKED);
        const NAMES: [(Reason, &str); 21] = [
            (Reason::Nothing, "nothing"),
            (Reason::Park, "park"),
            (Reason::Sleep, "sleep"),
            (Reason::Join, "join"),
            (Reason::Scope, "scope"),
            (Reason::Mutex, "mutex"),
            (Reason::Read, "read lock"),
            (Reason::Write, "write lock"),
            (Reason::Once, "once"),
            (Reason::Barrier, "barrier"),
            (Reason::Semaphore, "semaphore"),
            (Reason::WaitGroup, "wait group"),
            (Reason::Condvar, "condvar"),
            (Reason::Receive, "receive"),
            (Reason::Send, "send"),
            (Reason::Select, "select"),
            (Reason::Readable, "readable"),
            (Reason::Writable, "writable"),
            (Reason::Blocking, "blocking call"),
            (Reason::File, "file"),
            (Reason::Future, "future"),
        ];
        NAMES.iter().find(|(reason, _)| *reason as u8 == number).map_or("?", |(_, name)| name)
    }
}

/// Set in the number of a reason that a block holds, if the wait can be interrupted.
pub(super) const INTERRUPTIBLE: u8 = 0x80;

/// Set beside it once the thread has looked whether it is cancelled, and knows its scopes'
/// deadline.
pub(super) const LOOKED: u8 = 0x40;

/// One wait: one thread waits for one thing, once (until `reset`). Two words long, as it often
/// shares a cache line with what is waited for.
#[repr(C)]
pub(crate) struct Waiter {
    pub(super) state: WaitState,
    /// What sleeps: a green thread's task; with [`OS`] an OS thread's parker; with [`TASK`] the
    /// task of some executor (`awaiter`).
    pub(super) sleeper: UnsafeCell<*const ()>,
}

/// Set in the address of a parker. Tasks, parkers and awaiters are aligned to more than these bits.
pub(super) const OS: usize = 1;
/// Set in the address of an awaiter's head.
pub(super) const TASK: usize = 2;

// SAFETY: `state` is atomic, `sleeper` obeys invariant 1; a thread may be woken from anywhere.
unsafe impl Send for Waiter {}
// SAFETY: `state` is atomic, and `sleeper` is never written and read at once (invariant 1).
unsafe impl Sync for Waiter {}

impl fmt::Debug for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Waiter {
    pub(crate) fn new() -> Self {
        Self { state: WaitState::new(), sleeper: UnsafeCell::new(ptr::null()) }
    }

    /// Makes it ready for another wait; only its own thread may call it. Returns `true` if a
    /// wake-up was left there.
    pub(crate) fn reset(&self) -> bool {
        self.state.reset()
    }
}
