//! What a [`Select`](super::Select) has selected.
//!
//! Invariant: a parcel that holds a message belongs to a `SelectedOperation`. Only `recv` reads the
//! message, whose argument proves that the thread may have such messages; otherwise it is leaked.

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

/// A message of any type, or room for one: small ones in here, others on the heap.
pub(super) struct Parcel {
    layout: Layout,
    inside: MaybeUninit<[usize; 4]>,
    /// None if the message has its place inside, or there is no room yet.
    outside: Option<NonNull<u8>>,
}

impl Parcel {
    pub(super) const fn new(layout: Layout) -> Self {
        Self { layout, inside: MaybeUninit::uninit(), outside: None }
    }

    /// Room for another one of this type.
    pub(super) const fn another(&self) -> Self {
        Self::new(self.layout)
    }

    /// Where the message is, or shall be.
    pub(super) fn place(&mut self) -> *mut () {
        let (layout, inside) = (self.layout, Layout::new::<[usize; 4]>());
        if layout.size() <= inside.size() && layout.align() <= inside.align() {
            return self.inside.as_mut_ptr().cast();
        }
        self.outside
            .get_or_insert_with(|| {
                // SAFETY: it is larger than nothing, or it would fit inside; if only its alignment
                // is too large, it is padded to a size of at least 1.
                let room = unsafe { alloc::alloc(Self::padded(layout)) };
                NonNull::new(room).unwrap_or_else(|| alloc::handle_alloc_error(layout))
            })
            .as_ptr()
            .cast()
    }

    /// A layout with a size that isn't 0.
    fn padded(layout: Layout) -> Layout {
        Layout::from_size_align(layout.size().max(1), layout.align()).unwrap_or(layout)
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if let Some(outside) = self.outside {
            // SAFETY: allocated in `place`, with this layout.
            unsafe { alloc::dealloc(outside.as_ptr(), Self::padded(self.layout)) };
        }
    }
}

/// An operation that has been selected and must be completed.
///
/// # Panics
///
/// If it is dropped without, it panics (except while unwinding): a program that does that is wrong.
/// An operation that sends is undone then; the message of one that receives is leaked.
///
/// # Complete it soon
///
/// An operation that sends keeps a place in the channel for its message, or a receiver. Until it is
/// completed or dropped nobody else can use the place, and the receiver waits, even if others send
/// and even beyond its timeout. One that is leaked (`mem::forget`) leaves them so for ever.
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
    /// Which one it is: what [`Select::send`](super::Select::send) or
    /// [`Select::recv`](super::Select::recv) returned.
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
    /// There is no receiver any more; the error holds the message.
    ///
    /// # Panics
    ///
    /// If `s` is not the reference that was given to [`Select::send`](super::Select::send).
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
    /// There is no message, and no sender any more.
    ///
    /// # Panics
    ///
    /// If `r` is not the reference that was given to [`Select::recv`](super::Select::recv).
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
        // SAFETY: the same receiver, since it is borrowed since then and so is still where it was;
        // its message is in the parcel (invariant).
        unsafe { selection.receive(r, parcel.place()) }
    }
}

impl<'a> SelectedOperation<'a> {
    /// Its parts, without its drop.
    fn take(self) -> (Selection<'a>, Parcel) {
        let whole = mem::ManuallyDrop::new(self);
        // SAFETY: each is read once, and the whole is forgotten.
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
