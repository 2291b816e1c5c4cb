//! The locks around a value and their guards, each from one pattern: a lock is a raw lock, a flag
//! if it can be poisoned, and the value; a guard is the raw lock held, and a pointer to the value
//! or to a part of it.
//!
//! Invariants:
//! 1. A guard's `value` points into what the held lock guards, and is good for as long as it is
//!    held. A guard that writes has it to itself; one that reads shares it with others that read.
//! 2. A guard is dropped on the thread that made it: it is not `Send`, as `NonNull` is not.
//! 3. A lock's `value` is touched through guards: one that writes, or any number that read, as the
//!    raw lock is held. Otherwise only through `&mut` or by owning the lock.

/// Defines a lock, `$name`, around a value that must be `$share` for the lock to be `Sync`: `Send`,
/// since it goes from holder to holder, and `Sync` if several may hold it.
///
/// A lock that can be poisoned has a flag, `$poison`, and fails to lock with
/// `TryLockError::$Poisoned`.
macro_rules! lock {
    (
        $(#[$meta:meta])*
        $name:ident, $raw:ty, $($share:ident)|+, $try_lock:ident, $locked:expr $(, $poison:ident: $Poisoned:ident)?
    ) => {
        $(#[$meta])*
        pub struct $name<T: ?Sized> {
            raw: $raw,
            $($poison: $crate::sync::poison::Flag,)?
            value: core::cell::UnsafeCell<T>,
        }

        // SAFETY: the value goes where the lock goes.
        unsafe impl<T: ?Sized + Send> Send for $name<T> {}
        // SAFETY: the value goes from one that writes to the next, and is shared by those that read
        // (invariant 3 of `guard`), whichever OS threads they are on.
        unsafe impl<T: ?Sized + $($share +)+> Sync for $name<T> {}

        impl<T: ?Sized> $name<T> {
            /// Where the value is.
            #[inline]
            fn place(&self) -> core::ptr::NonNull<T> {
                // SAFETY: a cell's content is somewhere.
                unsafe { core::ptr::NonNull::new_unchecked(self.value.get()) }
            }
        }

        $crate::sync::guard::lock_traits! {
            $name, lock => lock.$try_lock(), $locked $(, $poison: $Poisoned)?
        }
    };
}

/// The traits of a lock. `Debug` locks it, `$lock`, by `$try_lock`, and shows `$locked` if it
/// can't; for the rest see `lock!`.
macro_rules! lock_traits {
    ($name:ident, $lock:ident => $try_lock:expr, $locked:expr $(, $poison:ident: $Poisoned:ident)?) => {
        impl<T> From<T> for $name<T> {
            #[doc = concat!("The same as [`", stringify!($name), "::new`].")]
            fn from(value: T) -> Self {
                Self::new(value)
            }
        }

        impl<T: Default> Default for $name<T> {
            /// A lock around the type's default.
            fn default() -> Self {
                Self::new(T::default())
            }
        }

        impl<T: ?Sized + core::fmt::Debug> core::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let mut out = f.debug_struct(stringify!($name));
                let $lock = self;
                match $try_lock {
                    Ok(guard) => out.field("data", &&*guard),
                    $(Err(std::sync::TryLockError::$Poisoned(poisoned)) => out.field("data", &&**poisoned.get_ref()),)?
                    Err(_) => out.field("data", &$locked),
                };
                $(out.field("poisoned", &self.$poison.get());)?
                out.finish_non_exhaustive()
            }
        }
    };
}

