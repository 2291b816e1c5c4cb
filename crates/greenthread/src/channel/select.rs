//! `Select`: a select over a list that is built at run time.
//!
//! Invariant: the `Parcel` of an operation has room for a message of the operation's channel.
//! `choose` sets the operation's `place` to it before each select, and neither the list nor the
//! parcel moves until that select has ended.

use core::{alloc::Layout, mem, ptr};

use super::{
    arms::Selection,
    err::{ReadyTimeoutError, SelectTimeoutError, TryReadyError, TrySelectError},
    receiver::Receiver,
    selected::{Parcel, SelectedOperation},
    sender::Sender,
};
use crate::{
    opaque_debug::opaque_debug,
    sync::chan::{
        core::Timeout,
        select::{self, Choice, Operation},
    },
    time::{Duration, Instant},
};

/// One operation of a [`Select`].
struct Entry {
    index: usize,
    /// The address of the sender or receiver, by which the completing call is checked.
    handle: *const (),
    parcel: Parcel,
}

/// Selects from a list of operations that is built at run time.
///
/// Selecting takes two steps. [`select`](Select::select) and its variants choose an operation that
/// is ready, or wait until one is, and return a [`SelectedOperation`]. The caller must then
/// complete it by [`SelectedOperation::send`] or [`SelectedOperation::recv`]. In contrast,
/// [`ready`](Select::ready) and its variants only wait until an operation is ready, and return its
/// index.
///
/// If the list is known at compile time, [`select!`](super::select) is simpler.
///
/// # Memory
///
/// A `Select` allocates memory for its list, and for each message that is larger than four words.
/// Waiting allocates nothing.
///
/// # Examples
///
/// ```
/// use greenthread::{channel::{Select, unbounded}, thread};
///
/// let (senders, receivers): (Vec<_>, Vec<_>) = (0..5).map(|_| unbounded()).unzip();
/// for (n, s) in senders.into_iter().enumerate() {
///     thread::spawn(move || s.send(n).unwrap());
/// }
///
/// let mut sum = 0;
/// for _ in 0..5 {
///     let mut select = Select::new();
///     receivers.iter().for_each(|r| drop(select.recv(r)));
///     loop {
///         let operation = select.select();
///         let index = operation.index();
///         match operation.recv(&receivers[index]) {
///             Ok(n) => break sum += n,
///             Err(_) => select.remove(index), // All senders of this one have been dropped.
///         }
///     }
/// }
/// assert_eq!(sum, 0 + 1 + 2 + 3 + 4);
/// ```
pub struct Select<'a> {
    operations: Vec<Operation<'a>>,
    /// The entries, in the same order as `operations`.
    entries: Vec<Entry>,
    next: usize,
    choice: Choice,
}

// SAFETY: a `Select` holds no message: once one has been received, it is in a `SelectedOperation`.
// A channel is accessed under its lock only. A message that is not `Send` may pass through another
// thread as bytes, but only a call that has the sender or the receiver reads it, and such a handle
// is not `Sync`.
unsafe impl Send for Select<'_> {}
// SAFETY: a shared reference to a `Select` only allows to clone and to print it.
unsafe impl Sync for Select<'_> {}

