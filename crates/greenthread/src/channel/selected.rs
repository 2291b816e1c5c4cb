//! The operation that a [`Select`](super::Select) has selected.
//!
//! Invariant: a `Parcel` that holds a message belongs to a `SelectedOperation`. Only
//! `SelectedOperation::recv` reads the message: its argument, the receiver, proves that the calling
//! thread may have such messages. Otherwise the message is leaked.

use core::{
    alloc::Layout,
    fmt,
    mem::{self, MaybeUninit},
    ptr::{self, NonNull},
};
use std::alloc;

use super::{
    arms::Selection,
    err::{RecvError, SendError},
    receiver::Receiver,
    sender::Sender,
};

/// Memory for one message of any type. It lies inside the parcel if the message is at most four
/// words long, and otherwise on the heap.
pub(super) struct Parcel {
    layout: Layout,
    inside: MaybeUninit<[usize; 4]>,
    /// The memory on the heap. `None` if the message fits inside, or if `place` has not been called
    /// yet.
    outside: Option<NonNull<u8>>,
}

impl Parcel {
    pub(super) const fn new(layout: Layout) -> Self {
        Self { layout, inside: MaybeUninit::uninit(), outside: None }
    }

    /// An empty parcel for a message of the same type.
    pub(super) const fn another(&self) -> Self {
        Self::new(self.layout)
    }

    /// The address of the message, whether or not it has been written yet.
    pub(super) fn place(&mut self) -> *mut () {
        let (layout, inside) = (self.layout, Layout::new::<[usize; 4]>());
        if layout.size() <= inside.size() && layout.align() <= inside.align() {
            return self.inside.as_mut_ptr().cast();
        }
        self.outside
            .get_or_insert_with(|| {
                // SAFETY: `padded` returns a layout whose size is not 0.
                let room = unsafe { alloc::alloc(Self::padded(layout)) };
                NonNull::new(room).unwrap_or_else(|| alloc::handle_alloc_error(layout))
            })
            .as_ptr()
            .cast()
    }

    /// The same layout, with a size of at least 1. A type without a size comes here if its
    /// alignment is larger than that of `inside`.
    fn padded(layout: Layout) -> Layout {
        Layout::from_size_align(layout.size().max(1), layout.align()).unwrap_or(layout)
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if let Some(outside) = self.outside {
            // SAFETY: `place` has allocated it with this layout, and nothing else frees it.
            unsafe { alloc::dealloc(outside.as_ptr(), Self::padded(self.layout)) };
        }
    }
}

/// An operation that has been selected, and that the caller must complete.
///
/// # Panics
///
/// If it is dropped before it is completed, it panics, except during unwinding: not to complete it
/// is a bug in the program. An operation that sends is undone then; the message of an operation
/// that receives is leaked.
///
/// # Complete it soon
///
/// Until it is completed or dropped, an operation that sends reserves a slot in the channel for its
/// message, or a waiting receiver. Meanwhile no other thread can use that slot; and that receiver
/// waits for this message, even if other threads send, and even beyond its own timeout. If the
/// operation is leaked (`mem::forget`), this state is permanent.
///
/// # Examples
///
/// ```
/// use greenthread::channel::{Select, bounded};
///
/// let (s, r) = bounded(1);
/// let mut select = Select::new();
/// let send = select.send(&s);
/// let operation = select.select();
/// assert_eq!(operation.index(), send);
/// assert_eq!(operation.send(&s, 1), Ok(()));
/// ```
#[must_use = "a selected operation must be completed"]
pub struct SelectedOperation<'a> {
    pub(super) selection: Selection<'a>,
    pub(super) index: usize,
    pub(super) handle: *const (),
    pub(super) parcel: Parcel,
}

impl SelectedOperation<'_> {
    /// Returns the index of the operation, as [`Select::send`](super::Select::send) or
    /// [`Select::recv`](super::Select::recv) returned it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::{Select, unbounded};
    ///
    /// let ((s, r), (_t, other)) = (unbounded(), unbounded::<i32>());
    /// s.send(1).unwrap();
    /// let mut select = Select::new();
    /// let (first, _second) = (select.recv(&r), select.recv(&other));
    /// let operation = select.select();
    /// assert_eq!(operation.index(), first);
    /// assert_eq!(operation.recv(&r), Ok(1));
    /// ```
    pub fn index(&self) -> usize {
        self.index
    }

    /// Completes an operation that sends. Never blocks.
    ///
    /// # Errors
    ///
    /// If all receivers have been dropped. The error holds the message.
    ///
    /// # Panics
    ///
    /// If `s` is not the reference that was passed to [`Select::send`](super::Select::send).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::{Select, SendError, bounded};
    ///
    /// let (s, r) = bounded(0);
    /// drop(r);
    /// let mut select = Select::new();
    /// select.send(&s);
    /// assert_eq!(select.select().send(&s, 1), Err(SendError(1)));
    /// ```
    pub fn send<T>(self, s: &Sender<T>, msg: T) -> Result<(), SendError<T>> {
        assert!(ptr::from_ref(s).cast() == self.handle, "passed a sender that wasn't selected");
        self.take().0.send(s, msg)
    }

    /// Completes an operation that receives. Never blocks.
    ///
    /// # Errors
    ///
    /// If the channel is empty and all senders have been dropped.
    ///
    /// # Panics
    ///
    /// If `r` is not the reference that was passed to [`Select::recv`](super::Select::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::{RecvError, Select, bounded};
    ///
    /// let (s, r) = bounded::<i32>(0);
    /// drop(s);
    /// let mut select = Select::new();
    /// select.recv(&r);
    /// assert_eq!(select.select().recv(&r), Err(RecvError));
    /// ```
    pub fn recv<T>(self, r: &Receiver<T>) -> Result<T, RecvError> {
        assert!(ptr::from_ref(r).cast() == self.handle, "passed a receiver that wasn't selected");
        let (mut selection, mut parcel) = self.take();
        // SAFETY: the assertion has shown that `r` is the receiver that was selected: that one has
        // been borrowed since, so no other can be at its address. Its message is in the parcel
        // (invariant).
        unsafe { selection.receive(r, parcel.place()) }
    }
}

impl<'a> SelectedOperation<'a> {
    /// Takes it apart, without running its `drop`.
    fn take(self) -> (Selection<'a>, Parcel) {
        let whole = mem::ManuallyDrop::new(self);
        // SAFETY: each field is read once, and `ManuallyDrop` keeps the whole from being dropped.
        // The fields that are not read need no drop.
        unsafe { (ptr::read(&raw const whole.selection), ptr::read(&raw const whole.parcel)) }
    }
}

impl fmt::Debug for SelectedOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelectedOperation").field("index", &self.index).finish_non_exhaustive()
    }
}

impl Drop for SelectedOperation<'_> {
    fn drop(&mut self) {
        self.selection.give_back();
        assert!(std::thread::panicking(), "dropped `SelectedOperation` without completing the operation");
    }
}
