//! How a green thread is made.

use std::{io, mem::ManuallyDrop, num::NonZeroU64, panic::Location, ptr::NonNull, sync::Arc};

use super::default::default;
use crate::{
    scheduler::{
        shared::Shared,
        worker::{self, Worker},
    },
    stack::{self, credit},
    task::{
        block::Task,
        id,
        job::{self, Handle, JobMemory, Spec},
        scope_count::ScopeCount,
    },
};

/// What the spawner asks for.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) name: Option<Box<str>>,
    pub(crate) stack_size: Option<usize>,
    pub(crate) scope: Option<NonNull<ScopeCount>>,
    pub(crate) location: &'static Location<'static>,
}

impl Request {
    #[track_caller]
    pub(crate) fn plain() -> Self {
        Self { name: None, stack_size: None, scope: None, location: Location::caller() }
    }

    #[inline]
    fn spec(self, id: NonZeroU64, shared: &Shared) -> io::Result<Spec> {
        let stack_size = match self.stack_size {
            None => shared.stack_size,
            Some(size) => stack::usable_size(size)?,
        };
        Ok(Spec { id, name: self.name, stack_size, location: self.location, scope: self.scope })
    }
}

/// Spawns a thread on `on`. Without it, spawns on the current runtime, else on the default one.
/// Waits at the runtime's limit, at a cancellation point.
///
/// # Safety
/// What `F` and `T` borrow must outlive the thread, and both must be safe to send to another OS
/// thread.
#[inline]
pub(crate) unsafe fn spawn<F, T>(on: Option<&Shared>, request: Request, f: F) -> io::Result<Handle<T>>
where
    F: FnOnce() -> T,
{
    let here =
        worker::current().filter(|worker| on.is_none_or(|on| std::ptr::eq(on, Arc::as_ptr(&worker.shared))));
    match here {
        // SAFETY: this function's contract covers borrows and sending, which is all that
        // `spawn_here` asks for.
        Some(worker) => unsafe { spawn_here(worker, request, f, false) },
        // SAFETY: this function's contract is also that of `spawn_there`.
        None => aside(move || unsafe { spawn_there(on, request, f) }),
    }
}

/// Spawns a thread on the default runtime, whose end nobody waits for.
#[allow(dead_code, reason = "not every system has signals")]
#[track_caller]
pub(crate) fn spawn_on_default<F>(name: &str, f: F) -> io::Result<()>
where
    F: FnOnce() + Send + 'static,
{
    let request = Request { name: Some(name.into()), ..Request::plain() };
    // SAFETY: it borrows nothing, and is `Send`.
    unsafe { spawn(Some(default()?), request, f) }.map(drop)
}

