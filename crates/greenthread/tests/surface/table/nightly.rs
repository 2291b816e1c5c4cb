// Made by docs.rs from the documentation of std 1.95; not edited by hand.

// enum sync::mpmc::SendTimeoutError
implements! { [T: Clone] [] sync::mpmc::SendTimeoutError<T>: Clone }
implements! { [T] [] sync::mpmc::SendTimeoutError<T>: std::fmt::Debug }
implements! { [T] [] sync::mpmc::SendTimeoutError<T>: std::fmt::Display }
implements! { [T] [] sync::mpmc::SendTimeoutError<T>: std::error::Error }
implements! { [T] [] sync::mpmc::SendTimeoutError<T>: From<std::sync::mpsc::SendError<T>> }
implements! { [T: PartialEq] [] sync::mpmc::SendTimeoutError<T>: PartialEq }
implements! { [T: Copy] [] sync::mpmc::SendTimeoutError<T>: Copy }
implements! { [T: Eq] [] sync::mpmc::SendTimeoutError<T>: Eq }
implements! { [T] [T: std::panic::RefUnwindSafe,] sync::mpmc::SendTimeoutError<T>: std::panic::RefUnwindSafe }
implements! { [T] [T: Send,] sync::mpmc::SendTimeoutError<T>: Send }
implements! { [T] [T: Sync,] sync::mpmc::SendTimeoutError<T>: Sync }
implements! { [T] [T: Unpin,] sync::mpmc::SendTimeoutError<T>: Unpin }
implements! { [T] [T: std::panic::UnwindSafe,] sync::mpmc::SendTimeoutError<T>: std::panic::UnwindSafe }

// fn sync::mpmc::channel
item! { fn channel<T>() -> (sync::mpmc::Sender<T>, sync::mpmc::Receiver<T>) { sync::mpmc::channel() } }

// fn sync::mpmc::sync_channel
item! { fn sync_channel<T>(cap: usize) -> (sync::mpmc::Sender<T>, sync::mpmc::Receiver<T>) { sync::mpmc::sync_channel(cap) } }

// struct sync::mpmc::IntoIter
implements! { [T: std::fmt::Debug] [] sync::mpmc::IntoIter<T>: std::fmt::Debug }
implements! { [T] [] sync::mpmc::IntoIter<T>: Iterator<Item = T> }
implements! { [T] [] sync::mpmc::IntoIter<T>: std::panic::RefUnwindSafe }
implements! { [T] [T: Send,] sync::mpmc::IntoIter<T>: Send }
implements! { [T] [T: Send,] sync::mpmc::IntoIter<T>: Sync }
implements! { [T] [] sync::mpmc::IntoIter<T>: Unpin }
implements! { [T] [] sync::mpmc::IntoIter<T>: std::panic::UnwindSafe }

