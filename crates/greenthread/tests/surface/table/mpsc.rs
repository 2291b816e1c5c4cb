// Made by docs.rs from the documentation of std 1.95; not edited by hand.

// enum sync::mpsc::RecvTimeoutError
same! { [] sync::mpsc::RecvTimeoutError = std::sync::mpsc::RecvTimeoutError }

// enum sync::mpsc::TryRecvError
same! { [] sync::mpsc::TryRecvError = std::sync::mpsc::TryRecvError }

// enum sync::mpsc::TrySendError
same! { [T] sync::mpsc::TrySendError<T> = std::sync::mpsc::TrySendError<T> }

// fn sync::mpsc::channel
item! { fn channel<T>() -> (sync::mpsc::Sender<T>, sync::mpsc::Receiver<T>) { sync::mpsc::channel() } }

// fn sync::mpsc::sync_channel
item! { fn sync_channel<T>(bound: usize) -> (sync::mpsc::SyncSender<T>, sync::mpsc::Receiver<T>) { sync::mpsc::sync_channel(bound) } }

// struct sync::mpsc::IntoIter
implements! { [T: std::fmt::Debug] [] sync::mpsc::IntoIter<T>: std::fmt::Debug }
implements! { [T] [] sync::mpsc::IntoIter<T>: Iterator<Item = T> }
implements! { [T] [] sync::mpsc::IntoIter<T>: std::panic::RefUnwindSafe }
implements! { [T] [T: Send,] sync::mpsc::IntoIter<T>: Send }
lacks! { sync::mpsc::IntoIter<()>: Sync }
implements! { [T] [] sync::mpsc::IntoIter<T>: Unpin }
implements! { [T] [] sync::mpsc::IntoIter<T>: std::panic::UnwindSafe }

// struct sync::mpsc::Iter
implements! { ['a, T: std::fmt::Debug + 'a] [] sync::mpsc::Iter<'a, T>: std::fmt::Debug }
implements! { ['a, T] [] sync::mpsc::Iter<'a, T>: Iterator<Item = T> }
implements! { ['a, T] [] sync::mpsc::Iter<'a, T>: std::panic::RefUnwindSafe }
lacks! { sync::mpsc::Iter<'static, ()>: Send }
lacks! { sync::mpsc::Iter<'static, ()>: Sync }
implements! { ['a, T] [] sync::mpsc::Iter<'a, T>: Unpin }
implements! { ['a, T] [] sync::mpsc::Iter<'a, T>: std::panic::UnwindSafe }

// struct sync::mpsc::Receiver
item! { fn try_recv<T>(this: &sync::mpsc::Receiver<T>) -> Result<T, std::sync::mpsc::TryRecvError> { <sync::mpsc::Receiver<T>>::try_recv(this) } }
item! { fn recv<T>(this: &sync::mpsc::Receiver<T>) -> Result<T, std::sync::mpsc::RecvError> { <sync::mpsc::Receiver<T>>::recv(this) } }
item! { fn recv_timeout<T>(this: &sync::mpsc::Receiver<T>, timeout: std::time::Duration) -> Result<T, std::sync::mpsc::RecvTimeoutError> { <sync::mpsc::Receiver<T>>::recv_timeout(this, timeout) } }
item! { fn iter<T>(this: &sync::mpsc::Receiver<T>) -> sync::mpsc::Iter<'_, T> { <sync::mpsc::Receiver<T>>::iter(this) } }
item! { fn try_iter<T>(this: &sync::mpsc::Receiver<T>) -> sync::mpsc::TryIter<'_, T> { <sync::mpsc::Receiver<T>>::try_iter(this) } }
implements! { [T] [] sync::mpsc::Receiver<T>: std::fmt::Debug }
implements! { ['a, T] [] &'a sync::mpsc::Receiver<T>: IntoIterator<Item = T, IntoIter = sync::mpsc::Iter<'a, T>> }
implements! { [T] [] sync::mpsc::Receiver<T>: IntoIterator<Item = T, IntoIter = sync::mpsc::IntoIter<T>> }
implements! { [T: Send] [] sync::mpsc::Receiver<T>: Send }
lacks! { sync::mpsc::Receiver<()>: Sync }
implements! { [T] [] sync::mpsc::Receiver<T>: std::panic::RefUnwindSafe }
implements! { [T] [] sync::mpsc::Receiver<T>: Unpin }
implements! { [T] [] sync::mpsc::Receiver<T>: std::panic::UnwindSafe }

// struct sync::mpsc::RecvError
same! { [] sync::mpsc::RecvError = std::sync::mpsc::RecvError }

// struct sync::mpsc::SendError
same! { [T] sync::mpsc::SendError<T> = std::sync::mpsc::SendError<T> }

// struct sync::mpsc::Sender
item! { fn send<T>(this: &sync::mpsc::Sender<T>, t: T) -> Result<(), std::sync::mpsc::SendError<T>> { <sync::mpsc::Sender<T>>::send(this, t) } }
implements! { [T] [] sync::mpsc::Sender<T>: Clone }
implements! { [T] [] sync::mpsc::Sender<T>: std::fmt::Debug }
implements! { [T: Send] [] sync::mpsc::Sender<T>: Send }
implements! { [T: Send] [] sync::mpsc::Sender<T>: Sync }
implements! { [T] [] sync::mpsc::Sender<T>: std::panic::RefUnwindSafe }
implements! { [T] [] sync::mpsc::Sender<T>: Unpin }
implements! { [T] [] sync::mpsc::Sender<T>: std::panic::UnwindSafe }

// struct sync::mpsc::SyncSender
item! { fn send<T>(this: &sync::mpsc::SyncSender<T>, t: T) -> Result<(), std::sync::mpsc::SendError<T>> { <sync::mpsc::SyncSender<T>>::send(this, t) } }
item! { fn try_send<T>(this: &sync::mpsc::SyncSender<T>, t: T) -> Result<(), std::sync::mpsc::TrySendError<T>> { <sync::mpsc::SyncSender<T>>::try_send(this, t) } }
implements! { [T] [] sync::mpsc::SyncSender<T>: Clone }
implements! { [T] [] sync::mpsc::SyncSender<T>: std::fmt::Debug }
implements! { [T: Send] [] sync::mpsc::SyncSender<T>: Send }
implements! { [T] [] sync::mpsc::SyncSender<T>: std::panic::RefUnwindSafe }
implements! { [T] [T: Send,] sync::mpsc::SyncSender<T>: Sync }
implements! { [T] [] sync::mpsc::SyncSender<T>: Unpin }
implements! { [T] [] sync::mpsc::SyncSender<T>: std::panic::UnwindSafe }

// struct sync::mpsc::TryIter
implements! { ['a, T: std::fmt::Debug + 'a] [] sync::mpsc::TryIter<'a, T>: std::fmt::Debug }
implements! { ['a, T] [] sync::mpsc::TryIter<'a, T>: Iterator<Item = T> }
implements! { ['a, T] [] sync::mpsc::TryIter<'a, T>: std::panic::RefUnwindSafe }
lacks! { sync::mpsc::TryIter<'static, ()>: Send }
lacks! { sync::mpsc::TryIter<'static, ()>: Sync }
implements! { ['a, T] [] sync::mpsc::TryIter<'a, T>: Unpin }
implements! { ['a, T] [] sync::mpsc::TryIter<'a, T>: std::panic::UnwindSafe }
