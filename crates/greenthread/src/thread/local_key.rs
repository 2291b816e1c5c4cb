//! Thread-locals: each green thread has a value of its own.

use core::{
    cell::{Cell, RefCell},
    fmt, ptr,
};
use std::{error::Error, thread};

use crate::task::{
    block::Task,
    locals::{self, Found, Use},
    worker_core,
};

/// The error of [`LocalKey::try_with`]: the thread is ending, and its value has been destroyed or
/// is being destroyed. The type is [`std::thread::AccessError`] for green threads.
///
/// # Examples
///
/// ```
/// use greenthread::thread::{self, AccessError};
///
/// struct Last;
/// impl Drop for Last {
///     fn drop(&mut self) {
///         let error: AccessError = LAST.try_with(|_| ()).unwrap_err();
///         assert_eq!(error.to_string(), "already destroyed");
///     }
/// }
/// greenthread::thread_local!(static LAST: Last = const { Last });
/// greenthread::run(|| thread::spawn(|| LAST.with(|_| ())).join().unwrap());
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct AccessError;

impl fmt::Debug for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessError").finish()
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("already destroyed")
    }
}

impl Error for AccessError {}

/// A key under which each thread has a value of its own: [`std::thread::LocalKey`], for green
/// threads.
///
/// [`thread_local!`](crate::thread_local) makes it. Each green thread has its own value, and so has
/// each OS thread that is not a worker. A value is made when its thread first uses the key. An
/// initialiser may block.
///
/// # Destruction
///
/// A thread's values are destroyed after its closure has returned or panicked, and before
/// [`join`](super::JoinHandle::join) returns. The value that was made last is destroyed first. A
/// destructor may block, spawn threads and use other keys. A key that the thread has not used yet
/// gets its value then, and that value is destroyed afterwards. A key whose value is already
/// destroyed gives an [`AccessError`]. If a destructor panics, the process aborts. A value without
/// a destructor stays usable until the thread's last destructor has run.
///
/// When the process exits, threads that have not ended just stop, as OS threads do, and their
/// values are not destroyed.
///
/// # Cost
///
/// A thread that uses no key pays nothing. An access takes some twenty instructions. The first
/// access to a key in a thread allocates.
///
/// # Differs from std
///
/// * The order of destruction is guaranteed.
/// * A coroutine of `greenthread-context` may be suspended inside a `with` when the thread ends.
///   The value that it uses is then not destroyed at all, since the coroutine may be resumed by
///   another thread of the same worker.
/// * A scope waits until the thread-local destructors of its threads have run.
/// * The global allocator can't use a `LocalKey` on a green thread, because the access itself may
///   allocate.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
/// use std::cell::Cell;
///
/// greenthread::thread_local!(static COUNT: Cell<u32> = const { Cell::new(1) });
///
/// greenthread::run(|| {
///     COUNT.set(2);
///     let other = thread::spawn(|| {
///         assert_eq!(COUNT.get(), 1);
///         COUNT.set(3);
///     });
///     other.join().unwrap();
///     assert_eq!(COUNT.get(), 2);
/// });
/// ```
pub struct LocalKey<T: 'static> {
    /// The values of OS threads.
    os: &'static thread::LocalKey<T>,
    init: fn() -> T,
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// Returns the calling green thread, or `None` on an OS thread.
#[inline]
fn green<'a>() -> Option<&'a Task> {
    worker_core::get()?.running()
}

#[cold]
#[track_caller]
fn gone() -> ! {
    panic!("cannot access a Thread Local Storage value during or after destruction: {AccessError:?}")
}

