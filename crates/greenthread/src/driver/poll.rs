//! The driver on readiness: sockets registered edge-triggered, once per worker, for both
//! directions.
//!
//! What is known about a direction, and who waits for it, is a [`Direction`]'s business; here is
//! what surrounds it: the poller, and a thread's [`Turn`].
//!
//! Invariants:
//! 1. A node that has joined a direction stays where it is until it has been woken or has left: its
//!    owner sees to it before its frame goes ([`Joined`]).
//! 2. Threads join and leave, and are woken, on the worker's own OS thread only.

use std::{
    cell::{Cell, RefCell},
    io,
    os::fd::AsFd,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    CallResult, Interest, Registration, Source,
    direction::{Direction, Node, Place},
    operations::{Answer, Operations},
    registry::{Entry, Key, Registry},
};
use crate::{
    sys::{
        error::{OsError, OsResult},
        poller::{Events, Poller, Waker},
        socket::{self, Blocking},
        uring::Operation,
    },
    task::{
        wait::{Outcome, Reason, Waiter},
        worker_core,
    },
};

#[cfg(test)]
mod tests;

/// How many events one wait brings at most: enough to share its cost, few enough to be run soon.
const BATCH: usize = 256;

/// How long a worker sleeps at most while the kernel tells of no events, or of no answers: then it
/// asks again.
const WITHOUT_EVENTS: Duration = Duration::from_millis(1);

/// From so many threads on that may have something to send, it pays to send it all at once.
pub(crate) const BATCH_THRESHOLD: u32 = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct Driver {
    poller: Arc<Poller>,
    registry: Arc<Registry>,
    events: RefCell<Events>,
    operations: Operations,
    /// Among so many that may have something to send, sends are held back.
    batch_threshold: u32,
    /// Why the kernel has told of no events, if it hasn't at the last look. Who would wait for one
    /// has this error.
    failure: Cell<Option<OsError>>,
}

/// One call's waits for one direction of a source. Dropped, after the call or without it, it passes
/// on what is left.
pub(crate) struct Turn<'a> {
    driver: &'a Driver,
    source: &'a Source,
    /// None if it is not registered here.
    key: Option<Key>,
    interest: Interest,
    place: Place,
}

/// A thread that waits; it leaves, unless it has been woken, at the latest when this goes
/// (invariant 1).
struct Joined<'a, 't> {
    turn: &'a mut Turn<'t>,
    node: &'a Node,
}

impl Turn<'_> {
    /// Whether a call would block, as far as is known here.
    #[inline]
    pub(crate) fn is_blocked(&self) -> bool {
        let look = |key| Some(!self.driver.registry.lock().get(key)?.direction(self.interest).is_ready());
        self.key.and_then(look).unwrap_or(false)
    }

    /// What a call has shown, right after it and before anything else is done on this OS thread.
    #[inline]
    pub(crate) fn record(&self, shown: CallResult) {
        if shown != CallResult::Full {
            self.direction(|direction| direction.record(shown));
        }
    }

    /// Waits until a call may not block any more. Returns at once if none has been seen to block
    /// since there was last something new. The source is registered by its first wait, and
    /// deregistered when it is dropped, wherever that happens. `Woken` may be wrong now and then:
    /// make the call, and come back.
    ///
    /// # Errors
    /// The source could not be registered.
    pub(crate) fn wait(&mut self, deadline: Option<Instant>) -> io::Result<Outcome> {
        let (driver, interest) = (self.driver, self.interest);
        let key = match self.key {
            Some(key) => key,
            None => *self.key.insert(driver.key(self.source)?),
        };
        let waiter = Waiter::new();
        let node = Node::new(&waiter, Cell::new(Place::Waiting));
        {
            let mut slab = driver.registry.lock();
            let entry = slab.get(key).expect("a source's entry lives as long as the source");
            let direction = entry.direction(interest);
            if direction.is_ready() {
                return Ok(Outcome::Woken);
            }
            if let Some(error) = driver.failure.get() {
                return Err(error.into());
            }
            // SAFETY: this is the worker's OS thread, and `Joined` has it leave (invariants 1, 2).
            unsafe { direction.join(&node, self.place != Place::Waiting) };
        }
        // There is nothing left to look at.
        if self.place == Place::Owing {
            self.place = Place::Woken;
        }
        let _joined = Joined { turn: self, node: &node };
        let reason = match interest {
            Interest::Read => Reason::Readable,
            Interest::Write => Reason::Writable,
        };
        Ok(waiter.wait_cancellable(reason, deadline))
    }

    fn direction(&self, then: impl FnOnce(&mut Direction)) {
        if let Some(key) = self.key
            && let Some(entry) = self.driver.registry.lock().get(key)
        {
            then(entry.direction(self.interest));
        }
    }

    #[cold]
    fn pay(&self) {
        self.direction(Direction::pay);
    }
}

