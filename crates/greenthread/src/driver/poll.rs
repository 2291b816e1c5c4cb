//! The driver on readiness: sockets registered edge-triggered, once per worker, for both directions.
//!
//! For each direction of a socket a worker remembers whether a call may succeed ("ready"). An event sets it;
//! a call that would have blocked clears it, and so does one that came short, for then the kernel had no
//! more. The next call waits first, and saves a system call that would only say EAGAIN.
//!
//! Why that loses nothing: events are taken in on the worker's own OS thread, between its threads. So none is
//! taken in between a call and the `note` of what it has shown, and whatever changes after the call gives a
//! new event, which sets ready again. It is the same with other workers and OS threads at the same socket:
//! they can take data away, so that ready is wrong and a call in vain; but when new data comes, each worker
//! gets its own event. Only a short count can lie: it comes before the end of the stream, before an error,
//! and at urgent data, which have had their event. So such an event is remembered ("ahead") and short counts
//! are not believed any more. A call that would have blocked is, unless it is the first after such an event: for datagrams
//! the end is where a call would block, and whoever calls a second time is to look for it.
//!
//! An event wakes all the threads of the worker that wait for its direction: the first may leave something
//! over for the others, and no event would tell them.
//!
//! Invariants:
//! 1. A [`Node`] is linked in an entry's list from `push` until it is taken out, both under the lock; it
//!    stays where it is meanwhile, since its owner takes it out before its frame goes ([`Linked`]).
//! 2. Lists are changed, and their nodes touched, on the worker's own OS thread only. Other OS threads only
//!    remove entries, whose lists are empty: whoever removes one owns the source, so nobody waits for it.
//! 3. An entry is free, or belongs to one source; its generation changes when it is freed, so a key and an
//!    event from before find nothing.

use std::{
    cell::{Cell, RefCell},
    io,
    os::fd::{AsFd, BorrowedFd},
    ptr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    net::{self, SendFlags},
};

use super::{
    Driver, Interest, Registration, Shown, Source,
    operations::{Answer, Operations},
};
use crate::{
    sys::{
        poller::{Events, Poller, Readiness, Waker},
        process::generation,
        ring::Operation,
    },
    task::{
        local,
        wait::{Outcome, Reason, Waiter},
    },
};

#[cfg(test)]
mod tests;

/// How many events one wait brings at most: enough to share its cost, few enough to be run soon.
const BATCH: usize = 256;

/// How long a worker sleeps at most while the kernel tells of no events, or of no answers: then it asks again.
const WITHOUT_EVENTS: Duration = Duration::from_millis(1);

/// From so many threads on that may have something to send, it pays to send it all at once.
pub(crate) const COMPANY: u32 = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct PollDriver {
    poller: Arc<Poller>,
    registry: Arc<Registry>,
    events: RefCell<Events>,
    operations: Operations,
    /// Among so many that may have something to send, sends are held back.
    company: u32,
    /// Why the kernel has told of no events, if it hasn't at the last look. Who would wait for one has this error.
    failure: Cell<Option<Errno>>,
}

/// The part of a driver that sources know.
#[derive(Debug)]
pub(crate) struct Registry {
    /// Of the process that it belongs to. In a child that was forked later, its poller is still the parent's: to take a
    /// source out there would take it from the parent. Its lock may have been held at the fork.
    generation: u32,
    slab: Mutex<Slab>,
    /// Whether there are roused ones. Set under the lock; so whoever sees it finds them there.
    roused: AtomicBool,
}

/// Names an entry, as long as it belongs to the same source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    index: u32,
    generation: u32,
}

#[derive(Debug)]
struct Slab {
    /// None once the driver is gone.
    poller: Option<Arc<Poller>>,
    entries: Vec<Entry>,
    free: u32,
    /// Entries whose waits are to be ended, though the OS has no event for it.
    roused: Vec<Key>,
}

/// One source that the worker knows.
#[derive(Debug)]
struct Entry {
    generation: u32,
    /// The flags below, or, while it is free, the next free one.
    state: u32,
    readers: List,
    writers: List,
}

/// The end of the free list; no entry has this index, so no key is the poller's own.
const NONE: u32 = u32::MAX;

