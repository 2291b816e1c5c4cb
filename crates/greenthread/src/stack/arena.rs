//! The stacks of the process that no worker has: regions of address space, cut into stacks of one
//! size.
//!
//! ```text
//!   region:  | slots | guard | stack 0 | guard | stack 1 | guard | stack 2 | ...
//!            base    first                                  stride = guard + size
//! ```
//!
//! A region is one mapping, however many stacks it has. With guards that need no mapping of their
//! own, a million stacks are a few maps. Each new region of a size doubles the number of stacks of
//! that size, up to `REGION_BYTES`. If the kernel refuses so much address space, the arena asks for
//! half of it, down to a single stack.
//!
//! A stack has one of four states:
//!
//! - A *fresh* stack has never been taken. It has no guard yet. Guards are placed a batch at a time
//!   when stacks are first taken, as they cost page tables.
//! - A stack that is *out* belongs to the worker that took it.
//! - A *dirty* stack has come back and still has its memory. It is taken before idle and fresh
//!   ones.
//! - An *idle* stack has come back, and its memory has gone back to the system.
//!
//! To decommit a stack costs as much as all else about its thread did. So a worker does it when it
//! has nothing better to do, or a little at a time when it has ([`trim`]). System calls on stacks
//! are made outside the lock, while the stacks are out.
//!
//! Invariants:
//! 1. `Region::base` is the address that `reserve` returned for `Region::len`. It is mapped as long
//!    as the region is in the list. A region leaves the list to be unmapped when none of its stacks
//!    is out.
//! 2. Stack `i` is out, dirty or idle if `i < fresh`. A stack that is out is in no list, and its
//!    holder owns its bytes, its guard's and its slot. Dirty and idle stacks are in their region's
//!    lists. They and the fresh ones, with their slots, belong to the holder of the lock.
//! 3. `Slot::guarded` is set once the guard is in place, and then `Slot::id` is written. The slots
//!    start as zero.
//! 4. An idle stack holds no memory, except for pages that the system refuses to take back.

use core::{
    mem::MaybeUninit,
    ptr::NonNull,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};
use std::{io, sync::MutexGuard};

use greenthread_context::valgrind::{self, StackId};

use super::{
    refusal::{Reason, Refusal},
    size::guard_size,
};
use crate::sys::{
    memory::{self, Span, page_size},
    process::ForkMutex,
};

/// The number of stacks that are guarded, taken or decommitted by one call, at most. With a smaller
/// one there are more system calls. A larger one makes `trim` take longer, and `take` guard stacks
/// that may never be used.
pub(super) const BATCH: usize = 64;

/// Stacks in the first region of a size. With fewer, a program of many threads makes more regions.
/// With more, a size that is used once costs more address space.
const FIRST_STACKS: usize = 64;
/// Bytes of the first region of a size, at most, unless a single stack is larger.
const FIRST_BYTES: usize = 64 << 20;
/// Bytes of a region, at most. Linux allows a process 65,530 maps, so smaller regions could use
/// them up. In a larger one a single stack that is out keeps more address space.
const REGION_BYTES: usize = if usize::BITS == 64 { 1 << 30 } else { 1 << 25 };

pub(crate) static ARENA: ForkMutex<Arena> = ForkMutex::new(Arena { classes: Vec::new(), refusal: None });

/// Whether a stack was refused and none has come back since. It is written under the lock, and read
/// without it as a hint.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// The number of dirty stacks. It is written under the lock, and read without it as a hint.
static DIRTY: AtomicUsize = AtomicUsize::new(0);

pub(crate) struct Arena {
    /// Sorted by size.
    classes: Vec<Class>,
    /// The last refusal.
    refusal: Option<Refusal>,
}

/// The stacks of one size.
struct Class {
    size: usize,
    guard: usize,
    /// Sorted by address.
    regions: Vec<Region>,
    /// The index of the region of the stack that came back last. The next one often belongs to it
    /// too.
    last: usize,
    /// The number of stacks in all regions.
    stacks: usize,
    /// The number of these that are not out.
    available: usize,
}

struct Region {
    base: NonNull<u8>,
    len: usize,
    /// The guard of stack 0.
    first: NonNull<u8>,
    stacks: u32,
    /// The index of the first fresh stack.
    fresh: u32,
    dirty: List,
    idle: List,
}

/// Stacks of one region, linked through their slots: their number and the index of the first.
#[derive(Clone, Copy, Default)]
struct List {
    len: u32,
    first: u32,
}

