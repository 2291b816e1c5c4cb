//! A wait and its wake-up, by themselves.

use core::{cell::Cell, fmt, marker::PhantomData, time::Duration};
use std::{
    ptr,
    sync::Arc,
    task::{Wake, Waker},
};

use crate::{
    opaque_debug::opaque_debug,
    task::{
        cancel,
        time::deadline_after,
        wait::{Outcome, Reason, Waiter},
    },
    time::Instant,
};

/// A token, and the one thread that waits for it.
struct Token(Waiter);

impl Wake for Token {
    fn wake(self: Arc<Self>) {
        self.0.post();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.post();
    }
}

/// Waits for its [`Unparker`]s: the type of the crate `crossbeam-utils`, for green threads and OS
/// threads.
///
/// A parker has a token, which is not there at first. [`park`](Parker::park) waits until the token
/// is there, and takes it. [`Unparker::unpark`] puts it there. Other than that of
/// [`thread::park`](crate::thread::park), which belongs to the whole thread, nobody else knows this
/// token: no other code consumes it or leaves one, and no wait ends without it. So a parker is what
/// a library needs that waits for something outside of this crate: the callback of a C library, the
/// completion of a device. An unparker is also a [`Waker`](std::task::Waker).
///
/// # Examples
///
/// ```
/// use greenthread::{sync::Parker, thread};
///
/// greenthread::run(|| {
///     let parker = Parker::new();
///     let unparker = parker.unparker();
///     std::thread::spawn(move || unparker.unpark());
///     parker.park();
/// });
/// ```
///
/// A C library that calls back when it is done:
///
/// ```
/// use greenthread::{sync::{Parker, Unparker}, thread};
/// use std::ffi::c_void;
///
/// extern "C" fn done(context: *mut c_void) {
///     // SAFETY: the address came from `into_raw`, and the library calls back once.
///     unsafe { Unparker::from_raw(context) }.unpark();
/// }
/// # fn begin(callback: extern "C" fn(*mut c_void), context: *mut c_void) {
/// #     let context = context.addr();
/// #     std::thread::spawn(move || callback(std::ptr::with_exposed_provenance_mut(context)));
/// # }
///
/// let parker = Parker::new();
/// let context = parker.unparker().into_raw();
/// # _ = context.expose_provenance();
/// begin(done, context.cast_mut().cast());
/// parker.park();
/// ```
pub struct Parker {
    token: Arc<Token>,
    /// It waits on one thread at a time.
    not_sync: PhantomData<Cell<()>>,
}

/// Wakes a [`Parker`], from any thread and at any time, also when the parker is gone.
///
/// # Examples
///
/// ```
/// use greenthread::sync::Parker;
///
/// let parker = Parker::new();
/// let unparker = parker.unparker();
/// unparker.clone().unpark();
/// parker.park();
/// drop(parker);
/// unparker.unpark();
/// ```
#[derive(Clone)]
pub struct Unparker(Arc<Token>);

impl Parker {
    /// Creates a parker without a token.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::Parker, time::Duration};
    /// assert!(!Parker::new().park_timeout(Duration::from_millis(1)));
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { token: Arc::new(Token(Waiter::new())), not_sync: PhantomData }
    }

    /// Waits until the token is there, and takes it. Blocks the calling thread, green or OS. This
    /// is a [cancellation point](crate::cancel#points).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Parker;
    ///
    /// let parker = Parker::new();
    /// parker.unparker().unpark();
    /// parker.park();
    /// ```
    pub fn park(&self) {
        self.park_for(Reason::Park, None);
    }

    /// As [`park`](Self::park), for at most `timeout`. Returns whether it has taken the token.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::Parker, time::Duration};
    ///
    /// let parker = Parker::new();
    /// assert!(!parker.park_timeout(Duration::from_millis(1)));
    /// parker.unparker().unpark();
    /// assert!(parker.park_timeout(Duration::from_millis(1)));
    /// ```
    pub fn park_timeout(&self, timeout: Duration) -> bool {
        self.park_for(Reason::Park, deadline_after(timeout))
    }

    /// As [`park`](Self::park), until `deadline` at most. Returns whether it has taken the token.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::Parker, time::Instant};
    /// assert!(!Parker::new().park_deadline(Instant::now()));
    /// ```
    pub fn park_deadline(&self, deadline: Instant) -> bool {
        self.park_for(Reason::Park, Some(deadline.into()))
    }

    pub(crate) fn park_for(&self, reason: Reason, deadline: Option<std::time::Instant>) -> bool {
        let Token(waiter) = &*self.token;
        let outcome = waiter.wait_cancellable(reason, deadline);
        // A token that comes now counts.
        let is_woken = waiter.reset();
        if outcome == Outcome::Cancelled {
            if is_woken {
                waiter.post();
            }
            cancel::unwind();
        }
        is_woken
    }

    /// Returns what wakes this parker.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Parker;
    ///
    /// let parker = Parker::new();
    /// parker.unparker().unpark();
    /// parker.park();
    /// ```
    #[must_use]
    pub fn unparker(&self) -> Unparker {
        Unparker(Arc::clone(&self.token))
    }

    /// Makes it as good as new, if no unparker is left.
    pub(crate) fn renew(&mut self) -> bool {
        Arc::get_mut(&mut self.token).is_some_and(|token| {
            token.0.reset();
            true
        })
    }
}

impl Default for Parker {
    fn default() -> Self {
        Self::new()
    }
}

impl Unparker {
    /// Puts the token there, and wakes the thread that waits for it. A second call before the token
    /// is taken has no effect. Never blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::Parker, time::Duration};
    ///
    /// let parker = Parker::new();
    /// parker.unparker().unpark();
    /// parker.unparker().unpark();
    /// parker.park();
    /// assert!(!parker.park_timeout(Duration::from_millis(1)));
    /// ```
    pub fn unpark(&self) {
        self.0.0.post();
    }

    /// Turns it into an address, for foreign code to keep. [`from_raw`](Self::from_raw) turns it
    /// back; without that, some memory leaks.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::{Parker, Unparker};
    ///
    /// let parker = Parker::new();
    /// let address = parker.unparker().into_raw();
    /// // SAFETY: the address came from `into_raw`, and is turned back once.
    /// unsafe { Unparker::from_raw(address) }.unpark();
    /// parker.park();
    /// ```
    #[must_use = "without `from_raw` its memory leaks"]
    pub fn into_raw(self) -> *const () {
        Arc::into_raw(self.0).cast()
    }

    /// Turns an address back into an unparker.
    ///
    /// # Safety
    ///
    /// The address came from [`into_raw`](Self::into_raw), and is turned back once.
    ///
    /// # Examples
    ///
    /// See [`into_raw`](Self::into_raw).
    #[must_use]
    pub unsafe fn from_raw<T>(address: *const T) -> Self {
        // SAFETY: the caller vouches that it is the address of a token in an `Arc`, with the
        // reference that `into_raw` has left.
        Self(unsafe { Arc::from_raw(address.cast()) })
    }
}

impl From<Unparker> for Waker {
    /// A waker that unparks.
    fn from(unparker: Unparker) -> Self {
        Waker::from(unparker.0)
    }
}

impl fmt::Debug for Unparker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Unparker").field(&ptr::from_ref(&*self.0)).finish()
    }
}

opaque_debug!(Parker);
