//! The driver. A source is registered edge-triggered, once per worker, for both directions.
//!
//! The readiness of a direction, and the threads that wait for it, are the matter of [`Direction`].
//! This file has what surrounds it: the poller, and the [`Turn`] of a thread.
//!
//! Invariants:
//! 1. A node that has joined a direction does not move until it has been woken or has left. Its
//!    owner ensures that before its stack frame goes ([`Joined`]).
//! 2. Threads join and leave, and are woken, on the worker's own OS thread only. Tasks
//!    (`awaiting`) leave on any, under the registry's lock.
//! 3. `event_loop` is set while whoever has set it borrows it (`use_event_loop`).

use std::{
    cell::{Cell, RefCell},
    io, mem,
    ptr::NonNull,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    CallResult, EventLoop, Interest, Registration, Source,
    direction::{Direction, Node, WaitState},
    operations::{Answer, Operations},
    registry::{Entry, Key, Registry},
};
use crate::{
    sys::{
        error::{OsError, OsResult},
        fd::AsFd,
        poller::{Events, Poller, Waker},
        socket::{self, Blocking},
        uring::Operation,
    },
    task::{
        awaiter::wake_deferred,
        cancel,
        wait::{Outcome, Reason, Waiter},
        worker_core,
    },
};

pub(super) mod awaiting;

// The tests expect what edge-triggered events do.
#[cfg(all(test, target_os = "linux"))]
mod tests;

/// The largest number of events that one wait returns. With fewer, the cost of a wait is shared by
/// fewer events. With more, the first of their threads would wait longer until all are taken in.
const BATCH: usize = 256;

/// The longest sleep of a worker while the kernel reports no events, or no answers of a failed
/// ring. The worker then asks again. A longer sleep delays the threads that wait; a shorter one
/// uses more processor time.
const WITHOUT_EVENTS: Duration = Duration::from_millis(1);

/// The number of threads, ready to run or with a batched send, from which on sends are batched.
/// With a smaller number a send waits for others though too few follow to save system calls; with a
/// larger one more sends are system calls of their own. `GREENTHREAD_IO_BATCH` overrides it.
pub(crate) const BATCH_THRESHOLD: u32 = 4;

/// The driver of one worker; see the module's comment.
#[derive(Debug)]
pub(crate) struct Driver {
    poller: Arc<Poller>,
    registry: Arc<Registry>,
    events: RefCell<Events>,
    operations: Operations,
    /// The number of threads, ready to run or with a batched send, from which on sends are batched.
    batch_threshold: u32,
    /// Why the last wait for events has failed, if it has. A thread that would wait for an event
    /// gets this error.
    failure: Cell<Option<OsError>>,
    /// The event loop in which the worker sleeps, if it is another library's (invariant 3).
    event_loop: Cell<Option<NonNull<dyn EventLoop>>>,
    /// Whether the last wait for events has filled the buffer, so that there may be more.
    may_have_more: Cell<bool>,
}

// SAFETY: the pointer is set and cleared on the worker's OS thread, between which the driver does
// not leave it (`use_event_loop`). All else in a driver is `Send`.
unsafe impl Send for Driver {}

/// The waits of one call for one direction of a source. When it is dropped, after the call or
/// without one, it passes the wake-up on if the thread is responsible for that (`direction`).
pub(crate) struct Turn<'a> {
    driver: &'a Driver,
    source: &'a Source,
    /// `None` if the source is not registered here.
    key: Option<Key>,
    interest: Interest,
    state: WaitState,
}

/// A waiting thread. When this is dropped the thread leaves the queue, unless it has been woken
/// (invariant 1).
struct Joined<'a, 't> {
    turn: &'a mut Turn<'t>,
    node: &'a Node,
}