const READ_READY: u32 = 1;
const READ_AHEAD: u32 = 2;
const WRITE_READY: u32 = 4;
const WRITE_AHEAD: u32 = 8;

/// The flags ready and ahead of a direction.
fn flags(interest: Interest) -> (u32, u32) {
    match interest {
        Interest::Read => (READ_READY, READ_AHEAD),
        Interest::Write => (WRITE_READY, WRITE_AHEAD),
    }
}

/// One waiting thread, on its stack.
#[derive(Debug)]
struct Node {
    waiter: Waiter,
    next: Cell<*const Node>,
    linked: Cell<bool>,
}

/// The threads that wait for one direction.
#[derive(Debug)]
struct List(*const Node);

// SAFETY: only the worker's own OS thread follows the pointers; others see empty lists (invariant 2).
unsafe impl Send for List {}

impl List {
    /// # Safety
    /// By the worker's OS thread; the node is taken out before it goes (invariants 1, 2).
    unsafe fn push(&mut self, node: &Node) {
        node.next.set(self.0);
        node.linked.set(true);
        self.0 = node;
    }

    /// Takes the node out, if it is in.
    fn remove(&mut self, node: &Node) {
        let mut at: *const Node = self.0;
        if ptr::eq(at, node) {
            self.0 = node.next.get();
        }
        // SAFETY: linked nodes are alive (invariant 1).
        while let Some(before) = unsafe { at.as_ref() } {
            at = before.next.get();
            if ptr::eq(at, node) {
                before.next.set(node.next.get());
            }
        }
        node.linked.set(false);
    }

    /// Takes all out, and ends their waits.
    fn wake(&mut self) {
        let mut at = std::mem::replace(&mut self.0, ptr::null());
        // SAFETY: they are alive until they have been taken out, which they are one by one (invariant 1).
        while let Some(node) = unsafe { at.as_ref() } {
            at = node.next.get();
            node.linked.set(false);
            // SAFETY: alive still: its thread belongs to this OS thread, and runs after us (invariant 2).
            // One that has timed out already is not ours to wake.
            unsafe { Waiter::wake(&node.waiter) };
        }
    }
}

impl Entry {
    fn list(&mut self, interest: Interest) -> &mut List {
        match interest {
            Interest::Read => &mut self.readers,
            Interest::Write => &mut self.writers,
        }
    }

    fn take_in(&mut self, readiness: Readiness) {
        let mut set = |yes, flag| self.state |= if yes { flag } else { 0 };
        set(readiness.readable, READ_READY);
        set(readiness.read_ahead, READ_AHEAD);
        set(readiness.writable, WRITE_READY);
        set(readiness.write_ahead, WRITE_AHEAD);
        if readiness.readable {
            self.readers.wake();
        }
        if readiness.writable {
            self.writers.wake();
        }
    }
}

impl Slab {
    fn insert(&mut self) -> io::Result<Key> {
        if self.free == NONE {
            self.entries.try_reserve(1)?;
            let index = u32::try_from(self.entries.len()).ok().filter(|index| *index != NONE);
            self.free = index.ok_or(io::ErrorKind::OutOfMemory)?;
            self.entries.push(Entry {
                generation: 0,
                state: NONE,
                readers: List(ptr::null()),
                writers: List(ptr::null()),
            });
        }
        let index = self.free;
        let entry = &mut self.entries[index as usize];
        self.free = std::mem::replace(&mut entry.state, 0);
        Ok(Key { index, generation: entry.generation })
    }

    fn get(&mut self, key: Key) -> Option<&mut Entry> {
        self.entries.get_mut(key.index as usize).filter(|entry| entry.generation == key.generation)
    }

