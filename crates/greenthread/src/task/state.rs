//! The states of one wait, and the only ways from one to the next.
//!
//! ```text
//!            park()                    claim(Woken)
//!   IDLE ──────────────▶ PARKED ─────────────────────▶ WOKEN
//!    │                     │
//!    │                     ├──── claim(TimedOut) ────▶ TIMED_OUT
//!    │                     │
//!    │                     └──── claim(Cancelled) ───▶ CANCELLED
//!    │ claim(Woken)
//!    ├──────────────────────────────────────────────▶ WOKEN
//!    │ claim(Cancelled)
//!    ├──────────────────────────────────────────────▶ CANCELLED
//!    │ park_for_one()              claim(Woken)
//!    └────────────▶ PARKED_FOR_ONE ─────────────────▶ WOKEN
//! ```
//!
//! * The waiter alone goes from IDLE to PARKED, and alone resets a settled state.
//! * Exactly one claim leaves PARKED. Whoever makes it owes the waiter one wake-up, and until it
//!   has paid, the waiter does not run: what the waiter wrote before `park` stays readable until
//!   then.
//! * PARKED_FOR_ONE is PARKED where only one thread will try to claim, which learns of the waiter
//!   only after it has parked: then neither parking nor the claim needs an exchange. Such a wait
//!   can neither time out nor be cancelled, since a timer or a canceller would be a second claimer.
//!   A thread that others may cancel has to park by `park`.
//! * A claim that finds IDLE owes nothing: the waiter sees it in `park` and does not sleep.
//! * `post` overwrites every state, also a TIMED_OUT or CANCELLED that the waiter has not seen yet.
//!   So a cancellation that must last is recorded elsewhere; its claim only ends the wait.
//!
//! Orderings: a claim releases what its maker wrote before, `park` and `outcome` acquire it; `park`
//! releases the waiter's own writes, a claim from PARKED acquires them.

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
    /// Somebody made true what was waited for.
    Woken,
    /// The deadline passed first.
    TimedOut,
    /// Somebody wants the thread to stop waiting, whether or not what it waits for ever comes.
    Cancelled,
}

/// What a claim found.
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

    /// Waiter only: commits to sleeping. The outcome, if a claim came first.
    pub(crate) fn park(&self) -> Option<Outcome> {
        self.0.compare_exchange(IDLE, PARKED, AcqRel, Acquire).err().and_then(outcome_of)
    }

    /// Waiter only, before anybody knows it: commits to sleeping until the one claim comes that
    /// there will be.
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

    /// Anyone who keeps the state alive: leaves a wake-up behind, whatever the state.
    /// This is `unpark`: a wake-up that comes before the wait, or after a timeout, is kept for the
    /// next wait. `true` if the waiter sleeps and is owed its wake-up.
    pub(crate) fn post(&self) -> bool {
        self.0.swap(WOKEN, AcqRel) == PARKED
    }

    /// How the wait ended, if it has.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        outcome_of(self.0.load(Acquire))
    }

    /// Waiter only, not while parked: ready for another wait. `true` if a wake-up was there.
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
