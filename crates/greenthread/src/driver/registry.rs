//! The sources that a driver knows. Sources refer to this part of a driver, and may use it from any
//! OS thread.
//!
//! Invariants:
//! 1. Threads join and leave the directions of an entry, and are woken, on the worker's own OS
//!    thread only. Other OS threads only take tasks out (`poll::awaiting`), and remove entries for
//!    which nobody waits: the one that removes an entry owns the source.
//! 2. An entry is free, or belongs to one source. Its generation changes when it is freed, so a key
//!    or an event of an earlier source finds nothing.

use std::{
    io, mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use super::{Interest, direction::Direction};
use crate::sys::{
    fd::BorrowedFd,
    poller::{Poller, Readiness},
    process::generation,
};

/// The part of a driver that its sources refer to.
#[derive(Debug)]
pub(crate) struct Registry {
    /// The generation of the process in which it was made. In a child that was forked later, the
    /// poller is still the parent's: to deregister a source there would deregister it for the
    /// parent. Also the lock may have been held during the fork.
    generation: u32,
    slab: Mutex<Slab>,
    /// Whether `Slab::forced` has keys. It is set under the lock, so a worker that sees it finds
    /// them there.
    forced: AtomicBool,
}

/// Identifies an entry for as long as that belongs to the same source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(super) index: u32,
    generation: u32,
}

/// The entries, and a list of the free ones.
#[derive(Debug)]
pub(super) struct Slab {
    /// `None` once the driver has been dropped.
    poller: Option<Arc<Poller>>,
    pub(super) entries: Vec<Entry>,
    free: u32,
    /// The number of entries that are not free.
    pub(super) used: usize,
    /// The generation of an entry that is added.
    generation: u32,
    /// Entries to force ready, though the OS has no event for them.
    forced: Vec<Key>,
}

/// One source that is registered at the worker.
#[derive(Debug)]
pub(super) struct Entry {
    generation: u32,
    /// The index of the next free entry, or `USED`.
    free: u32,
    reading: Direction,
    writing: Direction,
}

/// The end of the free list. No entry has this index, so no key equals that of the poller's own
/// descriptor.
const NONE: u32 = u32::MAX;

/// Marks an entry that is not free. No entry has this index either.
const USED: u32 = NONE - 1;

/// The number of entries below which memory is kept. A larger number keeps more memory after a
/// peak. With a smaller one, a few sources that come and go would cause reallocations.
const MANY: usize = 256;

impl Entry {
    pub(super) fn direction(&mut self, interest: Interest) -> &mut Direction {
        match interest {
            Interest::Read => &mut self.reading,
            Interest::Write => &mut self.writing,
        }
    }

    /// Has the same effect as an event for both directions.
    fn force(&mut self) {
        self.take_in(Readiness { readable: true, writable: true, ..Readiness::default() });
    }

    #[inline]
    fn take_in(&mut self, readiness: Readiness) {
        if readiness.readable {
            self.reading.event(readiness.read_ahead);
        }
        if readiness.writable {
            self.writing.event(readiness.write_ahead);
        }
    }
}

impl Slab {
    fn new(poller: Option<Arc<Poller>>) -> Self {
        Self { poller, entries: Vec::new(), free: NONE, used: 0, generation: 0, forced: Vec::new() }
    }

    pub(super) fn insert(&mut self) -> io::Result<Key> {
        if self.free == NONE {
            self.entries.try_reserve(1)?;
            let index = u32::try_from(self.entries.len()).ok().filter(|index| *index < USED);
            self.free = index.ok_or(io::ErrorKind::OutOfMemory)?;
            let (reading, writing) = (Direction::new(), Direction::new());
            self.entries.push(Entry { generation: self.generation, free: NONE, reading, writing });
        }
        let index = self.free;
        let entry = &mut self.entries[index as usize];
        self.free = mem::replace(&mut entry.free, USED);
        self.used += 1;
        Ok(Key { index, generation: entry.generation })
    }

    pub(super) fn get(&mut self, key: Key) -> Option<&mut Entry> {
        self.entries.get_mut(key.index as usize).filter(|entry| entry.generation == key.generation)
    }

