//! The process's stacks that no worker has: regions of address space, cut into stacks of one size.
//!
//! ```text
//!   region:  | slots | guard | stack 0 | guard | stack 1 | guard | stack 2 | ...
//!            base    first                                  stride = guard + size
//! ```
//!
//! A region is one mapping, whichever number of stacks it has; with guards that leave mappings whole, a
//! million stacks are a few maps. Each new region of a size doubles what there is of it, up to a bound; where
//! so much address space is not to be had, half of it is tried, down to a single stack.
//!
//! A stack is *fresh* until first taken, then it is *out*, *dirty* or *idle*. Fresh stacks have no guard yet: guards
//! are placed as stacks are first taken, a batch at a time, since they cost page tables. A stack that comes back is dirty:
//! it still has its memory, and is the first to be taken again. To give the memory back costs as much as the thread had
//! cost altogether, so it is done when a worker has nothing better to do, and a little at a time when it has ([`tidy`]).
//! System calls on stacks are made outside the lock, on stacks that are out.
//!
//! Invariants:
//! 1. `Region::base` is what `reserve` gave for `Region::len`. It is mapped as long as the region is in the
//!    list. It leaves the list to be unmapped when all of its stacks are fresh, dirty or idle: none is out.
//! 2. Stack `i` is out, dirty or idle if `i < fresh`. A stack that is out is in no list, and who has it owns its
//!    bytes, its guard's and its slot. Dirty and idle stacks are in their region's lists, and they and the fresh
//!    ones, with their slots, belong to whoever holds the lock.
//! 3. `Slot::guarded` is set once the guard is in place, and then `Slot::id` is written. The slots start as
//!    zero.
//! 4. An idle stack holds no memory (except what the system refuses to take back).

use core::{
    fmt,
    mem::MaybeUninit,
    ptr::NonNull,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};
use std::{io, sync::MutexGuard};

use greenthread_context::valgrind::{self, StackId};

use super::size::guard_size;
use crate::sys::{
    memory::{self, Span, page_size},
    process::ForkMutex,
};

/// The most stacks that are guarded or given back by one call.
pub(super) const BATCH: usize = 64;

/// A size's first region has this many stacks, unless they are more than this many bytes.
const FIRST_STACKS: usize = 64;
const FIRST_BYTES: usize = 64 << 20;
/// Bounds the regions. A process may have 65,530 of them, unless told otherwise.
const REGION_BYTES: usize = if usize::BITS == 64 { 1 << 30 } else { 1 << 25 };

pub(crate) static ARENA: ForkMutex<Arena> = ForkMutex::new(Arena { classes: Vec::new(), refusal: None });

/// Whether no stack has come back since `Arena::refusal`: written under the lock, read as a hint without.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// How many dirty stacks there are: written under the lock, read as a hint without.
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
    /// Where the last one that was taken back has come from: the next one often comes from there too.
    last: usize,
    /// Of all regions: the stacks, and those that are not out.
    stacks: usize,
    left: usize,
}

struct Region {
    base: NonNull<u8>,
    len: usize,
    /// Stack 0's guard.
    first: NonNull<u8>,
    stacks: u32,
    /// Stacks from here on were never taken.
    fresh: u32,
    dirty: List,
    idle: List,
}

/// Stacks of one region, linked through their slots: how many, and the first of them.
#[derive(Clone, Copy, Default)]
struct List {
    len: u32,
    first: u32,
}

// SAFETY: a region is reached through the lock only, and its memory belongs to no OS thread (invariant 2).
unsafe impl Send for Region {}

/// What there is to know of a stack beside its address.
struct Slot {
    id: MaybeUninit<StackId>,
    /// The next one in its list.
    next: u32,
    guarded: bool,
}

/// Why a stack could not be had.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    size: usize,
    why: Why,
}

#[derive(Clone, Copy, Debug)]
enum Why {
    /// No address space.
    Space,
    /// No map for a guard: so many others have theirs, or will.
    Maps(usize),
    /// No memory for the tables.
    Memory,
}

fn lock() -> MutexGuard<'static, Arena> {
    // Nothing in here panics, and if it did, the counts are still right.
    ARENA.lock()
}

/// Whether a stack was refused and none has come back since. One relaxed load.
#[inline]
pub(super) fn starving() -> bool {
    REFUSED.load(Relaxed)
}

/// Why a stack was last refused, whatever has come back since, which others may wait for.
#[cold]
pub(crate) fn last_refusal() -> Option<io::Error> {
    let refusal = lock().refusal;
    refusal.map(Refusal::into_error)
}

