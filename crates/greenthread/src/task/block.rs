//! The block behind every thread handle. A green thread's block is one allocation, which also has
//! its task, its result and its closure. An OS thread that uses the library has a block alone.
//!
//! Invariants:
//! 1. A block lives as long as there is a reference: each [`BlockRef`] is one, and a green thread
//!    holds one on itself from its spawn until its worker has left its stack for good.
//! 2. `Block` is the first field of every block's allocation (`repr(C)`), and `vtable` fits it.
//! 3. A block whose `kind` is `Green` is the head of a `Task`.
//! 4. Between its start and its end, a green thread's `Task` cells are touched on its worker's OS
//!    thread only; before its start, only by the thread that took it out of its queue.

use core::{
    cell::{Cell, UnsafeCell},
    fmt,
    mem::MaybeUninit,
    num::NonZeroU64,
    ops::Deref,
    panic::Location,
    ptr::{self, NonNull},
    sync::atomic::{
        AtomicPtr, AtomicU8, AtomicU32, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use greenthread_context::Context;

use super::{
    cancel_node::CancelNode,
    inbox::Linked,
    locals,
    scope_count::ScopeCount,
    waiter::{Reason, Waiter},
    worker_handle::WorkerHandle,
};
use crate::stack::Stack;

/// The operations of a block that depend on its kind.
#[derive(Debug)]
pub(crate) struct VTable {
    /// Drops and frees the whole allocation.
    pub(crate) free: unsafe fn(NonNull<Block>),
}

/// The record that a thread handle points to.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Block {
    references: AtomicUsize,
    vtable: &'static VTable,
    pub(crate) id: NonZeroU64,
    pub(crate) name: Option<Box<str>>,
    pub(crate) kind: Kind,
    /// The [`Reason`] for which the thread waits, as a number, and `INTERRUPTIBLE`. For other OS
    /// threads it is a hint.
    pub(crate) waits_for: AtomicU8,
    /// What concerns the thread's cancellation: the bits of `cancel`. Zero while nothing does.
    pub(crate) cancel: AtomicU8,
    /// The public `park`'s token, and its wait.
    pub(crate) token: Waiter,
}

/// Which kind of thread a block belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A green thread's: the head of a [`Task`].
    Green,
    /// An OS thread's.
    Os,
}

impl Block {
    /// A block with `references` references, which belong to the caller.
    pub(crate) fn new(
        references: usize,
        vtable: &'static VTable,
        id: NonZeroU64,
        name: Option<Box<str>>,
        kind: Kind,
    ) -> Self {
        Self {
            references: AtomicUsize::new(references),
            vtable,
            id,
            name,
            kind,
            waits_for: AtomicU8::new(Reason::Nothing as u8),
            cancel: AtomicU8::new(0),
            token: Waiter::new(),
        }
    }

    /// An OS thread's block.
    pub(crate) fn for_os_thread(id: NonZeroU64, name: Option<Box<str>>) -> BlockRef {
        static VTABLE: VTable = VTable {
            free: |block| {
                // SAFETY: the block came from `Box::leak` below, and its last reference is gone
                // (invariant 1).
                drop(unsafe { Box::from_raw(block.as_ptr()) });
            },
        };
        let block = Box::new(Block::new(1, &VTABLE, id, name, Kind::Os));
        // SAFETY: this function owns the new block's one reference, and gives it to the `BlockRef`
        // (invariant 1).
        unsafe { BlockRef::from_raw(NonNull::from(Box::leak(block))) }
    }
}

/// A counted reference to a block.
pub(crate) struct BlockRef(NonNull<Block>);

// SAFETY: a block's head is shared by atomics only; the cells of a `Task` obey invariant 4, and the
// closure and the result inside are `Send` wherever the public face lets them cross (see `thread`).
unsafe impl Send for BlockRef {}
// SAFETY: what is said of `Send` holds for shared references too: a `BlockRef` only counts them.
unsafe impl Sync for BlockRef {}

impl BlockRef {
    /// Takes over one reference.
    ///
    /// # Safety
    /// The caller owns a reference to the block, and gives it away.
    pub(crate) unsafe fn from_raw(block: NonNull<Block>) -> Self {
        Self(block)
    }

    /// Counts one more reference to a block that is alive.
    ///
    /// # Safety
    /// Somebody holds a reference to the block during this call.
    pub(crate) unsafe fn share(block: NonNull<Block>) -> Self {
        // SAFETY: the caller vouches that it is alive. Overflow would take 2^63 handles.
        unsafe { block.as_ref() }.references.fetch_add(1, Relaxed);
        Self(block)
    }

    /// The address of the block. `self` keeps its reference.
    pub(crate) fn as_ptr(&self) -> NonNull<Block> {
        self.0
    }
}

impl Deref for BlockRef {
    type Target = Block;

    fn deref(&self) -> &Block {
        // SAFETY: `self` is a reference, so the block is alive (invariant 1).
        unsafe { self.0.as_ref() }
    }
}

impl Clone for BlockRef {
    fn clone(&self) -> Self {
        // SAFETY: `self` is a reference, so the block is alive during this call.
        unsafe { Self::share(self.0) }
    }
}

impl Drop for BlockRef {
    fn drop(&mut self) {
        // SAFETY: `self` owns one reference, and gives it up here.
        unsafe { release(self.0, 1) };
    }
}