impl Joined<'_, '_> {
    #[cold]
    fn leave(&self) {
        // SAFETY: it has joined there.
        self.turn.direction(|direction| unsafe { direction.leave(self.node) });
    }
}

impl Drop for Joined<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        match self.node.payload.get() {
            Place::Waiting => self.leave(),
            woken => self.turn.place = woken,
        }
    }
}

impl Drop for Turn<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.place == Place::Owing {
            self.pay();
        }
    }
}

impl Driver {
    /// What ends a `sleep`, or the next one, from any OS thread.
    pub(crate) fn waker(&self) -> Arc<Waker> {
        self.poller.waker()
    }

    /// A driver with nothing registered. With `batch_threshold`, among so many threads sends are
    /// held back.
    ///
    /// # Errors
    /// The system has no descriptor or no memory left for it.
    pub(crate) fn new(batch_threshold: Option<u32>) -> io::Result<Self> {
        let poller = Arc::new(Poller::new()?);
        let waker = poller.waker();
        let mut events = Events::with_capacity(BATCH)?;
        // What forbids to wait forbids to start.
        poller.wait(Some(Duration::ZERO), &mut events)?;
        Ok(Self {
            registry: Arc::new(Registry::new(poller.clone())),
            poller,
            events: RefCell::new(events),
            operations: Operations::new(batch_threshold.is_some(), waker),
            batch_threshold: batch_threshold.unwrap_or(u32::MAX),
            failure: Cell::new(None),
        })
    }

    /// Gives memory of sources that are gone back, if they were many.
    pub(crate) fn shrink(&self) {
        self.registry.lock().shrink();
    }

    /// What is known about a direction of a source that is registered here.
    fn entry<R>(&self, source: &Source, look: impl FnOnce(&mut Entry) -> R) -> Option<R> {
        let key = source.key(&self.registry)?;
        self.registry.lock().get(key).map(look)
    }

    /// By what key it is known here from now on.
    fn key(&self, source: &Source) -> io::Result<Key> {
        match source.key(&self.registry) {
            Some(key) => Ok(key),
            None => self.register(source),
        }
    }

    /// The kernel tells of no events any more, as it should always: those who wait look again, and
    /// if their calls would block still they have the error. The worker goes on, and asks again
    /// before long.
    #[cold]
    fn fail(&self, error: OsError, timeout: Option<Duration>) {
        self.failure.set(Some(error));
        self.registry.force_all();
        std::thread::sleep(timeout.map_or(WITHOUT_EVENTS, |timeout| timeout.min(WITHOUT_EVENTS)));
    }

    /// What a call has shown, right after it and before anything else is done on this OS thread.
    fn record(&self, source: &Source, interest: Interest, shown: CallResult) {
        if shown != CallResult::Full {
            self.entry(source, |entry| entry.direction(interest).record(shown));
        }
    }

    #[cold]
    fn register(&self, source: &Source) -> io::Result<Key> {
        let key = self.registry.lock().insert()?;
        let added = self.poller.add(source.as_fd(), key.to_bits());
        match added.and_then(|()| source.remember(&self.registry, key)) {
            Ok(()) => Ok(key),
            Err(error) => {
                self.registry.remove(key, source.as_fd());
                Err(error)
            }
        }
    }
}