// struct sync::mpmc::Iter
implements! { ['a, T: std::fmt::Debug + 'a] [] sync::mpmc::Iter<'a, T>: std::fmt::Debug }
implements! { ['a, T] [] sync::mpmc::Iter<'a, T>: Iterator<Item = T> }
implements! { ['a, T] [] sync::mpmc::Iter<'a, T>: std::panic::RefUnwindSafe }
implements! { ['a, T] [T: Send,] sync::mpmc::Iter<'a, T>: Send }
implements! { ['a, T] [T: Send,] sync::mpmc::Iter<'a, T>: Sync }
implements! { ['a, T] [] sync::mpmc::Iter<'a, T>: Unpin }
implements! { ['a, T] [] sync::mpmc::Iter<'a, T>: std::panic::UnwindSafe }

// struct sync::mpmc::Receiver
item! { fn try_recv<T>(this: &sync::mpmc::Receiver<T>) -> Result<T, std::sync::mpsc::TryRecvError> { <sync::mpmc::Receiver<T>>::try_recv(this) } }
item! { fn recv<T>(this: &sync::mpmc::Receiver<T>) -> Result<T, std::sync::mpsc::RecvError> { <sync::mpmc::Receiver<T>>::recv(this) } }
item! { fn recv_timeout<T>(this: &sync::mpmc::Receiver<T>, timeout: std::time::Duration) -> Result<T, std::sync::mpsc::RecvTimeoutError> { <sync::mpmc::Receiver<T>>::recv_timeout(this, timeout) } }
item! { fn recv_deadline<T>(this: &sync::mpmc::Receiver<T>, deadline: time::Instant) -> Result<T, std::sync::mpsc::RecvTimeoutError> { <sync::mpmc::Receiver<T>>::recv_deadline(this, deadline) } }
item! { fn try_iter<T>(this: &sync::mpmc::Receiver<T>) -> sync::mpmc::TryIter<'_, T> { <sync::mpmc::Receiver<T>>::try_iter(this) } }
item! { fn is_empty<T>(this: &sync::mpmc::Receiver<T>) -> bool { <sync::mpmc::Receiver<T>>::is_empty(this) } }
item! { fn is_full<T>(this: &sync::mpmc::Receiver<T>) -> bool { <sync::mpmc::Receiver<T>>::is_full(this) } }
item! { fn len<T>(this: &sync::mpmc::Receiver<T>) -> usize { <sync::mpmc::Receiver<T>>::len(this) } }
item! { fn capacity<T>(this: &sync::mpmc::Receiver<T>) -> Option<usize> { <sync::mpmc::Receiver<T>>::capacity(this) } }
item! { fn same_channel<T>(this: &sync::mpmc::Receiver<T>, other: &sync::mpmc::Receiver<T>) -> bool { <sync::mpmc::Receiver<T>>::same_channel(this, other) } }
item! { fn iter<T>(this: &sync::mpmc::Receiver<T>) -> sync::mpmc::Iter<'_, T> { <sync::mpmc::Receiver<T>>::iter(this) } }
implements! { [T] [] sync::mpmc::Receiver<T>: Clone }
implements! { [T] [] sync::mpmc::Receiver<T>: std::fmt::Debug }
implements! { ['a, T] [] &'a sync::mpmc::Receiver<T>: IntoIterator<Item = T, IntoIter = sync::mpmc::Iter<'a, T>> }
implements! { [T] [] sync::mpmc::Receiver<T>: IntoIterator<Item = T, IntoIter = sync::mpmc::IntoIter<T>> }
implements! { [T] [] sync::mpmc::Receiver<T>: std::panic::RefUnwindSafe }
implements! { [T: Send] [] sync::mpmc::Receiver<T>: Send }
implements! { [T: Send] [] sync::mpmc::Receiver<T>: Sync }
implements! { [T] [] sync::mpmc::Receiver<T>: std::panic::UnwindSafe }
implements! { [T] [] sync::mpmc::Receiver<T>: Unpin }

// struct sync::mpmc::Sender
item! { fn try_send<T>(this: &sync::mpmc::Sender<T>, msg: T) -> Result<(), std::sync::mpsc::TrySendError<T>> { <sync::mpmc::Sender<T>>::try_send(this, msg) } }
item! { fn send<T>(this: &sync::mpmc::Sender<T>, msg: T) -> Result<(), std::sync::mpsc::SendError<T>> { <sync::mpmc::Sender<T>>::send(this, msg) } }
item! { fn send_timeout<T>(this: &sync::mpmc::Sender<T>, msg: T, timeout: std::time::Duration) -> Result<(), sync::mpmc::SendTimeoutError<T>> { <sync::mpmc::Sender<T>>::send_timeout(this, msg, timeout) } }
item! { fn send_deadline<T>(this: &sync::mpmc::Sender<T>, msg: T, deadline: time::Instant) -> Result<(), sync::mpmc::SendTimeoutError<T>> { <sync::mpmc::Sender<T>>::send_deadline(this, msg, deadline) } }
item! { fn is_empty<T>(this: &sync::mpmc::Sender<T>) -> bool { <sync::mpmc::Sender<T>>::is_empty(this) } }
item! { fn is_full<T>(this: &sync::mpmc::Sender<T>) -> bool { <sync::mpmc::Sender<T>>::is_full(this) } }
item! { fn len<T>(this: &sync::mpmc::Sender<T>) -> usize { <sync::mpmc::Sender<T>>::len(this) } }
item! { fn capacity<T>(this: &sync::mpmc::Sender<T>) -> Option<usize> { <sync::mpmc::Sender<T>>::capacity(this) } }
item! { fn same_channel<T>(this: &sync::mpmc::Sender<T>, other: &sync::mpmc::Sender<T>) -> bool { <sync::mpmc::Sender<T>>::same_channel(this, other) } }
implements! { [T] [] sync::mpmc::Sender<T>: Clone }
implements! { [T] [] sync::mpmc::Sender<T>: std::fmt::Debug }
implements! { [T] [] sync::mpmc::Sender<T>: std::panic::RefUnwindSafe }
implements! { [T: Send] [] sync::mpmc::Sender<T>: Send }
implements! { [T: Send] [] sync::mpmc::Sender<T>: Sync }
implements! { [T] [] sync::mpmc::Sender<T>: std::panic::UnwindSafe }
implements! { [T] [] sync::mpmc::Sender<T>: Unpin }

// struct sync::mpmc::TryIter
implements! { ['a, T: std::fmt::Debug + 'a] [] sync::mpmc::TryIter<'a, T>: std::fmt::Debug }
implements! { ['a, T] [] sync::mpmc::TryIter<'a, T>: Iterator<Item = T> }
implements! { ['a, T] [] sync::mpmc::TryIter<'a, T>: std::panic::RefUnwindSafe }
implements! { ['a, T] [T: Send,] sync::mpmc::TryIter<'a, T>: Send }
implements! { ['a, T] [T: Send,] sync::mpmc::TryIter<'a, T>: Sync }
implements! { ['a, T] [] sync::mpmc::TryIter<'a, T>: Unpin }
implements! { ['a, T] [] sync::mpmc::TryIter<'a, T>: std::panic::UnwindSafe }

// enum sync::oneshot::RecvTimeoutError
implements! { [T] [] sync::oneshot::RecvTimeoutError<T>: std::fmt::Debug }
implements! { [T] [] sync::oneshot::RecvTimeoutError<T>: std::fmt::Display }
implements! { [T] [] sync::oneshot::RecvTimeoutError<T>: std::error::Error }
implements! { [T] [] sync::oneshot::RecvTimeoutError<T>: From<std::sync::mpsc::RecvError> }
implements! { [T] [] sync::oneshot::RecvTimeoutError<T>: std::panic::RefUnwindSafe }
implements! { [T] [T: Send,] sync::oneshot::RecvTimeoutError<T>: Send }
implements! { [T] [] sync::oneshot::RecvTimeoutError<T>: Sync }
implements! { [T] [] sync::oneshot::RecvTimeoutError<T>: Unpin }
implements! { [T] [] sync::oneshot::RecvTimeoutError<T>: std::panic::UnwindSafe }

// enum sync::oneshot::TryRecvError
implements! { [T] [] sync::oneshot::TryRecvError<T>: std::fmt::Debug }
implements! { [T] [] sync::oneshot::TryRecvError<T>: std::fmt::Display }
implements! { [T] [] sync::oneshot::TryRecvError<T>: std::error::Error }
implements! { [T] [] sync::oneshot::TryRecvError<T>: From<std::sync::mpsc::RecvError> }
implements! { [T] [] sync::oneshot::TryRecvError<T>: std::panic::RefUnwindSafe }
implements! { [T] [T: Send,] sync::oneshot::TryRecvError<T>: Send }
implements! { [T] [] sync::oneshot::TryRecvError<T>: Sync }
implements! { [T] [] sync::oneshot::TryRecvError<T>: Unpin }
implements! { [T] [] sync::oneshot::TryRecvError<T>: std::panic::UnwindSafe }

// fn sync::oneshot::channel
item! { fn channel<T>() -> (sync::oneshot::Sender<T>, sync::oneshot::Receiver<T>) { sync::oneshot::channel() } }

// struct sync::oneshot::Receiver
item! { fn recv<T>(this: sync::oneshot::Receiver<T>) -> Result<T, std::sync::mpsc::RecvError> { <sync::oneshot::Receiver<T>>::recv(this) } }
item! { fn try_recv<T>(this: sync::oneshot::Receiver<T>) -> Result<T, sync::oneshot::TryRecvError<T>> { <sync::oneshot::Receiver<T>>::try_recv(this) } }
item! { fn recv_timeout<T>(this: sync::oneshot::Receiver<T>, timeout: std::time::Duration) -> Result<T, sync::oneshot::RecvTimeoutError<T>> { <sync::oneshot::Receiver<T>>::recv_timeout(this, timeout) } }
item! { fn recv_deadline<T>(this: sync::oneshot::Receiver<T>, deadline: time::Instant) -> Result<T, sync::oneshot::RecvTimeoutError<T>> { <sync::oneshot::Receiver<T>>::recv_deadline(this, deadline) } }
implements! { [T] [] sync::oneshot::Receiver<T>: std::fmt::Debug }
implements! { [T] [] sync::oneshot::Receiver<T>: Sync }
implements! { [T] [] sync::oneshot::Receiver<T>: std::panic::RefUnwindSafe }
implements! { [T] [T: Send,] sync::oneshot::Receiver<T>: Send }
implements! { [T] [] sync::oneshot::Receiver<T>: Unpin }
implements! { [T] [] sync::oneshot::Receiver<T>: std::panic::UnwindSafe }

// struct sync::oneshot::Sender
item! { fn send<T>(this: sync::oneshot::Sender<T>, t: T) -> Result<(), std::sync::mpsc::SendError<T>> { <sync::oneshot::Sender<T>>::send(this, t) } }
implements! { [T] [] sync::oneshot::Sender<T>: std::fmt::Debug }
implements! { [T] [] sync::oneshot::Sender<T>: Sync }
implements! { [T] [] sync::oneshot::Sender<T>: std::panic::RefUnwindSafe }
implements! { [T] [T: Send,] sync::oneshot::Sender<T>: Send }
implements! { [T] [] sync::oneshot::Sender<T>: Unpin }
implements! { [T] [] sync::oneshot::Sender<T>: std::panic::UnwindSafe }

// struct sync::nonpoison::Condvar
item! { const fn new() -> sync::nonpoison::Condvar { sync::nonpoison::Condvar::new() } }
item! { fn wait<T>(this: &sync::nonpoison::Condvar, guard: &mut sync::nonpoison::MutexGuard<'_, T>) { sync::nonpoison::Condvar::wait(this, guard) } }
item! { fn wait_while<T, F>(this: &sync::nonpoison::Condvar, guard: &mut sync::nonpoison::MutexGuard<'_, T>, condition: F) where F: FnMut(&mut T) -> bool { sync::nonpoison::Condvar::wait_while(this, guard, condition) } }
item! { fn wait_timeout<T>(this: &sync::nonpoison::Condvar, guard: &mut sync::nonpoison::MutexGuard<'_, T>, dur: std::time::Duration) -> sync::WaitTimeoutResult { sync::nonpoison::Condvar::wait_timeout(this, guard, dur) } }
item! { fn wait_timeout_while<T, F>(this: &sync::nonpoison::Condvar, guard: &mut sync::nonpoison::MutexGuard<'_, T>, dur: std::time::Duration, condition: F) -> sync::WaitTimeoutResult where F: FnMut(&mut T) -> bool { sync::nonpoison::Condvar::wait_timeout_while(this, guard, dur, condition) } }
item! { fn notify_one(this: &sync::nonpoison::Condvar) { sync::nonpoison::Condvar::notify_one(this) } }
item! { fn notify_all(this: &sync::nonpoison::Condvar) { sync::nonpoison::Condvar::notify_all(this) } }
implements! { sync::nonpoison::Condvar: std::fmt::Debug }
implements! { sync::nonpoison::Condvar: Default }
implements! { sync::nonpoison::Condvar: std::panic::RefUnwindSafe }
implements! { sync::nonpoison::Condvar: Send }
implements! { sync::nonpoison::Condvar: Sync }
implements! { sync::nonpoison::Condvar: Unpin }
implements! { sync::nonpoison::Condvar: std::panic::UnwindSafe }

// struct sync::nonpoison::MappedMutexGuard
item! { fn map<'a, T: ?Sized, U, F>(orig: sync::nonpoison::MappedMutexGuard<'a, T>, f: F) -> sync::nonpoison::MappedMutexGuard<'a, U> where F: FnOnce(&mut T) -> &mut U, U: ?Sized { <sync::nonpoison::MappedMutexGuard<'a, T>>::map(orig, f) } }
item! { fn filter_map<'a, T: ?Sized, U, F>(orig: sync::nonpoison::MappedMutexGuard<'a, T>, f: F) -> Result<sync::nonpoison::MappedMutexGuard<'a, U>, sync::nonpoison::MappedMutexGuard<'a, T>> where F: FnOnce(&mut T) -> Option<&mut U>, U: ?Sized { <sync::nonpoison::MappedMutexGuard<'a, T>>::filter_map(orig, f) } }
implements! { ['x0, T: ?Sized + std::fmt::Debug] [] sync::nonpoison::MappedMutexGuard<'x0, T>: std::fmt::Debug }
implements! { ['x0, T: ?Sized] [] sync::nonpoison::MappedMutexGuard<'x0, T>: std::ops::Deref<Target = T> }
implements! { ['x0, T: ?Sized] [] sync::nonpoison::MappedMutexGuard<'x0, T>: std::ops::DerefMut }
implements! { ['x0, T: ?Sized + std::fmt::Display] [] sync::nonpoison::MappedMutexGuard<'x0, T>: std::fmt::Display }
lacks! { sync::nonpoison::MappedMutexGuard<'static, ()>: Send }
implements! { ['x0, T: ?Sized + Sync] [] sync::nonpoison::MappedMutexGuard<'x0, T>: Sync }
implements! { ['a, T] [T: std::panic::RefUnwindSafe + ?Sized,] sync::nonpoison::MappedMutexGuard<'a, T>: std::panic::RefUnwindSafe }
implements! { ['a, T] [T: ?Sized,] sync::nonpoison::MappedMutexGuard<'a, T>: Unpin }

// struct sync::nonpoison::MappedRwLockReadGuard
item! { fn map<'rwlock, T: ?Sized, U, F>(orig: sync::nonpoison::MappedRwLockReadGuard<'rwlock, T>, f: F) -> sync::nonpoison::MappedRwLockReadGuard<'rwlock, U> where F: FnOnce(&T) -> &U, U: ?Sized { <sync::nonpoison::MappedRwLockReadGuard<'rwlock, T>>::map(orig, f) } }
item! { fn filter_map<'rwlock, T: ?Sized, U, F>(orig: sync::nonpoison::MappedRwLockReadGuard<'rwlock, T>, f: F) -> Result<sync::nonpoison::MappedRwLockReadGuard<'rwlock, U>, sync::nonpoison::MappedRwLockReadGuard<'rwlock, T>> where F: FnOnce(&T) -> Option<&U>, U: ?Sized { <sync::nonpoison::MappedRwLockReadGuard<'rwlock, T>>::filter_map(orig, f) } }
implements! { ['x0, T: ?Sized + std::fmt::Debug] [] sync::nonpoison::MappedRwLockReadGuard<'x0, T>: std::fmt::Debug }
implements! { ['x0, T: ?Sized] [] sync::nonpoison::MappedRwLockReadGuard<'x0, T>: std::ops::Deref<Target = T> }
implements! { ['x0, T: ?Sized + std::fmt::Display] [] sync::nonpoison::MappedRwLockReadGuard<'x0, T>: std::fmt::Display }
lacks! { sync::nonpoison::MappedRwLockReadGuard<'static, ()>: Send }
implements! { ['x0, T: ?Sized + Sync] [] sync::nonpoison::MappedRwLockReadGuard<'x0, T>: Sync }
implements! { ['rwlock, T] [T: std::panic::RefUnwindSafe + ?Sized,] sync::nonpoison::MappedRwLockReadGuard<'rwlock, T>: std::panic::RefUnwindSafe }
implements! { ['rwlock, T] [T: ?Sized,] sync::nonpoison::MappedRwLockReadGuard<'rwlock, T>: Unpin }
implements! { ['rwlock, T] [T: std::panic::RefUnwindSafe + ?Sized,] sync::nonpoison::MappedRwLockReadGuard<'rwlock, T>: std::panic::UnwindSafe }

// struct sync::nonpoison::MappedRwLockWriteGuard
item! { fn map<'rwlock, T: ?Sized, U, F>(orig: sync::nonpoison::MappedRwLockWriteGuard<'rwlock, T>, f: F) -> sync::nonpoison::MappedRwLockWriteGuard<'rwlock, U> where F: FnOnce(&mut T) -> &mut U, U: ?Sized { <sync::nonpoison::MappedRwLockWriteGuard<'rwlock, T>>::map(orig, f) } }
item! { fn filter_map<'rwlock, T: ?Sized, U, F>(orig: sync::nonpoison::MappedRwLockWriteGuard<'rwlock, T>, f: F) -> Result<sync::nonpoison::MappedRwLockWriteGuard<'rwlock, U>, sync::nonpoison::MappedRwLockWriteGuard<'rwlock, T>> where F: FnOnce(&mut T) -> Option<&mut U>, U: ?Sized { <sync::nonpoison::MappedRwLockWriteGuard<'rwlock, T>>::filter_map(orig, f) } }
implements! { ['x0, T: ?Sized + std::fmt::Debug] [] sync::nonpoison::MappedRwLockWriteGuard<'x0, T>: std::fmt::Debug }
implements! { ['x0, T: ?Sized] [] sync::nonpoison::MappedRwLockWriteGuard<'x0, T>: std::ops::Deref<Target = T> }
implements! { ['x0, T: ?Sized] [] sync::nonpoison::MappedRwLockWriteGuard<'x0, T>: std::ops::DerefMut }
implements! { ['x0, T: ?Sized + std::fmt::Display] [] sync::nonpoison::MappedRwLockWriteGuard<'x0, T>: std::fmt::Display }
lacks! { sync::nonpoison::MappedRwLockWriteGuard<'static, ()>: Send }
implements! { ['x0, T: ?Sized + Sync] [] sync::nonpoison::MappedRwLockWriteGuard<'x0, T>: Sync }
implements! { ['rwlock, T] [T: std::panic::RefUnwindSafe + ?Sized,] sync::nonpoison::MappedRwLockWriteGuard<'rwlock, T>: std::panic::RefUnwindSafe }
implements! { ['rwlock, T] [T: ?Sized,] sync::nonpoison::MappedRwLockWriteGuard<'rwlock, T>: Unpin }

// struct sync::nonpoison::Mutex
item! { const fn new<T>(t: T) -> sync::nonpoison::Mutex<T> { <sync::nonpoison::Mutex<T>>::new(t) } }
item! { fn get_cloned<T>(this: &sync::nonpoison::Mutex<T>) -> T where T: Clone { <sync::nonpoison::Mutex<T>>::get_cloned(this) } }
item! { fn set<T>(this: &sync::nonpoison::Mutex<T>, value: T) { <sync::nonpoison::Mutex<T>>::set(this, value) } }
item! { fn replace<T>(this: &sync::nonpoison::Mutex<T>, value: T) -> T { <sync::nonpoison::Mutex<T>>::replace(this, value) } }
item! { fn lock<T: ?Sized>(this: &sync::nonpoison::Mutex<T>) -> sync::nonpoison::MutexGuard<'_, T> { <sync::nonpoison::Mutex<T>>::lock(this) } }
item! { fn try_lock<T: ?Sized>(this: &sync::nonpoison::Mutex<T>) -> sync::nonpoison::TryLockResult<sync::nonpoison::MutexGuard<'_, T>> { <sync::nonpoison::Mutex<T>>::try_lock(this) } }
item! { fn into_inner<T: ?Sized>(this: sync::nonpoison::Mutex<T>) -> T where T: Sized { <sync::nonpoison::Mutex<T>>::into_inner(this) } }
item! { fn get_mut<T: ?Sized>(this: &mut sync::nonpoison::Mutex<T>) -> &mut T { <sync::nonpoison::Mutex<T>>::get_mut(this) } }
item! { const fn data_ptr<T: ?Sized>(this: &sync::nonpoison::Mutex<T>) -> *mut T { <sync::nonpoison::Mutex<T>>::data_ptr(this) } }
item! { fn with_mut<T: ?Sized, F, R>(this: &sync::nonpoison::Mutex<T>, f: F) -> R where F: FnOnce(&mut T) -> R { <sync::nonpoison::Mutex<T>>::with_mut(this, f) } }
implements! { [T: ?Sized + std::fmt::Debug] [] sync::nonpoison::Mutex<T>: std::fmt::Debug }
implements! { [T: Default] [] sync::nonpoison::Mutex<T>: Default }
implements! { [T] [] sync::nonpoison::Mutex<T>: From<T> }
implements! { [T: ?Sized + Send] [] sync::nonpoison::Mutex<T>: Send }
implements! { [T: ?Sized + Send] [] sync::nonpoison::Mutex<T>: Sync }
implements! { [T] [T: Unpin + ?Sized,] sync::nonpoison::Mutex<T>: Unpin }
implements! { [T] [T: std::panic::UnwindSafe + ?Sized,] sync::nonpoison::Mutex<T>: std::panic::UnwindSafe }

// struct sync::nonpoison::MutexGuard
item! { fn map<'a, T: ?Sized, U, F>(orig: sync::nonpoison::MutexGuard<'a, T>, f: F) -> sync::nonpoison::MappedMutexGuard<'a, U> where F: FnOnce(&mut T) -> &mut U, U: ?Sized { <sync::nonpoison::MutexGuard<'a, T>>::map(orig, f) } }
item! { fn filter_map<'a, T: ?Sized, U, F>(orig: sync::nonpoison::MutexGuard<'a, T>, f: F) -> Result<sync::nonpoison::MappedMutexGuard<'a, U>, sync::nonpoison::MutexGuard<'a, T>> where F: FnOnce(&mut T) -> Option<&mut U>, U: ?Sized { <sync::nonpoison::MutexGuard<'a, T>>::filter_map(orig, f) } }
implements! { ['x0, T: ?Sized + std::fmt::Debug] [] sync::nonpoison::MutexGuard<'x0, T>: std::fmt::Debug }
implements! { ['x0, T: ?Sized] [] sync::nonpoison::MutexGuard<'x0, T>: std::ops::Deref<Target = T> }
implements! { ['x0, T: ?Sized] [] sync::nonpoison::MutexGuard<'x0, T>: std::ops::DerefMut }
implements! { ['x0, T: ?Sized + std::fmt::Display] [] sync::nonpoison::MutexGuard<'x0, T>: std::fmt::Display }
lacks! { sync::nonpoison::MutexGuard<'static, ()>: Send }
implements! { ['x0, T: ?Sized + Sync] [] sync::nonpoison::MutexGuard<'x0, T>: Sync }
implements! { ['a, T] [T: ?Sized,] sync::nonpoison::MutexGuard<'a, T>: Unpin }

// struct sync::nonpoison::RwLock
item! { const fn new<T>(t: T) -> sync::nonpoison::RwLock<T> { <sync::nonpoison::RwLock<T>>::new(t) } }
item! { fn get_cloned<T>(this: &sync::nonpoison::RwLock<T>) -> T where T: Clone { <sync::nonpoison::RwLock<T>>::get_cloned(this) } }
item! { fn set<T>(this: &sync::nonpoison::RwLock<T>, value: T) { <sync::nonpoison::RwLock<T>>::set(this, value) } }
item! { fn replace<T>(this: &sync::nonpoison::RwLock<T>, value: T) -> T { <sync::nonpoison::RwLock<T>>::replace(this, value) } }
item! { fn read<T: ?Sized>(this: &sync::nonpoison::RwLock<T>) -> sync::nonpoison::RwLockReadGuard<'_, T> { <sync::nonpoison::RwLock<T>>::read(this) } }
item! { fn try_read<T: ?Sized>(this: &sync::nonpoison::RwLock<T>) -> sync::nonpoison::TryLockResult<sync::nonpoison::RwLockReadGuard<'_, T>> { <sync::nonpoison::RwLock<T>>::try_read(this) } }
item! { fn write<T: ?Sized>(this: &sync::nonpoison::RwLock<T>) -> sync::nonpoison::RwLockWriteGuard<'_, T> { <sync::nonpoison::RwLock<T>>::write(this) } }
item! { fn try_write<T: ?Sized>(this: &sync::nonpoison::RwLock<T>) -> sync::nonpoison::TryLockResult<sync::nonpoison::RwLockWriteGuard<'_, T>> { <sync::nonpoison::RwLock<T>>::try_write(this) } }
item! { fn into_inner<T: ?Sized>(this: sync::nonpoison::RwLock<T>) -> T where T: Sized { <sync::nonpoison::RwLock<T>>::into_inner(this) } }
item! { fn get_mut<T: ?Sized>(this: &mut sync::nonpoison::RwLock<T>) -> &mut T { <sync::nonpoison::RwLock<T>>::get_mut(this) } }
item! { const fn data_ptr<T: ?Sized>(this: &sync::nonpoison::RwLock<T>) -> *mut T { <sync::nonpoison::RwLock<T>>::data_ptr(this) } }
item! { fn with<T: ?Sized, F, R>(this: &sync::nonpoison::RwLock<T>, f: F) -> R where F: FnOnce(&T) -> R { <sync::nonpoison::RwLock<T>>::with(this, f) } }
item! { fn with_mut<T: ?Sized, F, R>(this: &sync::nonpoison::RwLock<T>, f: F) -> R where F: FnOnce(&mut T) -> R { <sync::nonpoison::RwLock<T>>::with_mut(this, f) } }
implements! { [T: ?Sized + std::fmt::Debug] [] sync::nonpoison::RwLock<T>: std::fmt::Debug }
implements! { [T: Default] [] sync::nonpoison::RwLock<T>: Default }
implements! { [T] [] sync::nonpoison::RwLock<T>: From<T> }
implements! { [T: ?Sized + Send] [] sync::nonpoison::RwLock<T>: Send }
implements! { [T: ?Sized + Send + Sync] [] sync::nonpoison::RwLock<T>: Sync }
implements! { [T] [T: Unpin + ?Sized,] sync::nonpoison::RwLock<T>: Unpin }
implements! { [T] [T: std::panic::UnwindSafe + ?Sized,] sync::nonpoison::RwLock<T>: std::panic::UnwindSafe }

// struct sync::nonpoison::RwLockReadGuard
item! { fn map<'rwlock, T: ?Sized, U, F>(orig: sync::nonpoison::RwLockReadGuard<'rwlock, T>, f: F) -> sync::nonpoison::MappedRwLockReadGuard<'rwlock, U> where F: FnOnce(&T) -> &U, U: ?Sized { <sync::nonpoison::RwLockReadGuard<'rwlock, T>>::map(orig, f) } }
item! { fn filter_map<'rwlock, T: ?Sized, U, F>(orig: sync::nonpoison::RwLockReadGuard<'rwlock, T>, f: F) -> Result<sync::nonpoison::MappedRwLockReadGuard<'rwlock, U>, sync::nonpoison::RwLockReadGuard<'rwlock, T>> where F: FnOnce(&T) -> Option<&U>, U: ?Sized { <sync::nonpoison::RwLockReadGuard<'rwlock, T>>::filter_map(orig, f) } }
implements! { ['x0, T: ?Sized + std::fmt::Debug] [] sync::nonpoison::RwLockReadGuard<'x0, T>: std::fmt::Debug }
implements! { ['x0, T: ?Sized] [] sync::nonpoison::RwLockReadGuard<'x0, T>: std::ops::Deref<Target = T> }
implements! { ['x0, T: ?Sized + std::fmt::Display] [] sync::nonpoison::RwLockReadGuard<'x0, T>: std::fmt::Display }
lacks! { sync::nonpoison::RwLockReadGuard<'static, ()>: Send }
implements! { ['x0, T: ?Sized + Sync] [] sync::nonpoison::RwLockReadGuard<'x0, T>: Sync }
implements! { ['rwlock, T] [T: std::panic::RefUnwindSafe + ?Sized,] sync::nonpoison::RwLockReadGuard<'rwlock, T>: std::panic::RefUnwindSafe }
implements! { ['rwlock, T] [T: ?Sized,] sync::nonpoison::RwLockReadGuard<'rwlock, T>: Unpin }
implements! { ['rwlock, T] [T: std::panic::RefUnwindSafe + ?Sized,] sync::nonpoison::RwLockReadGuard<'rwlock, T>: std::panic::UnwindSafe }

// struct sync::nonpoison::RwLockWriteGuard
item! { fn downgrade<'rwlock, T: ?Sized>(s: sync::nonpoison::RwLockWriteGuard<'rwlock, T>) -> sync::nonpoison::RwLockReadGuard<'rwlock, T> { <sync::nonpoison::RwLockWriteGuard<'rwlock, T>>::downgrade(s) } }
item! { fn map<'rwlock, T: ?Sized, U, F>(orig: sync::nonpoison::RwLockWriteGuard<'rwlock, T>, f: F) -> sync::nonpoison::MappedRwLockWriteGuard<'rwlock, U> where F: FnOnce(&mut T) -> &mut U, U: ?Sized { <sync::nonpoison::RwLockWriteGuard<'rwlock, T>>::map(orig, f) } }
item! { fn filter_map<'rwlock, T: ?Sized, U, F>(orig: sync::nonpoison::RwLockWriteGuard<'rwlock, T>, f: F) -> Result<sync::nonpoison::MappedRwLockWriteGuard<'rwlock, U>, sync::nonpoison::RwLockWriteGuard<'rwlock, T>> where F: FnOnce(&mut T) -> Option<&mut U>, U: ?Sized { <sync::nonpoison::RwLockWriteGuard<'rwlock, T>>::filter_map(orig, f) } }
implements! { ['x0, T: ?Sized + std::fmt::Debug] [] sync::nonpoison::RwLockWriteGuard<'x0, T>: std::fmt::Debug }
implements! { ['x0, T: ?Sized] [] sync::nonpoison::RwLockWriteGuard<'x0, T>: std::ops::Deref<Target = T> }
implements! { ['x0, T: ?Sized] [] sync::nonpoison::RwLockWriteGuard<'x0, T>: std::ops::DerefMut }
implements! { ['x0, T: ?Sized + std::fmt::Display] [] sync::nonpoison::RwLockWriteGuard<'x0, T>: std::fmt::Display }
lacks! { sync::nonpoison::RwLockWriteGuard<'static, ()>: Send }
implements! { ['x0, T: ?Sized + Sync] [] sync::nonpoison::RwLockWriteGuard<'x0, T>: Sync }
implements! { ['rwlock, T] [T: ?Sized,] sync::nonpoison::RwLockWriteGuard<'rwlock, T>: Unpin }

// struct sync::nonpoison::WouldBlock
implements! { sync::nonpoison::WouldBlock: std::fmt::Debug }
implements! { sync::nonpoison::WouldBlock: std::fmt::Display }
implements! { sync::nonpoison::WouldBlock: std::panic::RefUnwindSafe }
implements! { sync::nonpoison::WouldBlock: Send }
implements! { sync::nonpoison::WouldBlock: Sync }
implements! { sync::nonpoison::WouldBlock: Unpin }
implements! { sync::nonpoison::WouldBlock: std::panic::UnwindSafe }

// type sync::nonpoison::TryLockResult

// struct sync::MappedMutexGuard
item! { fn map<'a, T: ?Sized, U, F>(orig: sync::MappedMutexGuard<'a, T>, f: F) -> sync::MappedMutexGuard<'a, U> where F: FnOnce(&mut T) -> &mut U, U: ?Sized { <sync::MappedMutexGuard<'a, T>>::map(orig, f) } }
item! { fn filter_map<'a, T: ?Sized, U, F>(orig: sync::MappedMutexGuard<'a, T>, f: F) -> Result<sync::MappedMutexGuard<'a, U>, sync::MappedMutexGuard<'a, T>> where F: FnOnce(&mut T) -> Option<&mut U>, U: ?Sized { <sync::MappedMutexGuard<'a, T>>::filter_map(orig, f) } }
implements! { ['x0, T: ?Sized + std::fmt::Debug] [] sync::MappedMutexGuard<'x0, T>: std::fmt::Debug }
implements! { ['x0, T: ?Sized] [] sync::MappedMutexGuard<'x0, T>: std::ops::Deref<Target = T> }
implements! { ['x0, T: ?Sized] [] sync::MappedMutexGuard<'x0, T>: std::ops::DerefMut }
implements! { ['x0, T: ?Sized + std::fmt::Display] [] sync::MappedMutexGuard<'x0, T>: std::fmt::Display }
lacks! { sync::MappedMutexGuard<'static, ()>: Send }
implements! { ['x0, T: ?Sized + Sync] [] sync::MappedMutexGuard<'x0, T>: Sync }
implements! { ['a, T] [T: std::panic::RefUnwindSafe + ?Sized,] sync::MappedMutexGuard<'a, T>: std::panic::RefUnwindSafe }
implements! { ['a, T] [T: ?Sized,] sync::MappedMutexGuard<'a, T>: Unpin }

// struct sync::MappedRwLockReadGuard
item! { fn map<'rwlock, T: ?Sized, U, F>(orig: sync::MappedRwLockReadGuard<'rwlock, T>, f: F) -> sync::MappedRwLockReadGuard<'rwlock, U> where F: FnOnce(&T) -> &U, U: ?Sized { <sync::MappedRwLockReadGuard<'rwlock, T>>::map(orig, f) } }
item! { fn filter_map<'rwlock, T: ?Sized, U, F>(orig: sync::MappedRwLockReadGuard<'rwlock, T>, f: F) -> Result<sync::MappedRwLockReadGuard<'rwlock, U>, sync::MappedRwLockReadGuard<'rwlock, T>> where F: FnOnce(&T) -> Option<&U>, U: ?Sized { <sync::MappedRwLockReadGuard<'rwlock, T>>::filter_map(orig, f) } }
implements! { ['x0, T: ?Sized + std::fmt::Debug] [] sync::MappedRwLockReadGuard<'x0, T>: std::fmt::Debug }
implements! { ['x0, T: ?Sized] [] sync::MappedRwLockReadGuard<'x0, T>: std::ops::Deref<Target = T> }
implements! { ['x0, T: ?Sized + std::fmt::Display] [] sync::MappedRwLockReadGuard<'x0, T>: std::fmt::Display }
lacks! { sync::MappedRwLockReadGuard<'static, ()>: Send }
implements! { ['x0, T: ?Sized + Sync] [] sync::MappedRwLockReadGuard<'x0, T>: Sync }
implements! { ['rwlock, T] [T: std::panic::RefUnwindSafe + ?Sized,] sync::MappedRwLockReadGuard<'rwlock, T>: std::panic::RefUnwindSafe }
implements! { ['rwlock, T] [T: ?Sized,] sync::MappedRwLockReadGuard<'rwlock, T>: Unpin }
implements! { ['rwlock, T] [T: std::panic::RefUnwindSafe + ?Sized,] sync::MappedRwLockReadGuard<'rwlock, T>: std::panic::UnwindSafe }

// struct sync::MappedRwLockWriteGuard
item! { fn map<'rwlock, T: ?Sized, U, F>(orig: sync::MappedRwLockWriteGuard<'rwlock, T>, f: F) -> sync::MappedRwLockWriteGuard<'rwlock, U> where F: FnOnce(&mut T) -> &mut U, U: ?Sized { <sync::MappedRwLockWriteGuard<'rwlock, T>>::map(orig, f) } }
item! { fn filter_map<'rwlock, T: ?Sized, U, F>(orig: sync::MappedRwLockWriteGuard<'rwlock, T>, f: F) -> Result<sync::MappedRwLockWriteGuard<'rwlock, U>, sync::MappedRwLockWriteGuard<'rwlock, T>> where F: FnOnce(&mut T) -> Option<&mut U>, U: ?Sized { <sync::MappedRwLockWriteGuard<'rwlock, T>>::filter_map(orig, f) } }
implements! { ['x0, T: ?Sized + std::fmt::Debug] [] sync::MappedRwLockWriteGuard<'x0, T>: std::fmt::Debug }
implements! { ['x0, T: ?Sized] [] sync::MappedRwLockWriteGuard<'x0, T>: std::ops::Deref<Target = T> }
implements! { ['x0, T: ?Sized] [] sync::MappedRwLockWriteGuard<'x0, T>: std::ops::DerefMut }
implements! { ['x0, T: ?Sized + std::fmt::Display] [] sync::MappedRwLockWriteGuard<'x0, T>: std::fmt::Display }
lacks! { sync::MappedRwLockWriteGuard<'static, ()>: Send }
implements! { ['x0, T: ?Sized + Sync] [] sync::MappedRwLockWriteGuard<'x0, T>: Sync }
implements! { ['rwlock, T] [T: std::panic::RefUnwindSafe + ?Sized,] sync::MappedRwLockWriteGuard<'rwlock, T>: std::panic::RefUnwindSafe }
implements! { ['rwlock, T] [T: ?Sized,] sync::MappedRwLockWriteGuard<'rwlock, T>: Unpin }

// struct sync::MutexGuard
item! { fn map<'a, T: ?Sized, U, F>(orig: sync::MutexGuard<'a, T>, f: F) -> sync::MappedMutexGuard<'a, U> where F: FnOnce(&mut T) -> &mut U, U: ?Sized { <sync::MutexGuard<'a, T>>::map(orig, f) } }
item! { fn filter_map<'a, T: ?Sized, U, F>(orig: sync::MutexGuard<'a, T>, f: F) -> Result<sync::MappedMutexGuard<'a, U>, sync::MutexGuard<'a, T>> where F: FnOnce(&mut T) -> Option<&mut U>, U: ?Sized { <sync::MutexGuard<'a, T>>::filter_map(orig, f) } }
implements! { ['x0, T: ?Sized + std::fmt::Debug] [] sync::MutexGuard<'x0, T>: std::fmt::Debug }
implements! { ['x0, T: ?Sized] [] sync::MutexGuard<'x0, T>: std::ops::Deref<Target = T> }
implements! { ['x0, T: ?Sized] [] sync::MutexGuard<'x0, T>: std::ops::DerefMut }
implements! { ['x0, T: ?Sized + std::fmt::Display] [] sync::MutexGuard<'x0, T>: std::fmt::Display }
lacks! { sync::MutexGuard<'static, ()>: Send }
implements! { ['x0, T: ?Sized + Sync] [] sync::MutexGuard<'x0, T>: Sync }
implements! { ['a, T] [T: ?Sized,] sync::MutexGuard<'a, T>: std::panic::RefUnwindSafe }
implements! { ['a, T] [T: ?Sized,] sync::MutexGuard<'a, T>: Unpin }
implements! { ['a, T] [T: ?Sized,] sync::MutexGuard<'a, T>: std::panic::UnwindSafe }

// struct sync::ReentrantLock
item! { const fn new<T>(t: T) -> sync::ReentrantLock<T> { <sync::ReentrantLock<T>>::new(t) } }
item! { fn into_inner<T>(this: sync::ReentrantLock<T>) -> T { <sync::ReentrantLock<T>>::into_inner(this) } }
item! { fn lock<T: ?Sized>(this: &sync::ReentrantLock<T>) -> sync::ReentrantLockGuard<'_, T> { <sync::ReentrantLock<T>>::lock(this) } }
item! { fn get_mut<T: ?Sized>(this: &mut sync::ReentrantLock<T>) -> &mut T { <sync::ReentrantLock<T>>::get_mut(this) } }
left_out! { sync::ReentrantLock::data_ptr; item! { const fn data_ptr<T: ?Sized>(this: &sync::ReentrantLock<T>) -> *const T { <sync::ReentrantLock<T>>::data_ptr(this) } } }
implements! { [T: std::fmt::Debug + ?Sized] [] sync::ReentrantLock<T>: std::fmt::Debug }
implements! { [T: Default] [] sync::ReentrantLock<T>: Default }
implements! { [T] [] sync::ReentrantLock<T>: From<T> }
implements! { [T: std::panic::RefUnwindSafe + ?Sized] [] sync::ReentrantLock<T>: std::panic::RefUnwindSafe }
implements! { [T: Send + ?Sized] [] sync::ReentrantLock<T>: Send }
implements! { [T: Send + ?Sized] [] sync::ReentrantLock<T>: Sync }
implements! { [T: std::panic::UnwindSafe + ?Sized] [] sync::ReentrantLock<T>: std::panic::UnwindSafe }
implements! { [T] [T: Unpin + ?Sized,] sync::ReentrantLock<T>: Unpin }

// struct sync::ReentrantLockGuard
implements! { ['x0, T: std::fmt::Debug + ?Sized] [] sync::ReentrantLockGuard<'x0, T>: std::fmt::Debug }
implements! { ['x0, T: ?Sized] [] sync::ReentrantLockGuard<'x0, T>: std::ops::Deref<Target = T> }
implements! { ['x0, T: std::fmt::Display + ?Sized] [] sync::ReentrantLockGuard<'x0, T>: std::fmt::Display }
lacks! { sync::ReentrantLockGuard<'static, ()>: Send }
implements! { ['x0, T: ?Sized + Sync] [] sync::ReentrantLockGuard<'x0, T>: Sync }
implements! { ['a, T] [T: std::panic::RefUnwindSafe + ?Sized,] sync::ReentrantLockGuard<'a, T>: std::panic::RefUnwindSafe }
implements! { ['a, T] [T: ?Sized,] sync::ReentrantLockGuard<'a, T>: Unpin }
implements! { ['a, T] [T: std::panic::RefUnwindSafe + ?Sized,] sync::ReentrantLockGuard<'a, T>: std::panic::UnwindSafe }

// struct sync::RwLockReadGuard
item! { fn map<'rwlock, T: ?Sized, U, F>(orig: sync::RwLockReadGuard<'rwlock, T>, f: F) -> sync::MappedRwLockReadGuard<'rwlock, U> where F: FnOnce(&T) -> &U, U: ?Sized { <sync::RwLockReadGuard<'rwlock, T>>::map(orig, f) } }
item! { fn filter_map<'rwlock, T: ?Sized, U, F>(orig: sync::RwLockReadGuard<'rwlock, T>, f: F) -> Result<sync::MappedRwLockReadGuard<'rwlock, U>, sync::RwLockReadGuard<'rwlock, T>> where F: FnOnce(&T) -> Option<&U>, U: ?Sized { <sync::RwLockReadGuard<'rwlock, T>>::filter_map(orig, f) } }
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
item! { fn map<'rwlock, T: ?Sized, U, F>(orig: sync::RwLockWriteGuard<'rwlock, T>, f: F) -> sync::MappedRwLockWriteGuard<'rwlock, U> where F: FnOnce(&mut T) -> &mut U, U: ?Sized { <sync::RwLockWriteGuard<'rwlock, T>>::map(orig, f) } }
item! { fn filter_map<'rwlock, T: ?Sized, U, F>(orig: sync::RwLockWriteGuard<'rwlock, T>, f: F) -> Result<sync::MappedRwLockWriteGuard<'rwlock, U>, sync::RwLockWriteGuard<'rwlock, T>> where F: FnOnce(&mut T) -> Option<&mut U>, U: ?Sized { <sync::RwLockWriteGuard<'rwlock, T>>::filter_map(orig, f) } }
implements! { ['x0, T: ?Sized + std::fmt::Debug] [] sync::RwLockWriteGuard<'x0, T>: std::fmt::Debug }
implements! { ['x0, T: ?Sized] [] sync::RwLockWriteGuard<'x0, T>: std::ops::Deref<Target = T> }
implements! { ['x0, T: ?Sized] [] sync::RwLockWriteGuard<'x0, T>: std::ops::DerefMut }
implements! { ['x0, T: ?Sized + std::fmt::Display] [] sync::RwLockWriteGuard<'x0, T>: std::fmt::Display }
lacks! { sync::RwLockWriteGuard<'static, ()>: Send }
implements! { ['x0, T: ?Sized + Sync] [] sync::RwLockWriteGuard<'x0, T>: Sync }
implements! { ['rwlock, T] [T: ?Sized,] sync::RwLockWriteGuard<'rwlock, T>: std::panic::RefUnwindSafe }
implements! { ['rwlock, T] [T: ?Sized,] sync::RwLockWriteGuard<'rwlock, T>: Unpin }
implements! { ['rwlock, T] [T: ?Sized,] sync::RwLockWriteGuard<'rwlock, T>: std::panic::UnwindSafe }

// fn thread::sleep_until
item! { fn sleep_until(deadline: time::Instant) { thread::sleep_until(deadline) } }