impl fmt::Debug for BlockRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Gives `references` references back. The last one frees the block.
///
/// # Safety
/// The caller owns that many references to the block, and gives them away.
#[inline]
pub(crate) unsafe fn release(block: NonNull<Block>, references: usize) {
    // SAFETY: the block is alive: the references are given back below (invariant 1).
    let head = unsafe { block.as_ref() };
    // The last references need no subtraction: no other reference is left from which one could be
    // added.
    if head.references.load(Acquire) != references {
        if head.references.fetch_sub(references, Release) != references {
            return;
        }
        // All that others did before they gave back theirs comes before this load. A fence would do
        // as well, but ThreadSanitizer does not understand fences.
        head.references.load(Acquire);
    }
    // SAFETY: those were the last references, and the vtable fits (invariants 1, 2).
    unsafe { (head.vtable.free)(block) };
}

/// How a thread comes to run.
#[derive(Debug)]
pub(crate) enum Start {
    /// On its own stack.
    Own,
    /// On the stack of the thread that joins it, which is the caller (`scheduler::inline_join`).
    Inline,
    /// It does not run, since there is no stack for it. It ends with this error.
    Refused(std::io::Error),
}

/// A green thread. 32-bit machines would align it to 4 bytes, and `job` needs a free bit more.
#[repr(C, align(8))]
pub(crate) struct Task {
    pub(crate) block: Block,
    /// Its saved context, while it is suspended.
    pub(crate) context: Cell<MaybeUninit<Context>>,
    /// The worker that it belongs to, once it has started; null before, unless it belongs to one
    /// from the start (`thread::spawn_local`).
    pub(crate) owner: Owner,
    /// The next task in the inbox, the injector or the pinned queue.
    link: AtomicPtr<Task>,
    /// The joiner that waits for its end, or a mark: ended, detached (`job`).
    pub(crate) end: AtomicPtr<Waiter>,
    /// The innermost cancellation scope that it is in, or null.
    pub(crate) innermost: Cell<*const CancelNode>,
    /// Its thread-locals, if it has used any.
    pub(crate) locals: locals::Slot,
    /// The scope that waits for it.
    pub(crate) scope: Option<NonNull<ScopeCount>>,
    /// Where it was spawned.
    pub(crate) location: &'static Location<'static>,
    /// The usable size of the stack that it asks for.
    pub(crate) stack_size: usize,
    /// The stack that it runs on.
    pub(crate) stack: UnsafeCell<Option<Stack>>,
    /// Runs its closure, or ends it without.
    pub(crate) run: unsafe fn(NonNull<Task>, Start),
    /// It is in the library's panic hook.
    pub(crate) in_hook: Cell<bool>,
    /// The slot of the deque where it was put last. A hint for `Deque::take`: the task may be gone
    /// from there.
    pub(crate) deque_hint: AtomicU32,
    /// The wait in which it is parked, if that can be interrupted (`waits_for`); null once it was.
    pub(crate) waiting: Cell<MaybeUninit<*const Waiter>>,
}

/// The worker that a thread belongs to. Its worker's OS thread writes it; a canceller reads it from
/// elsewhere, as a hint (`cancel::cancel_thread`).
#[derive(Debug)]
pub(crate) struct Owner(AtomicPtr<WorkerHandle<Task>>);

impl Owner {
    #[inline]
    pub(crate) fn get(&self) -> *const WorkerHandle<Task> {
        self.0.load(Relaxed)
    }

    #[inline]
    pub(crate) fn set(&self, owner: *const WorkerHandle<Task>) {
        self.0.store(owner.cast_mut(), Relaxed);
    }
}

impl Task {
    /// A thread that has not started.
    pub(crate) fn new(
        block: Block,
        location: &'static Location<'static>,
        stack_size: usize,
        run: unsafe fn(NonNull<Task>, Start),
        scope: Option<NonNull<ScopeCount>>,
    ) -> Self {
        Self {
            block,
            context: Cell::new(MaybeUninit::uninit()),
            owner: Owner(AtomicPtr::new(ptr::null_mut())),
            link: AtomicPtr::new(ptr::null_mut()),
            end: AtomicPtr::new(ptr::null_mut()),
            location,
            stack_size,
            stack: UnsafeCell::new(None),
            run,
            scope,
            in_hook: Cell::new(false),
            deque_hint: AtomicU32::new(0),
            locals: Cell::new(None),
            waiting: Cell::new(MaybeUninit::uninit()),
            innermost: Cell::new(ptr::null()),
        }
    }
}

impl Task {
    /// Whether an address is on the stack of the thread, which is the running one. A coroutine's
    /// body runs on another stack, and another thread may resume it.
    pub(crate) fn has_on_stack(&self, address: usize) -> bool {
        // SAFETY: only this OS thread touches the running thread's cells (invariant 4), and the
        // reference ends before the next switch.
        let stack = unsafe { (*self.stack.get()).as_ref() };
        stack.is_some_and(|stack| stack.remaining(address).is_some())
    }

    /// Whether it was interrupted in its last wait.
    #[inline]
    pub(crate) fn was_interrupted(&self) -> bool {
        // SAFETY: a thread that has waited has set it.
        unsafe { self.waiting.get().assume_init() }.is_null()
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("block", &self.block).finish_non_exhaustive()
    }
}

impl Linked for Task {
    fn link(&self) -> &AtomicPtr<Task> {
        &self.link
    }
}
