//! Operations that the threads of a worker hand to the kernel, several in one system call, and wait
//! for: sends, and reads and writes of files.
//!
//! A thread puts its operation into the ring and lets other threads run. When the worker is back in
//! its scheduler loop, it submits all operations that have accumulated, takes the answers that are
//! there, and makes their threads ready. A send is answered before the system call that submits it
//! returns, since it never waits; so is a read from the page cache. An operation that waits for a
//! disk is answered when the worker comes to its loop later, or the answer wakes the worker from
//! its sleep.
//!
//! The ring is made at its first use. If it cannot be made no operation is accepted, and the caller
//! does it in another way.
//!
//! A ring *fails* when the kernel refuses a batch. Threads whose operations were not submitted then
//! do them in another way. The other threads still wait for their answers, since the kernel works
//! on their memory. The worker continues to ask for those answers, and drops the ring when all have
//! come. If the kernel lacked a resource, a new ring is made later.
//!
//! Every operation's answer is waited for. While the kernel works on a thread's memory, that thread
//! neither leaves the call nor unwinds, its stack is not freed, and the worker does not end, since
//! it has a thread. If the worker itself fails and its ring is dropped, the drop cancels the
//! operations and waits for the kernel's last answer (`sys::uring`, invariant 1); the threads never
//! run again.
//!
//! A thread that is cancelled while it waits for a file submits what is batched, asks the kernel to
//! cancel its own operation, and waits for the answer all the same. If the kernel has done the
//! operation, the answer counts. The kernel cancels what it has queued, and interrupts what waits
//! for anything but a disk; a disk that has begun ends by itself. Sends never wait, so they are not
//! cancelled.
//!
//! Invariants:
//! 1. A [`PendingOp`] lies on the stack of the thread that waits for its answer, with all that the
//!    operation points to. A slot refers to it from its push until its answer has come, or never
//!    will. Its thread goes on then, and not earlier, but to ask for the operation's end.
//! 2. A tag names a slot and its generation, which changes when the slot is freed. So an answer
//!    finds its own `PendingOp` or none.
//! 3. All of this is accessed on the worker's own OS thread only.

use std::{
    cell::{Cell, RefCell},
    io, mem, ptr,
    sync::Arc,
};

use super::{CallResult, Source};
use crate::{
    sys::{
        error::{OsError, OsResult},
        fd::AsFd,
        poller::Waker,
        uring::{Operation, Ring, is_shortage},
    },
    task::{
        cancel,
        wait::{Outcome, Reason, Waiter},
    },
};

/// The largest number of operations in one batch, which is submitted by one system call. A full
/// batch is flushed before more is accepted.
const BATCH: u32 = 64;

/// The largest number of operations that are batched or in progress. The ring has room for this
/// many answers, so none is ever lost. Beyond it, callers do their operations in another way.
const MOST: u32 = 1024;

/// If the system lacked a resource for a ring, the number of operations after which one is tried
/// for again. Each attempt costs system calls; a larger number delays the return of the ring.
const RETRY: u32 = 1024;

/// The operations of one worker; see the module's comment.
#[derive(Debug)]
pub(super) struct Operations {
    state: RefCell<State>,
    waker: Arc<Waker>,
    /// The number of operations that have not been submitted yet.
    batched: Cell<u32>,
    /// The number of operations that wait for an answer, with those that have not been submitted
    /// yet.
    open: Cell<u32>,
}

#[derive(Debug)]
enum State {
    /// There is no ring. One is tried for after this many more operations.
    Untried(u32),
    None,
    Ready(Box<Batch>),
    /// The ring accepts no more operations. Those in progress are still to be answered.
    Failed {
        batch: Box<Batch>,
        refused: bool,
    },
}

impl State {
    /// The state after a failure. If the kernel `refused`, no ring is tried for again.
    fn without(refused: bool) -> Self {
        if refused { State::None } else { State::Untried(RETRY) }
    }
}

#[derive(Debug)]
struct Batch {
    ring: Ring,
    table: Table,
}

/// The operations that wait for an answer.
#[derive(Debug)]
struct Table {
    slots: Vec<Slot>,
    /// The indices of the free slots.
    free: Vec<u32>,
    /// The number of sends in the other slots.
    sends: u32,
    /// The number of batches that were submitted.
    batches: u32,
    /// The number of operations that were pushed.
    pushed: u32,
}

/// An entry for one operation.
#[derive(Debug)]
struct Slot {
    generation: u32,
    /// Null if the slot is free.
    op: *const PendingOp,
}

// SAFETY: a driver moves to its worker's OS thread before any operation is pushed, so while the
// table moves it holds no pointers (invariant 3).
unsafe impl Send for Table {}

