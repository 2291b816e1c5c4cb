// Made by docs.rs from the documentation of std 1.95; not edited by hand.

// fn thread::available_parallelism
item! { fn available_parallelism() -> std::io::Result<std::num::NonZero<usize>> { thread::available_parallelism() } }

// fn thread::current
item! { fn current() -> thread::Thread { thread::current() } }

// fn thread::panicking
item! { fn panicking() -> bool { thread::panicking() } }

// fn thread::park
item! { fn park() { thread::park() } }

// fn thread::park_timeout
item! { fn park_timeout(dur: std::time::Duration) { thread::park_timeout(dur) } }

// fn thread::park_timeout_ms
item! { fn park_timeout_ms(ms: u32) { thread::park_timeout_ms(ms) } }

// fn thread::scope
item! { fn scope<'env, F, T>(f: F) -> T where F: for<'scope> FnOnce(&'scope thread::Scope<'scope, 'env>) -> T { thread::scope(f) } }

// fn thread::sleep
item! { fn sleep(dur: std::time::Duration) { thread::sleep(dur) } }

// fn thread::sleep_ms
item! { fn sleep_ms(ms: u32) { thread::sleep_ms(ms) } }

// fn thread::spawn
item! { fn spawn<F, T>(f: F) -> thread::JoinHandle<T> where F: FnOnce() -> T + Send + 'static, T: Send + 'static { thread::spawn(f) } }

// fn thread::yield_now
item! { fn yield_now() { thread::yield_now() } }

// struct thread::AccessError
implements! { thread::AccessError: Clone }
implements! { thread::AccessError: std::fmt::Debug }
implements! { thread::AccessError: std::fmt::Display }
implements! { thread::AccessError: std::error::Error }
implements! { thread::AccessError: PartialEq }
implements! { thread::AccessError: Copy }
implements! { thread::AccessError: Eq }
implements! { thread::AccessError: std::panic::RefUnwindSafe }
implements! { thread::AccessError: Send }
implements! { thread::AccessError: Sync }
implements! { thread::AccessError: Unpin }
implements! { thread::AccessError: std::panic::UnwindSafe }

// struct thread::Builder
item! { fn new() -> thread::Builder { thread::Builder::new() } }
item! { fn name(this: thread::Builder, name: String) -> thread::Builder { thread::Builder::name(this, name) } }
item! { fn stack_size(this: thread::Builder, size: usize) -> thread::Builder { thread::Builder::stack_size(this, size) } }
item! { fn spawn<F, T>(this: thread::Builder, f: F) -> std::io::Result<thread::JoinHandle<T>> where F: FnOnce() -> T + Send + 'static, T: Send + 'static { thread::Builder::spawn(this, f) } }
item! { unsafe fn spawn_unchecked<F, T>(this: thread::Builder, f: F) -> std::io::Result<thread::JoinHandle<T>> where F: FnOnce() -> T + Send, T: Send { unsafe { thread::Builder::spawn_unchecked(this, f) } } }
item! { fn spawn_scoped<'scope, 'env, F, T>(this: thread::Builder, scope: &'scope thread::Scope<'scope, 'env>, f: F) -> std::io::Result<thread::ScopedJoinHandle<'scope, T>> where F: FnOnce() -> T + Send + 'scope, T: Send + 'scope { thread::Builder::spawn_scoped(this, scope, f) } }
implements! { thread::Builder: std::fmt::Debug }
implements! { thread::Builder: std::panic::RefUnwindSafe }
implements! { thread::Builder: Send }
implements! { thread::Builder: Sync }
implements! { thread::Builder: Unpin }
implements! { thread::Builder: std::panic::UnwindSafe }

// struct thread::JoinHandle
item! { fn thread<T>(this: &thread::JoinHandle<T>) -> &thread::Thread { <thread::JoinHandle<T>>::thread(this) } }
item! { fn join<T>(this: thread::JoinHandle<T>) -> std::thread::Result<T> { <thread::JoinHandle<T>>::join(this) } }
item! { fn is_finished<T>(this: &thread::JoinHandle<T>) -> bool { <thread::JoinHandle<T>>::is_finished(this) } }
implements! { [T] [] thread::JoinHandle<T>: std::fmt::Debug }
left_out! { os::unix::thread::JoinHandleExt; implements! { [T] [] thread::JoinHandle<T>: os::unix::thread::JoinHandleExt } }
implements! { [T] [] thread::JoinHandle<T>: Send }
implements! { [T] [] thread::JoinHandle<T>: Sync }
implements! { [T] [] thread::JoinHandle<T>: Unpin }

// struct thread::LocalKey
item! { fn with<T: 'static, F, R>(this: &'static thread::LocalKey<T>, f: F) -> R where F: FnOnce(&T) -> R { <thread::LocalKey<T>>::with(this, f) } }
item! { fn try_with<T: 'static, F, R>(this: &'static thread::LocalKey<T>, f: F) -> Result<R, thread::AccessError> where F: FnOnce(&T) -> R { <thread::LocalKey<T>>::try_with(this, f) } }
item! { fn set<T: 'static>(this: &'static thread::LocalKey<std::cell::Cell<T>>, value: T) { <thread::LocalKey<std::cell::Cell<T>>>::set(this, value) } }
item! { fn get<T: 'static>(this: &'static thread::LocalKey<std::cell::Cell<T>>) -> T where T: Copy { <thread::LocalKey<std::cell::Cell<T>>>::get(this) } }
item! { fn take<T: 'static>(this: &'static thread::LocalKey<std::cell::Cell<T>>) -> T where T: Default { <thread::LocalKey<std::cell::Cell<T>>>::take(this) } }
item! { fn replace<T: 'static>(this: &'static thread::LocalKey<std::cell::Cell<T>>, value: T) -> T { <thread::LocalKey<std::cell::Cell<T>>>::replace(this, value) } }
item! { fn with_borrow<T: 'static, F, R>(this: &'static thread::LocalKey<std::cell::RefCell<T>>, f: F) -> R where F: FnOnce(&T) -> R { <thread::LocalKey<std::cell::RefCell<T>>>::with_borrow(this, f) } }
item! { fn with_borrow_mut<T: 'static, F, R>(this: &'static thread::LocalKey<std::cell::RefCell<T>>, f: F) -> R where F: FnOnce(&mut T) -> R { <thread::LocalKey<std::cell::RefCell<T>>>::with_borrow_mut(this, f) } }
item! { fn set<T: 'static>(this: &'static thread::LocalKey<std::cell::RefCell<T>>, value: T) { <thread::LocalKey<std::cell::RefCell<T>>>::set(this, value) } }
item! { fn take<T: 'static>(this: &'static thread::LocalKey<std::cell::RefCell<T>>) -> T where T: Default { <thread::LocalKey<std::cell::RefCell<T>>>::take(this) } }
item! { fn replace<T: 'static>(this: &'static thread::LocalKey<std::cell::RefCell<T>>, value: T) -> T { <thread::LocalKey<std::cell::RefCell<T>>>::replace(this, value) } }
implements! { [T: 'static] [] thread::LocalKey<T>: std::fmt::Debug }
implements! { [T] [] thread::LocalKey<T>: std::panic::RefUnwindSafe }
implements! { [T] [] thread::LocalKey<T>: Send }
implements! { [T] [] thread::LocalKey<T>: Sync }
implements! { [T] [] thread::LocalKey<T>: Unpin }
implements! { [T] [] thread::LocalKey<T>: std::panic::UnwindSafe }

// struct thread::Scope
item! { fn spawn<'scope, 'env, F, T>(this: &'scope thread::Scope<'scope, 'env>, f: F) -> thread::ScopedJoinHandle<'scope, T> where F: FnOnce() -> T + Send + 'scope, T: Send + 'scope { <thread::Scope<'scope, 'env>>::spawn(this, f) } }
implements! { ['x0, 'x1] [] thread::Scope<'x0, 'x1>: std::fmt::Debug }
implements! { ['scope, 'env] [] thread::Scope<'scope, 'env>: std::panic::RefUnwindSafe }
implements! { ['scope, 'env] [] thread::Scope<'scope, 'env>: Send }
implements! { ['scope, 'env] [] thread::Scope<'scope, 'env>: Sync }
implements! { ['scope, 'env] [] thread::Scope<'scope, 'env>: Unpin }

// struct thread::ScopedJoinHandle
item! { fn thread<'this, 'scope, T>(this: &'this thread::ScopedJoinHandle<'scope, T>) -> &'this thread::Thread { <thread::ScopedJoinHandle<'scope, T>>::thread(this) } }
item! { fn join<'scope, T>(this: thread::ScopedJoinHandle<'scope, T>) -> std::thread::Result<T> { <thread::ScopedJoinHandle<'scope, T>>::join(this) } }
item! { fn is_finished<'scope, T>(this: &thread::ScopedJoinHandle<'scope, T>) -> bool { <thread::ScopedJoinHandle<'scope, T>>::is_finished(this) } }
implements! { ['scope, T] [] thread::ScopedJoinHandle<'scope, T>: std::fmt::Debug }
implements! { ['scope, T] [T: Send,] thread::ScopedJoinHandle<'scope, T>: Send }
implements! { ['scope, T] [T: Send,] thread::ScopedJoinHandle<'scope, T>: Sync }
implements! { ['scope, T] [] thread::ScopedJoinHandle<'scope, T>: Unpin }

// struct thread::Thread
item! { fn unpark(this: &thread::Thread) { thread::Thread::unpark(this) } }
item! { fn id(this: &thread::Thread) -> thread::ThreadId { thread::Thread::id(this) } }
item! { fn name(this: &thread::Thread) -> Option<&str> { thread::Thread::name(this) } }
implements! { thread::Thread: Clone }
implements! { thread::Thread: std::fmt::Debug }
implements! { thread::Thread: std::panic::RefUnwindSafe }
implements! { thread::Thread: Send }
implements! { thread::Thread: Sync }
implements! { thread::Thread: Unpin }
implements! { thread::Thread: std::panic::UnwindSafe }

// struct thread::ThreadId
implements! { thread::ThreadId: Clone }
implements! { thread::ThreadId: std::fmt::Debug }
implements! { thread::ThreadId: std::hash::Hash }
implements! { thread::ThreadId: PartialEq }
implements! { thread::ThreadId: Copy }
implements! { thread::ThreadId: Eq }
implements! { thread::ThreadId: std::panic::RefUnwindSafe }
implements! { thread::ThreadId: Send }
implements! { thread::ThreadId: Sync }
implements! { thread::ThreadId: Unpin }
implements! { thread::ThreadId: std::panic::UnwindSafe }

// type thread::Result
same! { [T] thread::Result<T> = std::thread::Result<T> }
