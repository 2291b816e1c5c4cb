//! `OnceLock`: a value that is put in once.
//!
//! Invariants:
//! 1. `value` is written by the one thread that runs the closure of `once`, or through
//!    `&mut OnceLock`.
//! 2. Once `once` is complete, `value` is there, and is only read, until somebody has
//!    `&mut OnceLock`. `get_or_init` completes it with a value, or panics and doesn't.

use core::{
    cell::UnsafeCell,
    fmt, mem,
    panic::{RefUnwindSafe, UnwindSafe},
};

use super::Once;

/// A place for a value that is put in once: [`std::sync::OnceLock`] for green threads.
///
/// Threads that want the value while another one makes it wait for that: a green thread lets its
/// worker run others, an OS thread blocks.
///
/// # Differs from std
///
/// * It is larger: 24 bytes and an `Option` of the value, on a 64-bit machine.
///
/// # Examples
///
/// ```
/// use greenthread::sync::OnceLock;
///
/// fn greeting() -> &'static str {
///     static GREETING: OnceLock<String> = OnceLock::new();
///     GREETING.get_or_init(|| "hello".to_uppercase())
/// }
/// assert_eq!(greeting(), "HELLO");
/// ```
pub struct OnceLock<T> {
    once: Once,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value goes where the cell goes.
unsafe impl<T: Send> Send for OnceLock<T> {}
// SAFETY: the value is made by one thread, may be taken by another, and is shared in between
// (invariants 1, 2).
unsafe impl<T: Sync + Send> Sync for OnceLock<T> {}

impl<T: RefUnwindSafe + UnwindSafe> RefUnwindSafe for OnceLock<T> {}
impl<T: UnwindSafe> UnwindSafe for OnceLock<T> {}

impl<T> OnceLock<T> {
    /// An empty place.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::OnceLock;
    ///
    /// static NAME: OnceLock<String> = OnceLock::new();
    /// assert!(NAME.get().is_none());
    /// ```
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { once: Once::new(), value: UnsafeCell::new(None) }
    }

    /// The value, if it is there. Never blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::OnceLock;
    ///
    /// assert_eq!(OnceLock::from(1).get(), Some(&1));
    /// ```
    #[inline]
    pub fn get(&self) -> Option<&T> {
        if !self.once.is_completed() {
            return None;
        }
        // SAFETY: complete: it is only read from now on (invariant 2).
        unsafe { &*self.value.get() }.as_ref()
    }

    /// The value, if it is there; whoever has the place to itself may change it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::OnceLock;
    ///
    /// let mut cell = OnceLock::from(1);
    /// *cell.get_mut().unwrap() = 2;
    /// assert_eq!(cell.get(), Some(&2));
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut().as_mut()
    }

    /// Waits until another thread has put the value in.
    ///
    /// Blocks the calling thread, green or OS.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::OnceLock, thread};
    ///
    /// static NAME: OnceLock<String> = OnceLock::new();
    /// thread::spawn(|| NAME.set("fern".into()));
    /// assert_eq!(NAME.wait(), "fern");
    /// ```
    #[inline]
    pub fn wait(&self) -> &T {
        self.once.wait_force();
        self.there()
    }

    /// Puts `value` in. Blocks while another thread is making one.
    ///
    /// # Errors
    ///
    /// There is a value already; the error is `value`.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::OnceLock;
    ///
    /// let cell = OnceLock::new();
    /// assert_eq!(cell.set(1), Ok(()));
    /// assert_eq!(cell.set(2), Err(2));
    /// ```
    #[inline]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.get_or_init(|| value.take().expect("called once"));
        match value {
            None => Ok(()),
            Some(value) => Err(value),
        }
    }

    /// The value; `f` makes it if it isn't there.
    ///
    /// Blocks the calling thread, green or OS, while another one is making it. To call this from
    /// within `f` is a deadlock.
    ///
    /// # Panics
    ///
    /// If `f` panics; the place stays empty, and the next one may try.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::OnceLock;
    ///
    /// let cell = OnceLock::new();
    /// assert_eq!(cell.get_or_init(|| 1), &1);
    /// assert_eq!(cell.get_or_init(|| unreachable!()), &1);
    /// ```
    #[inline]
    pub fn get_or_init<F>(&self, f: F) -> &T
    where
        F: FnOnce() -> T,
    {
        self.once.call_once_force(|_| {
            let value = f();
            // SAFETY: this thread alone runs the closure, and nobody reads before it is complete
            // (invariants 1, 2).
            unsafe { *self.value.get() = Some(value) };
        });
        self.there()
    }

    #[inline]
    fn there(&self) -> &T {
        self.get().expect("the value is there once that is complete")
    }

    /// The value, if it is there; the place goes.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::OnceLock;
    ///
    /// assert_eq!(OnceLock::from(1).into_inner(), Some(1));
    /// ```
    #[inline]
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Takes the value out, if it is there; the place is empty again.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::OnceLock;
    ///
    /// let mut cell = OnceLock::from(1);
    /// assert_eq!(cell.take(), Some(1));
    /// assert_eq!(cell.get(), None);
    /// ```
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        mem::take(self).into_inner()
    }
}

impl<T> Default for OnceLock<T> {
    /// The same as [`OnceLock::new`].
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_tuple("OnceLock");
        match self.get() {
            Some(value) => out.field(value),
            None => out.field(&format_args!("<uninit>")),
        };
        out.finish()
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    /// A place with a clone of the value, or an empty one.
    fn clone(&self) -> Self {
        self.get().cloned().map_or_else(Self::new, Self::from)
    }
}

impl<T> From<T> for OnceLock<T> {
    /// A place with `value` in it.
    fn from(value: T) -> Self {
        let cell = Self::new();
        cell.get_or_init(|| value);
        cell
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    /// Whether both are empty, or both values are equal.
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceLock<T> {}
