//! Sends of several threads, handed to the kernel in one system call.
//!
//! A thread that has something to send while others are ready to run, who may have as well, puts its send into the ring
//! and lets them run. When the worker comes home it hands all of it over, and the threads go on with the answers. Alone, a
//! send by itself is quicker; from four on the ring is (measured; it saves some half a microsecond each).
//!
//! The ring is made at its first use. Where there is none, nothing is ever held back.
//!
//! Invariants:
//! 1. A [`Held`] lies on the stack of the thread that waits for its answer, with all that it points to, and the thread
//!    is woken by `flush` alone, after the answer. So what is in `Batch::held`, and the bytes in the ring, are alive.
//! 2. All of it is touched on the worker's own OS thread only.

use std::{
    cell::{Cell, RefCell},
    os::fd::AsFd,
    ptr,
};

use rustix::net::SendFlags;

use super::{Shown, Source};
use crate::{
    sys::ring::Ring,
    task::wait::{Reason, Waiter},
};

/// The most sends in one batch.
const MOST: u32 = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Sends {
    state: RefCell<State>,
    /// How many are held back.
    count: Cell<u32>,
}

#[derive(Debug)]
enum State {
    Untried,
    None,
    Ready(Box<Batch>),
}

#[derive(Debug)]
struct Batch {
    ring: Ring,
    held: Vec<*const Held>,
}

// SAFETY: a driver goes to its worker's OS thread before anything is held back (invariant 2).
unsafe impl Send for Batch {}

/// One thread's send.
#[derive(Debug)]
pub(super) struct Held {
    source: *const Source,
    pub(super) len: usize,
    /// What a short count shows.
    pub(super) short: Shown,
    answer: Cell<Option<i32>>,
    waiter: Waiter,
}

impl Sends {
    /// With a ring at its first use; or, if not `allowed`, without.
    pub(super) fn new(allowed: bool) -> Self {
        let state = if allowed { State::Untried } else { State::None };
        Self { state: RefCell::new(state), count: Cell::new(0) }
    }

    /// How many are held back.
    #[inline]
    pub(super) fn count(&self) -> u32 {
        self.count.get()
    }

    /// Whether the batch is full: `flush` comes first.
    pub(super) fn is_full(&self) -> bool {
        self.count.get() == MOST
    }

    /// Holds a send back until the next `flush`, and gives its answer: how much was sent, or the negative error number. None
    /// if there is no ring: nothing was sent then.
    ///
    /// It has `MSG_DONTWAIT` among its flags.
    pub(super) fn hold(&self, source: &Source, bytes: &[u8], short: Shown, flags: SendFlags) -> Option<i32> {
        debug_assert!(flags.contains(SendFlags::DONTWAIT));
        let held = Held { source, len: bytes.len(), short, answer: Cell::new(None), waiter: Waiter::new() };
        {
            let mut state = self.state.borrow_mut();
            if let State::Untried = *state {
                *state = Batch::new().map_or(State::None, |batch| State::Ready(Box::new(batch)));
            }
            let State::Ready(batch) = &mut *state else { return None };
            let tag = ptr::from_ref(&held).expose_provenance() as u64;
            // SAFETY: we wait for the answer, and the caller's bytes are there meanwhile (invariant 1).
            if !unsafe { batch.ring.send(source.as_fd(), bytes, flags, tag) } {
                return None;
            }
            batch.held.push(&raw const held);
            self.count.set(self.count.get() + 1);
        }
        held.waiter.wait(Reason::Writable, None);
        held.answer.get()
    }

    /// Hands all over, tells `answered` of each answer, and makes the threads ready.
    #[inline]
    pub(super) fn flush(&self, answered: impl Fn(&Held, i32)) {
        if self.count.get() != 0 {
            self.submit(answered);
        }
    }

    #[cold]
    fn submit(&self, answered: impl Fn(&Held, i32)) {
        self.count.set(0);
        let mut state = self.state.borrow_mut();
        let State::Ready(batch) = &mut *state else { return };
        let result = batch.ring.submit(|tag, answer| {
            // SAFETY: a tag is the address of a `Held` that waits for this (invariant 1).
            let held = unsafe { &*ptr::with_exposed_provenance::<Held>(tag as usize) };
            held.answer.set(Some(answer));
            answered(held, answer);
        });
        for held in batch.held.drain(..) {
            // SAFETY: each waits until this, and no longer (invariant 1).
            unsafe { Waiter::wake(&raw const (*held).waiter) };
        }
        if result.is_err() {
            // Those without an answer make their sends themselves, and so does everybody from now on.
            *state = State::None;
        }
    }
}

impl Held {
    pub(super) fn source(&self) -> &Source {
        // SAFETY: its thread has a reference to the source (invariant 1).
        unsafe { &*self.source }
    }
}

impl Batch {
    fn new() -> Option<Self> {
        let mut held = Vec::new();
        held.try_reserve_exact(MOST as usize).ok()?;
        Some(Self { ring: Ring::new(MOST).ok()?, held })
    }
}
