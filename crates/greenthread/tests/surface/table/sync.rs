// Made by docs.rs from the documentation of std 1.95; not edited by hand.

// constant sync::ONCE_INIT
item! { const CHECK: sync::Once = sync::ONCE_INIT; }

// enum sync::TryLockError
same! { [T] sync::TryLockError<T> = std::sync::TryLockError<T> }

// struct sync::Arc
same! { [T] sync::Arc<T> = std::sync::Arc<T> }

// struct sync::Barrier
item! { const fn new(n: usize) -> sync::Barrier { sync::Barrier::new(n) } }
item! { fn wait(this: &sync::Barrier) -> sync::BarrierWaitResult { sync::Barrier::wait(this) } }
implements! { sync::Barrier: std::fmt::Debug }
implements! { sync::Barrier: std::panic::RefUnwindSafe }
implements! { sync::Barrier: Send }
implements! { sync::Barrier: Sync }
implements! { sync::Barrier: Unpin }
implements! { sync::Barrier: std::panic::UnwindSafe }

// struct sync::BarrierWaitResult
item! { fn is_leader(this: &sync::BarrierWaitResult) -> bool { sync::BarrierWaitResult::is_leader(this) } }
implements! { sync::BarrierWaitResult: std::fmt::Debug }
implements! { sync::BarrierWaitResult: std::panic::RefUnwindSafe }
implements! { sync::BarrierWaitResult: Send }
implements! { sync::BarrierWaitResult: Sync }
implements! { sync::BarrierWaitResult: Unpin }
implements! { sync::BarrierWaitResult: std::panic::UnwindSafe }

