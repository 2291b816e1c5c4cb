//! `OnceLock`: a cell that is written once.
//!
//! Invariants:
//! 1. `value` is written only by the thread that runs the closure of `once`, or through
//!    `&mut OnceLock`.
//! 2. When `once` is complete, `value` is `Some`. From then on it is only read, except through
//!    `&mut OnceLock`. `get_or_init` completes `once` after it has written a value. If it panics,
//!    it does not complete `once`.

use core::{
    cell::UnsafeCell,
    fmt, mem,
    panic::{RefUnwindSafe, UnwindSafe},
};

use super::Once;

/// A cell that is written once. This is [`std::sync::OnceLock`] for green threads.
///
/// A thread that calls [`get_or_init`](OnceLock::get_or_init), [`set`](OnceLock::set) or
/// [`wait`](OnceLock::wait) while another thread initializes the cell waits. A green thread that
/// waits lets its worker run other threads. An OS thread that waits blocks.
///
/// # Differs from std
///
/// * It is larger: on a 64-bit machine, 24 bytes more than an `Option` of the value.
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

// SAFETY: the cell owns the value, and `T: Send`.
unsafe impl<T: Send> Send for OnceLock<T> {}
// SAFETY: one thread makes the value, and another one may drop it, which `T: Send` allows.
// Meanwhile threads share the value, which `T: Sync` allows (invariants 1, 2).
unsafe impl<T: Sync + Send> Sync for OnceLock<T> {}

impl<T: RefUnwindSafe + UnwindSafe> RefUnwindSafe for OnceLock<T> {}
impl<T: UnwindSafe> UnwindSafe for OnceLock<T> {}

impl<T> OnceLock<T> {
    /// Creates an empty cell.
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

    /// Returns the value, or `None` if the cell is empty. Never blocks.
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
        // SAFETY: `once` is complete, so `value` is only read while `self` is borrowed (invariant
        // 2).
        unsafe { &*self.value.get() }.as_ref()
    }

    /// Returns a mutable reference to the value, or `None` if the cell is empty.
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

    /// Waits until another thread has initialized the cell, and returns the value.
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
        self.expect_value()
    }

    /// Sets the value of an empty cell. Blocks while another thread initializes the cell.
    ///
    /// # Errors
    ///
    /// If the cell has a value already. The error is `value`.
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

    /// Returns the value. If the cell is empty, calls `f` first and stores its result.
    ///
    /// Blocks the calling thread, green or OS, while another thread initializes the cell. If `f`
    /// calls this for the same cell, it deadlocks.
    ///
    /// # Panics
    ///
    /// If `f` panics. The cell stays empty, and a later call may initialize it.
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
            // SAFETY: only this thread runs the closure of `once`, and no thread reads `value`
            // before `once` is complete (invariants 1, 2).
            unsafe { *self.value.get() = Some(value) };
        });
        self.expect_value()
    }

    /// Returns the value of a cell whose `once` is complete.
    #[inline]
    fn expect_value(&self) -> &T {
        self.get().expect("`once` is complete, so the value is there")
    }

    /// Consumes the cell and returns the value, or `None` if the cell is empty.
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

    /// Takes the value out and leaves the cell empty. Returns `None` if the cell is empty already.
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
    /// Creates a cell with a clone of the value, or an empty one if this cell is empty.
    fn clone(&self) -> Self {
        self.get().cloned().map_or_else(Self::new, Self::from)
    }
}

impl<T> From<T> for OnceLock<T> {
    /// Creates a cell with the value `value`.
    fn from(value: T) -> Self {
        let cell = Self::new();
        cell.get_or_init(|| value);
        cell
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    /// Whether both cells are empty, or both have values and these are equal.
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceLock<T> {}