impl<'a> Select<'a> {
    /// Creates an empty list. If several operations are ready, one of them is chosen at random,
    /// with equal odds.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::Select;
    ///
    /// // There is no operation to choose from.
    /// assert!(Select::new().try_select().is_err());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { operations: Vec::new(), entries: Vec::new(), next: 0, choice: Choice::Fair }
    }

    /// Creates an empty list. If several operations are ready, the one that was added first is
    /// chosen.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::{Select, unbounded};
    ///
    /// let (s, r) = unbounded();
    /// s.send(1).unwrap();
    /// let mut select = Select::new_biased();
    /// let receive = select.recv(&r);
    /// let send = select.send(&s);
    /// assert_eq!(select.ready(), receive);
    /// ```
    #[must_use]
    pub fn new_biased() -> Self {
        Self { choice: Choice::First, ..Self::new() }
    }

    /// Adds an operation that sends to `s`. Returns its index: 0 for the first operation of the
    /// list, 1 for the second, and so on.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::{Select, unbounded};
    ///
    /// let (s, _r) = unbounded();
    /// let mut select = Select::new();
    /// assert_eq!(select.send(&s), 0);
    /// select.select().send(&s, 1).unwrap();
    /// ```
    pub fn send<T>(&mut self, s: &'a Sender<T>) -> usize {
        self.add(Operation::send(&*s.core), ptr::from_ref(s).cast(), Layout::new::<()>())
    }

    /// Adds an operation that receives from `r`. Returns its index: 0 for the first operation of
    /// the list, 1 for the second, and so on.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::{Select, unbounded};
    ///
    /// let (s, r) = unbounded();
    /// s.send(1).unwrap();
    /// let mut select = Select::new();
    /// assert_eq!(select.recv(&r), 0);
    /// assert_eq!(select.select().recv(&r), Ok(1));
    /// ```
    pub fn recv<T>(&mut self, r: &'a Receiver<T>) -> usize {
        // SAFETY: `choose` sets a valid `place` before each select (invariant).
        let operation = unsafe { r.core.operation(ptr::null_mut()) };
        self.add(operation, ptr::from_ref(r).cast(), Layout::new::<T>())
    }

    fn add(&mut self, operation: Operation<'a>, handle: *const (), layout: Layout) -> usize {
        let index = self.next;
        self.next += 1;
        self.operations.push(operation);
        self.entries.push(Entry { index, handle, parcel: Parcel::new(layout) });
        index
    }

    /// Removes an operation from the list. The other operations keep their indices, and the removed
    /// index is not used again.
    ///
    /// # Panics
    ///
    /// If there is no operation with this index.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::{Select, unbounded};
    ///
    /// let (_s1, r1) = unbounded::<i32>();
    /// let (s2, r2) = unbounded::<i32>();
    /// let mut select = Select::new();
    /// let first = select.recv(&r1);
    /// let second = select.recv(&r2);
    /// select.remove(first);
    /// drop(s2);
    /// assert_eq!(select.ready(), second);
    /// ```
    pub fn remove(&mut self, index: usize) {
        let at = self.entries.iter().position(|entry| entry.index == index);
        let at = at.unwrap_or_else(|| panic!("the select has no operation with index {index}"));
        self.operations.remove(at);
        self.entries.remove(at);
    }

    fn choose(&mut self, timeout: Timeout) -> Option<SelectedOperation<'a>> {
        for (operation, entry) in self.operations.iter_mut().zip(&mut self.entries) {
            // SAFETY: the parcel has room for the message, and neither moves until the select has
            // ended (invariant).
            unsafe { operation.set_place(entry.parcel.place()) };
        }
        let (at, selected) = select::select(&mut self.operations, timeout, self.choice)?;
        let entry = &mut self.entries[at];
        let empty = entry.parcel.another();
        Some(SelectedOperation {
            selection: Selection::new(selected, &self.operations[at]),
            index: entry.index,
            handle: entry.handle,
            parcel: mem::replace(&mut entry.parcel, empty),
        })
    }

    fn is_ready(&mut self, timeout: Timeout) -> Option<usize> {
        let at = select::ready(&mut self.operations, timeout, self.choice)?;
        Some(self.entries[at].index)
    }

    #[track_caller]
    fn has_some(&self) {
        assert!(!self.entries.is_empty(), "no operations have been added to `Select`");
    }

    /// Selects an operation that is ready now. Never blocks.
    ///
    /// # Errors
    ///
    /// If no operation is ready.
    ///
    /// # Panics
    ///
    /// The returned operation panics if it is dropped before it is completed: see
    /// [`SelectedOperation`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::{Select, unbounded};
    ///
    /// let (s, r) = unbounded();
    /// let mut select = Select::new();
    /// select.recv(&r);
    /// assert!(select.try_select().is_err());
    /// s.send(1).unwrap();
    /// assert_eq!(select.try_select().unwrap().recv(&r), Ok(1));
    /// ```
    pub fn try_select(&mut self) -> Result<SelectedOperation<'a>, TrySelectError> {
        self.choose(Timeout::Try).ok_or(TrySelectError)
    }

    /// Selects an operation that is ready. If there is none, waits until there is.
    ///
    /// This blocks the calling thread, green or OS.
    ///
    /// # Panics
    ///
    /// If the list is empty. The returned operation panics if it is dropped before it is completed:
    /// see [`SelectedOperation`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::{Select, unbounded}, thread};
    ///
    /// let (s, r1) = unbounded();
    /// let (_s, r2) = unbounded();
    /// thread::spawn(move || s.send(1).unwrap());
    ///
    /// let mut select = Select::new();
    /// let first = select.recv(&r1);
    /// let second = select.recv(&r2);
    /// let operation = select.select();
    /// match operation.index() {
    ///     i if i == first => assert_eq!(operation.recv(&r1), Ok(1)),
    ///     i if i == second => assert_eq!(operation.recv(&r2), Ok(2)),
    ///     _ => unreachable!(),
    /// }
    /// ```
    pub fn select(&mut self) -> SelectedOperation<'a> {
        self.has_some();
        self.choose(Timeout::Wait(None))
            .expect("without a deadline, a select ends with one of its operations")
    }

    /// Like [`select`](Select::select), but waits for at most `timeout`.
    ///
    /// # Errors
    ///
    /// If no operation became ready in time.
    ///
    /// # Panics
    ///
    /// The returned operation panics if it is dropped before it is completed: see
    /// [`SelectedOperation`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::{Select, unbounded}, time::Duration};
    ///
    /// let (_s, r) = unbounded::<i32>();
    /// let mut select = Select::new();
    /// select.recv(&r);
    /// assert!(select.select_timeout(Duration::from_millis(5)).is_err());
    /// ```
    pub fn select_timeout(&mut self, timeout: Duration) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        self.choose(Timeout::within(timeout)).ok_or(SelectTimeoutError)
    }

    /// Like [`select`](Select::select), but waits until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// If no operation became ready in time.
    ///
    /// # Panics
    ///
    /// The returned operation panics if it is dropped before it is completed: see
    /// [`SelectedOperation`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::{Select, unbounded}, time::{Duration, Instant}};
    ///
    /// let (_s, r) = unbounded::<i32>();
    /// let mut select = Select::new();
    /// select.recv(&r);
    /// assert!(select.select_deadline(Instant::now() + Duration::from_millis(5)).is_err());
    /// ```
    pub fn select_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        self.choose(Timeout::until(deadline)).ok_or(SelectTimeoutError)
    }

    /// Returns the index of an operation that is ready now. Never blocks.
    ///
    /// The operation is not done. Another thread may do it before the caller does, and then it is
    /// not ready any more.
    ///
    /// # Errors
    ///
    /// If no operation is ready.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::{Select, unbounded};
    ///
    /// let (s, r) = unbounded();
    /// let mut select = Select::new();
    /// let receive = select.recv(&r);
    /// assert!(select.try_ready().is_err());
    /// s.send(1).unwrap();
    /// assert_eq!(select.try_ready(), Ok(receive));
    /// assert_eq!(r.try_recv(), Ok(1));
    /// ```
    pub fn try_ready(&mut self) -> Result<usize, TryReadyError> {
        self.is_ready(Timeout::Try).ok_or(TryReadyError)
    }

    /// Returns the index of an operation that is ready. If there is none, waits until there is.
    ///
    /// This blocks the calling thread, green or OS. The operation is not done. Another thread may
    /// do it before the caller does, and then it is not ready any more.
    ///
    /// # Panics
    ///
    /// If the list is empty.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::{Select, unbounded}, thread};
    ///
    /// let (s, r) = unbounded();
    /// thread::spawn(move || s.send(1).unwrap());
    /// let mut select = Select::new();
    /// let receive = select.recv(&r);
    /// assert_eq!(select.ready(), receive);
    /// assert_eq!(r.try_recv(), Ok(1));
    /// ```
    pub fn ready(&mut self) -> usize {
        self.has_some();
        self.is_ready(Timeout::Wait(None)).expect("without a deadline, an operation becomes ready")
    }

    /// Like [`ready`](Select::ready), but waits for at most `timeout`.
    ///
    /// # Errors
    ///
    /// If no operation became ready in time.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::{Select, unbounded}, time::Duration};
    ///
    /// let (_s, r) = unbounded::<i32>();
    /// let mut select = Select::new();
    /// select.recv(&r);
    /// assert!(select.ready_timeout(Duration::from_millis(5)).is_err());
    /// ```
    pub fn ready_timeout(&mut self, timeout: Duration) -> Result<usize, ReadyTimeoutError> {
        self.is_ready(Timeout::within(timeout)).ok_or(ReadyTimeoutError)
    }

    /// Like [`ready`](Select::ready), but waits until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// If no operation became ready in time.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::{Select, unbounded}, time::{Duration, Instant}};
    ///
    /// let (_s, r) = unbounded::<i32>();
    /// let mut select = Select::new();
    /// select.recv(&r);
    /// assert!(select.ready_deadline(Instant::now() + Duration::from_millis(5)).is_err());
    /// ```
    pub fn ready_deadline(&mut self, deadline: Instant) -> Result<usize, ReadyTimeoutError> {
        self.is_ready(Timeout::until(deadline)).ok_or(ReadyTimeoutError)
    }

    /// Empties the list and returns it with its memory, for use with other channels. Indices start
    /// at 0 again.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::{Select, unbounded};
    ///
    /// let mut spare = Select::new();
    /// for n in 0..3 {
    ///     let (s, r) = unbounded();
    ///     s.send(n).unwrap();
    ///     let mut select = spare;
    ///     assert_eq!(select.recv(&r), 0);
    ///     assert_eq!(select.select().recv(&r), Ok(n));
    ///     spare = select.recycle();
    /// }
    /// ```
    #[must_use]
    pub fn recycle<'b>(mut self) -> Select<'b> {
        self.operations.clear();
        self.entries.clear();
        // The vector is empty here. The standard library's in-place `collect` keeps its allocation.
        let operations = self.operations.into_iter().map(|_| Operation::never()).collect();
        Select { operations, entries: self.entries, next: 0, choice: self.choice }
    }
}

impl Clone for Select<'_> {
    /// Returns a copy of the list, with the same indices.
    fn clone(&self) -> Self {
        let entry = |entry: &Entry| Entry { parcel: entry.parcel.another(), ..*entry };
        Self {
            operations: self.operations.iter().map(Operation::again).collect(),
            entries: self.entries.iter().map(entry).collect(),
            ..*self
        }
    }
}

impl Default for Select<'_> {
    fn default() -> Self {
        Self::new()
    }
}

opaque_debug!(Select<'_>);
