//! A worker's free memory for blocks. A new thread takes the block of a thread that has ended,
//! without a call of the allocator.
//!
//! Blocks come in 16 size classes, from 64 bytes to 1 KiB in steps of 64. The memory of a block
//! comes from the global allocator, with the layout of its class. So a block may be allocated on
//! one worker and freed on another, or on an OS thread. A block that is larger or needs a larger
//! alignment always comes from the allocator and goes back to it.
//!
//! Free blocks (*chunks*) are kept in lists of [`LIST`]. For each class a worker has a current
//! list, which it takes from and gives to, and at most one spare list, which is full. With the
//! spare list the number of its chunks can rise and fall by a list without the depot. A worker that
//! has two full lists, and frees one more chunk, gives a list to the runtime's depot for the class
//! ([`Depots`]). A worker without chunks takes a list from there. So blocks that one worker
//! allocates and another frees find their way back. Blocks that no worker has needed for an
//! interval go back to the allocator, a little at a time.
//!
//! Invariants:
//! 1. Only its worker's OS thread touches a pool.
//! 2. A chunk in a list of class `c` is memory of `layout_of(c)`, and the list owns it. Its first
//!    word is the address of the next chunk, or null.
//! 3. A `List` has `LIST` chunks. The current list, which begins at `Class::first`, has
//!    `Class::len`, at most `LIST`.

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

/// Bytes between two classes, and the size of the smallest one.
const CLASS_STEP: usize = 64;
/// The alignment of all chunks, in bytes.
const ALIGN: usize = 16;
/// The number of classes. The largest one is of 1 KiB.
const CLASSES: usize = 16;

/// Chunks of a list, which go to and from the depot together. With fewer, workers go to the depot
/// more often. With more, more memory can be used by one worker only, since each keeps up to two
/// lists of each class.
const LIST: usize = 64;

/// The length of an interval, in nanoseconds. Memory that was not used in an interval is given back
/// in the next one. A shorter interval gives back memory that is needed again soon; with a longer
/// one, the memory of a burst stays for longer.
pub(crate) const INTERVAL: u64 = 500_000_000;

/// Bytes in the depots up to which no idle worker is woken to end an interval.
const WAKE_BYTES: usize = 1 << 20;

/// Bytes that have gone back to the allocator before an idle worker trims the C library's heap
/// (`sys::heap`).
const HEAP_TRIM_BYTES: usize = 2 << 20;

/// Lists that go back to the allocator at a time, which takes some 20 microseconds.
const TRIM_LISTS: usize = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct Pool {
    classes: [Class; CLASSES],
    depots: Arc<Depots>,
}

/// One class of a pool: its current list, and the spare one.
#[derive(Debug)]
struct Class {
    first: Cell<*mut u8>,
    len: Cell<usize>,
    spare: Cell<Option<List>>,
}

/// A full list: the first of its `LIST` chunks.
#[derive(Clone, Copy, Debug)]
struct List(NonNull<u8>);

// SAFETY: a list owns its chunks (invariant 2), and no OS thread has another pointer to them.
unsafe impl Send for List {}

/// One runtime's depots.
#[derive(Debug)]
pub(crate) struct Depots {
    classes: [Depot<List>; CLASSES],
    /// How many bytes are in them. A hint: it is changed before or after the lists.
    bytes: AtomicUsize,
    /// Whether there may be surplus lists. Set by `end_interval`, and cleared by `trim`.
    has_surplus: AtomicBool,
    /// How many bytes have gone back to the allocator since `take_heap_trim`.
    returned: AtomicUsize,
    /// When the last interval ended, by the clock of the worker that ended it. (The clocks of a
    /// runtime's workers differ by the time between the workers' starts.)
    interval_end: AtomicU64,
}

/// The class for a layout, or `None` if it is too large.
#[inline]
const fn class(layout: Layout) -> Option<usize> {
    let class = layout.size().div_ceil(CLASS_STEP);
    if layout.align() <= ALIGN && class != 0 && class <= CLASSES { Some(class - 1) } else { None }
}

#[inline]
const fn layout_of(class: usize) -> Layout {
    match Layout::from_size_align((class + 1) * CLASS_STEP, ALIGN) {
        Ok(layout) => layout,
        Err(_) => panic!("a multiple of 64 up to 1024"),
    }
}