impl Turn<'_> {
    /// Whether a call would block, as far as the driver knows.
    #[inline]
    pub(crate) fn is_blocked(&self) -> bool {
        let look = |key| Some(!self.driver.registry.lock().get(key)?.direction(self.interest).is_ready());
        self.key.and_then(look).unwrap_or(false)
    }

    /// Records what the result of a call has shown. To be called right after the call, before
    /// anything else is done on this OS thread.
    #[inline]
    pub(crate) fn record(&self, shown: CallResult) {
        if shown != CallResult::Full {
            self.direction(|direction| direction.record(shown));
        }
    }

    /// Waits until a call may succeed. Returns at once if no call has been seen to block since the
    /// last event. The first wait registers the source, which stays registered until it is dropped,
    /// on whatever thread that happens. `Woken` may be wrong at times: the caller makes its call,
    /// and waits again if that would block.
    ///
    /// # Errors
    /// If the source cannot be registered.
    pub(crate) fn wait(&mut self, deadline: Option<Instant>) -> io::Result<Outcome> {
        let (driver, interest) = (self.driver, self.interest);
        let key = match self.key {
            Some(key) => key,
            None => *self.key.insert(driver.key(self.source)?),
        };
        let waiter = Waiter::new();
        let node = Node::new(&waiter, Cell::new(WaitState::Waiting));
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
            // SAFETY: this runs on the worker's OS thread, and `Joined` takes the node out before
            // it goes (invariants 1, 2).
            unsafe { direction.join(&node, self.state != WaitState::Waiting) };
        }
        // The direction is not ready, so there is nothing to pass on.
        if self.state == WaitState::Responsible {
            self.state = WaitState::Woken;
        }
        let joined = Joined { turn: self, node: &node };
        if let Err(error) = driver.poller.arm(joined.turn.source.as_fd(), interest) {
            // Threads that wait behind this one try their calls again, and get the error as well.
            driver.registry.force_ready(key);
            return Err(error);
        }
        let reason = match interest {
            Interest::Read => Reason::Readable,
            Interest::Write => Reason::Writable,
        };
        Ok(waiter.wait_fallible(reason, deadline))
    }

    fn direction(&self, then: impl FnOnce(&mut Direction)) {
        if let Some(key) = self.key
            && let Some(entry) = self.driver.registry.lock().get(key)
        {
            then(entry.direction(self.interest));
        }
    }

    /// If the direction is not ready any more, threads that wait behind this one wait for the next
    /// event.
    #[cold]
    fn pass_on(&self) {
        let mut waits = false;
        self.direction(|direction| {
            direction.pass_on();
            waits = !direction.is_ready() && !direction.is_empty();
        });
        if waits && self.driver.poller.arm(self.source.as_fd(), self.interest).is_err() {
            // They try their calls again, and get the error if they have to wait.
            self.driver.registry.force_ready(self.key.expect("it has a direction"));
        }
        wake_deferred();
    }
}

impl Joined<'_, '_> {
    #[cold]
    fn leave(&self) {
        // SAFETY: the node has joined this direction.
        self.turn.direction(|direction| _ = unsafe { direction.leave(self.node) });
    }
}

impl Drop for Joined<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        match self.node.payload.get() {
            WaitState::Waiting => self.leave(),
            woken => self.turn.state = woken,
        }
    }
}

impl Drop for Turn<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.state == WaitState::Responsible {
            self.pass_on();
        }
    }
}

impl Driver {
    /// The waker that ends a `sleep` or the next one, from any OS thread.
    pub(crate) fn waker(&self) -> Arc<Waker> {
        self.poller.waker()
    }

