//! Operations that a worker's threads hand to the kernel, several in one system call, and wait for:
//! sends, and reads and writes of files.
//!
//! A thread puts its operation into the ring and lets others run. When the worker comes home it
//! hands all over that has come together, takes the answers that are there, and their threads go
//! on. A send has its answer before the call that hands it over is back (it never waits), and so
//! has a read of what is in the page cache. What waits for a disk is answered when the worker comes
//! home later, or is woken from its sleep for it.
//!
//! The ring is made at its first use. Where there is none nothing is taken on, and the caller finds
//! another way.
//!
//! A ring *fails* when the kernel refuses to take a batch. Those whose operations were not handed
//! over do them in another way. The others wait for their answers still, since the kernel works on
//! their memory; the worker goes on asking for them, and when all have come the ring goes. If the
//! kernel was short of something, a new one is made later.
//!
//! Nobody's wait for an answer ends early: none has a deadline, none is cancelled. While the kernel
//! works on the thread's memory, the thread doesn't run and can't unwind, its stack is not freed,
//! and the worker doesn't end, since it has a thread. Should the worker itself fail, and its ring
//! go, that cancels what is under way and waits for the kernel's last word (`sys::uring`, invariant
//! 1); the threads never run again.
//!
//! Invariants:
//! 1. A [`PendingOp`] lies on the stack of the thread that waits for its answer, with all that the
//!    operation points to. It is in `Batch::slots` from before its operation is pushed until its
//!    answer has come, or never will; by then, and not before, its thread is woken, which nobody
//!    else does.
//! 2. A tag names a slot and its generation, which changes when the slot is freed: an answer finds
//!    its own `PendingOp` or none.
//! 3. All of it is touched on the worker's own OS thread only.

use std::{
    cell::{Cell, RefCell},
    io, mem,
    os::fd::AsFd,
    ptr,
    sync::Arc,
};

use super::{CallResult, Source};
use crate::{
    sys::{
        error::{OsError, OsResult},
        poller::Waker,
        uring::{Operation, Ring, is_shortage},
    },
    task::wait::{Reason, Waiter},
};

/// The most operations that are handed over in one system call.
const BATCH: u32 = 64;

/// The most that are held back or under way. For so many answers the ring has room, so none is ever
/// lost.
const MOST: u32 = 1024;

/// Where the system was short of something for a ring, one is tried for again after so many
/// operations.
const RETRY: u32 = 1024;

/// See the module.
#[derive(Debug)]
pub(super) struct Operations {
    state: RefCell<State>,
    waker: Arc<Waker>,
    /// How many are held back.
    batched: Cell<u32>,
    /// How many wait for an answer, those that are held back among them.
    open: Cell<u32>,
}

#[derive(Debug)]
enum State {
    /// To be tried for after so many more operations.
    Untried(u32),
    None,
    Ready(Box<Batch>),
    /// It takes no more; what is under way is still to be answered.
    Failed {
        batch: Box<Batch>,
        refused: bool,
    },
}

impl State {
    /// After a failure: whether it is worth to try again.
    fn without(refused: bool) -> Self {
        if refused { State::None } else { State::Untried(RETRY) }
    }
}

#[derive(Debug)]
struct Batch {
    ring: Ring,
    table: Table,
}

/// Who waits for an answer.
#[derive(Debug)]
struct Table {
    slots: Vec<Slot>,
    /// The free ones.
    free: Vec<u32>,
    /// How many of the others are sends.
    sends: u32,
    /// How many batches were handed over.
    batches: u32,
    /// How many operations were pushed.
    pushed: u32,
}

/// A place for one operation.
#[derive(Debug)]
struct Slot {
    generation: u32,
    /// Null if it is free.
    op: *const PendingOp,
}

// SAFETY: a driver goes to its worker's OS thread before anything is held back (invariant 3).
unsafe impl Send for Table {}

/// One thread's operation.
#[derive(Debug)]
pub(super) struct PendingOp {
    /// None for a file.
    send: Option<PendingSend>,
    /// With which batch it is handed over.
    batch: u32,
    /// How many were pushed before it.
    number: u32,
    answer: Cell<Option<Answer>>,
    waiter: Waiter,
}

/// What is to be known about a send when its answer is there.
#[derive(Debug)]
pub(super) struct PendingSend {
    source: *const Source,
    pub(super) len: usize,
    /// What a short count shows.
    pub(super) short: CallResult,
}

impl PendingSend {
    /// The socket.
    pub(super) fn source(&self) -> &Source {
        // SAFETY: its thread has a reference to the source, and waits as long as this can be
        // reached (invariant 1).
        unsafe { &*self.source }
    }
}

/// The kernel's answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    /// As the system call would have returned.
    pub(crate) result: OsResult<usize>,
    /// It was there when the operation had been handed over: nothing had to be waited for.
    pub(crate) at_once: bool,
}