/// What a lock that can be poisoned has beside the methods that lock it. `$write` is the one that
/// locks it for writing.
macro_rules! poisoned_value {
    ($name:ident, $write:ident) => {
        impl<T: ?Sized> $name<T> {
            /// Whether a thread has panicked while it held the lock (a read-write lock: for
            /// writing).
            ///
            /// Another thread may poison the lock at any time: don't rely on `false` without
            /// holding it.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::{sync::{Arc, ", stringify!($name), "}, thread};")]
            ///
            #[doc = concat!("let lock = Arc::new(", stringify!($name), "::new(()));")]
            /// let shared = Arc::clone(&lock);
            /// let _ = thread::spawn(move || {
            #[doc = concat!("    let _guard = shared.", stringify!($write), "().unwrap();")]
            ///     panic!("while holding the lock");
            /// })
            /// .join();
            /// assert!(lock.is_poisoned());
            /// ```
            #[inline]
            pub fn is_poisoned(&self) -> bool {
                self.poison.get()
            }

            /// Takes the poison away: the value is in order again, says the caller.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::{sync::{Arc, ", stringify!($name), "}, thread};")]
            ///
            #[doc = concat!("let lock = Arc::new(", stringify!($name), "::new(0));")]
            /// let shared = Arc::clone(&lock);
            /// let _ = thread::spawn(move || {
            #[doc = concat!("    let _guard = shared.", stringify!($write), "().unwrap();")]
            ///     panic!("while holding the lock");
            /// })
            /// .join();
            #[doc = concat!("let guard = lock.", stringify!($write), "().unwrap_or_else(|mut poisoned| {")]
            ///     **poisoned.get_mut() = 1;
            ///     lock.clear_poison();
            ///     poisoned.into_inner()
            /// });
            /// assert_eq!(*guard, 1);
            /// assert!(!lock.is_poisoned());
            /// ```
            pub fn clear_poison(&self) {
                self.poison.clear();
            }

            /// Gives the value back; no lock is needed to take apart what is one's own.
            ///
            /// # Errors
            ///
            /// The lock is poisoned; the error holds the value.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::", stringify!($name), ";")]
            ///
            #[doc = concat!("assert_eq!(", stringify!($name), "::new(7).into_inner().unwrap(), 7);")]
            /// ```
            pub fn into_inner(self) -> LockResult<T>
            where
                T: Sized,
            {
                self.poison.wrap(self.value.into_inner())
            }

            /// The value; whoever has the lock to itself needs no guard.
            ///
            /// # Errors
            ///
            /// The lock is poisoned; the error holds the reference.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::", stringify!($name), ";")]
            ///
            #[doc = concat!("let mut lock = ", stringify!($name), "::new(0);")]
            /// *lock.get_mut().unwrap() = 10;
            /// assert_eq!(lock.into_inner().unwrap(), 10);
            /// ```
            pub fn get_mut(&mut self) -> LockResult<&mut T> {
                self.poison.wrap(self.value.get_mut())
            }
        }
    };
}

/// What a lock that can't be poisoned has beside the methods that lock it. `$read` is the one that
/// locks it for reading, and `$write` the one for writing.
macro_rules! value {
    ($name:ident, $read:ident, $write:ident) => {
        impl<T> $name<T> {
            /// A clone of the value.
            #[doc = concat!("Blocks as [`", stringify!($read), "`](", stringify!($name), "::", stringify!($read), ").")]
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::nonpoison::", stringify!($name), ";")]
            ///
            #[doc = concat!("assert_eq!(", stringify!($name), "::new(7).get_cloned(), 7);")]
            /// ```
            pub fn get_cloned(&self) -> T
            where
                T: Clone,
            {
                self.$read().clone()
            }

            /// Puts another value in, and drops the old one after unlocking.
            #[doc = concat!("Blocks as [`", stringify!($write), "`](", stringify!($name), "::", stringify!($write), ").")]
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::nonpoison::", stringify!($name), ";")]
            ///
            #[doc = concat!("let lock = ", stringify!($name), "::new(7);")]
            /// lock.set(8);
            /// assert_eq!(lock.get_cloned(), 8);
            /// ```
            pub fn set(&self, value: T) {
                drop(self.replace(value));
            }

            /// Puts another value in, and returns the old one.
            #[doc = concat!("Blocks as [`", stringify!($write), "`](", stringify!($name), "::", stringify!($write), ").")]
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::nonpoison::", stringify!($name), ";")]
            ///
            #[doc = concat!("let lock = ", stringify!($name), "::new(7);")]
            /// assert_eq!(lock.replace(8), 7);
            /// ```
            pub fn replace(&self, value: T) -> T {
                core::mem::replace(&mut *self.$write(), value)
            }
        }

        impl<T: ?Sized> $name<T> {
            /// Gives the value back; no lock is needed to take apart what is one's own.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::nonpoison::", stringify!($name), ";")]
            ///
            #[doc = concat!("assert_eq!(", stringify!($name), "::new(7).into_inner(), 7);")]
            /// ```
            pub fn into_inner(self) -> T
            where
                T: Sized,
            {
                self.value.into_inner()
            }

            /// The value; whoever has the lock to itself needs no guard.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::nonpoison::", stringify!($name), ";")]
            ///
            #[doc = concat!("let mut lock = ", stringify!($name), "::new(0);")]
            /// *lock.get_mut() = 10;
            /// assert_eq!(lock.into_inner(), 10);
            /// ```
            pub fn get_mut(&mut self) -> &mut T {
                self.value.get_mut()
            }

            /// Where the value is. What is done with it is up to `unsafe` code, which must hold the
            /// lock by other means.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::nonpoison::", stringify!($name), ";")]
            ///
            #[doc = concat!("let lock = ", stringify!($name), "::new(1);")]
            #[doc = concat!("let guard = lock.", stringify!($read), "();")]
            /// assert!(std::ptr::eq(&*guard, lock.data_ptr()));
            /// ```
            pub const fn data_ptr(&self) -> *mut T {
                self.value.get()
            }

            /// Calls `f` with the value while the lock is held for writing.
            #[doc = concat!("Blocks as [`", stringify!($write), "`](", stringify!($name), "::", stringify!($write), ").")]
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::nonpoison::", stringify!($name), ";")]
            ///
            #[doc = concat!("let lock = ", stringify!($name), "::new(2);")]
            /// assert_eq!(lock.with_mut(|n| { *n += 1; *n }), 3);
            /// ```
            pub fn with_mut<F, R>(&self, f: F) -> R
            where
                F: FnOnce(&mut T) -> R,
            {
                f(&mut self.$write())
            }
        }
    };
}

