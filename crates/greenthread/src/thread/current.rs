//! Handles to threads, green ones and OS threads.

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

/// A handle to a thread: [`std::thread::Thread`] for green threads, and for OS threads that use the library.
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
        // SAFETY: `Thread` is a `BlockRef` with another name (`repr(transparent)`).
        unsafe { &*core::ptr::from_ref(block).cast::<Thread>() }
    }

    /// Puts the thread's token there; if the thread is parked, it goes on. Never blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// thread::current().unpark();
    /// thread::park(); // It takes the token, and doesn't wait.
    /// ```
    pub fn unpark(&self) {
        self.0.token.post();
    }

    /// The thread's number: no other thread of the process has or had it.
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

    /// The thread's name, if it was given one.
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

// What is shared behind it is atomic, or a thread's own: a panic leaves nothing half done.
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

/// A thread's number: [`std::thread::ThreadId`].
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
    // Once the OS thread's locals are gone, a block for this call alone has to do.
    let block =
        OS_THREAD.try_with(|block| block.get_or_init(os_block).clone()).unwrap_or_else(|_| os_block());
    f(&block)
}

/// A handle to the calling thread.
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
    // SAFETY: the block is alive, as `with` holds it.
    with(|block| Thread(unsafe { BlockRef::share(NonNull::from(block)) }))
}