// SAFETY: only the holder of the lock reaches a region, and no OS thread owns its memory (invariant
// 2).
unsafe impl Send for Region {}

/// The record of a stack.
struct Slot {
    id: MaybeUninit<StackId>,
    /// The index of the next stack in its list.
    next: u32,
    guarded: bool,
}

fn lock() -> MutexGuard<'static, Arena> {
    // Nothing under the lock panics. If something did, the counts would still be right.
    ARENA.lock()
}

/// Whether a stack was refused and none has come back since. One relaxed load.
#[inline]
pub(super) fn is_starving() -> bool {
    REFUSED.load(Relaxed)
}

/// The error of the last refusal. Stacks may have come back since; others may wait for those.
#[cold]
pub(crate) fn last_refusal() -> Option<io::Error> {
    let refusal = lock().refusal;
    refusal.map(Refusal::into_error)
}

/// The bytes of address space that are reserved for stacks, and how many of these can't serve
/// stacks of `size` bytes: they are unused stacks of other sizes, in regions that have stacks out.
pub(crate) fn reserved(size: usize) -> (usize, usize) {
    let arena = lock();
    let (mut reserved, mut unusable) = (0, 0);
    for class in &arena.classes {
        for region in &class.regions {
            reserved += region.len;
            let unused = (region.stacks - region.out()) as usize;
            if class.size != size && region.out() > 0 {
                unusable += unused * class.stride();
            }
        }
    }
    (reserved, unusable)
}

/// Takes up to `n` stacks of `size` bytes, at least one, and pushes their limits onto `out`, which
/// has the capacity for them.
pub(super) fn take(size: usize, n: usize, out: &mut Vec<NonNull<u8>>) -> io::Result<()> {
    let taken = match try_take(size, n, out) {
        Err(_) if reclaim() => try_take(size, n, out),
        taken => taken,
    };
    taken.map_err(|reason| lock().refuse(size, reason))
}

fn try_take(size: usize, n: usize, out: &mut Vec<NonNull<u8>>) -> Result<(), Reason> {
    let n = n.clamp(1, BATCH);
    let mut raw = [const { MaybeUninit::<(NonNull<u8>, NonNull<Slot>)>::uninit() }; BATCH];
    let mut raws = 0;
    let had = out.len();
    lock().class(size)?.take(n, |limit, slot, has_memory| {
        // SAFETY: the stack is out now, so this call owns its slot (invariant 2).
        if unsafe { slot.as_ref().guarded } && (has_memory || !memory::COMMITS) {
            out.push(limit);
        } else {
            raw[raws].write((limit, slot));
            raws += 1;
        }
    })?;
    // SAFETY: the closure has written the first `raws` of them.
    let raw = unsafe { raw[..raws].assume_init_ref() };
    // SAFETY: this call has taken these stacks (invariant 2), and they have no guard, or no memory.
    let Err((ready, reason)) = (unsafe { make_ready(size, raw, out) }) else { return Ok(()) };
    let mut arena = lock();
    let class = arena.class(size)?;
    raw[ready..].iter().for_each(|&(limit, _)| class.put(limit, false));
    if out.len() > had { Ok(()) } else { Err(reason) }
}

/// Places the guards of stacks that have none, commits their memory where the system wants that,
/// and pushes the limits of these stacks. On failure it returns the number of stacks that are
/// ready.
///
/// # Safety
/// The stacks are out, belong to the caller, and have no guard, or no memory.
unsafe fn make_ready(
    size: usize,
    raw: &[(NonNull<u8>, NonNull<Slot>)],
    out: &mut Vec<NonNull<u8>>,
) -> Result<(), (usize, Reason)> {
    if raw.is_empty() {
        return Ok(());
    }
    let len = guard_size(size);
    let mut spans = [Span::EMPTY; BATCH];
    for (span, (limit, _)) in spans.iter_mut().zip(raw) {
        *span = Span { start: limit.as_ptr().wrapping_sub(len), len };
    }
    // SAFETY: the caller owns the stacks, and so their guards (invariant 2).
    let done = unsafe { memory::guard(&spans[..raw.len()]) };
    let guarded = done.as_ref().map_or_else(|(n, _)| *n, |()| raw.len());
    let done = done.map_err(|(n, _)| match memory::guards_take_maps() {
        true => (n, Reason::Maps(memory::guards_with_maps())),
        false => (n, Reason::Memory),
    });
    for &(limit, mut slot) in &raw[..guarded] {
        // SAFETY: the caller owns the stacks, and so their slots (invariant 2).
        let slot = unsafe { slot.as_mut() };
        if !slot.guarded {
            let id = valgrind::register(limit.as_ptr(), limit.as_ptr().wrapping_add(size));
            // The guard is in place (invariant 3).
            *slot = Slot { id: MaybeUninit::new(id), next: 0, guarded: true };
        }
    }
    for (span, (limit, _)) in spans.iter_mut().zip(&raw[..guarded]) {
        *span = Span { start: limit.as_ptr(), len: size };
    }
    // SAFETY: the caller owns the stacks (invariant 2), and nothing runs on them.
    let committed = unsafe { memory::commit(&spans[..guarded]) };
    let ready = committed.as_ref().map_or_else(|(n, _)| *n, |()| guarded);
    out.extend(raw[..ready].iter().map(|(limit, _)| limit));
    committed.map_err(|(n, _)| (n, Reason::Memory)).and(done)
}