/// Defines a guard type with its `map` and `filter_map`, which make a guard of type `$mapped`.
/// `$held` is dropped to unlock.
///
/// `& mut` is for guards that write, and makes the guard invariant in its type; `&` is for those
/// that read. A closure of `map` that panics drops the guard, which poisons and unlocks as usual.
macro_rules! guard {
    (
        $(#[$meta:meta])*
        $name:ident<$a:lifetime> -> $mapped:ident, $held:ty, & $($mut:ident)?, map: $map:expr, filter_map: $filter_map:expr
    ) => {
        $(#[$meta])*
        #[must_use = "dropped at once, it unlocks at once"]
        #[clippy::has_significant_drop]
        pub struct $name<$a, T: ?Sized + $a> {
            value: core::ptr::NonNull<T>,
            held: $held,
            lent: core::marker::PhantomData<&$a $($mut)? T>,
        }

        // SAFETY: a shared guard gives `&T` only.
        unsafe impl<T: ?Sized + Sync> Sync for $name<'_, T> {}

        impl<$a, T: ?Sized> $name<$a, T> {
            /// The caller sees to invariant 1 of `guard`.
            #[inline]
            fn new(value: core::ptr::NonNull<T>, held: $held) -> Self {
                Self { value, held, lent: core::marker::PhantomData }
            }

            /// Narrows the guard to a part of the value; the lock stays held.
            ///
            /// It is called as a function, not as a method, which might hide one of the value's.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $map]
            /// ```
            pub fn map<U, F>($($mut)? orig: Self, f: F) -> $mapped<$a, U>
            where
                F: FnOnce(&$($mut)? T) -> &$($mut)? U,
                U: ?Sized,
            {
                let value = core::ptr::NonNull::from(f(&$($mut)? *orig));
                $mapped::new(value, orig.held)
            }

            /// Narrows the guard to a part of the value, if there is one; the lock stays held.
            ///
            /// It is called as a function, not as a method, which might hide one of the value's.
            ///
            /// # Errors
            ///
            /// The guard as it was, if the closure returns `None`.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $filter_map]
            /// ```
            pub fn filter_map<U, F>($($mut)? orig: Self, f: F) -> Result<$mapped<$a, U>, Self>
            where
                F: FnOnce(&$($mut)? T) -> Option<&$($mut)? U>,
                U: ?Sized,
            {
                match f(&$($mut)? *orig).map(core::ptr::NonNull::from) {
                    Some(value) => Ok($mapped::new(value, orig.held)),
                    None => Err(orig),
                }
            }
        }

        impl<T: ?Sized> core::ops::Deref for $name<'_, T> {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                // SAFETY: held as long as the guard is there (invariant 1 of `guard`).
                unsafe { self.value.as_ref() }
            }
        }

        $(
            impl<T: ?Sized> core::ops::DerefMut for $name<'_, T> {
                #[inline]
                fn deref_mut(&$mut self) -> &$mut T {
                    // SAFETY: held, and to itself, as long as the guard is there (invariant 1 of
                    // `guard`).
                    unsafe { self.value.as_mut() }
                }
            }
        )?

        impl<T: ?Sized + core::fmt::Debug> core::fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Debug::fmt(&**self, f)
            }
        }

        impl<T: ?Sized + core::fmt::Display> core::fmt::Display for $name<'_, T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(&**self, f)
            }
        }
    };
}

pub(crate) use {guard, lock, lock_traits, poisoned_value, value};