// struct sync::Condvar
item! { const fn new() -> sync::Condvar { sync::Condvar::new() } }
item! { fn wait<'a, T>(this: &sync::Condvar, guard: sync::MutexGuard<'a, T>) -> std::sync::LockResult<sync::MutexGuard<'a, T>> { sync::Condvar::wait(this, guard) } }
item! { fn wait_while<'a, T, F>(this: &sync::Condvar, guard: sync::MutexGuard<'a, T>, condition: F) -> std::sync::LockResult<sync::MutexGuard<'a, T>> where F: FnMut(&mut T) -> bool { sync::Condvar::wait_while(this, guard, condition) } }
item! { fn wait_timeout_ms<'a, T>(this: &sync::Condvar, guard: sync::MutexGuard<'a, T>, ms: u32) -> std::sync::LockResult<(sync::MutexGuard<'a, T>, bool)> { sync::Condvar::wait_timeout_ms(this, guard, ms) } }
item! { fn wait_timeout<'a, T>(this: &sync::Condvar, guard: sync::MutexGuard<'a, T>, dur: std::time::Duration) -> std::sync::LockResult<(sync::MutexGuard<'a, T>, sync::WaitTimeoutResult)> { sync::Condvar::wait_timeout(this, guard, dur) } }
item! { fn wait_timeout_while<'a, T, F>(this: &sync::Condvar, guard: sync::MutexGuard<'a, T>, dur: std::time::Duration, condition: F) -> std::sync::LockResult<(sync::MutexGuard<'a, T>, sync::WaitTimeoutResult)> where F: FnMut(&mut T) -> bool { sync::Condvar::wait_timeout_while(this, guard, dur, condition) } }
item! { fn notify_one(this: &sync::Condvar) { sync::Condvar::notify_one(this) } }
item! { fn notify_all(this: &sync::Condvar) { sync::Condvar::notify_all(this) } }
implements! { sync::Condvar: std::fmt::Debug }
implements! { sync::Condvar: Default }
implements! { sync::Condvar: std::panic::RefUnwindSafe }
implements! { sync::Condvar: std::panic::UnwindSafe }
implements! { sync::Condvar: Send }
implements! { sync::Condvar: Sync }
implements! { sync::Condvar: Unpin }

// struct sync::LazyLock
item! { const fn new<T, F: FnOnce() -> T>(f: F) -> sync::LazyLock<T, F> { <sync::LazyLock<T, F>>::new(f) } }
item! { fn force_mut<T, F: FnOnce() -> T>(this: &mut sync::LazyLock<T, F>) -> &mut T { <sync::LazyLock<T, F>>::force_mut(this) } }
item! { fn force<T, F: FnOnce() -> T>(this: &sync::LazyLock<T, F>) -> &T { <sync::LazyLock<T, F>>::force(this) } }
item! { fn get_mut<T, F>(this: &mut sync::LazyLock<T, F>) -> Option<&mut T> { <sync::LazyLock<T, F>>::get_mut(this) } }
item! { fn get<T, F>(this: &sync::LazyLock<T, F>) -> Option<&T> { <sync::LazyLock<T, F>>::get(this) } }
implements! { [T: std::fmt::Debug, F] [] sync::LazyLock<T, F>: std::fmt::Debug }
implements! { [T: Default] [] sync::LazyLock<T>: Default }
implements! { [T, F: FnOnce() -> T] [] sync::LazyLock<T, F>: std::ops::Deref<Target = T> }
implements! { [T, F: FnOnce() -> T] [] sync::LazyLock<T, F>: std::ops::DerefMut }
implements! { [T: std::panic::RefUnwindSafe + std::panic::UnwindSafe, F: std::panic::UnwindSafe] [] sync::LazyLock<T, F>: std::panic::RefUnwindSafe }
implements! { [T: Sync + Send, F: Send] [] sync::LazyLock<T, F>: Sync }
implements! { [T: std::panic::UnwindSafe, F: std::panic::UnwindSafe] [] sync::LazyLock<T, F>: std::panic::UnwindSafe }
implements! { [T, F] [T: Send, F: Send,] sync::LazyLock<T, F>: Send }
implements! { [T, F] [T: Unpin, F: Unpin,] sync::LazyLock<T, F>: Unpin }

// struct sync::Mutex
item! { const fn new<T>(t: T) -> sync::Mutex<T> { <sync::Mutex<T>>::new(t) } }
item! { fn lock<T: ?Sized>(this: &sync::Mutex<T>) -> std::sync::LockResult<sync::MutexGuard<'_, T>> { <sync::Mutex<T>>::lock(this) } }
item! { fn try_lock<T: ?Sized>(this: &sync::Mutex<T>) -> std::sync::TryLockResult<sync::MutexGuard<'_, T>> { <sync::Mutex<T>>::try_lock(this) } }
item! { fn is_poisoned<T: ?Sized>(this: &sync::Mutex<T>) -> bool { <sync::Mutex<T>>::is_poisoned(this) } }
item! { fn clear_poison<T: ?Sized>(this: &sync::Mutex<T>) { <sync::Mutex<T>>::clear_poison(this) } }
item! { fn into_inner<T: ?Sized>(this: sync::Mutex<T>) -> std::sync::LockResult<T> where T: Sized { <sync::Mutex<T>>::into_inner(this) } }
item! { fn get_mut<T: ?Sized>(this: &mut sync::Mutex<T>) -> std::sync::LockResult<&mut T> { <sync::Mutex<T>>::get_mut(this) } }
implements! { [T: ?Sized + std::fmt::Debug] [] sync::Mutex<T>: std::fmt::Debug }
implements! { [T: Default] [] sync::Mutex<T>: Default }
implements! { [T] [] sync::Mutex<T>: From<T> }
implements! { [T: ?Sized] [] sync::Mutex<T>: std::panic::RefUnwindSafe }
implements! { [T: ?Sized + Send] [] sync::Mutex<T>: Send }
implements! { [T: ?Sized + Send] [] sync::Mutex<T>: Sync }
implements! { [T: ?Sized] [] sync::Mutex<T>: std::panic::UnwindSafe }
implements! { [T] [T: Unpin + ?Sized,] sync::Mutex<T>: Unpin }

// struct sync::MutexGuard
implements! { ['x0, T: ?Sized + std::fmt::Debug] [] sync::MutexGuard<'x0, T>: std::fmt::Debug }
implements! { ['x0, T: ?Sized] [] sync::MutexGuard<'x0, T>: std::ops::Deref<Target = T> }
implements! { ['x0, T: ?Sized] [] sync::MutexGuard<'x0, T>: std::ops::DerefMut }
implements! { ['x0, T: ?Sized + std::fmt::Display] [] sync::MutexGuard<'x0, T>: std::fmt::Display }
lacks! { sync::MutexGuard<'static, ()>: Send }
implements! { ['x0, T: ?Sized + Sync] [] sync::MutexGuard<'x0, T>: Sync }
implements! { ['a, T] [T: ?Sized,] sync::MutexGuard<'a, T>: std::panic::RefUnwindSafe }
implements! { ['a, T] [T: ?Sized,] sync::MutexGuard<'a, T>: Unpin }
implements! { ['a, T] [T: ?Sized,] sync::MutexGuard<'a, T>: std::panic::UnwindSafe }

// struct sync::Once
item! { const fn new() -> sync::Once { sync::Once::new() } }
item! { fn call_once<F>(this: &sync::Once, f: F) where F: FnOnce() { sync::Once::call_once(this, f) } }
item! { fn call_once_force<F>(this: &sync::Once, f: F) where F: FnOnce(&sync::OnceState) { sync::Once::call_once_force(this, f) } }
item! { fn is_completed(this: &sync::Once) -> bool { sync::Once::is_completed(this) } }
item! { fn wait(this: &sync::Once) { sync::Once::wait(this) } }
item! { fn wait_force(this: &sync::Once) { sync::Once::wait_force(this) } }
implements! { sync::Once: std::fmt::Debug }
implements! { sync::Once: std::panic::RefUnwindSafe }
implements! { sync::Once: std::panic::UnwindSafe }
implements! { sync::Once: Send }
implements! { sync::Once: Sync }
implements! { sync::Once: Unpin }

// struct sync::OnceLock
item! { const fn new<T>() -> sync::OnceLock<T> { <sync::OnceLock<T>>::new() } }
item! { fn get<T>(this: &sync::OnceLock<T>) -> Option<&T> { <sync::OnceLock<T>>::get(this) } }
item! { fn get_mut<T>(this: &mut sync::OnceLock<T>) -> Option<&mut T> { <sync::OnceLock<T>>::get_mut(this) } }
item! { fn wait<T>(this: &sync::OnceLock<T>) -> &T { <sync::OnceLock<T>>::wait(this) } }
item! { fn set<T>(this: &sync::OnceLock<T>, value: T) -> Result<(), T> { <sync::OnceLock<T>>::set(this, value) } }
item! { fn get_or_init<T, F>(this: &sync::OnceLock<T>, f: F) -> &T where F: FnOnce() -> T { <sync::OnceLock<T>>::get_or_init(this, f) } }
item! { fn into_inner<T>(this: sync::OnceLock<T>) -> Option<T> { <sync::OnceLock<T>>::into_inner(this) } }
item! { fn take<T>(this: &mut sync::OnceLock<T>) -> Option<T> { <sync::OnceLock<T>>::take(this) } }
implements! { [T: Clone] [] sync::OnceLock<T>: Clone }
implements! { [T: std::fmt::Debug] [] sync::OnceLock<T>: std::fmt::Debug }
implements! { [T] [] sync::OnceLock<T>: Default }
implements! { [T] [] sync::OnceLock<T>: From<T> }
implements! { [T: PartialEq] [] sync::OnceLock<T>: PartialEq }
implements! { [T: Eq] [] sync::OnceLock<T>: Eq }
implements! { [T: std::panic::RefUnwindSafe + std::panic::UnwindSafe] [] sync::OnceLock<T>: std::panic::RefUnwindSafe }
implements! { [T: Send] [] sync::OnceLock<T>: Send }
implements! { [T: Sync + Send] [] sync::OnceLock<T>: Sync }
implements! { [T: std::panic::UnwindSafe] [] sync::OnceLock<T>: std::panic::UnwindSafe }
implements! { [T] [T: Unpin,] sync::OnceLock<T>: Unpin }

// struct sync::OnceState
item! { fn is_poisoned(this: &sync::OnceState) -> bool { sync::OnceState::is_poisoned(this) } }
implements! { sync::OnceState: std::fmt::Debug }
implements! { sync::OnceState: Send }
lacks! { sync::OnceState: Sync }
implements! { sync::OnceState: Unpin }
implements! { sync::OnceState: std::panic::UnwindSafe }

// struct sync::PoisonError
same! { [T] sync::PoisonError<T> = std::sync::PoisonError<T> }

// struct sync::RwLock
item! { const fn new<T>(t: T) -> sync::RwLock<T> { <sync::RwLock<T>>::new(t) } }
item! { fn read<T: ?Sized>(this: &sync::RwLock<T>) -> std::sync::LockResult<sync::RwLockReadGuard<'_, T>> { <sync::RwLock<T>>::read(this) } }
item! { fn try_read<T: ?Sized>(this: &sync::RwLock<T>) -> std::sync::TryLockResult<sync::RwLockReadGuard<'_, T>> { <sync::RwLock<T>>::try_read(this) } }
item! { fn write<T: ?Sized>(this: &sync::RwLock<T>) -> std::sync::LockResult<sync::RwLockWriteGuard<'_, T>> { <sync::RwLock<T>>::write(this) } }
item! { fn try_write<T: ?Sized>(this: &sync::RwLock<T>) -> std::sync::TryLockResult<sync::RwLockWriteGuard<'_, T>> { <sync::RwLock<T>>::try_write(this) } }
item! { fn is_poisoned<T: ?Sized>(this: &sync::RwLock<T>) -> bool { <sync::RwLock<T>>::is_poisoned(this) } }
item! { fn clear_poison<T: ?Sized>(this: &sync::RwLock<T>) { <sync::RwLock<T>>::clear_poison(this) } }
item! { fn into_inner<T: ?Sized>(this: sync::RwLock<T>) -> std::sync::LockResult<T> where T: Sized { <sync::RwLock<T>>::into_inner(this) } }
item! { fn get_mut<T: ?Sized>(this: &mut sync::RwLock<T>) -> std::sync::LockResult<&mut T> { <sync::RwLock<T>>::get_mut(this) } }
implements! { [T: ?Sized + std::fmt::Debug] [] sync::RwLock<T>: std::fmt::Debug }
implements! { [T: Default] [] sync::RwLock<T>: Default }
implements! { [T] [] sync::RwLock<T>: From<T> }
implements! { [T: ?Sized] [] sync::RwLock<T>: std::panic::RefUnwindSafe }
implements! { [T: ?Sized + Send] [] sync::RwLock<T>: Send }
implements! { [T: ?Sized + Send + Sync] [] sync::RwLock<T>: Sync }
implements! { [T: ?Sized] [] sync::RwLock<T>: std::panic::UnwindSafe }
implements! { [T] [T: Unpin + ?Sized,] sync::RwLock<T>: Unpin }

// struct sync::RwLockReadGuard
implements! { ['x0, T: ?Sized + std::fmt::Debug] [] sync::RwLockReadGuard<'x0, T>: std::fmt::Debug }
implements! { ['x0, T: ?Sized] [] sync::RwLockReadGuard<'x0, T>: std::ops::Deref<Target = T> }
implements! { ['x0, T: ?Sized + std::fmt::Display] [] sync::RwLockReadGuard<'x0, T>: std::fmt::Display }
lacks! { sync::RwLockReadGuard<'static, ()>: Send }
implements! { ['x0, T: ?Sized + Sync] [] sync::RwLockReadGuard<'x0, T>: Sync }
implements! { ['rwlock, T] [T: std::panic::RefUnwindSafe + ?Sized,] sync::RwLockReadGuard<'rwlock, T>: std::panic::RefUnwindSafe }
implements! { ['rwlock, T] [T: ?Sized,] sync::RwLockReadGuard<'rwlock, T>: Unpin }
implements! { ['rwlock, T] [T: std::panic::RefUnwindSafe + ?Sized,] sync::RwLockReadGuard<'rwlock, T>: std::panic::UnwindSafe }

// struct sync::RwLockWriteGuard
item! { fn downgrade<'rwlock, T: ?Sized>(s: sync::RwLockWriteGuard<'rwlock, T>) -> sync::RwLockReadGuard<'rwlock, T> { <sync::RwLockWriteGuard<'rwlock, T>>::downgrade(s) } }
implements! { ['x0, T: ?Sized + std::fmt::Debug] [] sync::RwLockWriteGuard<'x0, T>: std::fmt::Debug }
implements! { ['x0, T: ?Sized] [] sync::RwLockWriteGuard<'x0, T>: std::ops::Deref<Target = T> }
implements! { ['x0, T: ?Sized] [] sync::RwLockWriteGuard<'x0, T>: std::ops::DerefMut }
implements! { ['x0, T: ?Sized + std::fmt::Display] [] sync::RwLockWriteGuard<'x0, T>: std::fmt::Display }
lacks! { sync::RwLockWriteGuard<'static, ()>: Send }
implements! { ['x0, T: ?Sized + Sync] [] sync::RwLockWriteGuard<'x0, T>: Sync }
implements! { ['rwlock, T] [T: ?Sized,] sync::RwLockWriteGuard<'rwlock, T>: std::panic::RefUnwindSafe }
implements! { ['rwlock, T] [T: ?Sized,] sync::RwLockWriteGuard<'rwlock, T>: Unpin }
implements! { ['rwlock, T] [T: ?Sized,] sync::RwLockWriteGuard<'rwlock, T>: std::panic::UnwindSafe }

// struct sync::WaitTimeoutResult
item! { fn timed_out(this: &sync::WaitTimeoutResult) -> bool { sync::WaitTimeoutResult::timed_out(this) } }
implements! { sync::WaitTimeoutResult: Clone }
implements! { sync::WaitTimeoutResult: std::fmt::Debug }
implements! { sync::WaitTimeoutResult: PartialEq }
implements! { sync::WaitTimeoutResult: Copy }
implements! { sync::WaitTimeoutResult: Eq }
implements! { sync::WaitTimeoutResult: std::panic::RefUnwindSafe }
implements! { sync::WaitTimeoutResult: Send }
implements! { sync::WaitTimeoutResult: Sync }
implements! { sync::WaitTimeoutResult: Unpin }
implements! { sync::WaitTimeoutResult: std::panic::UnwindSafe }

// struct sync::Weak
same! { [T] sync::Weak<T> = std::sync::Weak<T> }

// type sync::LockResult
same! { [T] sync::LockResult<T> = std::sync::LockResult<T> }

// type sync::TryLockResult
same! { [Guard] sync::TryLockResult<Guard> = std::sync::TryLockResult<Guard> }