/// Takes stacks back, by their limits, with the memory that they still have.
///
/// # Safety
/// They are stacks of `size` bytes that the caller has from [`take`] and doesn't use any more.
pub(super) unsafe fn put(size: usize, limits: &[NonNull<u8>]) {
    let mut arena = lock();
    REFUSED.store(false, Relaxed);
    if let Ok(class) = arena.class(size) {
        limits.iter().for_each(|&limit| class.put(limit, true));
        DIRTY.fetch_add(limits.len(), Relaxed);
    }
}

/// Whether there are dirty stacks for [`trim`]. One relaxed load.
#[inline]
pub(crate) fn has_surplus() -> bool {
    DIRTY.load(Relaxed) != 0
}

/// Returns memory of unused stacks to the system: of a surplus region, which it unmaps, or else of
/// up to `BATCH` dirty stacks. A batch takes some 50 microseconds. A region may take milliseconds,
/// so `trim` leaves regions alone if the worker is `busy`.
pub(crate) fn trim(busy: bool) {
    if !busy && unmap(|arena| arena.classes.iter_mut().find_map(|class| class.take_region(true))) {
        return;
    }
    let mut limits = [NonNull::dangling(); BATCH];
    let Some((size, n)) = lock().take_dirty(&mut limits) else { return };
    let limits = &mut limits[..n];
    let stride = size + guard_size(size);
    limits.sort_unstable();
    let (mut spans, mut n) = ([Span::EMPTY; BATCH], 0);
    // Neighbours make one span, across the guards between them. A guard survives that.
    for run in limits.chunk_by(|a, b| b.addr().get() - a.addr().get() == stride) {
        spans[n] = Span { start: run[0].as_ptr(), len: (run.len() - 1) * stride + size };
        n += 1;
    }
    // SAFETY: this call has taken the stacks, and owns the guards between them too (invariant 2).
    unsafe { memory::decommit(&spans[..n]) };
    if let Ok(class) = lock().class(size) {
        limits.iter().for_each(|&limit| class.put(limit, false));
    }
}

/// Unmaps all regions of any size that have no stack out, and decommits the dirty stacks of all
/// others. Returns whether there was anything to unmap or decommit.
#[cold]
fn reclaim() -> bool {
    let any = || unmap(|arena| arena.classes.iter_mut().find_map(|class| class.take_region(false)));
    let mut found = false;
    while any() {
        found = true;
    }
    while has_surplus() {
        trim(true);
        found = true;
    }
    found
}

/// Unmaps the region that `pick` takes from the arena, if any. Returns whether it did.
fn unmap(pick: impl FnOnce(&mut Arena) -> Option<(usize, Region)>) -> bool {
    let Some((size, mut region)) = pick(&mut lock()) else { return false };
    // Unmapping can take milliseconds, so it happens outside the lock.
    // SAFETY: none of the region's stacks is out, and it is in no list any more (invariant 1).
    let released = unsafe { region.release() }.is_ok();
    if !released && let Ok(class) = lock().class(size) {
        // If there is no memory for the list either, the addresses are lost.
        let _ = class.add(region);
    }
    released
}

/// Returns the memory of unused stacks to the system, except for the highest `kept` bytes of each.
///
/// # Safety
/// They are stacks of `size` bytes that the caller has from [`take`], and nothing needs their
/// contents.
pub(super) unsafe fn shrink(size: usize, kept: usize, limits: &[NonNull<u8>]) {
    for batch in limits.chunks(BATCH) {
        let mut spans = [Span::EMPTY; BATCH];
        for (span, limit) in spans.iter_mut().zip(batch) {
            *span = Span { start: limit.as_ptr(), len: size };
        }
        // SAFETY: the caller owns the stacks, and nothing needs their contents.
        unsafe { memory::shrink(&mut spans[..batch.len()], kept) };
    }
}

