//! The states of one wait, and the only ways from one to the next.
//!
//! ```text
//!            park()                    claim(Woken)
//!   IDLE ──────────────▶ PARKED ─────────────────────▶ WOKEN
//!    │                     │
//!    │                     ├──── claim(TimedOut) ────▶ TIMED_OUT
//!    │                     │
//!    │                     └──── claim(Cancelled) ───▶ CANCELLED
//!    ◀──── interrupt() ────┘
//!    │ claim(Woken)
//!    ├──────────────────────────────────────────────▶ WOKEN
//!    │ claim(Cancelled)
//!    ├──────────────────────────────────────────────▶ CANCELLED
//!    │ park_for_one()              claim(Woken)
//!    └────────────▶ PARKED_FOR_ONE ─────────────────▶ WOKEN
//! ```
//!
//! * Only the waiter goes from IDLE to PARKED, and only the waiter resets a settled state. (A state
//!   is *settled* after a claim: WOKEN, TIMED_OUT or CANCELLED.)
//! * Whoever could resume the waiter may send it back to IDLE, so that it goes on unclaimed: its
//!   worker, while nothing else runs there, and an OS thread itself. Then no claimer owes it
//!   anything.
//! * Exactly one claim leaves PARKED. The claimer owes the waiter one wake-up. Until that is fired
//!   the waiter does not run, so what the waiter wrote before `park` stays readable.
//! * PARKED_FOR_ONE is PARKED for a wait that only one thread will try to claim, which learns of
//!   the waiter after it has parked. Then neither parking nor the claim needs an exchange. Such a
//!   wait can neither time out nor be cancelled, since a timer or a canceller would be a second
//!   claimer. A thread that others may cancel has to park by `park`.
//! * A claim that finds IDLE owes nothing: the waiter sees it in `park` and does not sleep.
//! * `post` overwrites every state, also a TIMED_OUT or CANCELLED that the waiter has not seen yet.
//!   So a cancellation that must last is recorded elsewhere; its claim only ends the wait.
//!
//! Orderings: a claim releases what the claimer wrote before it, and `park` and `outcome` acquire
//! that. `park` releases the waiter's own writes, and a claim from PARKED acquires them.

use super::atomic::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

const IDLE: u32 = 0;
const PARKED: u32 = 1;
const PARKED_FOR_ONE: u32 = 2;
const WOKEN: u32 = 3;
const TIMED_OUT: u32 = 4;
const CANCELLED: u32 = 5;

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The thread has got what it waited for.
    Woken,
    /// The deadline passed first.
    TimedOut,
    /// The thread shall stop waiting, though what it waits for has not come.
    Cancelled,
}

/// The result of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claimed {
    /// Another claim was first; this one changed nothing.
    Lost,
    /// The waiter was still awake, and will not sleep. It may be gone already.
    Awake,
    /// The waiter sleeps; the claimer owes it one wake-up.
    Parked,
}

/// The state of one wait.
#[derive(Debug)]
pub(crate) struct WaitState(AtomicU32);

impl WaitState {
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(IDLE))
    }

    /// Waiter only: commits to sleeping. Returns the outcome if a claim came first.
    pub(crate) fn park(&self) -> Option<Outcome> {
        self.0.compare_exchange(IDLE, PARKED, AcqRel, Acquire).err().and_then(outcome_of)
    }

    /// Waiter only, before any other thread knows of it: commits to sleeping until the one claim
    /// comes.
    #[inline]
    pub(crate) fn park_for_one(&self) {
        self.0.store(PARKED_FOR_ONE, Relaxed);
    }

    /// Anyone: ends the wait, once.
    #[inline]
    pub(crate) fn claim(&self, outcome: Outcome) -> Claimed {
        let to = match outcome {
            Outcome::Woken => WOKEN,
            Outcome::TimedOut => TIMED_OUT,
            Outcome::Cancelled => CANCELLED,
        };
        let mut seen = self.0.load(Relaxed);
        loop {
            let found = match seen {
                IDLE => Claimed::Awake,
                PARKED => Claimed::Parked,
                PARKED_FOR_ONE => {
                    debug_assert!(to == WOKEN, "a wait for one claimer neither times out nor is cancelled");
                    self.0.store(to, Release);
                    return Claimed::Parked;
                }
                _ => return Claimed::Lost,
            };
            match self.0.compare_exchange_weak(seen, to, AcqRel, Relaxed) {
                Ok(_) => return found,
                Err(now) => seen = now,
            }
        }
    }

    /// Whoever resumes the waiter next: lets it go on without a claim. Returns `false` if a claim
    /// was faster, so that a wake-up is owed. A wait for one claimer stays as it is, and its
    /// wake-up will be owed all the same.
    pub(crate) fn interrupt(&self) -> bool {
        match self.0.compare_exchange(PARKED, IDLE, AcqRel, Acquire) {
            Ok(_) => true,
            Err(seen) => seen == PARKED_FOR_ONE,
        }
    }

    /// Anyone who keeps the state alive: leaves a wake-up, in every state. This is `unpark`: a
    /// wake-up that comes before the wait, or after a timeout, is kept for the next wait. Returns
    /// `true` if the waiter sleeps and the caller owes it the wake-up.
    pub(crate) fn post(&self) -> bool {
        self.0.swap(WOKEN, AcqRel) == PARKED
    }

    /// How the wait ended, if it has.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        outcome_of(self.0.load(Acquire))
    }

    /// Waiter only, not while parked: makes the state ready for another wait. Returns `true` if a
    /// wake-up was there.
    pub(crate) fn reset(&self) -> bool {
        self.0.swap(IDLE, AcqRel) == WOKEN
    }

    /// Waiter only: whether a claim has been made, without acquiring what it released.
    pub(crate) fn is_settled(&self) -> bool {
        self.0.load(Relaxed) > PARKED_FOR_ONE
    }
}

/// The outcome that a state stands for, if it is a settled one.
#[inline]
fn outcome_of(state: u32) -> Option<Outcome> {
    match state {
        WOKEN => Some(Outcome::Woken),
        TIMED_OUT => Some(Outcome::TimedOut),
        CANCELLED => Some(Outcome::Cancelled),
        _ => None,
    }
}