/// Allocates memory for `layout`: from the pool of the calling worker, or without one from the
/// allocator. Returns `None` if there is no memory.
#[inline]
pub(crate) fn take(pool: Option<&Pool>, layout: Layout) -> Option<NonNull<u8>> {
    let Some(class) = class(layout) else {
        // SAFETY: a block's layout is not of size 0.
        return NonNull::new(unsafe { alloc(layout) });
    };
    match pool {
        Some(pool) => pool.pop(class).or_else(|| pool.refill(class)),
        None => allocate_chunk(class),
    }
}

fn allocate_chunk(class: usize) -> Option<NonNull<u8>> {
    // SAFETY: the size of a class is not 0.
    NonNull::new(unsafe { alloc(layout_of(class)) })
}

/// Frees memory that `take` has allocated.
///
/// # Safety
/// The chunk came from `take` with this layout, on any OS thread, and the caller gives it away.
#[inline]
pub(crate) unsafe fn give(pool: Option<&Pool>, chunk: NonNull<u8>, layout: Layout) {
    let layout = match class(layout) {
        None => layout,
        Some(class) => {
            if let Some(pool) = pool {
                // SAFETY: it was allocated with the layout of this class, and the caller gives it
                // away.
                return unsafe { pool.give(class, chunk) };
            }
            layout_of(class)
        }
    };
    // SAFETY: it was allocated with this layout, and the caller gives it away.
    unsafe { dealloc(chunk.as_ptr(), layout) };
}