    fn remove(&mut self, key: Key) {
        let free = self.free;
        if let Some(entry) = self.get(key) {
            debug_assert!(entry.readers.0.is_null() && entry.writers.0.is_null());
            entry.generation = entry.generation.wrapping_add(1);
            entry.state = free;
            self.free = key.index;
        }
    }
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Slab> {
        self.slab.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is of another process, which has forked this one.
    fn is_foreign(&self) -> bool {
        self.generation != generation()
    }

    /// Whether the key is still somebody's.
    pub(super) fn knows(&self, key: Key) -> bool {
        !self.is_foreign() && self.lock().get(key).is_some()
    }

    /// Has all who wait for a source here look again. From any OS thread.
    pub(super) fn rouse(&self, key: Key) {
        if self.is_foreign() {
            return;
        }
        let waker = {
            let mut slab = self.lock();
            slab.roused.push(key);
            self.roused.store(true, Relaxed);
            slab.poller.as_ref().map(|poller| poller.waker())
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether its driver is still there.
    pub(super) fn is_open(&self) -> bool {
        !self.is_foreign() && self.lock().poller.is_some()
    }

    /// Forgets a source. From any OS thread, by the source's owner (invariant 2).
    pub(super) fn remove(&self, key: Key, descriptor: BorrowedFd<'_>) {
        if self.is_foreign() {
            return;
        }
        let poller = {
            let mut slab = self.lock();
            slab.remove(key);
            slab.poller.clone()
        };
        if let Some(poller) = poller {
            // That it is not registered can only mean that registering it has failed.
            let _ = poller.delete(descriptor);
        }
    }
}

impl Key {
    fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    fn from_bits(bits: u64) -> Self {
        Self { index: bits as u32, generation: (bits >> 32) as u32 }
    }
}

/// A node in its list; taken out at the latest when this goes (invariant 1).
struct Linked<'a> {
    node: &'a Node,
    registry: &'a Registry,
    key: Key,
    interest: Interest,
}

impl Drop for Linked<'_> {
    fn drop(&mut self) {
        if self.node.linked.get()
            && let Some(entry) = self.registry.lock().get(self.key)
        {
            entry.list(self.interest).remove(self.node);
        }
    }
}

impl PollDriver {
    /// What ends a `sleep`, or the next one, from any OS thread.
    pub(crate) fn waker(&self) -> Arc<Waker> {
        self.poller.waker()
    }

    /// A driver with nothing registered. With `company`, among so many threads sends are held back.
    ///
    /// # Errors
    /// The system has no descriptor or no memory left for it.
    pub(crate) fn new(company: Option<u32>) -> io::Result<Self> {
        let poller = Arc::new(Poller::new()?);
        let waker = poller.waker();
        let mut events = Events::with_capacity(BATCH)?;
        // What forbids to wait forbids to start.
        poller.wait(Some(Duration::ZERO), &mut events)?;
        let slab = Slab { poller: Some(poller.clone()), entries: Vec::new(), free: NONE, roused: Vec::new() };
        Ok(Self {
            poller,
            registry: Arc::new(Registry {
                generation: generation(),
                slab: Mutex::new(slab),
                roused: AtomicBool::new(false),
            }),
            events: RefCell::new(events),
            operations: Operations::new(company.is_some(), waker),
            company: company.unwrap_or(u32::MAX),
            failure: Cell::new(None),
        })
    }

    /// What is known about a direction of a source that is registered here.
    fn entry<R>(&self, source: &Source, look: impl FnOnce(&mut Entry) -> R) -> Option<R> {
        let key = source.key(&self.registry)?;
        self.registry.lock().get(key).map(look)
    }

    /// By what key it is known here from now on.
    fn key(&self, source: &Source) -> io::Result<Key> {
        if let Some(error) = self.failure.get() {
            return Err(error.into());
        }
        match source.key(&self.registry) {
            Some(key) => Ok(key),
            None => self.register(source),
        }
    }