/// One thread's operation.
#[derive(Debug)]
pub(super) struct PendingOp {
    /// `None` for an operation on a file.
    send: Option<PendingSend>,
    /// The number of the batch with which it is submitted.
    batch: Cell<u32>,
    /// The number of operations that were pushed before it.
    number: Cell<u32>,
    tag: Cell<u64>,
    answer: Cell<Option<Answer>>,
    waiter: Waiter,
}

impl PendingOp {
    fn new(send: Option<PendingSend>) -> Self {
        Self {
            send,
            batch: Cell::new(0),
            number: Cell::new(0),
            tag: Cell::new(0),
            answer: Cell::new(None),
            waiter: Waiter::new(),
        }
    }
}

/// What the driver needs to know about a send when it is answered.
#[derive(Debug)]
pub(super) struct PendingSend {
    source: *const Source,
    pub(super) len: usize,
    /// What a short count shows about the readiness of the socket.
    pub(super) short: CallResult,
}

impl PendingSend {
    /// The socket that it sends to.
    pub(super) fn source(&self) -> &Source {
        // SAFETY: the thread that sends borrows the source, and waits for as long as this can be
        // reached (invariant 1).
        unsafe { &*self.source }
    }
}

/// The kernel's answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    /// The result that the system call would have returned.
    pub(crate) result: OsResult<usize>,
    /// The answer was there when the system call that submitted the operation returned: nothing
    /// waited.
    pub(crate) at_once: bool,
}

impl Table {
    /// Frees the slot of an operation. Returns the operation, with its answer set.
    fn answer(&mut self, tag: u64, result: OsResult<usize>) -> Option<&PendingOp> {
        let (index, generation) = (tag as u32, (tag >> 32) as u32);
        let slot = self.slots.get_mut(index as usize).filter(|slot| slot.generation == generation)?;
        // SAFETY: a slot that is not free has the address of a `PendingOp` whose thread waits
        // (invariants 1, 2).
        let op = unsafe { slot.op.as_ref() }?;
        *slot = Slot { generation: generation.wrapping_add(1), op: ptr::null() };
        self.free.push(index);
        self.sends -= u32::from(op.send.is_some());
        op.answer.set(Some(Answer { result, at_once: op.batch.get() == self.batches }));
        Some(op)
    }
}

