//! `LazyLock`: a value that is made when it is first wanted.
//!
//! Invariants:
//! 1. `data` is written by the one thread that runs the closure of `once`, or through
//!    `&mut LazyLock`.
//! 2. Once `once` is complete, `data` is `Made`, and is only read, until somebody has
//!    `&mut LazyLock`.

use core::{
    cell::UnsafeCell,
    fmt, mem,
    ops::{Deref, DerefMut},
    panic::{RefUnwindSafe, UnwindSafe},
};

use super::Once;

/// A value that is made when it is first wanted: [`std::sync::LazyLock`] for green threads.
///
/// Threads that want the value while another one makes it wait for that: a green thread lets its
/// worker run others, an OS thread blocks.
///
/// # Poisoning
///
/// If the closure panics there will never be a value: whoever wants it panics too.
///
/// # Differs from std
///
/// * It is larger: 24 bytes and an `enum` of the value and the closure, on a 64-bit machine.
///
/// # Examples
///
/// ```
/// use greenthread::sync::LazyLock;
///
/// static GREETING: LazyLock<String> = LazyLock::new(|| "hello".to_uppercase());
/// assert_eq!(*GREETING, "HELLO");
/// ```
pub struct LazyLock<T, F = fn() -> T> {
    once: Once,
    data: UnsafeCell<Data<T, F>>,
}

enum Data<T, F> {
    Unmade(F),
    /// It is being made, or its closure has panicked.
    Gone,
    Made(T),
}

// SAFETY: the closure is taken by one thread; the value is made by it, may be taken by another, and
// is shared in between (invariants 1, 2).
unsafe impl<T: Sync + Send, F: Send> Sync for LazyLock<T, F> {}

impl<T: RefUnwindSafe + UnwindSafe, F: UnwindSafe> RefUnwindSafe for LazyLock<T, F> {}
impl<T: UnwindSafe, F: UnwindSafe> UnwindSafe for LazyLock<T, F> {}

impl<T, F: FnOnce() -> T> Data<T, F> {
    /// The closure, to be called: until the value is there, it is gone.
    #[track_caller]
    fn take(&mut self) -> F {
        match mem::replace(self, Data::Gone) {
            Data::Unmade(f) => f,
            _ => panic!("LazyLock instance has previously been poisoned"),
        }
    }
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// A value that `f` will make.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::LazyLock;
    ///
    /// let lazy = LazyLock::new(|| 6 * 7);
    /// assert_eq!(*lazy, 42);
    /// ```
    #[inline]
    pub const fn new(f: F) -> Self {
        Self { once: Once::new(), data: UnsafeCell::new(Data::Unmade(f)) }
    }

    /// The value, which is made if need be.
    ///
    /// Blocks the calling thread, green or OS, while another one is making it. To call this from
    /// within the closure is a deadlock.
    ///
    /// # Panics
    ///
    /// If the closure panics, or has.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::LazyLock;
    ///
    /// assert_eq!(LazyLock::force(&LazyLock::new(|| 6 * 7)), &42);
    /// ```
    #[inline]
    pub fn force(this: &Self) -> &T {
        this.once.call_once_force(|_| {
            // SAFETY: this thread alone runs the closure, and nobody reads before it is complete
            // (invariants 1, 2). No reference is kept while foreign code runs.
            unsafe {
                let f = (*this.data.get()).take();
                let value = f();
                *this.data.get() = Data::Made(value);
            }
        });
        Self::get(this).expect("the value is there once that is complete")
    }

    /// The value, which is made if need be; whoever has it to itself may change it.
    ///
    /// # Panics
    ///
    /// If the closure panics, or has.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::LazyLock;
    ///
    /// let mut lazy = LazyLock::new(|| 6 * 7);
    /// *LazyLock::force_mut(&mut lazy) += 1;
    /// assert_eq!(*lazy, 43);
    /// ```
    pub fn force_mut(this: &mut Self) -> &mut T {
        let data = this.data.get_mut();
        if !matches!(data, Data::Made(_)) {
            let value = data.take()();
            *data = Data::Made(value);
            this.once.call_once(|| {});
        }
        Self::get_mut(this).expect("it has just been made")
    }
}

impl<T, F> LazyLock<T, F> {
    /// The value, if it has been made; whoever has it to itself may change it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::LazyLock;
    ///
    /// let mut lazy = LazyLock::new(|| 1);
    /// assert_eq!(LazyLock::get_mut(&mut lazy), None);
    /// LazyLock::force(&lazy);
    /// assert_eq!(LazyLock::get_mut(&mut lazy), Some(&mut 1));
    /// ```
    #[inline]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        match this.data.get_mut() {
            Data::Made(value) => Some(value),
            _ => None,
        }
    }

    /// The value, if it has been made. Never blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::LazyLock;
    ///
    /// let lazy = LazyLock::new(|| 1);
    /// assert_eq!(LazyLock::get(&lazy), None);
    /// LazyLock::force(&lazy);
    /// assert_eq!(LazyLock::get(&lazy), Some(&1));
    /// ```
    #[inline]
    pub fn get(this: &Self) -> Option<&T> {
        if !this.once.is_completed() {
            return None;
        }
        // SAFETY: complete: it is only read from now on (invariant 2).
        match unsafe { &*this.data.get() } {
            Data::Made(value) => Some(value),
            _ => None,
        }
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    /// As [`LazyLock::force`].
    #[inline]
    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    /// As [`LazyLock::force_mut`].
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        LazyLock::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    /// The type's default, when it is wanted.
    fn default() -> Self {
        LazyLock::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_tuple("LazyLock");
        match LazyLock::get(self) {
            Some(value) => out.field(value),
            None => out.field(&format_args!("<uninit>")),
        };
        out.finish()
    }
}
