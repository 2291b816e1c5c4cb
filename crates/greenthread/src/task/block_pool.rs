//! A worker's free memory for blocks: the next thread takes the block that the last one has left,
//! without a call of the allocator.
//!
//! Blocks come in classes of 64 bytes up to a KiB. All of it is the global allocator's memory with
//! the class's layout, so a block may be made on one worker and freed on another, or on an OS
//! thread. Larger or over-aligned ones go past.
//!
//! Free blocks come in lists of [`LIST`]. Of each class a worker has one list that it takes from
//! and gives to, and one more that is full or not there: so it can go up and down by a list without
//! anybody else. A further full list goes to the runtime's [`Depots`], one for each class, and a
//! further empty one is filled from there. So blocks that one worker makes and another frees find
//! their way back; and blocks that no worker has needed for an interval go back to the allocator, a
//! little at a time.
//!
//! Invariants:
//! 1. Only its worker's OS thread touches a pool.
//! 2. A chunk in a list of class `c` is memory of `layout_of(c)` that nobody uses; its first word
//!    is the next chunk, or null.
//! 3. A `List`, and a spare one, has `LIST` chunks; the list at hand has `Class::len`, at most
//!    `LIST`.

use core::{
    alloc::Layout,
    cell::Cell,
    ptr::{self, NonNull},
};
use std::{
    alloc::{alloc, dealloc},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

use greenthread_context::prefetch;

use super::depot::Depot;

const STEP: usize = 64;
const ALIGN: usize = 16;
const CLASSES: usize = 16;

/// How many chunks change hands at a time. Fewer would mean more visits to the depot; more, more
/// memory that only one worker can use: two lists of each class.
const LIST: usize = 64;

/// The length of an interval in nanoseconds. Memory that was not used for an interval is given back
/// within the next one. A shorter interval would give back memory that comes and goes; with a
/// longer one the memory of a burst stays for longer.
pub(crate) const INTERVAL: u64 = 500_000_000;

/// How many bytes in the depots are too few for a worker to be woken for them.
const FEW: usize = 1 << 20;

/// How many bytes must have gone back to the allocator before it is told to give some to the
/// system.
const MUCH: usize = 2 << 20;

/// How many lists go back at a time, in some 20 microseconds.
const LOT: usize = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct Pool {
    classes: [Class; CLASSES],
    depots: Arc<Depots>,
}

/// One class of a pool.
#[derive(Debug)]
struct Class {
    first: Cell<*mut u8>,
    len: Cell<usize>,
    spare: Cell<Option<List>>,
}

/// The first of so many chunks.
#[derive(Clone, Copy, Debug)]
struct List(NonNull<u8>);

// SAFETY: it is memory that nobody uses (invariant 2).
unsafe impl Send for List {}

/// One runtime's depots.
#[derive(Debug)]
pub(crate) struct Depots {
    classes: [Depot<List>; CLASSES],
    /// About how much there is in them.
    bytes: AtomicUsize,
    /// There may be surplus lists. Set by `settle`.
    untidy: AtomicBool,
    /// How much has gone back to the allocator, since `take_returned`.
    returned: AtomicUsize,
    /// When the last interval ended, by the clock of whichever worker has ended it.
    settled: AtomicU64,
}

/// The class for a layout, if there is one.
#[inline]
const fn class(layout: Layout) -> Option<usize> {
    let class = layout.size().div_ceil(STEP);
    if layout.align() <= ALIGN && class != 0 && class <= CLASSES { Some(class - 1) } else { None }
}

#[inline]
const fn layout_of(class: usize) -> Layout {
    match Layout::from_size_align((class + 1) * STEP, ALIGN) {
        Ok(layout) => layout,
        Err(_) => panic!("a multiple of 64 up to 1024"),
    }
}

/// Memory for `layout`, on a worker from its pool; none if there is none.
#[inline]
pub(crate) fn take(pool: Option<&Pool>, layout: Layout) -> Option<NonNull<u8>> {
    let Some(class) = class(layout) else {
        // SAFETY: a block is not empty.
        return NonNull::new(unsafe { alloc(layout) });
    };
    match pool {
        Some(pool) => pool.pop(class).or_else(|| pool.refill(class)),
        None => make(class),
    }
}

fn make(class: usize) -> Option<NonNull<u8>> {
    // SAFETY: a class is not empty.
    NonNull::new(unsafe { alloc(layout_of(class)) })
}

/// Gives it back.
///
/// # Safety
/// It came from `take` with this layout, on whichever OS thread, and is not used any more.
#[inline]
pub(crate) unsafe fn give(pool: Option<&Pool>, chunk: NonNull<u8>, layout: Layout) {
    let layout = match class(layout) {
        None => layout,
        Some(class) => {
            if let Some(pool) = pool {
                // SAFETY: its layout is the class's, and it is nobody's.
                return unsafe { pool.give(class, chunk) };
            }
            layout_of(class)
        }
    };
    // SAFETY: the caller vouches that it was allocated with this layout.
    unsafe { dealloc(chunk.as_ptr(), layout) };
}

/// Gives all chunks of a list back to the allocator.
///
/// # Safety
/// They are of this class, linked as invariant 2 says, and the caller's.
unsafe fn unmake(class: usize, mut first: *mut u8) {
    while let Some(chunk) = NonNull::new(first) {
        // SAFETY: invariant 2; each is read before it goes.
        unsafe {
            first = chunk.cast::<*mut u8>().read();
            dealloc(chunk.as_ptr(), layout_of(class));
        }
    }
}

impl Pool {
    pub(crate) fn new(depots: Arc<Depots>) -> Self {
        let class = || Class { first: Cell::new(ptr::null_mut()), len: Cell::new(0), spare: Cell::new(None) };
        Self { classes: core::array::from_fn(|_| class()), depots }
    }

    #[inline]
    fn pop(&self, class: usize) -> Option<NonNull<u8>> {
        let list = &self.classes[class];
        let chunk = NonNull::new(list.first.get())?;
        // SAFETY: in the list, so ours, with the next one in its first word (invariant 2).
        let next = unsafe { chunk.cast::<*mut u8>().read() };
        prefetch(next, layout_of(class).size());
        list.first.set(next);
        list.len.set(list.len.get() - 1);
        Some(chunk)
    }

    /// A chunk for one whose list is empty: of the spare one, of one from the depot, or a new one.
    /// Where memory is short, the free blocks go back to the allocator first.
    #[cold]
    fn refill(&self, class: usize) -> Option<NonNull<u8>> {
        let list = &self.classes[class];
        if let Some(List(first)) = list.spare.take().or_else(|| self.depots.take(class)) {
            list.first.set(first.as_ptr());
            list.len.set(LIST);
            return self.pop(class);
        }
        make(class).or_else(|| {
            self.clear();
            self.depots.clear();
            make(class)
        })
    }

    /// Takes a chunk in.
    ///
    /// # Safety
    /// Invariant 2: memory of this class, given away by the caller.
    #[inline]
    unsafe fn give(&self, class: usize, chunk: NonNull<u8>) {
        let list = &self.classes[class];
        if list.len.get() == LIST {
            // The last thing it does, so that a free needs no registers for what comes after.
            // SAFETY: as the caller says.
            return unsafe { self.give_to_next(class, chunk) };
        }
        // SAFETY: ours now, and large enough for a pointer (invariant 2).
        unsafe { chunk.cast::<*mut u8>().write(list.first.get()) };
        list.first.set(chunk.as_ptr());
        list.len.set(list.len.get() + 1);
    }

    /// As `give`, where the list is full: makes that the spare one, which goes to the depot, if
    /// there is one.
    ///
    /// # Safety
    /// As for `give`.
    #[cold]
    unsafe fn give_to_next(&self, class: usize, chunk: NonNull<u8>) {
        let list = &self.classes[class];
        let full = NonNull::new(list.first.replace(ptr::null_mut())).map(List);
        list.len.set(0);
        if let Some(spare) = list.spare.replace(full) {
            self.depots.give(class, spare);
        }
        // SAFETY: as the caller says.
        unsafe { self.give(class, chunk) };
    }

    /// Gives all of its own to the allocator.
    fn clear(&self) {
        for (class, list) in self.classes.iter().enumerate() {
            list.len.set(0);
            let spare = list.spare.take().map_or(ptr::null_mut(), |List(first)| first.as_ptr());
            for first in [list.first.replace(ptr::null_mut()), spare] {
                // SAFETY: ours, and just taken out (invariant 2).
                unsafe { unmake(class, first) };
            }
        }
    }

    pub(crate) fn depots(&self) -> &Depots {
        &self.depots
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Depots {
    pub(crate) fn new() -> Self {
        Self {
            classes: core::array::from_fn(|_| Depot::new()),
            bytes: AtomicUsize::new(0),
            untidy: AtomicBool::new(false),
            returned: AtomicUsize::new(0),
            settled: AtomicU64::new(0),
        }
    }

    fn take(&self, class: usize) -> Option<List> {
        let list = self.classes[class].take()?;
        self.bytes.fetch_sub(LIST * layout_of(class).size(), Relaxed);
        Some(list)
    }

    fn give(&self, class: usize, list: List) {
        self.bytes.fetch_add(LIST * layout_of(class).size(), Relaxed);
        if let Err(list) = self.classes[class].give(list) {
            self.give_back(class, list);
        }
    }

    fn give_back(&self, class: usize, List(first): List) {
        let bytes = LIST * layout_of(class).size();
        self.bytes.fetch_sub(bytes, Relaxed);
        self.returned.fetch_add(bytes, Relaxed);
        // SAFETY: the depot has handed it out, or has not taken it (invariants 2, 3).
        unsafe { unmake(class, first.as_ptr()) };
    }

    /// Ends an interval, if it is time.
    pub(crate) fn settle(&self, now: u64) {
        let settled = self.settled.load(Relaxed);
        if now.saturating_sub(settled) >= INTERVAL
            && self.settled.compare_exchange(settled, now, Relaxed, Relaxed).is_ok()
        {
            self.classes.iter().for_each(Depot::settle);
            self.untidy.store(self.classes.iter().any(Depot::has_surplus), Relaxed);
        }
    }

    /// Whether there is so much that it is worth to be woken for, to settle.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.load(Relaxed) > FEW
    }

    /// Whether there is something for `tidy` to do.
    #[inline]
    pub(crate) fn is_untidy(&self) -> bool {
        self.untidy.load(Relaxed)
    }

    /// Gives some of what nobody needs back, in some 20 microseconds.
    pub(crate) fn tidy(&self) {
        for _ in 0..LOT {
            let mut surplus = self.classes.iter().enumerate();
            let Some((class, list)) = surplus.find_map(|(class, depot)| Some((class, depot.take_surplus()?)))
            else {
                return self.untidy.store(false, Relaxed);
            };
            self.give_back(class, list);
        }
    }

    /// Whether so much has gone back to the allocator that it may want to give some to the system.
    pub(crate) fn has_returned_much(&self) -> bool {
        self.returned.load(Relaxed) >= MUCH
    }

    /// The same, for the one caller that sees to it.
    pub(crate) fn take_returned(&self) -> bool {
        self.returned.swap(0, Relaxed) >= MUCH
    }

    fn clear(&self) {
        for class in 0..CLASSES {
            while let Some(list) = self.take(class) {
                // SAFETY: the depot has handed it out (invariant 2).
                unsafe { unmake(class, list.0.as_ptr()) };
            }
        }
    }
}

impl Drop for Depots {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pools<const N: usize>() -> [Pool; N] {
        let depots = Arc::new(Depots::new());
        [(); N].map(|()| Pool::new(depots.clone()))
    }

    fn take(pool: &Pool, class: usize) -> NonNull<u8> {
        pool.pop(class).or_else(|| pool.refill(class)).expect("memory")
    }

    fn give(pool: &Pool, class: usize, chunk: NonNull<u8>) {
        // SAFETY: memory of this class, and nobody's.
        unsafe { pool.give(class, chunk) };
    }

    /// Ends an interval, and gives back what that shows to be unneeded; in how many steps.
    fn end(depots: &Depots) -> usize {
        depots.settle(depots.settled.load(Relaxed) + INTERVAL);
        let mut steps = 0;
        while depots.is_untidy() {
            depots.tidy();
            steps += 1;
        }
        steps
    }

    #[test]
    fn what_one_makes_and_another_frees_comes_back() {
        let [maker, freer] = pools();
        let most = 3 * LIST * layout_of(2).size();
        for _ in 0..100 {
            let chunks: Vec<_> = (0..2 * LIST).map(|_| take(&maker, 2)).collect();
            chunks.into_iter().for_each(|chunk| give(&freer, 2, chunk));
            let bytes = maker.depots.bytes.load(Relaxed);
            assert!(bytes <= most, "{bytes} bytes");
        }
    }

    #[test]
    fn what_nobody_needs_goes_back_after_an_interval() {
        let [pool] = pools();
        let (all, size) = (40 * LIST, LIST * layout_of(15).size());
        let depots = pool.depots();
        for _ in 0..3 {
            let chunks: Vec<_> = (0..all).map(|_| take(&pool, 15)).collect();
            chunks.into_iter().for_each(|chunk| give(&pool, 15, chunk));
            // Two lists are at hand.
            assert_eq!(depots.bytes.load(Relaxed), 38 * size);
            assert_eq!(end(depots), 0, "all of it was needed");
        }
        let chunks: Vec<_> = (0..12 * LIST).map(|_| take(&pool, 15)).collect();
        chunks.into_iter().for_each(|chunk| give(&pool, 15, chunk));
        assert!(depots.is_full());
        assert_eq!(end(depots), 28 / LOT + 1);
        assert_eq!(depots.bytes.load(Relaxed), 10 * size);
        end(depots);
        assert_eq!(depots.bytes.load(Relaxed), 0);
        assert!(!depots.is_full());
    }

    #[test]
    fn chunks_are_nobodys_twice() {
        let [one, other] = pools();
        for class in [0, 7] {
            let mut chunks: Vec<_> = (0..20 * LIST).map(|_| take(&one, class)).collect();
            for n in 0..10 {
                let keep = chunks.split_off(n * LIST / 2);
                chunks
                    .into_iter()
                    .for_each(|chunk| give(if n % 2 == 0 { &one } else { &other }, class, chunk));
                chunks = keep;
                chunks.extend((0..n * LIST / 2).map(|_| take(if n % 3 == 0 { &one } else { &other }, class)));
            }
            chunks.sort_unstable();
            chunks.dedup();
            assert_eq!(chunks.len(), 20 * LIST);
            chunks.into_iter().for_each(|chunk| give(&one, class, chunk));
        }
    }
}