impl Arena {
    fn class(&mut self, size: usize) -> Result<&mut Class, Reason> {
        let at = match self.classes.binary_search_by_key(&size, |class| class.size) {
            Ok(at) => at,
            Err(at) => {
                self.classes.try_reserve(1).map_err(|_| Reason::Memory)?;
                let guard = guard_size(size);
                self.classes
                    .insert(at, Class { size, guard, regions: Vec::new(), last: 0, stacks: 0, available: 0 });
                at
            }
        };
        Ok(&mut self.classes[at])
    }

    /// Takes dirty stacks of one size, to decommit them. Returns their size and number.
    fn take_dirty(&mut self, limits: &mut [NonNull<u8>]) -> Option<(usize, usize)> {
        for class in &mut self.classes {
            let (stride, guard) = (class.stride(), class.guard);
            let mut n = 0;
            for region in &mut class.regions {
                while n < limits.len()
                    && let Some(i) = region.pop_dirty()
                {
                    limits[n] = region.limit(i, stride, guard);
                    n += 1;
                }
            }
            if n > 0 {
                class.available -= n;
                return Some((class.size, n));
            }
        }
        None
    }

    #[cold]
    fn refuse(&mut self, size: usize, reason: Reason) -> io::Error {
        let refusal = Refusal { size, reason };
        if size <= super::DEFAULT_SIZE || matches!(reason, Reason::Maps(_)) {
            self.refusal = Some(refusal);
            REFUSED.store(true, Relaxed);
        }
        refusal.into_error()
    }
}

impl Class {
    fn stride(&self) -> usize {
        self.guard + self.size
    }

    /// Takes up to `n` stacks, at least one, from dirty ones, idle ones, then fresh ones, then a
    /// new region.
    /// `give` gets each stack's limit, its slot, and whether it has memory.
    fn take(
        &mut self,
        n: usize,
        mut give: impl FnMut(NonNull<u8>, NonNull<Slot>, bool),
    ) -> Result<(), Reason> {
        if self.available == 0 {
            self.grow()?;
        }
        let mut n = n.min(self.available);
        self.available -= n;
        let (stride, guard) = (self.stride(), self.guard);
        // Dirty stacks have memory. Idle ones have a guard and page tables.
        for (i, pop) in [Region::pop_dirty, Region::pop_idle, Region::pop_fresh].into_iter().enumerate() {
            let has_memory = i == 0;
            for region in &mut self.regions {
                while n > 0
                    && let Some(i) = pop(region)
                {
                    give(region.limit(i, stride, guard), region.slot(i), has_memory);
                    n -= 1;
                }
            }
        }
        Ok(())
    }

    /// Takes a stack of this class back. It is `dirty` if it may have memory.
    fn put(&mut self, limit: NonNull<u8>, dirty: bool) {
        let stride = self.stride();
        if !self.regions.get(self.last).is_some_and(|region| region.has(limit)) {
            self.last = self.regions.partition_point(|region| region.base <= limit) - 1;
        }
        let region = &mut self.regions[self.last];
        let i = (limit.addr().get() - region.first.addr().get()) / stride;
        region.push(i as u32, dirty);
        self.available += 1;
    }

    fn grow(&mut self) -> Result<(), Reason> {
        self.regions.try_reserve(1).map_err(|_| Reason::Memory)?;
        let stride = self.stride();
        let least = (FIRST_BYTES / stride).clamp(1, FIRST_STACKS);
        let most = (REGION_BYTES / stride).clamp(1, 1 << 30);
        let mut stacks = self.stacks.clamp(least.min(most), most);
        let region = loop {
            match Region::new(stacks, stride) {
                Ok(region) => break region,
                Err(_) if stacks > 1 => stacks /= 2,
                Err(_) if memory::map_limit().is_some_and(|most| memory::guards_with_maps() > most / 2) => {
                    return Err(Reason::Maps(memory::guards_with_maps()));
                }
                Err(_) => return Err(Reason::Space),
            }
        };
        self.add(region)
    }

    fn add(&mut self, region: Region) -> Result<(), Reason> {
        self.regions.try_reserve(1).map_err(|_| Reason::Memory)?;
        let at = self.regions.partition_point(|other| other.base < region.base);
        self.stacks += region.stacks as usize;
        self.available += (region.dirty.len + region.idle.len + region.stacks - region.fresh) as usize;
        DIRTY.fetch_add(region.dirty.len as usize, Relaxed);
        self.regions.insert(at, region);
        Ok(())
    }