impl Table {
    /// Frees the slot of an operation, and gives it with its answer.
    fn answer(&mut self, tag: u64, result: OsResult<usize>) -> Option<&PendingOp> {
        let (index, generation) = (tag as u32, (tag >> 32) as u32);
        let slot = self.slots.get_mut(index as usize).filter(|slot| slot.generation == generation)?;
        // SAFETY: a slot that is not free has the address of a `PendingOp` that waits (invariants
        // 1, 2).
        let op = unsafe { slot.op.as_ref() }?;
        *slot = Slot { generation: generation.wrapping_add(1), op: ptr::null() };
        self.free.push(index);
        self.sends -= u32::from(op.send.is_some());
        op.answer.set(Some(Answer { result, at_once: op.batch == self.batches }));
        Some(op)
    }
}

impl Table {
    /// Frees the slots of the last operations that were pushed, `left` of them, and passes on who
    /// waits for each. Tells how many that were.
    fn take_back(&mut self, left: u32, mut back: impl FnMut(&PendingOp)) -> u32 {
        let mut count = 0;
        for (index, slot) in self.slots.iter_mut().enumerate() {
            // SAFETY: a slot that is not free has the address of a `PendingOp` that waits
            // (invariants 1, 2).
            let Some(op) = (unsafe { slot.op.as_ref() }) else { continue };
            if self.pushed.wrapping_sub(op.number) <= left {
                *slot = Slot { generation: slot.generation.wrapping_add(1), op: ptr::null() };
                self.free.push(index as u32);
                self.sends -= u32::from(op.send.is_some());
                count += 1;
                back(op);
            }
        }
        count
    }
}

impl Batch {
    fn new(waker: &Waker) -> io::Result<Self> {
        let ring = Ring::new(BATCH, MOST)?;
        ring.tell(waker)?;
        let (mut slots, mut free) = (Vec::new(), Vec::new());
        let memory = slots.try_reserve_exact(MOST as usize).and(free.try_reserve_exact(MOST as usize));
        memory.map_err(|_| OsError::OUT_OF_MEMORY)?;
        slots.extend((0..MOST).map(|_| Slot { generation: 0, op: ptr::null() }));
        free.extend((0..MOST).rev());
        Ok(Self { ring, table: Table { slots, free, sends: 0, batches: 0, pushed: 0 } })
    }

    /// `false` if there is no room.
    ///
    /// # Safety
    /// Invariant 1.
    unsafe fn push(&mut self, operation: Operation, op: &PendingOp) -> bool {
        let Some(&index) = self.table.free.last() else { return false };
        let slot = &mut self.table.slots[index as usize];
        let tag = u64::from(slot.generation) << 32 | u64::from(index);
        // SAFETY: as the caller says.
        if !unsafe { self.ring.push(operation, tag) } {
            return false;
        }
        slot.op = op;
        self.table.pushed = op.number.wrapping_add(1);
        self.table.free.pop();
        self.table.sends += u32::from(op.send.is_some());
        true
    }
}

impl Operations {
    /// With a ring at its first use; or, if not `allowed`, without. News of it wake who sleeps on
    /// `waker`.
    pub(super) fn new(allowed: bool, waker: Arc<Waker>) -> Self {
        let state = if allowed { State::Untried(0) } else { State::None };
        Self { state: RefCell::new(state), waker, batched: Cell::new(0), open: Cell::new(0) }
    }

    /// How many are held back.
    #[inline]
    pub(super) fn batched(&self) -> u32 {
        self.batched.get()
    }

    /// Whether the batch is full: `flush` comes first.
    pub(super) fn is_full(&self) -> bool {
        self.batched.get() == BATCH
    }

    /// Holds a send back until the next `flush`, and gives its answer. None if it can't: nothing
    /// was sent then.
    pub(super) fn send(&self, source: &Source, bytes: &[u8], short: CallResult) -> Option<Answer> {
        let send = Some(PendingSend { source, len: bytes.len(), short });
        // SAFETY: the bytes and the descriptor are borrowed until this is back.
        unsafe { self.hold(Operation::send(source.as_fd(), bytes), send, Reason::Writable) }
    }

    /// Holds an operation on a file back until the next `flush`, and waits for its answer. None if
    /// it can't, and nothing was done then.
    ///
    /// # Safety
    /// What it points to is borrowed by the caller until this is back, for writing if the kernel
    /// writes to it.
    pub(super) unsafe fn file(&self, operation: Operation) -> Option<Answer> {
        // SAFETY: as the caller says.
        let answer = unsafe { self.hold(operation, None, Reason::File) }?;
        // These are no word on the file: the plain call does it, or says why not.
        (!matches!(answer.result, Err(OsError::CANCELED | OsError::INTERRUPTED | OsError::WOULD_BLOCK)))
            .then_some(answer)
    }

    /// # Safety
    /// As for `file`.
    unsafe fn hold(&self, operation: Operation, send: Option<PendingSend>, reason: Reason) -> Option<Answer> {
        let op;
        {
            let mut state = self.state.borrow_mut();
            let batch = match &mut *state {
                State::Ready(batch) => batch,
                other => self.try_for_ring(other)?,
            };
            op = PendingOp {
                send,
                batch: batch.table.batches.wrapping_add(1),
                number: batch.table.pushed,
                answer: Cell::new(None),
                waiter: Waiter::new(),
            };
            // SAFETY: we wait until the answer is there, and nothing of ours or the caller's goes
            // meanwhile (invariant 1).
            if !unsafe { batch.push(operation, &op) } {
                return None;
            }
        }
        self.batched.set(self.batched.get() + 1);
        self.open.set(self.open.get() + 1);
        op.waiter.wait(reason, None);
        op.answer.get()
    }

