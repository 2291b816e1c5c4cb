// ANCHOR: head
//! A function that gives its values one by one, on a stack of its own. Dropped half-way, it is
//! unwound; where panics abort, it is forgotten.
//!
//! What the safety of this room rests on:
//!
//! 1. All is on one OS thread: `Generator` and `Yielder` are not `Send`, because of their
//!    `Rc`.
//! 2. `Shared::context` holds the body's context while it is suspended, and the caller's while
//!    the body runs.
//! 3. The body has ended, or never begun, before its stack is dropped. Else it never is.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::{fmt, io, mem};

use crate::stack::Stack;
use crate::switch::{Context, prepare, switch};
// ANCHOR_END: head

// ANCHOR: types
/// An iterator over what a function yields.
pub struct Generator<T: 'static> {
    shared: Rc<Shared<T>>,
    /// Until the generator is dropped.
    stack: Option<Stack>,
}

/// What the function yields with.
pub struct Yielder<T: 'static>(Rc<Shared<T>>);

struct Shared<T> {
    context: Cell<Context>,
    /// Until it has begun.
    body: Cell<Option<Body>>,
    value: Cell<Option<T>>,
    panic: Cell<Option<Box<dyn Any + Send>>>,
    cancelled: Cell<bool>,
    ended: Cell<bool>,
}

/// Calls the function, and gives the context to go on with when that has ended.
type Body = Box<dyn FnOnce() -> *mut Context>;

/// What a body is unwound with, when it is dropped half-way. Nobody else can make or catch one
/// unseen.
struct Cancelled;
// ANCHOR_END: types

// ANCHOR: make
thread_local! {
    /// On its way from `resume` to `start`, which has no arguments.
    static BODY: Cell<Option<Body>> = const { Cell::new(None) };
}

impl<T: 'static> Generator<T> {
    /// Makes a generator. Its function isn't called yet.
    ///
    /// # Errors
    /// If there is no memory for its stack.
    pub fn new(f: impl FnOnce(&Yielder<T>) + 'static) -> io::Result<Self> {
        let stack = Stack::new(Stack::DEFAULT_SIZE)?;
        // SAFETY: The new stack is nobody else's.
        let context = Cell::new(unsafe { prepare(stack.memory(), start) });
        let shared = Rc::new(Shared {
            context,
            body: Cell::new(None),
            value: Cell::new(None),
            panic: Cell::new(None),
            cancelled: Cell::new(false),
            ended: Cell::new(false),
        });
        let yielder = Yielder(shared.clone());
        shared.body.set(Some(Box::new(move || yielder.run(f))));
        Ok(Self { shared, stack: Some(stack) })
    }

    fn resume(&self) {
        if let Some(body) = self.shared.body.take() {
            BODY.set(Some(body));
        }
        // SAFETY: It has not ended, so by invariants 1 and 2 it is suspended, and its stack is
        // there.
        unsafe { switch(self.shared.context.as_ptr()) };
    }
}

impl<T: 'static> Iterator for Generator<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.shared.ended.get() {
            return None;
        }
        self.resume();
        if let Some(payload) = self.shared.panic.take() {
            resume_unwind(payload);
        }
        self.shared.value.take()
    }
}
// ANCHOR_END: make

// ANCHOR: drop
impl<T: 'static> Drop for Generator<T> {
    fn drop(&mut self) {
        let never_begun = self.shared.body.take().is_some();
        if never_begun || self.shared.ended.get() {
            return;
        }
        if cfg!(panic = "unwind") {
            self.shared.cancelled.set(true);
            // It panics where it is suspended, and comes back when it has unwound.
            self.resume();
        } else {
            // Nothing can unwind here, so its stack stays for ever.
            mem::forget(self.stack.take());
        }
    }
}

impl<T: 'static> Yielder<T> {
    /// Hands `value` to whoever has called `next`, and returns when that is called again.
    pub fn give(&self, value: T) {
        if !self.0.cancelled.get() {
            self.0.value.set(Some(value));
            // SAFETY: Invariants 1 and 2: this runs on the body's stack, and the caller waits.
            unsafe { switch(self.0.context.as_ptr()) };
        }
        if self.0.cancelled.get() {
            resume_unwind(Box::new(Cancelled));
        }
    }

    fn run(&self, f: impl FnOnce(&Self)) -> *mut Context {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| f(self)))
            && !payload.is::<Cancelled>()
        {
            self.0.panic.set(Some(payload));
        }
        self.0.ended.set(true);
        self.0.context.as_ptr()
    }
}
// ANCHOR_END: drop

// ANCHOR: rest
/// The first function on each stack.
extern "C" fn start() -> ! {
    let context = BODY.take().expect("`resume` has put it there")();
    // SAFETY: Invariant 2: the caller waits, and holds what the context lies in.
    unsafe { switch(context) };
    unreachable!("a body that has ended is not resumed")
}

impl<T: 'static> fmt::Debug for Generator<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator")
            .field("ended", &self.shared.ended.get())
            .finish_non_exhaustive()
    }
}

impl<T: 'static> fmt::Debug for Yielder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Yielder").finish_non_exhaustive()
    }
}
// ANCHOR_END: rest