impl Driver {
    /// The worker's: sleeps until something has happened or the timeout has passed (none: as long
    /// as it takes; zero: just looks), and makes ready the threads whose waits have come to their
    /// end. May return early.
    ///
    /// Should the kernel refuse to tell what has happened, those who wait for it have the error.
    pub(crate) fn sleep(&self, timeout: Option<Duration>) {
        let mut events = self.events.borrow_mut();
        let result = if timeout == Some(Duration::ZERO) {
            self.poller.wait(timeout, &mut events)
        } else {
            let timeout = if self.operations.watch() {
                Some(Duration::ZERO)
            } else if self.operations.has_failed() {
                Some(timeout.map_or(WITHOUT_EVENTS, |timeout| timeout.min(WITHOUT_EVENTS)))
            } else {
                timeout
            };
            let result = self.poller.wait(timeout, &mut events);
            self.operations.unwatch();
            result
        };
        self.failure.set(None);
        if let Err(error) = result {
            self.fail(error, timeout);
        }
        self.registry.take_in(events.iter());
        self.flush();
    }

    /// For one call on `source`, and its waits.
    #[inline]
    pub(crate) fn turn<'a>(&'a self, source: &'a Source, interest: Interest) -> Turn<'a> {
        Turn { driver: self, source, key: source.key(&self.registry), interest, place: Place::Waiting }
    }

    /// How this driver knows the source, so that others can force_ready it. Registers it, if need
    /// be.
    ///
    /// # Errors
    /// The source could not be registered.
    pub(crate) fn registration(&self, source: &Source) -> io::Result<Registration> {
        let key = self.key(source)?;
        Ok(Registration { registry: self.registry.clone(), key })
    }

    /// Sends as much as the kernel takes without blocking, and notes what that has shown; a short
    /// count shows `short`. While other threads are ready to run, it may be held back, to go out
    /// together with what these have to send; the calling thread waits for that.
    ///
    /// # Errors
    /// Those of `send(2)`; `WOULD_BLOCK` if it would block.
    pub(crate) fn send(&self, source: &Source, bytes: &[u8], short: CallResult) -> OsResult<usize> {
        // Where threads run for long, those that wait together would wait for each other's turns.
        let ready =
            worker_core::get().filter(|core| !core.is_cpu_bound.get()).map_or(0, |core| core.ready.len());
        if ready + self.operations.batched() >= self.batch_threshold {
            if self.operations.is_full() {
                self.flush();
            }
            if let Some(answer) = self.operations.send(source, bytes, short) {
                return answer.result;
            }
        }
        let sent = socket::send(source, bytes, Blocking::Never);
        self.record(source, Interest::Write, result_of(bytes.len(), sent, short));
        sent
    }

    /// Has the kernel carry out an operation on a file, and waits for its answer; it goes out
    /// together with those of others that are ready to run. None if the driver can't: nothing was
    /// done then.
    ///
    /// The wait can't be cut short, since the kernel works on the caller's own buffer: neither by a
    /// deadline nor otherwise.
    ///
    /// # Safety
    /// All that the operation points to is borrowed by the caller until this is back; for writing,
    /// if the kernel writes there.
    pub(crate) unsafe fn file(&self, operation: Operation) -> Option<Answer> {
        if self.operations.is_full() {
            self.flush();
        }
        // SAFETY: as the caller says.
        unsafe { self.operations.file(operation) }
    }

    /// The worker's, when its threads have had their turns: hands over what was held back, and
    /// makes those ready who have their answers.
    pub(crate) fn flush(&self) {
        // Noted as each answer comes: an event that comes after it is news.
        self.operations.flush(|send, result| {
            self.record(send.source(), Interest::Write, result_of(send.len, result, send.short));
        });
    }

    /// Whether something is held back: then `flush` takes as long as the kernel takes for all of
    /// it.
    pub(crate) fn has_batched(&self) -> bool {
        self.operations.batched() != 0
    }
}

/// What a send of so many bytes has shown.
fn result_of(len: usize, sent: OsResult<usize>, short: CallResult) -> CallResult {
    match sent {
        Err(OsError::WOULD_BLOCK) => CallResult::Blocked,
        Ok(count) if count < len => short,
        _ => CallResult::Full,
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.registry.close();
    }
}