    /// Makes a driver without sources. It batches sends among `batch_threshold` threads or more
    /// (see [`BATCH_THRESHOLD`]), and never if that is `None`.
    ///
    /// # Errors
    /// If the system has no descriptor or no memory left for it.
    pub(crate) fn new(batch_threshold: Option<u32>) -> io::Result<Self> {
        let poller = Arc::new(Poller::new()?);
        let waker = poller.waker();
        let mut events = Events::with_capacity(BATCH)?;
        // If the system forbids this call, the runtime must not start.
        poller.wait(Some(Duration::ZERO), &mut events)?;
        Ok(Self {
            registry: Arc::new(Registry::new(poller.clone())),
            poller,
            events: RefCell::new(events),
            operations: Operations::new(batch_threshold.is_some(), waker),
            batch_threshold: batch_threshold.unwrap_or(u32::MAX),
            failure: Cell::new(None),
            event_loop: Cell::new(None),
            may_have_more: Cell::new(true),
        })
    }

    /// What waits for events. Its descriptor is readable while there are some.
    #[cfg(unix)]
    pub(crate) fn poller(&self) -> &Poller {
        &self.poller
    }

    /// Runs `f`, in which the worker sleeps in an event loop of another library.
    pub(crate) fn use_event_loop(&self, event_loop: &dyn EventLoop, f: impl FnOnce()) {
        struct Clear<'a>(&'a Driver);
        impl Drop for Clear<'_> {
            fn drop(&mut self) {
                self.0.event_loop.set(None);
            }
        }
        let event_loop = NonNull::from(event_loop);
        // SAFETY: the two types differ in a lifetime only. The pointer is used while `f` runs, for
        // which `event_loop` is borrowed (invariant 3).
        let event_loop = unsafe {
            mem::transmute::<NonNull<dyn EventLoop + '_>, NonNull<dyn EventLoop + 'static>>(event_loop)
        };
        self.event_loop.set(Some(event_loop));
        let _clear = Clear(self);
        f();
    }

    /// The event loop in which the worker sleeps, if it is another library's.
    #[inline]
    pub(crate) fn event_loop(&self) -> Option<&dyn EventLoop> {
        // SAFETY: it is borrowed while it is set (invariant 3), which is for as long as threads run
        // on the worker.
        self.event_loop.get().map(|event_loop| unsafe { event_loop.as_ref() })
    }

    /// Frees the memory of deregistered sources, if they were many.
    pub(crate) fn shrink(&self) {
        self.registry.lock().shrink();
    }

    /// Passes the entry of a source to `look`, if the source is registered here.
    fn entry<R>(&self, source: &Source, look: impl FnOnce(&mut Entry) -> R) -> Option<R> {
        let key = source.key(&self.registry)?;
        self.registry.lock().get(key).map(look)
    }

    /// Returns the key of the source, and registers it if need be.
    fn key(&self, source: &Source) -> io::Result<Key> {
        match source.key(&self.registry) {
            Some(key) => Ok(key),
            None => self.register(source),
        }
    }

    /// The kernel has refused to report events, which it should never do. Waiting threads try their
    /// calls again, and get the error if these would still block. The worker continues, and asks
    /// again soon.
    #[cold]
    fn fail(&self, error: OsError, timeout: Option<Duration>) {
        self.failure.set(Some(error));
        self.registry.force_all();
        std::thread::sleep(timeout.map_or(WITHOUT_EVENTS, |timeout| timeout.min(WITHOUT_EVENTS)));
    }

    /// Records what the result of a call has shown. To be called right after the call, before
    /// anything else is done on this OS thread.
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
    /// Called by the worker: sleeps until an event or a wake-up, or until the timeout has passed,
    /// and makes the threads ready whose waits have ended. `None` is no timeout; with zero it only
    /// polls. May return early.
    ///
    /// If the kernel refuses to report events, the threads that wait for one get the error.
    pub(crate) fn sleep(&self, timeout: Option<Duration>) {
        let watches = timeout != Some(Duration::ZERO);
        let timeout = if !watches {
            timeout
        } else if self.operations.watch() {
            Some(Duration::ZERO)
        } else if self.operations.has_failed() {
            Some(timeout.map_or(WITHOUT_EVENTS, |timeout| timeout.min(WITHOUT_EVENTS)))
        } else {
            timeout
        };
        let (asks, timeout) = match self.event_loop() {
            None => (true, timeout),
            Some(event_loop) => (self.wait_in(event_loop, timeout), Some(Duration::ZERO)),
        };
        if asks {
            self.take_in(timeout);
        }
        if watches {
            self.operations.unwatch();
        }
        self.flush();
    }

    /// Waits in an event loop of another library. Returns whether there may be events.
    #[cold]
    fn wait_in(&self, event_loop: &dyn EventLoop, timeout: Option<Duration>) -> bool {
        let may_have_more = self.may_have_more.get();
        let timeout = if may_have_more { Some(Duration::ZERO) } else { timeout };
        event_loop.wait(timeout) || may_have_more
    }

    /// Waits for events, and makes the threads ready that wait for them.
    fn take_in(&self, timeout: Option<Duration>) {
        let mut events = self.events.borrow_mut();
        let result = self.poller.wait(timeout, &mut events);
        self.failure.set(None);
        if let Err(error) = result {
            self.fail(error, timeout);
        }
        if self.event_loop.get().is_some() {
            // The waker's event is not among those that are counted.
            self.may_have_more.set(events.iter().count() + 1 >= BATCH);
        }
        self.registry.take_in(events.iter());
        wake_deferred();
    }

    /// Begins one call on `source`, with its waits.
    #[inline]
    pub(crate) fn turn<'a>(&'a self, source: &'a Source, interest: Interest) -> Turn<'a> {
        Turn { driver: self, source, key: source.key(&self.registry), interest, state: WaitState::Waiting }
    }

    /// Returns the registration of the source at this driver, by which others can force it ready.
    /// Registers the source if need be.
    ///
    /// # Errors
    /// If the source cannot be registered.
    pub(crate) fn registration(&self, source: &Source) -> io::Result<Registration> {
        let key = self.key(source)?;
        Ok(Registration { registry: self.registry.clone(), key })
    }

    /// Sends as much as the kernel takes without blocking, and records what the result has shown; a
    /// short count shows `short`. While other threads are ready to run, the send may be batched, to
    /// be submitted together with theirs. The calling thread waits for that.
    ///
    /// # Errors
    /// Those of `send(2)`; `WOULD_BLOCK` if the send would block.
    pub(crate) fn send(&self, source: &Source, bytes: &[u8], short: CallResult) -> OsResult<usize> {
        // Not among CPU-bound threads, which run for long: a batched send would wait until all of
        // them have had their turns.
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

    /// Has the kernel carry out an operation on a file, and waits for its answer. The operation is
    /// submitted together with those of other threads that are ready to run. `None` if the driver
    /// cannot do it; nothing was done then.
    ///
    /// No deadline ends this wait, since the kernel works on the caller's own buffer. If the thread
    /// is cancelled, so is the operation; then this unwinds, unless the kernel has done it.
    ///
    /// # Safety
    /// The caller borrows all that the operation points to until this returns, exclusively if the
    /// kernel writes to it.
    pub(crate) unsafe fn file(&self, operation: Operation) -> Option<Answer> {
        cancel::check();
        if self.operations.is_full() {
            self.flush();
        }
        // SAFETY: the caller vouches for the memory of the operation, by the same contract.
        unsafe { self.operations.file(operation, || self.flush()) }
    }

    /// Called by the worker when its threads have had their turns: submits the batch, and makes the
    /// threads ready that have their answers.
    pub(crate) fn flush(&self) {
        // Each result is recorded as its answer comes, so that an event that is taken in later
        // counts.
        self.operations.flush(|send, result| {
            self.record(send.source(), Interest::Write, result_of(send.len, result, send.short));
        });
    }

    /// Whether operations are batched. Then `flush` takes as long as the kernel takes for all of
    /// them.
    pub(crate) fn has_batched(&self) -> bool {
        self.operations.batched() != 0
    }
}

/// What a send of `len` bytes has shown.
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
