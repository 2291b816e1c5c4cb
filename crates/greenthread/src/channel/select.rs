//! A select over a list that is made at run time.
//!
//! Invariant: a parcel has room for a message of its operation's channel, and is told to the
//! operation as its place before each select; neither is moved before that is over.

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
    /// The sender or receiver, to recognise it.
    handle: *const (),
    parcel: Parcel,
}

/// Selects from a list of operations that is made at run time.
///
/// An operation is selected in two steps. [`select`](Select::select) and its like choose one that
/// is ready, or wait until one is, and return a [`SelectedOperation`]; this one must be completed
/// by [`SelectedOperation::send`] or [`SelectedOperation::recv`]. [`ready`](Select::ready) and its
/// like only wait until an operation is ready, and say which.
///
/// [`select!`](super::select) is simpler where the list is known.
///
/// # Memory
///
/// A `Select` allocates for its list, and for messages of more than four words. Waiting allocates
/// nothing.
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
///             Err(_) => select.remove(index), // This one has no sender any more.
///         }
///     }
/// }
/// assert_eq!(sum, 0 + 1 + 2 + 3 + 4);
/// ```
pub struct Select<'a> {
    operations: Vec<Operation<'a>>,
    /// One for each operation.
    entries: Vec<Entry>,
    next: usize,
    choice: Choice,
}

// SAFETY: a message that it was given is in a `SelectedOperation` already, and what it does with a
// channel it does under its lock. Messages that are not `Send` may pass through it as bytes only:
// to complete an operation takes a handle that is not `Sync` then.
unsafe impl Send for Select<'_> {}
// SAFETY: by a shared reference it can be cloned and printed.
unsafe impl Sync for Select<'_> {}

impl<'a> Select<'a> {
    /// An empty list. Of several operations that are ready, one is chosen at random.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::Select;
    ///
    /// // There is nothing to choose from.
    /// assert!(Select::new().try_select().is_err());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { operations: Vec::new(), entries: Vec::new(), next: 0, choice: Choice::Fair }
    }

    /// An empty list. Of several operations that are ready, the one that was added first is chosen.
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

    /// Adds the operation of sending to `s`. Returns its index: 0 for the first one, and so on.
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

    /// Adds the operation of receiving from `r`. Returns its index: 0 for the first one, and so on.
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
        // SAFETY: before each select it is given a place (invariant).
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

    /// Removes an operation. The others keep their indices, and its index is not used again.
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
            // SAFETY: the parcel has the room, and nothing moves until the select is over
            // (invariant).
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

    /// Selects an operation that is ready at this moment. Never blocks.
    ///
    /// # Errors
    ///
    /// None is ready.
    ///
    /// # Panics
    ///
    /// The operation must be completed: see [`SelectedOperation`].
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

    /// Selects an operation that is ready, and waits for one if there is none.
    ///
    /// Blocks the calling thread, green or OS.
    ///
    /// # Panics
    ///
    /// If there are no operations. And the operation must be completed: see [`SelectedOperation`].
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

    /// As [`select`](Select::select), waiting for `timeout` at most.
    ///
    /// # Errors
    ///
    /// None was ready in time.
    ///
    /// # Panics
    ///
    /// The operation must be completed: see [`SelectedOperation`].
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

    /// As [`select`](Select::select), waiting until `deadline` at most.
    ///
    /// # Errors
    ///
    /// None was ready in time.
    ///
    /// # Panics
    ///
    /// The operation must be completed: see [`SelectedOperation`].
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

    /// The index of an operation that is ready at this moment. Never blocks.
    ///
    /// The operation is not done: until you do it, another thread may.
    ///
    /// # Errors
    ///
    /// None is ready.
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

    /// The index of an operation that is ready; waits until there is one.
    ///
    /// Blocks the calling thread, green or OS. The operation is not done: until you do it, another
    /// thread may.
    ///
    /// # Panics
    ///
    /// If there are no operations.
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

    /// As [`ready`](Select::ready), waiting for `timeout` at most.
    ///
    /// # Errors
    ///
    /// None was ready in time.
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

    /// As [`ready`](Select::ready), waiting until `deadline` at most.
    ///
    /// # Errors
    ///
    /// None was ready in time.
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

    /// An empty list with the memory of this one, for other channels. Indices start at 0 again.
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
        // An empty list of operations: in place, by the standard library's collect.
        let operations = self.operations.into_iter().map(|_| Operation::never()).collect();
        Select { operations, entries: self.entries, next: 0, choice: self.choice }
    }
}

impl Clone for Select<'_> {
    /// The same list, with the same indices.
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