/// How many bytes of address space are reserved for stacks, and how many of these no stack of `size` bytes can ever have as
/// long as others are where they are: unused ones of other sizes, between some that are out.
pub(crate) fn reserved(size: usize) -> (usize, usize) {
    let arena = lock();
    let (mut reserved, mut stuck) = (0, 0);
    for class in &arena.classes {
        for region in &class.regions {
            reserved += region.len;
            let unused = (region.stacks - region.out()) as usize;
            if class.size != size && region.out() > 0 {
                stuck += unused * class.stride();
            }
        }
    }
    (reserved, stuck)
}

/// That there is no address space for another stack of `size` bytes.
#[cold]
pub(crate) fn no_space(size: usize) -> io::Error {
    Refusal { size, why: Why::Space }.into_error()
}

/// That there is no map for another stack of `size` bytes, since so many threads have got theirs, or will.
#[cold]
pub(crate) fn no_map(size: usize, threads: usize) -> io::Error {
    Refusal { size, why: Why::Maps(threads) }.into_error()
}

/// Takes up to `n` stacks of `size` bytes, at least one, and pushes their limits onto `out`, which has room
/// for them.
pub(super) fn take(size: usize, n: usize, out: &mut Vec<NonNull<u8>>) -> io::Result<()> {
    let taken = match try_take(size, n, out) {
        Err(_) if reclaim() => try_take(size, n, out),
        taken => taken,
    };
    taken.map_err(|why| lock().refuse(size, why))
}

fn try_take(size: usize, n: usize, out: &mut Vec<NonNull<u8>>) -> Result<(), Why> {
    let n = n.clamp(1, BATCH);
    let mut raw = [const { MaybeUninit::<(NonNull<u8>, NonNull<Slot>)>::uninit() }; BATCH];
    let mut raws = 0;
    let had = out.len();
    lock().class(size)?.take(n, |limit, slot| {
        // SAFETY: invariant 2: the stack is out now, and so its slot is ours.
        if unsafe { slot.as_ref().guarded } {
            out.push(limit);
        } else {
            raw[raws].write((limit, slot));
            raws += 1;
        }
    })?;
    // SAFETY: so many were written.
    let raw = unsafe { raw[..raws].assume_init_ref() };
    // SAFETY: they are out, and we have them (invariant 2).
    let Err((guarded, why)) = (unsafe { guard(size, raw, out) }) else { return Ok(()) };
    let mut arena = lock();
    let class = arena.class(size)?;
    raw[guarded..].iter().for_each(|&(limit, _)| class.put(limit, false));
    if out.len() > had { Ok(()) } else { Err(why) }
}

/// Places the guards of stacks that have none, and pushes those that have got one. On failure, tells their
/// number.
///
/// # Safety
/// The stacks are out and the caller's, and have no guard.
unsafe fn guard(
    size: usize,
    raw: &[(NonNull<u8>, NonNull<Slot>)],
    out: &mut Vec<NonNull<u8>>,
) -> Result<(), (usize, Why)> {
    if raw.is_empty() {
        return Ok(());
    }
    let len = guard_size(size);
    let mut spans = [Span::EMPTY; BATCH];
    for (span, (limit, _)) in spans.iter_mut().zip(raw) {
        *span = Span { start: limit.as_ptr().wrapping_sub(len), len };
    }
    // SAFETY: the guards are the caller's, as it says.
    let done = unsafe { memory::guard(&spans[..raw.len()]) };
    let guarded = done.as_ref().map_or_else(|(n, _)| *n, |()| raw.len());
    for &(limit, slot) in &raw[..guarded] {
        let id = valgrind::register(limit.as_ptr(), limit.as_ptr().wrapping_add(size));
        // SAFETY: as are the slots (invariant 2), for this write of invariant 3.
        unsafe { slot.write(Slot { id: MaybeUninit::new(id), next: 0, guarded: true }) };
        out.push(limit);
    }
    let why = if memory::guards_take_maps() { Why::Maps(memory::guards_with_maps()) } else { Why::Memory };
    done.map_err(|(n, _)| (n, why))
}

/// Takes stacks back, by their limits, with the memory that they still have.
///
/// # Safety
/// They are stacks of `size` bytes that the caller has from [`take`] and gives up.
pub(super) unsafe fn put(size: usize, limits: &[NonNull<u8>]) {
    let mut arena = lock();
    REFUSED.store(false, Relaxed);
    if let Ok(class) = arena.class(size) {
        limits.iter().for_each(|&limit| class.put(limit, true));
        DIRTY.fetch_add(limits.len(), Relaxed);
    }
}

/// Whether there is something for [`tidy`] to do. One relaxed load.
#[inline]
pub(crate) fn is_untidy() -> bool {
    DIRTY.load(Relaxed) != 0
}

