//! Handles to threads, to green threads and to OS threads.

use core::{
    fmt,
    num::NonZeroU64,
    panic::{RefUnwindSafe, UnwindSafe},
    ptr::NonNull,
};
use std::cell::OnceCell;

use crate::task::{
    block::{Block, BlockRef},
    id,
    wait::Reason,
    worker_core,
};

/// A handle to a thread: [`std::thread::Thread`], for green threads and for OS threads that use
/// this crate.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
///
/// let name = greenthread::run(|| {
///     let thread = thread::Builder::new().name("worker bee".into()).spawn(|| {}).unwrap();
///     thread.thread().name().map(str::to_owned)
/// });
/// assert_eq!(name.as_deref(), Some("worker bee"));
/// ```
#[derive(Clone)]
#[repr(transparent)]
pub struct Thread(BlockRef);

impl Thread {
    pub(crate) fn from_ref(block: &BlockRef) -> &Thread {
        // SAFETY: `Thread` is `repr(transparent)` over `BlockRef`, so a reference to one is valid
        // as a reference to the other.
        unsafe { &*core::ptr::from_ref(block).cast::<Thread>() }
    }

    pub(crate) fn block(&self) -> &BlockRef {
        &self.0
    }

    /// Makes the thread's token available. If the thread is in [`park`](super::park), it takes the
    /// token and goes on. Otherwise its next `park` takes the token and returns at once. There is
    /// at most one token: a second call before the token is taken has no effect. Never blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// thread::current().unpark();
    /// thread::park(); // Takes the token and returns at once.
    /// ```
    pub fn unpark(&self) {
        self.0.token.post();
    }

    /// Returns the thread's identifier. No other thread of the process has or had the same one.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// let other = thread::spawn(|| thread::current().id()).join().unwrap();
    /// assert_ne!(thread::current().id(), other);
    /// ```
    #[must_use]
    pub fn id(&self) -> ThreadId {
        ThreadId(self.0.id)
    }

    /// Returns the thread's name, or `None` if it has none.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// let thread = thread::Builder::new().name("fern".into()).spawn(|| ())?;
    /// assert_eq!(thread.thread().name(), Some("fern"));
    /// assert_eq!(thread::spawn(|| ()).thread().name(), None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }
}

// `Thread` leads only to atomics and to cells that their own thread touches. A panic leaves none of
// these half changed.
impl UnwindSafe for Thread {}
impl RefUnwindSafe for Thread {}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits = self.0.waits_for.load(core::sync::atomic::Ordering::Relaxed);
        f.debug_struct("Thread")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("kind", &self.0.kind)
            .field("waits_for", &format_args!("{}", Reason::name(waits)))
            .finish_non_exhaustive()
    }
}

/// The identifier of a thread: [`std::thread::ThreadId`].
///
/// # Examples
///
/// ```
/// use greenthread::thread;
/// let here = thread::current().id();
/// assert_ne!(here, greenthread::run(|| thread::current().id()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ThreadId(NonZeroU64);

thread_local! {
    static OS_THREAD: OnceCell<BlockRef> = const { OnceCell::new() };
}

fn os_block() -> BlockRef {
    Block::for_os_thread(id::reserve(1), std::thread::current().name().map(Into::into))
}

/// Calls `f` with the calling thread's block.
pub(crate) fn with<T>(f: impl FnOnce(&Block) -> T) -> T {
    if let Some(task) = worker_core::get().and_then(|core| core.running()) {
        return f(&task.block);
    }
    // The OS thread's locals may be destroyed already. Then this call makes a block of its own.
    let block =
        OS_THREAD.try_with(|block| block.get_or_init(os_block).clone()).unwrap_or_else(|_| os_block());
    f(&block)
}

/// Returns a handle to the calling thread.
///
/// On an OS thread the handle is to that OS thread. While the OS thread destroys its thread-locals,
/// each call may return a new identifier.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
///
/// greenthread::run(|| {
///     let me = thread::current();
///     thread::spawn(move || me.unpark());
///     thread::park();
/// });
/// ```
#[must_use]
pub fn current() -> Thread {
    // SAFETY: `with` holds a reference to the block during this call, so the block is alive.
    with(|block| Thread(unsafe { BlockRef::share(NonNull::from(block)) }))
}
