//! Values of which each thread has its own.

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

/// The error of [`LocalKey::try_with`]: the thread ends, and the value is gone already. As
/// [`std::thread::AccessError`].
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

/// A name under which each thread has a value of its own: [`std::thread::LocalKey`], for green threads.
///
/// It is made by [`thread_local!`](crate::thread_local). Each green thread has its own value, and so has each OS thread that
/// is no worker. A value is made when its thread first asks for it. An initialiser may block.
///
/// # Destruction
///
/// When a thread's closure has returned or panicked, the thread's values are destroyed, the youngest first, before
/// [`join`](super::JoinHandle::join) returns. A destructor may block, spawn threads, and use other keys: those that
/// have not been used yet are made, and destroyed after; those that are destroyed already give an [`AccessError`]. If a
/// destructor panics, the process aborts. Values without a destructor stay to the end.
///
/// As with OS threads, threads that are still there when the process exits just stop, and nothing is destroyed.
///
/// # Cost
///
/// A thread that uses no key pays nothing. An access is some twenty instructions; the first one to a key in a thread
/// allocates.
///
/// # Differs from std
///
/// * The order of destruction is promised.
/// * A value that a coroutine (of `greenthread-context`) uses, suspended in the middle of a `with`, when its thread ends
///   is not destroyed at all: the coroutine may go on in another thread of the worker.
/// * A scope waits for the destructors of its threads' values.
/// * The global allocator can't use it on a green thread: it would be asked for the memory.
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

/// The calling green thread, if it is one.
#[inline]
fn green<'a>() -> Option<&'a Task> {
    worker_core::get()?.running()
}

#[cold]
#[track_caller]
fn gone() -> ! {
    panic!("cannot access a Thread WorkerCore Storage value during or after destruction: {AccessError:?}")
}

impl<T: 'static> LocalKey<T> {
    /// For the macro.
    #[doc(hidden)]
    #[must_use]
    pub const fn __new(os: &'static thread::LocalKey<T>, init: fn() -> T) -> Self {
        Self { os, init }
    }

    /// The thread's value, which is made by `init` if it is not there; `None` if it has been destroyed.
    #[inline]
    fn value(&'static self, task: &Task, init: impl FnOnce() -> T) -> Option<Use<T>> {
        let key = ptr::from_ref(self).cast();
        // SAFETY: `task` runs, and the key is of this type.
        match unsafe { locals::find::<T>(&task.locals, key) } {
            Found::Value(value) => Some(value),
            Found::Destroyed => None,
            // SAFETY: as above; nothing is destroyed before the thread ends, and then it is not looked for.
            Found::Nothing => Some(unsafe { locals::insert(&task.locals, key, init()) }),
        }
    }

    /// Calls `f` with the thread's value, which is made first if need be.
    ///
    /// # Panics
    ///
    /// If the value is being destroyed or has been; if its initialiser panics (the next call tries again).
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

    /// As [`with`](Self::with), with an error if the value is being destroyed or has been.
    ///
    /// # Errors
    ///
    /// See above; `f` is not called then.
    ///
    /// # Panics
    ///
    /// If the initialiser panics.
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

    /// Makes the thread's value out of `first`, if it was not there; else gives `first` and the value to `f`.
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
    /// Sets the thread's value. If it was not there it is made out of `value`, and the initialiser does not run.
    ///
    /// # Panics
    ///
    /// If the value is being destroyed or has been.
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

    /// A copy of the thread's value.
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

    /// Takes the thread's value, and leaves the default.
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

    /// Exchanges the thread's value; gives the old one.
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
    /// Calls `f` with the borrowed value.
    ///
    /// # Panics
    ///
    /// If it is mutably borrowed; and as [`with`](Self::with).
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

    /// Calls `f` with the mutably borrowed value.
    ///
    /// # Panics
    ///
    /// If it is borrowed; and as [`with`](Self::with).
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

    /// Sets the thread's value. If it was not there it is made out of `value`, and the initialiser does not run.
    ///
    /// # Panics
    ///
    /// If it is borrowed; if it is being destroyed or has been.
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
                // The old value is dropped when the cell is free again.
                drop(cell.replace(value.into_inner()));
            }),
            None => self.os.set(value),
        }
    }

    /// Takes the thread's value, and leaves the default.
    ///
    /// # Panics
    ///
    /// If it is borrowed; and as [`with`](Self::with).
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

    /// Exchanges the thread's value; gives the old one.
    ///
    /// # Panics
    ///
    /// If it is borrowed; and as [`with`](Self::with).
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

/// Declares thread-locals, one value for each thread, green threads included: [`std::thread_local!`] with the same syntax.
///
/// Each name becomes a static [`LocalKey`](crate::thread::LocalKey). An initialiser may block. One that is a constant is
/// written `const { .. }`.
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
    // The initialiser is expanded once: there may be statics in it.
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
