//! How a green thread comes to be.

use std::{io, panic::Location, panic::resume_unwind, ptr::NonNull, sync::Arc};

use super::{Shared, credit, default, worker};
use crate::{
    stack,
    task::{
        id,
        job::{self, Handle, Spec},
        scope::Count,
    },
};

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) name: Option<String>,
    pub(crate) stack_size: Option<usize>,
    pub(crate) scope: Option<NonNull<Count>>,
    pub(crate) location: &'static Location<'static>,
}

impl Request {
    #[track_caller]
    pub(crate) fn plain() -> Self {
        Self { name: None, stack_size: None, scope: None, location: Location::caller() }
    }
}

/// Spawns a thread on `on`, or on the current or the default runtime.
///
/// # Safety
/// What `F` and `T` borrow outlives the thread, and both may be sent to another OS thread.
pub(crate) unsafe fn spawn<F, T>(on: Option<&Shared>, request: Request, f: F) -> io::Result<Handle<T>>
where
    F: FnOnce() -> T,
{
    if let Some(error) = stack::exhausted() {
        return Err(error);
    }
    let size = request.stack_size.map(stack::usable_size).transpose()?;
    let name = request.name.map(String::into_boxed_str);
    let spec = |id, shared: &Shared| Spec {
        id,
        name,
        stack_size: size.unwrap_or(shared.stack_size),
        location: request.location,
        scope: request.scope,
    };
    let here =
        worker::current().filter(|worker| on.is_none_or(|on| std::ptr::eq(on, Arc::as_ptr(&worker.shared))));
    match here {
        Some(worker) => {
            let spec = spec(worker.next_id(), &worker.shared);
            let size = spec.stack_size;
            if let Some(error) = worker.shared.refusal(size) {
                return Err(error);
            }
            worker.credit.take(size)?;
            // SAFETY: as the caller says.
            let (task, handle) = unsafe { job::new(spec, f) }.inspect_err(|_| worker.credit.give(size))?;
            request.scope.inspect(|scope| enter(*scope));
            worker.spawn(task);
            Ok(handle)
        }
        None => {
            let shared: &Shared = match on {
                Some(on) => on,
                None => default()?,
            };
            let spec = spec(id::reserve(1), shared);
            let size = spec.stack_size;
            if let Some(error) = shared.refusal(size) {
                return Err(error);
            }
            credit::take(size)?;
            // SAFETY: as the caller says.
            let (task, handle) = unsafe { job::new(spec, f) }.inspect_err(|_| credit::give(size))?;
            request.scope.inspect(|scope| enter(*scope));
            shared.inject(task);
            Ok(handle)
        }
    }
}

fn enter(scope: NonNull<Count>) {
    // SAFETY: the scope is there while it spawns.
    unsafe { scope.as_ref() }.enter();
}

/// Runs `f` on a green thread and waits for it.
#[track_caller]
pub(crate) fn run<F, T>(on: &Shared, f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    let request = Request { stack_size: Some(stack::ROOT_SIZE), ..Request::plain() };
    // SAFETY: we wait for the thread before anything that it borrows can go, and no cancellation ends that wait.
    match unsafe { spawn(Some(on), request, f) } {
        Ok(thread) => thread.join().unwrap_or_else(|payload| resume_unwind(payload)),
        Err(error) => panic!("no green thread for run: {error}"),
    }
}