/// Gives memory of dirty stacks back: that of a region whose stacks have all come back, if it is not needed, or else that
/// of a few stacks. It takes some 50 microseconds, and for a region up to some milliseconds: not if `busy`.
pub(crate) fn tidy(busy: bool) {
    if !busy && unmap(|arena| arena.classes.iter_mut().find_map(|class| class.surplus(true))) {
        return;
    }
    let mut limits = [NonNull::dangling(); BATCH];
    let Some((size, n)) = lock().take_dirty(&mut limits) else { return };
    let limits = &mut limits[..n];
    let stride = size + guard_size(size);
    limits.sort_unstable();
    let (mut spans, mut n) = ([Span::EMPTY; BATCH], 0);
    // Neighbours make one span, across the guards between them, which survive.
    for run in limits.chunk_by(|a, b| b.addr().get() - a.addr().get() == stride) {
        spans[n] = Span { start: run[0].as_ptr(), len: (run.len() - 1) * stride + size };
        n += 1;
    }
    // SAFETY: they are out, and ours, and so are the guards between them (invariant 2).
    unsafe { memory::decommit(&spans[..n]) };
    if let Ok(class) = lock().class(size) {
        limits.iter().for_each(|&limit| class.put(limit, false));
    }
}

/// Unmaps all regions of whichever size that have no stack out, and gives the memory of all others back, to make room.
/// Tells whether there was any.
#[cold]
fn reclaim() -> bool {
    let any = || unmap(|arena| arena.classes.iter_mut().find_map(|class| class.surplus(false)));
    let mut found = false;
    while any() {
        found = true;
    }
    while is_untidy() {
        tidy(true);
        found = true;
    }
    found
}

/// Unmaps the region that `pick` takes from the arena, if it does.
fn unmap(pick: impl FnOnce(&mut Arena) -> Option<(usize, Region)>) -> bool {
    let Some((size, mut region)) = pick(&mut lock()) else { return false };
    // Outside the lock, since it can take milliseconds.
    // SAFETY: no stack of it is out, and nobody else knows it any more.
    let released = unsafe { region.release() }.is_ok();
    if !released && let Ok(class) = lock().class(size) {
        // If not even the list can grow, the addresses are lost. They hold no memory.
        let _ = class.add(region);
    }
    released
}

/// Gives the memory of unused stacks back, but for the highest `kept` bytes.
///
/// # Safety
/// They are stacks of `size` bytes that the caller has from [`take`], and nothing on them is needed.
pub(super) unsafe fn trim(size: usize, kept: usize, limits: &[NonNull<u8>]) {
    let len = size.saturating_sub(kept.next_multiple_of(page_size()));
    for batch in limits.chunks(BATCH) {
        let mut spans = [Span::EMPTY; BATCH];
        for (span, limit) in spans.iter_mut().zip(batch) {
            *span = Span { start: limit.as_ptr(), len };
        }
        // SAFETY: the caller's stacks.
        unsafe { memory::decommit(&spans[..batch.len()]) };
    }
}

impl Arena {
    fn class(&mut self, size: usize) -> Result<&mut Class, Why> {
        let at = match self.classes.binary_search_by_key(&size, |class| class.size) {
            Ok(at) => at,
            Err(at) => {
                self.classes.try_reserve(1).map_err(|_| Why::Memory)?;
                let guard = guard_size(size);
                self.classes
                    .insert(at, Class { size, guard, regions: Vec::new(), last: 0, stacks: 0, left: 0 });
                at
            }
        };
        Ok(&mut self.classes[at])
    }