    /// A ring, if it is time to try for one and it can be had.
    #[cold]
    fn try_for_ring<'s>(&self, state: &'s mut State) -> Option<&'s mut Batch> {
        match state {
            State::Untried(0) => {
                *state = match Batch::new(&self.waker) {
                    Ok(batch) => State::Ready(Box::new(batch)),
                    Err(error) => State::without(!is_shortage(&error)),
                }
            }
            State::Untried(more) => *more -= 1,
            _ => {}
        }
        if let State::Ready(batch) = state { Some(batch) } else { None }
    }

    /// Hands over what was held back, takes the answers that are there, tells `sent` of those to
    /// sends, and makes the threads ready.
    #[inline]
    pub(super) fn flush(&self, sent: impl Fn(&PendingSend, OsResult<usize>)) {
        if self.open.get() != 0 {
            self.submit(sent);
        }
    }

    #[cold]
    fn submit(&self, sent: impl Fn(&PendingSend, OsResult<usize>)) {
        let mut state = self.state.borrow_mut();
        let (batch, failed) = match &mut *state {
            State::Ready(batch) => (batch, false),
            State::Failed { batch, .. } => (batch, true),
            _ => return,
        };
        let Batch { ring, table } = &mut **batch;
        match self.batched.replace(0) {
            0 if !failed && !ring.has_news() => return,
            0 => {}
            _ => table.batches = table.batches.wrapping_add(1),
        }
        let answered = |table: &mut Table, tag, answer| {
            if let Some(op) = table.answer(tag, answer) {
                if let (Some(send), Some(answer)) = (&op.send, op.answer.get()) {
                    sent(send, answer.result);
                }
                self.open.set(self.open.get() - 1);
                // SAFETY: it waits until this, and no longer (invariant 1).
                unsafe { Waiter::wake(&raw const op.waiter) };
            }
        };
        if failed {
            // What the kernel doesn't give now it may give at the next look.
            let _ = ring.collect(|tag, answer| answered(table, tag, answer));
        } else {
            let mut result = ring.submit(0, |tag, answer| answered(table, tag, answer));
            // The answers to sends are there when that call is back; only of a strange kernel they
            // must be waited for.
            while result.is_ok() && table.sends != 0 {
                result = ring.submit(1, |tag, answer| answered(table, tag, answer));
            }
            let Err(error) = result else { return };
            let left = table.take_back(ring.left(), |op| {
                // SAFETY: as above. It has no answer, and does it in another way.
                unsafe { Waiter::wake(&raw const op.waiter) };
            });
            self.open.set(self.open.get() - left);
            let refused = !is_shortage(&error);
            let State::Ready(batch) = mem::replace(&mut *state, State::None) else { return };
            *state = State::Failed { batch, refused };
        }
        if self.open.get() == 0
            && let State::Failed { refused, .. } = *state
        {
            *state = State::without(refused);
        }
    }

    /// Whether there may be answers that nobody tells of: the ring has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.open.get() != 0 && matches!(*self.state.borrow(), State::Failed { .. })
    }

    /// Before a sleep on the waker: from now on news end it; `true` if there are some already.
    pub(super) fn watch(&self) -> bool {
        match &mut *self.state.borrow_mut() {
            State::Ready(batch) if self.open.get() != 0 => batch.ring.watch(),
            _ => false,
        }
    }

    /// After the sleep.
    pub(super) fn unwatch(&self) {
        if let State::Ready(batch) = &mut *self.state.borrow_mut()
            && self.open.get() != 0
        {
            batch.ring.unwatch();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_finds_its_own_or_none() {
        let op =
            PendingOp { send: None, batch: 1, number: 0, answer: Cell::new(None), waiter: Waiter::new() };
        let slots = vec![Slot { generation: u32::MAX, op: &raw const op }];
        let mut table = Table { slots, free: Vec::new(), sends: 0, batches: 1, pushed: 1 };
        let tag = |generation: u32, index: u32| u64::from(generation) << 32 | u64::from(index);
        for stranger in [tag(0, 0), tag(u32::MAX - 1, 0), tag(u32::MAX, 1), u64::MAX] {
            assert!(table.answer(stranger, Ok(5)).is_none());
        }
        assert!(table.answer(tag(u32::MAX, 0), Ok(5)).is_some());
        let answer = op.answer.get().unwrap();
        assert_eq!((answer.result, answer.at_once), (Ok(5), true));
        assert_eq!(table.free, [0]);
        for late in [tag(u32::MAX, 0), tag(0, 0)] {
            assert!(table.answer(late, Err(OsError::NOT_POLLABLE)).is_none());
        }
    }
}
