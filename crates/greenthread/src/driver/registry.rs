//! What a driver knows about sources: the part of it that they know, too, from any OS thread.
//!
//! Invariants:
//! 1. Threads join and leave an entry's directions, and are woken, on the worker's own OS thread
//!    only. Other OS threads only remove entries, for which nobody waits: whoever removes one owns
//!    the source.
//! 2. An entry is free, or belongs to one source; its generation changes when it is freed, so a key
//!    and an event from before find nothing.

use std::{
    io, mem,
    os::fd::BorrowedFd,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use super::{Interest, direction::Direction};
use crate::sys::{
    poller::{Poller, Readiness},
    process::generation,
};

/// The part of a driver that sources know.
#[derive(Debug)]
pub(crate) struct Registry {
    /// Of the process that it belongs to. In a child that was forked later, its poller is still the
    /// parent's: to take a source out there would take it from the parent. Its lock may have been
    /// held at the fork.
    generation: u32,
    slab: Mutex<Slab>,
    /// Whether there are forced ones. Set under the lock; so whoever sees it finds them there.
    forced: AtomicBool,
}

/// Names an entry, as long as it belongs to the same source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(super) index: u32,
    generation: u32,
}

/// The entries.
#[derive(Debug)]
pub(super) struct Slab {
    /// None once the driver is gone.
    poller: Option<Arc<Poller>>,
    pub(super) entries: Vec<Entry>,
    free: u32,
    /// How many entries are not free, and the generation of one that is new.
    pub(super) used: usize,
    generation: u32,
    /// Entries whose waits are to be ended, though the OS has no event for it.
    forced: Vec<Key>,
}

/// One source that the worker knows.
#[derive(Debug)]
pub(super) struct Entry {
    generation: u32,
    /// The next free one, or `USED`.
    free: u32,
    reading: Direction,
    writing: Direction,
}

/// The end of the free list; no entry has this index, so no key is the poller's own.
const NONE: u32 = u32::MAX;

/// In place of the next free one, in an entry that is not free; no entry has this index either.
const USED: u32 = NONE - 1;

/// So many entries stay, once there have been so many.
const MANY: usize = 256;

impl Entry {
    pub(super) fn direction(&mut self, interest: Interest) -> &mut Direction {
        match interest {
            Interest::Read => &mut self.reading,
            Interest::Write => &mut self.writing,
        }
    }

    /// As an event for both directions.
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

    /// Gives the room of free entries at the end back, if most are free.
    pub(super) fn shrink(&mut self) {
        if self.entries.capacity() <= MANY.max(4 * self.used) {
            return;
        }
        let last = self.entries.iter().rposition(|entry| entry.free == USED);
        let gone = self.entries.drain(last.map_or(0, |last| last + 1)..);
        // Events of those that are gone find nothing in those that take their places.
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

    /// The driver goes. Sources that know this may live on; the poller's descriptors and the
    /// entries shall not.
    pub(super) fn close(&self) {
        *self.lock() = Slab::new(None);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Slab> {
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

    /// As an event for both directions, though the OS has none. From any OS thread.
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

    /// The worker's: takes in what a wait has brought, and what is forced, and makes ready the
    /// threads whose waits have come to their end.
    #[inline]
    pub(super) fn take_in(&self, news: impl Iterator<Item = (u64, Readiness)>) {
        let mut news = news.peekable();
        // One that is forced and not seen here comes before its wake-up, which ends the next wait
        // at once.
        let forced = self.forced.load(Relaxed);
        if !forced && news.peek().is_none() {
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
        for (key, readiness) in news {
            if let Some(entry) = slab.get(Key::from_bits(key)) {
                entry.take_in(readiness);
            }
        }
    }

    /// As an event for all for whom somebody waits.
    #[cold]
    pub(super) fn force_all(&self) {
        for entry in &mut self.lock().entries {
            if !(entry.reading.is_empty() && entry.writing.is_empty()) {
                entry.force();
            }
        }
    }

    /// Whether its driver is still there.
    pub(super) fn is_open(&self) -> bool {
        !self.is_foreign() && self.lock().poller.is_some()
    }

    /// Forgets a source. From any OS thread, by the source's owner (invariant 1).
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
    pub(super) fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    fn from_bits(bits: u64) -> Self {
        Self { index: bits as u32, generation: (bits >> 32) as u32 }
    }
}