    pub(super) fn remove(&mut self, key: Key) {
        let free = self.free;
        if let Some(entry) = self.get(key) {
            debug_assert!(entry.reading.is_empty() && entry.writing.is_empty());
            *entry = Entry {
                generation: entry.generation.wrapping_add(1),
                free,
                reading: Direction::new(),
                writing: Direction::new(),
            };
            self.free = key.index;
            self.used -= 1;
        }
    }

    /// Frees the memory of free entries at the end, if most entries are free.
    pub(super) fn shrink(&mut self) {
        if self.entries.capacity() <= MANY.max(4 * self.used) {
            return;
        }
        let last = self.entries.iter().rposition(|entry| entry.free == USED);
        let gone = self.entries.drain(last.map_or(0, |last| last + 1)..);
        // New entries start at a generation that no key of a removed entry has, so events of the
        // removed entries don't find them.
        self.generation = gone.fold(self.generation, |most, entry| most.max(entry.generation));
        self.entries.shrink_to(2 * self.used);
        self.free = NONE;
        for (index, entry) in self.entries.iter_mut().enumerate().rev() {
            if entry.free != USED {
                entry.free = self.free;
                self.free = index as u32;
            }
        }
    }
}

impl Registry {
    pub(super) fn new(poller: Arc<Poller>) -> Self {
        Self {
            generation: generation(),
            slab: Mutex::new(Slab::new(Some(poller))),
            forced: AtomicBool::new(false),
        }
    }

    /// The driver is dropped. Sources that refer to the registry may live on; the poller's
    /// descriptors and the entries are freed here.
    pub(super) fn close(&self) {
        let mut slab = self.lock();
        // Under the lock: a source that finds no poller may be closed at once.
        if let Some(poller) = &slab.poller {
            poller.close();
        }
        *slab = Slab::new(None);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Slab> {
        self.slab.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it was made by a parent process, before a fork.
    pub(super) fn is_foreign(&self) -> bool {
        self.generation != generation()
    }

    /// Whether the key still belongs to a source.
    pub(super) fn knows(&self, key: Key) -> bool {
        !self.is_foreign() && self.lock().get(key).is_some()
    }

    /// Has the same effect as an event for both directions. To be called from any OS thread.
    pub(super) fn force_ready(&self, key: Key) {
        if self.is_foreign() {
            return;
        }
        let waker = {
            let mut slab = self.lock();
            slab.forced.push(key);
            self.forced.store(true, Relaxed);
            slab.poller.as_ref().map(|poller| poller.waker())
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Called by the worker: takes in the events of a wait and the forced entries, and makes the
    /// threads ready whose waits they end.
    #[inline]
    pub(super) fn take_in(&self, events: impl Iterator<Item = (u64, Readiness)>) {
        let mut events = events.peekable();
        // A key that is forced later than this load is followed by a wake-up, which ends the next
        // wait at once.
        let forced = self.forced.load(Relaxed);
        if !forced && events.peek().is_none() {
            return;
        }
        let mut slab = self.lock();
        if forced {
            self.forced.store(false, Relaxed);
            for key in mem::take(&mut slab.forced) {
                if let Some(entry) = slab.get(key) {
                    entry.force();
                }
            }
        }
        for (key, readiness) in events {
            if let Some(entry) = slab.get(Key::from_bits(key)) {
                entry.take_in(readiness);
            }
        }
    }

    /// Forces all entries ready for which a thread waits.
    #[cold]
    pub(super) fn force_all(&self) {
        for entry in &mut self.lock().entries {
            if !(entry.reading.is_empty() && entry.writing.is_empty()) {
                entry.force();
            }
        }
    }

    /// Whether its driver still exists.
    pub(super) fn is_open(&self) -> bool {
        !self.is_foreign() && self.lock().poller.is_some()
    }

    /// Deregisters a source. To be called by the source's owner, from any OS thread (invariant 1).
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
            // If it is not registered at the poller, registering it has failed.
            let _ = poller.delete(descriptor);
        }
    }
}

impl Key {
    pub(super) fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    fn from_bits(bits: u64) -> Self {
        Self { index: bits as u32, generation: (bits >> 32) as u32 }
    }
}
