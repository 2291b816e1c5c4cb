//! `LazyLock`: a value that is initialized on the first access.
//!
//! Invariants:
//! 1. `data` is written only by the thread that runs the closure of `once`, or through
//!    `&mut LazyLock`.
//! 2. When `once` is complete, `data` is `Init`. From then on it is only read, except through
//!    `&mut LazyLock`.

use core::{
    cell::UnsafeCell,
    fmt, mem,
    ops::{Deref, DerefMut},
    panic::{RefUnwindSafe, UnwindSafe},
};

use super::Once;

/// A value that is initialized on the first access. This is [`std::sync::LazyLock`] for green
/// threads.
///
/// A thread that accesses the value while another thread initializes it waits. A green thread that
/// waits lets its worker run other threads. An OS thread that waits blocks.
///
/// # Poisoning
///
/// If the closure panics, the lock is poisoned: every later access panics too.
///
/// # Differs from std
///
/// * It is larger: on a 64-bit machine, 24 bytes more than an `enum` of the value and the closure.
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
    /// The closure has not been called.
    Uninit(F),
    /// The closure is running, or has panicked.
    Taken,
    /// The closure has returned this value.
    Init(T),
}

// SAFETY: one thread takes the closure, so `F: Send` suffices. That thread makes the value, and
// another one may drop it, which `T: Send` allows. Meanwhile threads share the value, which
// `T: Sync` allows (invariants 1, 2).
unsafe impl<T: Sync + Send, F: Send> Sync for LazyLock<T, F> {}

impl<T: RefUnwindSafe + UnwindSafe, F: UnwindSafe> RefUnwindSafe for LazyLock<T, F> {}
impl<T: UnwindSafe, F: UnwindSafe> UnwindSafe for LazyLock<T, F> {}

impl<T, F: FnOnce() -> T> Data<T, F> {
    /// Takes the closure out, and leaves `Taken`. Panics if the closure has been taken before.
    #[track_caller]
    fn take(&mut self) -> F {
        match mem::replace(self, Data::Taken) {
            Data::Uninit(f) => f,
            _ => panic!("LazyLock instance has previously been poisoned"),
        }
    }
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// Creates a `LazyLock` whose value `f` will make on the first access.
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
        Self { once: Once::new(), data: UnsafeCell::new(Data::Uninit(f)) }
    }

    /// Returns the value. Initializes it first if need be.
    ///
    /// Blocks the calling thread, green or OS, while another thread initializes the value. A
    /// closure that calls this on its own `LazyLock` deadlocks.
    ///
    /// # Panics
    ///
    /// If the closure panics, or has panicked before.
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
            // SAFETY: only this thread runs the closure of `once`, and no thread reads `data`
            // before `once` is complete (invariants 1, 2). No reference to `data` exists while `f`
            // runs.
            unsafe {
                let f = (*this.data.get()).take();
                let value = f();
                *this.data.get() = Data::Init(value);
            }
        });
        Self::get(this).expect("`once` is complete, so the value is there")
    }

    /// Returns a mutable reference to the value. Initializes the value first if need be.
    ///
    /// # Panics
    ///
    /// If the closure panics, or has panicked before.
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
        if !matches!(data, Data::Init(_)) {
            let value = data.take()();
            *data = Data::Init(value);
            this.once.call_once(|| {});
        }
        Self::get_mut(this).expect("it has just been initialized")
    }
}

impl<T, F> LazyLock<T, F> {
    /// Returns a mutable reference to the value, or `None` if it has not been initialized.
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
            Data::Init(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the value, or `None` if it has not been initialized. Never blocks.
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
        // SAFETY: `once` is complete, so `data` is only read while `this` is borrowed (invariant
        // 2).
        match unsafe { &*this.data.get() } {
            Data::Init(value) => Some(value),
            _ => None,
        }
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    /// The same as [`LazyLock::force`].
    #[inline]
    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    /// The same as [`LazyLock::force_mut`].
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        LazyLock::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    /// Creates a `LazyLock` whose value is the default value of `T`.
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