    /// Takes some dirty stacks, for their memory. Tells their size and number.
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
                class.left -= n;
                return Some((class.size, n));
            }
        }
        None
    }

    #[cold]
    fn refuse(&mut self, size: usize, why: Why) -> io::Error {
        let refusal = Refusal { size, why };
        if size <= super::DEFAULT_SIZE || matches!(why, Why::Maps(_)) {
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

    /// Takes up to `n` stacks, at least one, from dirty ones, idle ones, then fresh ones, then a new region.
    fn take(&mut self, n: usize, mut give: impl FnMut(NonNull<u8>, NonNull<Slot>)) -> Result<(), Why> {
        if self.left == 0 {
            self.grow()?;
        }
        let mut n = n.min(self.left);
        self.left -= n;
        let (stride, guard) = (self.stride(), self.guard);
        // Those with memory first, then those that have guard and page tables already.
        for pop in [Region::pop_dirty, Region::pop_idle, Region::pop_fresh] {
            for region in &mut self.regions {
                while n > 0
                    && let Some(i) = pop(region)
                {
                    give(region.limit(i, stride, guard), region.slot(i));
                    n -= 1;
                }
            }
        }
        Ok(())
    }

    /// Takes a stack of this class back; `dirty` if it may have memory.
    fn put(&mut self, limit: NonNull<u8>, dirty: bool) {
        let stride = self.stride();
        if !self.regions.get(self.last).is_some_and(|region| region.has(limit)) {
            self.last = self.regions.partition_point(|region| region.base <= limit) - 1;
        }
        let region = &mut self.regions[self.last];
        let i = (limit.addr().get() - region.first.addr().get()) / stride;
        region.push(i as u32, dirty);
        self.left += 1;
    }

    fn grow(&mut self) -> Result<(), Why> {
        self.regions.try_reserve(1).map_err(|_| Why::Memory)?;
        let stride = self.stride();
        let least = (FIRST_BYTES / stride).clamp(1, FIRST_STACKS);
        let most = (REGION_BYTES / stride).clamp(1, 1 << 30);
        let mut stacks = self.stacks.clamp(least.min(most), most);
        let region = loop {
            match Region::new(stacks, stride) {
                Ok(region) => break region,
                Err(_) if stacks > 1 => stacks /= 2,
                Err(_) if memory::map_limit().is_some_and(|most| memory::guards_with_maps() > most / 2) => {
                    return Err(Why::Maps(memory::guards_with_maps()));
                }
                Err(_) => return Err(Why::Space),
            }
        };
        self.add(region)
    }

    fn add(&mut self, region: Region) -> Result<(), Why> {
        self.regions.try_reserve(1).map_err(|_| Why::Memory)?;
        let at = self.regions.partition_point(|other| other.base < region.base);
        self.stacks += region.stacks as usize;
        self.left += (region.dirty.len + region.idle.len + region.stacks - region.fresh) as usize;
        DIRTY.fetch_add(region.dirty.len as usize, Relaxed);
        self.regions.insert(at, region);
        Ok(())
    }

    /// Removes a region that has no stack out. With `spare`, the biggest of them stays: a size that is in use
    /// at all would otherwise be mapped and unmapped without end.
    fn surplus(&mut self, spare: bool) -> Option<(usize, Region)> {
        let whole = |region: &Region| region.out() == 0;
        let biggest = self.regions.iter().filter(|r| whole(r)).max_by_key(|r| r.stacks)?.base;
        let at = self.regions.iter().position(|r| whole(r) && !(spare && r.base == biggest))?;
        let region = self.regions.remove(at);
        DIRTY.fetch_sub(region.dirty.len as usize, Relaxed);
        self.stacks -= region.stacks as usize;
        self.left -= region.stacks as usize;
        Some((self.size, region))
    }
}

impl Region {
    fn new(stacks: usize, stride: usize) -> io::Result<Self> {
        let slots = (stacks * size_of::<Slot>()).next_multiple_of(page_size());
        let len = stacks * stride + slots;
        let base = memory::reserve(len)?;
        // SAFETY: within the reservation.
        let first = unsafe { base.add(slots) };
        let (dirty, idle) = (List::default(), List::default());
        Ok(Self { base, len, first, stacks: stacks as u32, fresh: 0, dirty, idle })
    }

    /// How many stacks are out.
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
        // SAFETY: it is in a list, and we hold the lock (invariant 2).
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
        // SAFETY: it was out and is given up, and we hold the lock (invariant 2).
        unsafe { slot.as_mut().next = list.first };
        *list = List { len: list.len + 1, first: i };
    }

    /// Unmaps the region.
    ///
    /// # Safety
    /// No stack of it is out. On success it is not used again.
    unsafe fn release(&mut self) -> io::Result<()> {
        let mut guards = 0;
        for i in 0..self.fresh {
            // SAFETY: no stack is out, so all slots are ours (invariant 2); each is read once.
            let slot = unsafe { self.slot(i).read() };
            if slot.guarded {
                // SAFETY: invariant 3.
                valgrind::deregister(unsafe { slot.id.assume_init() });
                guards += 1;
            }
        }
        // SAFETY: invariants 1 and 2: it is all ours.
        unsafe { memory::release(Span { start: self.base.as_ptr(), len: self.len }, guards) }
    }
}

impl Refusal {
    fn into_error(self) -> io::Error {
        memory::exhausted(format_args!("{self}"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.size;
        match self.why {
            Why::Space => write!(
                f,
                "no address space for a stack of {size} bytes: ask for smaller stacks, run fewer threads at once, \
                 or raise the limit (ulimit -v)"
            ),
            Why::Maps(others) => {
                write!(f, "no guard for a stack of {size} bytes after {others} others: {}", memory::MORE_MAPS)
            }
            Why::Memory => {
                write!(f, "no memory for the tables of a stack of {size} bytes: run fewer threads at once")
            }
        }
    }
}