    /// Takes a region that has no stack out from the list. With `keep_biggest`, the biggest of
    /// these regions stays: otherwise a size whose threads come and go would be mapped and unmapped
    /// without end.
    fn take_region(&mut self, keep_biggest: bool) -> Option<(usize, Region)> {
        let whole = |region: &Region| region.out() == 0;
        let biggest = self.regions.iter().filter(|r| whole(r)).max_by_key(|r| r.stacks)?.base;
        let at = self.regions.iter().position(|r| whole(r) && !(keep_biggest && r.base == biggest))?;
        let region = self.regions.remove(at);
        DIRTY.fetch_sub(region.dirty.len as usize, Relaxed);
        self.stacks -= region.stacks as usize;
        self.available -= region.stacks as usize;
        Some((self.size, region))
    }
}

impl Region {
    fn new(stacks: usize, stride: usize) -> io::Result<Self> {
        let slots = (stacks * size_of::<Slot>()).next_multiple_of(page_size());
        let len = stacks * stride + slots;
        let base = memory::reserve(len, slots)?;
        // SAFETY: `slots` is less than `len`.
        let first = unsafe { base.add(slots) };
        let (dirty, idle) = (List::default(), List::default());
        Ok(Self { base, len, first, stacks: stacks as u32, fresh: 0, dirty, idle })
    }

    /// The number of stacks that are out.
    fn out(&self) -> u32 {
        self.fresh - self.dirty.len - self.idle.len
    }

    fn has(&self, limit: NonNull<u8>) -> bool {
        limit.addr().get().wrapping_sub(self.base.addr().get()) < self.len
    }

    fn slot(&self, i: u32) -> NonNull<Slot> {
        // SAFETY: a region begins with one slot for each of its stacks (invariant 1).
        unsafe { self.base.cast::<Slot>().add(i as usize) }
    }

    /// The lowest usable byte of stack `i`.
    fn limit(&self, i: u32, stride: usize, guard: usize) -> NonNull<u8> {
        // SAFETY: stack `i` lies within its region (invariant 1).
        unsafe { self.first.add(i as usize * stride + guard) }
    }

    fn pop_dirty(&mut self) -> Option<u32> {
        let (i, rest) = self.pop(self.dirty)?;
        self.dirty = rest;
        DIRTY.fetch_sub(1, Relaxed);
        Some(i)
    }

    fn pop_idle(&mut self) -> Option<u32> {
        let (i, rest) = self.pop(self.idle)?;
        self.idle = rest;
        Some(i)
    }

    fn pop(&self, list: List) -> Option<(u32, List)> {
        let i = (list.len > 0).then_some(list.first)?;
        // SAFETY: the stack is in a list, so its slot belongs to the caller, who holds the lock
        // (invariant 2).
        let first = unsafe { self.slot(i).as_ref().next };
        Some((i, List { len: list.len - 1, first }))
    }

    fn pop_fresh(&mut self) -> Option<u32> {
        let i = (self.fresh < self.stacks).then_some(self.fresh)?;
        self.fresh += 1;
        Some(i)
    }

    fn push(&mut self, i: u32, dirty: bool) {
        let mut slot = self.slot(i);
        let list = if dirty { &mut self.dirty } else { &mut self.idle };
        // SAFETY: the stack has come back, so its slot belongs to the caller, who holds the lock
        // (invariant 2).
        unsafe { slot.as_mut().next = list.first };
        *list = List { len: list.len + 1, first: i };
    }

    /// Unmaps the region.
    ///
    /// # Safety
    /// None of its stacks is out, and it is in no list. The caller doesn't use it again if this
    /// succeeds.
    unsafe fn release(&mut self) -> io::Result<()> {
        let mut guards = 0;
        for i in 0..self.fresh {
            // SAFETY: no stack is out, so the caller owns all slots (invariant 2). Each is read
            // once.
            let slot = unsafe { self.slot(i).read() };
            if slot.guarded {
                // SAFETY: the slot has an id, as it is guarded (invariant 3).
                valgrind::deregister(unsafe { slot.id.assume_init() });
                guards += 1;
            }
        }
        // SAFETY: this is the whole mapping (invariant 1), and the caller owns all of it (invariant
        // 2).
        unsafe { memory::release(Span { start: self.base.as_ptr(), len: self.len }, guards) }
    }
}