/// Calls a function that is seldom called. It is not inlined, so its captured values are copied to
/// memory only on this path. On the common path they may stay in registers, because nothing takes
/// their address.
#[cold]
#[inline(never)]
fn aside<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// # Safety
/// As for [`spawn`].
unsafe fn spawn_there<F, T>(on: Option<&Shared>, request: Request, f: F) -> io::Result<Handle<T>>
where
    F: FnOnce() -> T,
{
    let shared: &Shared = match on {
        Some(on) if on.is_foreign() => {
            let message = "this runtime's workers are in the process that has forked this one; make a new runtime after the \
                           fork, or use the default one";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        Some(on) => on,
        None => default()?,
    };
    let admission = shared.admit(false)?;
    let spec = request.spec(id::reserve(1), shared)?;
    let size = spec.stack_size;
    if let Some(error) = shared.starvation.refusal(size) {
        return Err(error);
    }
    credit::take(size)?;
    let room = job::allocate().inspect_err(|_| credit::give(size))?;
    // SAFETY: this function's contract is that of `spawn`: borrows outlive the thread, and both may
    // be sent.
    let (task, handle) = unsafe { birth(room, spec, f) };
    // SAFETY: the task is alive, and not queued yet, so no other thread can reach it.
    shared.tell_birth(admission, unsafe { task.as_ref() });
    shared.inject(task);
    Ok(handle)
}

/// Spawns a thread on the calling green thread's worker, where it stays.
///
/// # Safety
/// What `F` and `T` borrow must outlive the thread.
pub(crate) unsafe fn spawn_local<F, T>(request: Request, f: F) -> io::Result<Handle<T>>
where
    F: FnOnce() -> T,
{
    let refuse = |message: &str| Err(io::Error::new(io::ErrorKind::Unsupported, message));
    let Some(worker) = worker::current().filter(|worker| worker.core.running().is_some()) else {
        return refuse(
            "a local thread is spawned by a green thread, whose worker it shares; this is an OS thread",
        );
    };
    if worker.core.has_own_tls() {
        return refuse(
            "a local thread shares the thread-locals of its worker; the calling thread has some of its own",
        );
    }
    // SAFETY: borrows outlive the thread by this function's contract, and the thread is pinned, so
    // it stays on this OS thread.
    unsafe { spawn_here(worker, request, f, true) }
}

/// # Safety
/// What `F` and `T` borrow must outlive the thread. Both must be safe to send to another OS thread,
/// or the thread must be pinned.
#[inline]
unsafe fn spawn_here<F, T>(worker: &Worker, request: Request, f: F, pinned: bool) -> io::Result<Handle<T>>
where
    F: FnOnce() -> T,
{
    if worker.shared.has_listeners() {
        return aside(move || {
            let admission = worker.shared.admit(true)?;
            // SAFETY: this function's contract is that of `make`.
            let (task, handle) = unsafe { make(worker, request, f) }?;
            // SAFETY: the task is alive, and not queued yet, so no other thread can reach it.
            worker.shared.tell_birth(admission, unsafe { task.as_ref() });
            worker.spawn(task, pinned);
            Ok(handle)
        });
    }
    // SAFETY: this function's contract is that of `make`.
    let (task, handle) = unsafe { make(worker, request, f) }?;
    worker.spawn(task, pinned);
    Ok(handle)
}

/// # Safety
/// As for [`spawn_here`].
#[inline]
unsafe fn make<F, T>(worker: &Worker, request: Request, f: F) -> io::Result<(NonNull<Task>, Handle<T>)>
where
    F: FnOnce() -> T,
{
    // Dropping `f` needs its address. `ManuallyDrop` leaves that to the rare path (`aside`).
    let f = ManuallyDrop::new(f);
    match prepare(worker, request) {
        // SAFETY: this function's contract is that of `birth`.
        Ok((room, spec)) => Ok(unsafe { birth(room, spec, ManuallyDrop::into_inner(f)) }),
        Err(error) => aside(move || {
            drop(ManuallyDrop::into_inner(f));
            Err(error)
        }),
    }
}

/// Does all that can fail.
#[inline]
fn prepare<F, T>(worker: &Worker, request: Request) -> io::Result<(JobMemory<F, T>, Spec)> {
    let spec = request.spec(worker.next_id(), &worker.shared)?;
    let size = spec.stack_size;
    if let Some(error) = worker.shared.starvation.refusal(size) {
        return Err(error);
    }
    worker.promise_stack(size)?;
    let room = job::allocate().inspect_err(|_| worker.take_promise_back(size))?;
    Ok((room, spec))
}

/// Makes a thread. No other function does. The caller tells of it, if somebody listens, and queues
/// it. The thread's end is `Worker::unregister`.
///
/// # Safety
/// What `F` and `T` borrow must outlive the thread. Both must be safe to send to another OS thread,
/// or the thread must be pinned.
#[inline]
unsafe fn birth<F, T>(room: JobMemory<F, T>, spec: Spec, f: F) -> (NonNull<Task>, Handle<T>)
where
    F: FnOnce() -> T,
{
    if let Some(scope) = spec.scope {
        // SAFETY: the scope is spawning this thread, and its count lives until the scope has
        // returned.
        unsafe { scope.as_ref() }.enter();
    }
    // SAFETY: this function's contract is that of `job::new`.
    unsafe { job::new(room, spec, f) }
}