impl<T: 'static> LocalKey<T> {
    /// For the macro.
    #[doc(hidden)]
    #[must_use]
    pub const fn __new(os: &'static thread::LocalKey<T>, init: fn() -> T) -> Self {
        Self { os, init }
    }

    /// Returns the thread's value, which `init` makes if there is none yet, or `None` if the value
    /// has been destroyed.
    #[inline]
    fn value(&'static self, task: &Task, init: impl FnOnce() -> T) -> Option<Use<T>> {
        let key = ptr::from_ref(self).cast();
        // SAFETY: `task` is the running thread, and the key is the address of a `LocalKey<T>`.
        match unsafe { locals::find::<T>(&task.locals, key) } {
            Found::Value(value) => Some(value),
            Found::Destroyed => None,
            // SAFETY: `task` is the running thread, and the key is the address of a `LocalKey<T>`.
            // `find` has not seen the key destroyed. The thread destroys values only at its end,
            // one after the other, and none while `init` runs.
            Found::Nothing => Some(unsafe { locals::insert(&task.locals, key, init()) }),
        }
    }

    /// Calls `f` with a reference to the thread's value. If there is none yet, the initialiser
    /// makes it first.
    ///
    /// # Panics
    ///
    /// Panics if the value is being destroyed or has been destroyed. If the initialiser panics,
    /// that panic goes on, and the next call runs the initialiser again.
    ///
    /// # Examples
    ///
    /// ```
    /// greenthread::thread_local!(static NAME: String = "fern".to_string());
    /// assert_eq!(NAME.with(|name| name.len()), 4);
    /// ```
    #[inline]
    #[track_caller]
    pub fn with<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        match self.try_with(f) {
            Ok(result) => result,
            Err(AccessError) => gone(),
        }
    }

    /// Calls `f` as [`with`](Self::with) does, but returns an error if the value is being destroyed
    /// or has been destroyed.
    ///
    /// # Errors
    ///
    /// [`AccessError`] if the value is being destroyed or has been destroyed. `f` is not called
    /// then.
    ///
    /// # Panics
    ///
    /// Panics if the initialiser panics.
    ///
    /// # Examples
    ///
    /// ```
    /// greenthread::thread_local!(static NAME: String = "fern".to_string());
    /// assert_eq!(NAME.try_with(|name| name.len()), Ok(4));
    /// ```
    #[inline]
    pub fn try_with<F, R>(&'static self, f: F) -> Result<R, AccessError>
    where
        F: FnOnce(&T) -> R,
    {
        match green() {
            Some(task) => {
                let value = self.value(task, self.init).ok_or(AccessError)?;
                Ok(f(&value))
            }
            None => self.os.try_with(f).map_err(|_| AccessError),
        }
    }

    /// Makes the thread's value out of `first` if there is none yet. Otherwise calls `f` with
    /// `first` and the value.
    #[track_caller]
    fn make_or(&'static self, task: &Task, first: T, f: impl FnOnce(T, &T)) {
        let mut first = Some(first);
        let value = self.value(task, || first.take().expect("made once"));
        let Some(value) = value else { gone() };
        if let Some(first) = first {
            f(first, &value);
        }
    }
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// Sets the thread's value. If there is none yet, it is made out of `value`, and the
    /// initialiser does not run.
    ///
    /// # Panics
    ///
    /// Panics if the value is being destroyed or has been destroyed.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::cell::Cell;
    /// greenthread::thread_local!(static N: Cell<u32> = panic!("nobody has set it"));
    /// N.set(7);
    /// assert_eq!(N.get(), 7);
    /// ```
    #[track_caller]
    pub fn set(&'static self, value: T) {
        match green() {
            Some(task) => self.make_or(task, Cell::new(value), |value, cell| cell.set(value.into_inner())),
            None => self.os.set(value),
        }
    }

    /// Returns a copy of the thread's value.
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::cell::Cell;
    /// greenthread::thread_local!(static N: Cell<u32> = const { Cell::new(7) });
    /// assert_eq!(N.get(), 7);
    /// ```
    #[inline]
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Takes the thread's value and leaves the default in its place.
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::cell::Cell;
    /// greenthread::thread_local!(static N: Cell<Option<u32>> = const { Cell::new(Some(7)) });
    /// assert_eq!(N.take(), Some(7));
    /// assert_eq!(N.take(), None);
    /// ```
    #[track_caller]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// Replaces the thread's value and returns the old one.
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::cell::Cell;
    /// greenthread::thread_local!(static N: Cell<u32> = const { Cell::new(7) });
    /// assert_eq!(N.replace(8), 7);
    /// assert_eq!(N.replace(9), 8);
    /// ```
    #[track_caller]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// Calls `f` with a shared borrow of the value.
    ///
    /// # Panics
    ///
    /// Panics if the value is mutably borrowed, and where [`with`](Self::with) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::cell::RefCell;
    /// greenthread::thread_local!(static LIST: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) });
    /// LIST.with_borrow(|list| assert!(list.is_empty()));
    /// ```
    #[inline]
    #[track_caller]
    pub fn with_borrow<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        self.with(|cell| f(&cell.borrow()))
    }

    /// Calls `f` with a mutable borrow of the value.
    ///
    /// # Panics
    ///
    /// Panics if the value is borrowed, and where [`with`](Self::with) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::cell::RefCell;
    /// greenthread::thread_local!(static LIST: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) });
    /// LIST.with_borrow_mut(|list| list.push(1));
    /// LIST.with_borrow(|list| assert_eq!(*list, [1]));
    /// ```
    #[inline]
    #[track_caller]
    pub fn with_borrow_mut<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&mut T) -> R,
    {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }

    /// Sets the thread's value. If there is none yet, it is made out of `value`, and the
    /// initialiser does not run.
    ///
    /// # Panics
    ///
    /// Panics if the value is borrowed, is being destroyed, or has been destroyed.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::cell::RefCell;
    /// greenthread::thread_local!(static NAME: RefCell<String> = panic!("nobody has set it"));
    /// NAME.set("fern".into());
    /// NAME.with_borrow(|name| assert_eq!(name, "fern"));
    /// ```
    #[track_caller]
    pub fn set(&'static self, value: T) {
        match green() {
            Some(task) => self.make_or(task, RefCell::new(value), |value, cell| {
                // The old value's destructor may use the cell, so it runs after the borrow has
                // ended.
                drop(cell.replace(value.into_inner()));
            }),
            None => self.os.set(value),
        }
    }

    /// Takes the thread's value and leaves the default in its place.
    ///
    /// # Panics
    ///
    /// Panics if the value is borrowed, and where [`with`](Self::with) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::cell::RefCell;
    /// greenthread::thread_local!(static LIST: RefCell<Vec<u32>> = RefCell::new(vec![1]));
    /// assert_eq!(LIST.take(), [1]);
    /// assert!(LIST.take().is_empty());
    /// ```
    #[track_caller]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    /// Replaces the thread's value and returns the old one.
    ///
    /// # Panics
    ///
    /// Panics if the value is borrowed, and where [`with`](Self::with) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::cell::RefCell;
    /// greenthread::thread_local!(static LIST: RefCell<Vec<u32>> = RefCell::new(vec![1]));
    /// assert_eq!(LIST.replace(vec![2]), [1]);
    /// assert_eq!(LIST.take(), [2]);
    /// ```
    #[track_caller]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