    /// The kernel tells of no events any more, as it should always: those who wait look again, and if their calls would
    /// block still they have the error. The worker goes on, and asks again before long.
    #[cold]
    fn fail(&self, error: Errno, timeout: Option<Duration>) {
        self.failure.set(Some(error));
        for entry in &mut self.registry.lock().entries {
            if !(entry.readers.0.is_null() && entry.writers.0.is_null()) {
                entry.take_in(Readiness { readable: true, writable: true, ..Readiness::default() });
            }
        }
        std::thread::sleep(timeout.map_or(WITHOUT_EVENTS, |timeout| timeout.min(WITHOUT_EVENTS)));
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

impl Driver for PollDriver {
    fn sleep(&self, timeout: Option<Duration>) {
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
            self.fail(Errno::from_io_error(&error).unwrap_or(Errno::IO), timeout);
        }
        let mut news = events.iter().peekable();
        // A rousing that is not seen here comes before its wake-up, which ends the next wait at once.
        let roused = self.registry.roused.load(Relaxed);
        if roused || news.peek().is_some() {
            let mut slab = self.registry.lock();
            if roused {
                self.registry.roused.store(false, Relaxed);
                for key in std::mem::take(&mut slab.roused) {
                    if let Some(entry) = slab.get(key) {
                        entry.take_in(Readiness { readable: true, writable: true, ..Readiness::default() });
                    }
                }
            }
            for (key, readiness) in news {
                if let Some(entry) = slab.get(Key::from_bits(key)) {
                    entry.take_in(readiness);
                }
            }
        }
        self.flush();
    }

    fn is_blocked(&self, source: &Source, interest: Interest) -> bool {
        self.entry(source, |entry| entry.state & flags(interest).0 == 0).unwrap_or(false)
    }

    fn wait_ready(
        &self,
        source: &Source,
        interest: Interest,
        deadline: Option<Instant>,
    ) -> io::Result<Outcome> {
        let key = self.key(source)?;
        let node = Node { waiter: Waiter::new(), next: Cell::new(ptr::null()), linked: Cell::new(false) };
        let _linked = Linked { node: &node, registry: &self.registry, key, interest };
        {
            let mut slab = self.registry.lock();
            let entry = slab.get(key).expect("a source's entry lives as long as the source");
            if entry.state & flags(interest).0 != 0 {
                return Ok(Outcome::Woken);
            }
            // SAFETY: this is the worker's OS thread, and `_linked` takes it out (invariants 1, 2).
            unsafe { entry.list(interest).push(&node) };
        }
        let reason = match interest {
            Interest::Read => Reason::Readable,
            Interest::Write => Reason::Writable,
        };
        Ok(node.waiter.wait(reason, deadline))
    }

    fn registration(&self, source: &Source) -> io::Result<Registration> {
        let key = self.key(source)?;
        Ok(Registration { registry: self.registry.clone(), key })
    }

    fn note(&self, source: &Source, interest: Interest, shown: Shown) {
        let (ready, ahead) = flags(interest);
        match shown {
            Shown::Full => {}
            Shown::Blocked => {
                self.entry(source, |entry| {
                    entry.state &= if entry.state & ahead != 0 { !ahead } else { !ready }
                });
            }
            Shown::Short => {
                self.entry(source, |entry| {
                    if entry.state & ahead == 0 {
                        entry.state &= !ready;
                    }
                });
            }
        }
    }

    fn send(&self, source: &Source, bytes: &[u8], short: Shown) -> rustix::io::Result<usize> {
        const FLAGS: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);
        // Where threads run for long, those that wait together would wait for each other's turns.
        let ready = local::get().filter(|local| local.brisk.get()).map_or(0, |local| local.ready.len());
        if ready + self.operations.held() >= self.company {
            if self.operations.is_full() {
                self.flush();
            }
            if let Some(answer) = self.operations.send(source, bytes, short, FLAGS) {
                return answer.result;
            }
        }
        let sent = net::send(source, bytes, FLAGS);
        self.note(source, Interest::Write, shown(bytes.len(), sent, short));
        sent
    }

    unsafe fn file(&self, operation: Operation) -> Option<Answer> {
        if self.operations.is_full() {
            self.flush();
        }
        // SAFETY: as the caller says.
        unsafe { self.operations.file(operation) }
    }

    fn flush(&self) {
        // Noted as each answer comes: an event that comes after it is news.
        self.operations.flush(|send, result| {
            self.note(send.source(), Interest::Write, shown(send.len, result, send.short));
        });
    }

    fn is_holding(&self) -> bool {
        self.operations.held() != 0
    }
}

/// What a send of so many bytes has shown.
fn shown(len: usize, sent: rustix::io::Result<usize>, short: Shown) -> Shown {
    match sent {
        Err(Errno::AGAIN) => Shown::Blocked,
        Ok(count) if count < len => short,
        _ => Shown::Full,
    }
}

impl Drop for PollDriver {
    fn drop(&mut self) {
        // Sources that know the registry may live on; the poller's descriptors and the entries shall not.
        *self.registry.lock() = Slab { poller: None, entries: Vec::new(), free: NONE, roused: Vec::new() };
    }
}