/// Gives the chunks of a list, from `first` on, back to the allocator.
///
/// # Safety
/// They are of this class, linked as invariant 2 says, and the caller gives them away.
unsafe fn free_list(class: usize, mut first: *mut u8) {
    while let Some(chunk) = NonNull::new(first) {
        // SAFETY: a chunk's first word is the next one (invariant 2), and it is read before the
        // chunk is freed.
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
        // SAFETY: the chunk is in this pool's list, with the next one in its first word (invariant
        // 2).
        let next = unsafe { chunk.cast::<*mut u8>().read() };
        prefetch(next, layout_of(class).size());
        list.first.set(next);
        list.len.set(list.len.get() - 1);
        Some(chunk)
    }

    /// Takes a chunk when the current list is empty: from the spare list, from a list of the depot,
    /// or a new one. If the allocator refuses one, the pool's and the depots' free chunks go back
    /// to it, and it is asked again.
    #[cold]
    fn refill(&self, class: usize) -> Option<NonNull<u8>> {
        let list = &self.classes[class];
        if let Some(List(first)) = list.spare.take().or_else(|| self.depots.take(class)) {
            list.first.set(first.as_ptr());
            list.len.set(LIST);
            return self.pop(class);
        }
        allocate_chunk(class).or_else(|| {
            self.clear();
            self.depots.clear();
            allocate_chunk(class)
        })
    }

    /// Puts a chunk into the current list.
    ///
    /// # Safety
    /// The chunk is memory of this class, and the caller gives it away (invariant 2).
    #[inline]
    unsafe fn give(&self, class: usize, chunk: NonNull<u8>) {
        let list = &self.classes[class];
        if list.len.get() == LIST {
            // A tail call, so that `give` needs no registers for what comes after it.
            // SAFETY: `give_to_next` has the same contract.
            return unsafe { self.give_to_next(class, chunk) };
        }
        // SAFETY: the list owns the chunk now, and a class is large enough for a pointer (invariant
        // 2).
        unsafe { chunk.cast::<*mut u8>().write(list.first.get()) };
        list.first.set(chunk.as_ptr());
        list.len.set(list.len.get() + 1);
    }

    /// As `give`, when the current list is full. It becomes the spare list; if there was a spare
    /// list before, that one goes to the depot.
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
        // SAFETY: `give` has the same contract.
        unsafe { self.give(class, chunk) };
    }

    /// Gives all chunks of the pool to the allocator.
    fn clear(&self) {
        for (class, list) in self.classes.iter().enumerate() {
            list.len.set(0);
            let spare = list.spare.take().map_or(ptr::null_mut(), |List(first)| first.as_ptr());
            for first in [list.first.replace(ptr::null_mut()), spare] {
                // SAFETY: the pool owned this list and has just given it up (invariant 2).
                unsafe { free_list(class, first) };
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
            has_surplus: AtomicBool::new(false),
            returned: AtomicUsize::new(0),
            interval_end: AtomicU64::new(0),
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
        // SAFETY: the depot has handed the list out or not taken it, so this function owns it
        // (invariants 2, 3).
        unsafe { free_list(class, first.as_ptr()) };
    }

    /// Ends an interval in each depot, if `INTERVAL` has passed.
    pub(crate) fn end_interval(&self, now: u64) {
        let interval_end = self.interval_end.load(Relaxed);
        if now.saturating_sub(interval_end) >= INTERVAL
            && self.interval_end.compare_exchange(interval_end, now, Relaxed, Relaxed).is_ok()
        {
            self.classes.iter().for_each(Depot::end_interval);
            self.has_surplus.store(self.classes.iter().any(Depot::has_surplus), Relaxed);
        }
    }

    /// Whether there is so much memory that an idle worker should be woken to end an interval.
    pub(crate) fn is_worth_trimming(&self) -> bool {
        self.bytes.load(Relaxed) > WAKE_BYTES
    }

    /// Whether `trim` may have something to do. One relaxed load.
    #[inline]
    pub(crate) fn has_surplus(&self) -> bool {
        self.has_surplus.load(Relaxed)
    }

    /// Gives up to `TRIM_LISTS` surplus lists back to the allocator.
    pub(crate) fn trim(&self) {
        for _ in 0..TRIM_LISTS {
            let mut surplus = self.classes.iter().enumerate();
            let Some((class, list)) = surplus.find_map(|(class, depot)| Some((class, depot.take_surplus()?)))
            else {
                return self.has_surplus.store(false, Relaxed);
            };
            self.give_back(class, list);
        }
    }

    /// Whether so much has gone back to the allocator that its heap should be trimmed.
    pub(crate) fn is_heap_trim_due(&self) -> bool {
        self.returned.load(Relaxed) >= HEAP_TRIM_BYTES
    }

    /// The same, and begins to count anew: of several callers one is told so, which then trims the
    /// heap.
    pub(crate) fn take_heap_trim(&self) -> bool {
        self.returned.swap(0, Relaxed) >= HEAP_TRIM_BYTES
    }

    fn clear(&self) {
        for class in 0..CLASSES {
            while let Some(list) = self.take(class) {
                // SAFETY: the depot has handed the list out, so this function owns it (invariant
                // 2).
                unsafe { free_list(class, list.0.as_ptr()) };
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
        // SAFETY: a chunk of this class, which the test gives away.
        unsafe { pool.give(class, chunk) };
    }

    /// Ends an interval, and trims the surplus. Returns the number of steps.
    fn end_and_trim(depots: &Depots) -> usize {
        depots.end_interval(depots.interval_end.load(Relaxed) + INTERVAL);
        let mut steps = 0;
        while depots.has_surplus() {
            depots.trim();
            steps += 1;
        }
        steps
    }

    #[test]
    fn blocks_that_another_worker_frees_come_back() {
        let [allocating, freeing] = pools();
        let most = 3 * LIST * layout_of(2).size();
        for _ in 0..100 {
            let chunks: Vec<_> = (0..2 * LIST).map(|_| take(&allocating, 2)).collect();
            chunks.into_iter().for_each(|chunk| give(&freeing, 2, chunk));
            let bytes = allocating.depots.bytes.load(Relaxed);
            assert!(bytes <= most, "{bytes} bytes");
        }
    }

    #[test]
    fn unneeded_lists_are_freed_after_an_interval() {
        let [pool] = pools();
        let (all, size) = (40 * LIST, LIST * layout_of(15).size());
        let depots = pool.depots();
        for _ in 0..3 {
            let chunks: Vec<_> = (0..all).map(|_| take(&pool, 15)).collect();
            chunks.into_iter().for_each(|chunk| give(&pool, 15, chunk));
            // The pool keeps two lists.
            assert_eq!(depots.bytes.load(Relaxed), 38 * size);
            assert_eq!(end_and_trim(depots), 0, "all of it was needed");
        }
        let chunks: Vec<_> = (0..12 * LIST).map(|_| take(&pool, 15)).collect();
        chunks.into_iter().for_each(|chunk| give(&pool, 15, chunk));
        assert!(depots.is_worth_trimming());
        assert_eq!(end_and_trim(depots), 28 / TRIM_LISTS + 1);
        assert_eq!(depots.bytes.load(Relaxed), 10 * size);
        end_and_trim(depots);
        assert_eq!(depots.bytes.load(Relaxed), 0);
        assert!(!depots.is_worth_trimming());
    }

    #[test]
    fn no_chunk_has_two_owners() {
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