/// Declares thread-locals of which each thread has its own value, green threads included. The
/// syntax is that of [`std::thread_local!`].
///
/// Each name becomes a static [`LocalKey`](crate::thread::LocalKey). An initialiser may block. A
/// constant initialiser is written `const { .. }`.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
/// use std::cell::{Cell, RefCell};
///
/// greenthread::thread_local! {
///     pub static DEPTH: Cell<u32> = const { Cell::new(0) };
///     static LOG: RefCell<Vec<String>> = RefCell::new(Vec::new());
/// }
///
/// greenthread::run(|| {
///     let threads = [1, 2].map(|n| {
///         thread::spawn(move || {
///             DEPTH.set(n);
///             LOG.with_borrow_mut(|log| log.push(format!("depth {n}")));
///             thread::yield_now();
///             (DEPTH.get(), LOG.take())
///         })
///     });
///     let seen = threads.map(|thread| thread.join().unwrap());
///     assert_eq!(seen, [(1, vec!["depth 1".to_string()]), (2, vec!["depth 2".to_string()])]);
/// });
/// ```
#[macro_export]
macro_rules! thread_local {
    () => {};
    // The initialiser is expanded only once, because it may contain statics.
    (@key [$($attr:tt)*] $vis:vis $name:ident: $t:ty = const $init:block) => {
        $($attr)* $vis static $name: $crate::thread::LocalKey<$t> = {
            const __INIT: $t = $init;
            ::std::thread_local! {
                static __OS: $t = const { __INIT };
            }
            $crate::thread::LocalKey::__new(&__OS, || __INIT)
        };
    };
    (@key [$($attr:tt)*] $vis:vis $name:ident: $t:ty = $init:expr) => {
        $($attr)* $vis static $name: $crate::thread::LocalKey<$t> = {
            fn __init() -> $t {
                $init
            }
            ::std::thread_local! {
                static __OS: $t = __init();
            }
            $crate::thread::LocalKey::__new(&__OS, __init)
        };
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty = const $init:block; $($rest:tt)*) => {
        $crate::thread_local!(@key [$(#[$attr])*] $vis $name: $t = const $init);
        $crate::thread_local!($($rest)*);
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty = const $init:block) => {
        $crate::thread_local!(@key [$(#[$attr])*] $vis $name: $t = const $init);
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty = $init:expr; $($rest:tt)*) => {
        $crate::thread_local!(@key [$(#[$attr])*] $vis $name: $t = $init);
        $crate::thread_local!($($rest)*);
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty = $init:expr) => {
        $crate::thread_local!(@key [$(#[$attr])*] $vis $name: $t = $init);
    };
}