impl Table {
    /// Frees the slots of the last `left` operations that were pushed, and passes each to `back`.
    /// Returns their number.
    fn take_back(&mut self, left: u32, mut back: impl FnMut(&PendingOp)) -> u32 {
        let mut count = 0;
        for (index, slot) in self.slots.iter_mut().enumerate() {
            // SAFETY: a slot that is not free has the address of a `PendingOp` whose thread waits
            // (invariants 1, 2).
            let Some(op) = (unsafe { slot.op.as_ref() }) else { continue };
            if self.pushed.wrapping_sub(op.number.get()) <= left {
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

    /// Puts an operation into the batch. `false` if there is no room.
    ///
    /// # Safety
    /// The caller vouches for invariant 1.
    unsafe fn push(&mut self, operation: Operation, op: &PendingOp) -> bool {
        let Some(&index) = self.table.free.last() else { return false };
        let slot = &mut self.table.slots[index as usize];
        let tag = u64::from(slot.generation) << 32 | u64::from(index);
        op.tag.set(tag);
        // SAFETY: the caller vouches that the memory of the operation stays until the answer
        // (invariant 1).
        if !unsafe { self.ring.push(operation, tag) } {
            return false;
        }
        slot.op = op;
        self.table.pushed = op.number.get().wrapping_add(1);
        self.table.free.pop();
        self.table.sends += u32::from(op.send.is_some());
        true
    }
}

impl Operations {
    /// Makes a ring at the first use, if `allowed`. An answer ends a sleep on `waker`.
    pub(super) fn new(allowed: bool, waker: Arc<Waker>) -> Self {
        let state = if allowed { State::Untried(0) } else { State::None };
        Self { state: RefCell::new(state), waker, batched: Cell::new(0), open: Cell::new(0) }
    }

    /// The number of operations that have not been submitted yet.
    #[inline]
    pub(super) fn batched(&self) -> u32 {
        self.batched.get()
    }

    /// Whether the batch is full: then the caller has to `flush` first.
    pub(super) fn is_full(&self) -> bool {
        self.batched.get() == BATCH
    }

    /// Batches a send until the next `flush`, and waits for its answer. `None` if that is not
    /// possible; nothing was sent then.
    pub(super) fn send(&self, source: &Source, bytes: &[u8], short: CallResult) -> Option<Answer> {
        let op = PendingOp::new(Some(PendingSend { source, len: bytes.len(), short }));
        // SAFETY: the answer is waited for below. Until then `op` stays, and the bytes and the
        // source are borrowed (invariant 1).
        if !unsafe { self.hold(Operation::send(source.as_fd(), bytes), &op) } {
            return None;
        }
        op.waiter.wait(Reason::Writable, None);
        op.answer.get()
    }

    /// Batches an operation on a file until the next `flush`, and waits for its answer. `None` if
    /// that is not possible; nothing was done then. If the thread is cancelled meanwhile, calls
    /// `flush`, which submits the batch, and has the kernel cancel the operation.
    ///
    /// # Safety
    /// The caller borrows all that the operation points to until this returns, exclusively if the
    /// kernel writes to it.
    pub(super) unsafe fn file(&self, operation: Operation, flush: impl FnOnce()) -> Option<Answer> {
        let op = PendingOp::new(None);
        // SAFETY: the answer is waited for below. Until then neither `op` nor the memory of the
        // operation goes away, for which the caller vouches (invariant 1).
        if !unsafe { self.hold(operation, &op) } {
            return None;
        }
        let is_cancelled = op.waiter.wait_cancellable(Reason::File, None) == Outcome::Cancelled;
        if is_cancelled {
            // All of this runs on one OS thread, so no answer comes in between.
            op.waiter.reset();
            flush();
            self.cancel(&op);
            op.waiter.wait(Reason::File, None);
        }
        let answer = op.answer.get()?;
        match answer.result {
            Err(OsError::CANCELED | OsError::INTERRUPTED) if is_cancelled => cancel::unwind(),
            // These errors say nothing about the file. The caller makes the plain call, which
            // succeeds or has the real error.
            Err(OsError::CANCELED | OsError::INTERRUPTED | OsError::WOULD_BLOCK) => None,
            _ => Some(answer),
        }
    }
    /// Puts an operation into the batch. `false` if that is not possible.
    ///
    /// # Safety
    /// The caller vouches for invariant 1.
    unsafe fn hold(&self, operation: Operation, op: &PendingOp) -> bool {
        let mut state = self.state.borrow_mut();
        let batch = match &mut *state {
            State::Ready(batch) => batch,
            other => match self.try_for_ring(other) {
                Some(batch) => batch,
                None => return false,
            },
        };
        op.batch.set(batch.table.batches.wrapping_add(1));
        op.number.set(batch.table.pushed);
        // SAFETY: the caller has the same contract.
        if !unsafe { batch.push(operation, op) } {
            return false;
        }
        self.batched.set(self.batched.get() + 1);
        self.open.set(self.open.get() + 1);
        true
    }

    /// Has the kernel cancel an operation that was submitted, unless it is answered.
    #[cold]
    fn cancel(&self, op: &PendingOp) {
        if op.answer.get().is_none()
            && let State::Ready(batch) | State::Failed { batch, .. } = &*self.state.borrow()
        {
            batch.ring.cancel(op.tag.get());
        }
    }

    /// Returns the batch of a ring, if there is one or one can be made now.
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

    /// Submits the batch, takes the answers that are there, passes those of sends to `sent`, and
    /// makes the threads ready.
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
                // SAFETY: its thread waits for this wake-up, so it is alive, and nothing else wakes
                // it (invariant 1).
                unsafe { Waiter::wake(&raw const op.waiter) };
            }
        };
        if failed {
            // If this fails, the worker asks again later.
            let _ = ring.collect(|tag, answer| answered(table, tag, answer));
        } else {
            let mut result = ring.submit(0, |tag, answer| answered(table, tag, answer));
            // Sends are answered when this call returns. Only an unusual kernel makes the loop wait
            // for them.
            while result.is_ok() && table.sends != 0 {
                result = ring.submit(1, |tag, answer| answered(table, tag, answer));
            }
            let Err(error) = result else { return };
            let left = table.take_back(ring.left(), |op| {
                // SAFETY: its thread waits for this wake-up, so it is alive, and nothing else wakes
                // it (invariant 1). It finds no answer, and does the operation in another way.
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

    /// Whether the worker has to ask for answers, since the ring has failed and does not wake it.
    pub(super) fn has_failed(&self) -> bool {
        self.open.get() != 0 && matches!(*self.state.borrow(), State::Failed { .. })
    }

    /// To be called before a sleep on the waker: from now on an answer ends the sleep. `true` if
    /// there are answers already.
    pub(super) fn watch(&self) -> bool {
        match &mut *self.state.borrow_mut() {
            State::Ready(batch) if self.open.get() != 0 => batch.ring.watch(),
            _ => false,
        }
    }

    /// To be called after the sleep.
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
        let op = PendingOp::new(None);
        op.batch.set(1);
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
