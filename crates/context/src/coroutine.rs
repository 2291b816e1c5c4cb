//! A coroutine: a function on a stack of its own that can stop in the middle, hand out a value and
//! be resumed.
//!
//! # States
//!
//! `Coroutine::inside` is the suspended coroutine's context, or `None` when it has finished. By
//! `Shared::status` the resumer asks the coroutine to unwind, and the coroutine tells how it ended:
//!
//! ```text
//!   NEW -- first resume --> LIVE -- the body returns --> RETURNED
//!    |                        |  \-- the body panics ---> PANICKED
//!    | drop                   | drop, while suspended
//!    v                        v
//!   CANCELLED             CANCELLED -- suspends again --> INSISTING, as often as it does
//!    \-- closure dropped -->  \-- unwound --> PANICKED, or RETURNED if the body caught it
//!        UNSTARTED
//! ```
//!
//! # Invariants
//!
//! - **C1** `Shared` and the closure lie at the top of the stack and stay there until the stack is
//!   freed. The context runs below them.
//! - **C2** One side runs at a time. While the resumer runs, `inside` is the suspended coroutine.
//!   While the coroutine runs, `caller` is its resumer, which waits in `enter`. Each side receives
//!   the other's context when it is resumed, by `exchange`.
//! - **C3** A value is handed over as the argument of a switch (`handover`). The giver holds it in
//!   a `ManuallyDrop` on its stack and doesn't touch it again. The receiver takes it once, before
//!   it switches again.
//! - **C4** The type of the value follows from the status. The coroutine receives `Input` if the
//!   status is `NEW` or `LIVE`, else nothing. The resumer receives `Yield` if the coroutine is
//!   suspended, `Return` if the status is `RETURNED`, and the panic's payload if it is `PANICKED`.
//! - **C5** The stack is given back only if the coroutine has finished. Otherwise it is leaked:
//!   others (a scope of threads, say) may borrow from frames on it until these have returned or
//!   unwound.
//! - **C6** All types are `'static`, and neither `Coroutine` nor `Suspender` is `Send` or `Sync`.
//!   So a leaked coroutine holds no borrow that ends, and a `&Suspender` exists only on the
//!   coroutine's own stack: a caller of `suspend` runs there.

use core::iter::FusedIterator;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::{fmt, ptr, ptr::NonNull};

#[cfg(any(unix, windows))]
use crate::MmapStack;
use crate::arch;
use crate::handover::{give, take};
use crate::unwinding::{CAN_UNWIND, Payload, catch, is_cancelled, rethrow, rethrow_from_drop, unwind};
use crate::word::{Word, to_word};
use crate::{Context, Stack, StackBounds, StackError, sanitizer};

/// The states of a coroutine. They are bytes and no enum, so that `suspend` tests just a byte
/// against zero.
mod status {
    /// Started; neither finished nor told to unwind.
    pub(super) const LIVE: u8 = 0;
    /// Not started.
    pub(super) const NEW: u8 = 1;
    /// Told to unwind.
    pub(super) const CANCELLED: u8 = 2;
    /// Suspended again after it was told to unwind, and told so again.
    pub(super) const INSISTING: u8 = 3;
    /// Finished, as all that follow: the body has returned.
    pub(super) const RETURNED: u8 = 4;
    /// The body has ended by a panic.
    pub(super) const PANICKED: u8 = 5;
    /// The body was never called.
    pub(super) const UNSTARTED: u8 = 6;
}

/// The state that both sides share (C1). `caller` is the first field, so its address is that of the
/// whole block (see `entry`).
#[repr(C)]
struct Shared {
    caller: Context,
    status: u8,
}

#[repr(C)]
struct Block<F> {
    shared: Shared,
    body: ManuallyDrop<F>,
}

/// C6. The pointers to `Shared` would have the same effect, but by accident.
type NotSend = PhantomData<*mut ()>;

/// The result of [`Coroutine::resume`].
///
/// ```
/// use greenthread_context::{Coroutine, State};
///
/// let mut co = Coroutine::new(|co, ()| {
///     co.suspend(1);
///     "done"
/// });
/// assert_eq!(co.resume(()), State::Yielded(1));
/// assert_eq!(co.resume(()), State::Returned("done"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State<Yield, Return> {
    /// The coroutine has called [`suspend`](Suspender::suspend) with this value.
    Yielded(Yield),
    /// The coroutine has returned this value. It can't be resumed again.
    Returned(Return),
}

/// A function on its own stack that runs a piece at a time.
///
/// [`resume`](Coroutine::resume) runs it until it calls [`suspend`](Suspender::suspend) or returns.
/// Values go both ways: `suspend` returns the argument of the next `resume`, and `resume` returns
/// the argument of the next `suspend`. The argument of the first `resume` is the closure's second
/// argument. The coroutine has a stack and isn't a state machine, so it may suspend from deep
/// within other functions, in a recursion or in a callback.
///
/// ```
/// use greenthread_context::{Coroutine, State};
///
/// let mut sum = Coroutine::new(|co, first: u32| {
///     let mut sum = first;
///     while sum < 10 {
///         sum += co.suspend(sum);
///     }
///     format!("{sum} at last")
/// });
/// assert_eq!(sum.resume(3), State::Yielded(3));
/// assert_eq!(sum.resume(4), State::Yielded(7));
/// assert_eq!(sum.resume(5), State::Returned("12 at last".to_string()));
/// ```
///
/// # As an iterator
///
/// A coroutine without input is an iterator over what it yields.
///
/// ```
/// use greenthread_context::{Coroutine, Suspender};
///
/// enum Tree {
///     Leaf(i32),
///     Node(Box<Tree>, Box<Tree>),
/// }
/// fn walk(tree: &Tree, co: &Suspender<(), i32>) {
///     match tree {
///         Tree::Leaf(n) => co.suspend(*n),
///         Tree::Node(left, right) => {
///             walk(left, co);
///             walk(right, co);
///         }
///     }
/// }
/// use Tree::*;
/// let tree = Node(Box::new(Leaf(1)), Box::new(Node(Box::new(Leaf(2)), Box::new(Leaf(3)))));
/// let leaves = Coroutine::new(move |co, ()| walk(&tree, co));
/// assert_eq!(leaves.collect::<Vec<_>>(), [1, 2, 3]);
/// ```
///
/// # Panics in a coroutine
///
/// A panic that leaves the closure continues in the caller of `resume`, and the coroutine is
/// finished.
///
/// A backtrace from inside shows the frames of the coroutine and then those of its resumer.
///
/// # Dropping
///
/// A coroutine that is dropped while suspended is unwound: the pending `suspend` doesn't return,
/// and the destructors of all that is on its stack run. The unwinding is a panic that calls no
/// panic hook. Code that catches panics sees it.
///
/// If the coroutine suspends once more nevertheless, `suspend` unwinds again. The drop doesn't
/// return as long as the coroutine catches each unwinding and suspends again. If a destructor
/// suspends during the unwinding, `suspend` panics with a message, which usually ends the process,
/// as a panic in a destructor does.
///
/// Without the feature `std`, or with `panic = "abort"`, nothing can be unwound: a coroutine that
/// is dropped while suspended leaks its stack and everything on it.
///
/// # What may go in
///
/// Closure, values and stack are `'static`, and a coroutine stays on its OS thread. A program could
/// forget a coroutine that borrows, and end the borrow while the stack still uses it. If a
/// coroutine were sent to another OS thread, values on its stack that are not `Send` would go with
/// it.
///
/// ```compile_fail,E0277
/// use greenthread_context::Coroutine;
///
/// let co = Coroutine::new(|co, ()| co.suspend(1));
/// std::thread::spawn(move || drop(co)); // `*mut ()` cannot be sent between threads safely
/// ```
///
/// ```compile_fail,E0597
/// use greenthread_context::Coroutine;
///
/// let text = String::from("mine");
/// let borrowed = &text; // `text` does not live long enough
/// let co = Coroutine::new(move |co, ()| co.suspend(borrowed.len()));
/// ```
///
/// The same goes for what passes through `resume`:
///
/// ```compile_fail,E0597
/// use greenthread_context::Coroutine;
///
/// let mut co = Coroutine::new(|co, text: &str| {
///     let _next: &str = co.suspend(text.len());
/// });
/// let text = String::from("mine");
/// let _ = co.resume(&text); // `text` does not live long enough
/// ```
///
/// And nobody else gets hold of the suspender:
///
/// ```compile_fail,E0277
/// use greenthread_context::Coroutine;
///
/// let co = Coroutine::new(|co, ()| {
///     std::thread::scope(|s| {
///         s.spawn(|| co.suspend(1)); // cannot be shared between threads safely
///     });
/// });
/// ```
pub struct Coroutine<
    Input: 'static,
    Yield: 'static,
    Return: 'static,
    #[cfg(any(unix, windows))] S: Stack + 'static = MmapStack,
    #[cfg(not(any(unix, windows)))] S: Stack + 'static,
> {
    inside: Option<Context>,
    shared: NonNull<Shared>,
    stack: ManuallyDrop<S>,
    types: PhantomData<fn(Input) -> (Yield, Return)>,
    not_send: NotSend,
}

#[cfg(any(unix, windows))]
impl<Input, Yield, Return> Coroutine<Input, Yield, Return> {
    /// Makes a coroutine of `body`, with a stack of [`MmapStack::DEFAULT_SIZE`]. It doesn't run
    /// yet.
    ///
    /// # Panics
    /// If there is no memory for the stack. [`try_new`](Coroutine::try_new) returns the error
    /// instead.
    ///
    /// See [the example](Coroutine).
    pub fn new<F>(body: F) -> Self
    where
        F: FnOnce(&Suspender<Input, Yield>, Input) -> Return + 'static,
    {
        match Self::try_new(body) {
            Ok(coroutine) => coroutine,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`new`](Coroutine::new), but returns the error if there is no stack.
    ///
    /// # Errors
    /// If there is no memory for the stack.
    ///
    /// ```
    /// use greenthread_context::Coroutine;
    ///
    /// let mut twice = Coroutine::try_new(|co, n: i32| 2 * n + co.suspend(n))?;
    /// let _ = twice.resume(5);
    /// # Ok::<(), greenthread_context::StackError>(())
    /// ```
    pub fn try_new<F>(body: F) -> Result<Self, StackError>
    where
        F: FnOnce(&Suspender<Input, Yield>, Input) -> Return + 'static,
    {
        Ok(Coroutine::with_stack(MmapStack::new(MmapStack::DEFAULT_SIZE)?, body))
    }
}

impl<Input, Yield, Return, S: Stack + 'static> Coroutine<Input, Yield, Return, S> {
    /// Makes a coroutine of `body` on `stack`. It doesn't run yet. The closure moves to the top of
    /// the stack, and nothing is allocated.
    ///
    /// # Panics
    /// If less than 512 bytes of the stack remain beside the closure.
    ///
    /// ```
    /// use greenthread_context::{Coroutine, MmapStack};
    ///
    /// let stack = MmapStack::new(16 * 1024)?;
    /// let numbers = Coroutine::with_stack(stack, |co, ()| (0..3).for_each(|n| co.suspend(n)));
    /// assert_eq!(numbers.sum::<i32>(), 3);
    /// # Ok::<(), greenthread_context::StackError>(())
    /// ```
    pub fn with_stack<F>(stack: S, body: F) -> Self
    where
        F: FnOnce(&Suspender<Input, Yield>, Input) -> Return + 'static,
    {
        let bounds = StackBounds::of(&stack);
        let top = bounds.top.addr().get();
        let align = align_of::<Block<F>>().max(16);
        let room = top.saturating_sub(bounds.limit.addr().get());
        let used = size_of::<Block<F>>().saturating_add(align);
        assert!(
            used.saturating_add(512) <= room,
            "the closure of a coroutine takes {used} bytes of a stack of {room} bytes: box what it captures, or use a larger stack"
        );
        let offset = top - ((top - size_of::<Block<F>>()) & !(align - 1));
        // SAFETY: the assertion says that the block and the context's first frame fit above the
        // limit, and by the contract of `Stack` nothing else uses that memory. `caller` (C1) lives
        // as long as the context, of which it is the link.
        unsafe {
            let block = bounds.top.sub(offset).cast::<Block<F>>();
            let shared = block.cast::<Shared>();
            let caller = &raw mut (*shared.as_ptr()).caller;
            let inside = arch::init_linked(block.cast(), bounds, entry::<F, Input, Yield, Return>, caller);
            block.write(Block {
                // Each resumption of the coroutine sets `caller` before anything reads it.
                shared: Shared { caller: inside, status: status::NEW },
                body: ManuallyDrop::new(body),
            });
            Coroutine {
                inside: Some(inside),
                shared,
                stack: ManuallyDrop::new(stack),
                types: PhantomData,
                not_send: PhantomData,
            }
        }
    }

    /// Runs the coroutine until it suspends or returns.
    ///
    /// # Panics
    /// If the coroutine has finished. If its closure panics, the panic continues here.
    ///
    /// See [the example](Coroutine).
    #[inline]
    #[track_caller]
    pub fn resume(&mut self, input: Input) -> State<Yield, Return> {
        let Some(inside) = self.inside else { finished() };
        let mut input = ManuallyDrop::new(input);
        // SAFETY: `inside` is suspended (C2). Its status is NEW or LIVE, as nothing resumes a
        // coroutine that is being dropped, so it takes an `Input` (C3, C4).
        let out = unsafe { self.enter(inside, give(&mut input)) };
        if self.inside.is_some() {
            // SAFETY: the coroutine has suspended and handed over a `Yield` (C3, C4).
            State::Yielded(unsafe { take::<Yield>(out) })
        } else {
            // SAFETY: the coroutine has just finished and handed over `out`.
            match unsafe { self.outcome(out) } {
                Some(Ok(value)) => State::Returned(value),
                Some(Err(payload)) => rethrow(payload),
                None => unreachable!(),
            }
        }
    }

    /// Whether the closure has returned or panicked.
    ///
    /// ```
    /// # use greenthread_context::Coroutine;
    /// let mut co = Coroutine::new(|co, ()| co.suspend(1));
    /// assert_eq!(co.by_ref().last(), Some(1));
    /// assert!(co.is_finished());
    /// ```
    #[inline]
    pub fn is_finished(&self) -> bool {
        self.inside.is_none()
    }

    /// Returns the stack of a finished coroutine, for another one.
    ///
    /// # Panics
    /// If the coroutine hasn't finished. It is then dropped, and so unwound.
    ///
    /// ```
    /// # use greenthread_context::{Coroutine, State};
    /// let mut co = Coroutine::<(), (), i32>::new(|_, ()| 1);
    /// assert_eq!(co.resume(()), State::Returned(1));
    /// let mut next = Coroutine::<(), (), i32>::with_stack(co.into_stack(), |_, ()| 2);
    /// assert_eq!(next.resume(()), State::Returned(2));
    /// ```
    pub fn into_stack(self) -> S {
        assert!(self.is_finished(), "the stack of a coroutine that isn't finished is still in use");
        let this = ManuallyDrop::new(self);
        // SAFETY: the coroutine has finished (C5), and isn't dropped, so the stack has one owner.
        unsafe { ptr::read(&*this.stack) }
    }

    #[inline(always)]
    fn status(&self) -> u8 {
        // SAFETY: `shared` is valid (C1), and the coroutine doesn't run now (C2).
        unsafe { (*self.shared.as_ptr()).status }
    }

    /// Runs the coroutine until it switches back.
    ///
    /// # Safety
    /// `inside` is `self.inside`, and `arg` has the type that the status asks for (C4).
    #[inline(always)]
    unsafe fn enter(&mut self, inside: Context, arg: Word) -> Word {
        let left = sanitizer::leave(inside);
        // SAFETY: `inside` is suspended (C2), and this is its OS thread (C6).
        let (inside, out) = unsafe { arch::exchange(inside, arg) };
        sanitizer::arrive(left);
        self.inside = inside;
        out
    }

    /// The result of a finished coroutine: its return value or its panic, or `None` if its closure
    /// was never called.
    ///
    /// # Safety
    /// The coroutine has just finished and handed over `out`.
    unsafe fn outcome(&mut self, out: Word) -> Option<Result<Return, Payload>> {
        match self.status() {
            // SAFETY: the coroutine handed over a `Return` (C3, C4).
            status::RETURNED => Some(Ok(unsafe { take(out) })),
            // SAFETY: the coroutine handed over a payload (C3, C4).
            status::PANICKED => Some(Err(unsafe { take(out) })),
            _ => None,
        }
    }

    /// Unwinds the coroutine, if it hasn't finished. Returns the payload if the coroutine ended by
    /// a panic of its own.
    fn cancel(&mut self) -> Option<Payload> {
        let mut ask = status::CANCELLED;
        while let Some(inside) = self.inside {
            // SAFETY: `shared` is valid (C1) and the coroutine is suspended (C2). With this status
            // it takes no input (C4).
            let out = unsafe {
                (*self.shared.as_ptr()).status = ask;
                self.enter(inside, to_word(0))
            };
            if self.inside.is_none() {
                // SAFETY: the coroutine has just finished and handed over `out`.
                let outcome = unsafe { self.outcome(out) };
                return outcome.and_then(Result::err).filter(|payload| !is_cancelled(payload));
            }
            // SAFETY: the coroutine has suspended again and handed over a `Yield` (C3, C4). Nobody
            // wants the value.
            drop(unsafe { take::<Yield>(out) });
            ask = status::INSISTING;
        }
        None
    }
}

impl<Input, Yield, Return, S: Stack + 'static> Drop for Coroutine<Input, Yield, Return, S> {
    fn drop(&mut self) {
        if !CAN_UNWIND && !self.is_finished() && self.status() != status::NEW {
            // C5: the stack and all that is on it are leaked.
            return;
        }
        let payload = self.cancel();
        // SAFETY: the coroutine has finished (C5), and nothing uses the field after a drop.
        unsafe { ManuallyDrop::drop(&mut self.stack) };
        if let Some(payload) = payload {
            rethrow_from_drop(payload);
        }
    }
}

impl<Input, Yield, Return, S: Stack + 'static> fmt::Debug for Coroutine<Input, Yield, Return, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coroutine").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}

/// The iterator yields the values of the coroutine, and ends when the coroutine returns.
impl<Yield, Return, S: Stack + 'static> Iterator for Coroutine<(), Yield, Return, S> {
    type Item = Yield;

    #[inline]
    fn next(&mut self) -> Option<Yield> {
        if self.is_finished() {
            return None;
        }
        match self.resume(()) {
            State::Yielded(value) => Some(value),
            State::Returned(_) => None,
        }
    }
}

impl<Yield, Return, S: Stack + 'static> FusedIterator for Coroutine<(), Yield, Return, S> {}

/// The handle with which the closure of a [`Coroutine`] suspends itself.
///
/// It exists only on the stack of its coroutine. The closure may pass it by reference to functions
/// that it calls.
///
/// See [the example](Coroutine#as-an-iterator).
pub struct Suspender<Input: 'static, Yield: 'static> {
    shared: NonNull<Shared>,
    types: PhantomData<fn(Yield) -> Input>,
    not_send: NotSend,
}

impl<Input, Yield> Suspender<Input, Yield> {
    /// Hands `value` to the resumer of the coroutine, and waits until the coroutine is resumed
    /// again.
    ///
    /// If the coroutine is dropped meanwhile, `suspend` unwinds instead of returning.
    ///
    /// # Panics
    /// If the coroutine is being dropped and a destructor on its stack suspends.
    ///
    /// See [the example](Coroutine).
    #[inline]
    pub fn suspend(&self, value: Yield) -> Input {
        let shared = self.shared.as_ptr();
        let mut value = ManuallyDrop::new(value);
        // SAFETY: this runs on the coroutine's stack (C6), so `caller` is suspended (C2). It takes
        // a `Yield` (C3, C4). Only `exchange` resumes a coroutine, so it hands over a context.
        let arg = unsafe {
            let left = sanitizer::leave((*shared).caller);
            let (caller, arg) = arch::exchange((*shared).caller, give(&mut value));
            sanitizer::arrive(left);
            (*shared).caller = caller.unwrap_unchecked();
            arg
        };
        // SAFETY: `shared` is valid (C1), and the resumer waits (C2).
        match unsafe { (*shared).status } {
            // SAFETY: the resumer handed over an `Input` (C3, C4).
            status::LIVE => unsafe { take(arg) },
            ask => unwind(ask == status::INSISTING),
        }
    }
}

impl<Input, Yield> fmt::Debug for Suspender<Input, Yield> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suspender").finish_non_exhaustive()
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn finished() -> ! {
    panic!("a coroutine that has finished cannot be resumed")
}

/// The first function on the stack of a coroutine. `caller` is the link of the context, and the
/// first field of the block.
unsafe extern "C" fn entry<F, Input, Yield, Return>(arg: Word, caller: *mut Context) -> !
where
    F: FnOnce(&Suspender<Input, Yield>, Input) -> Return + 'static,
    Input: 'static,
    Yield: 'static,
{
    sanitizer::arrive_first();
    let block = caller.cast::<Block<F>>();
    // SAFETY: `caller` is the address of the block (C1), which isn't null.
    let shared = unsafe { NonNull::new_unchecked(caller.cast::<Shared>()) };
    // SAFETY: the block is valid (C1). The body is read only here, and this function runs once.
    let body = unsafe { ManuallyDrop::take(&mut (*block).body) };
    // SAFETY: the block is valid (C1), and the resumer waits (C2).
    let wanted = unsafe {
        let status = &raw mut (*shared.as_ptr()).status;
        if *status == status::NEW {
            *status = status::LIVE;
        }
        *status == status::LIVE
    };
    let result = catch(move || {
        if !wanted {
            drop(body);
            return None;
        }
        // SAFETY: the first `resume` handed over an `Input` (C3, C4).
        let input = unsafe { take::<Input>(arg) };
        Some(body(&Suspender { shared, types: PhantomData, not_send: PhantomData }, input))
    });
    // SAFETY: the type of the value is that of the status (C3, C4). No other value on this stack
    // needs to be dropped.
    unsafe {
        match result {
            Ok(Some(value)) => leave(shared, status::RETURNED, value),
            Ok(None) => leave(shared, status::UNSTARTED, ()),
            Err(payload) => leave(shared, status::PANICKED, payload),
        }
    }
}

/// Ends the running coroutine.
///
/// # Safety
/// `value` has the type that the status tells (C4). Nothing uses a frame of this stack any more.
unsafe fn leave<T>(shared: NonNull<Shared>, status: u8, value: T) -> ! {
    let mut value = ManuallyDrop::new(value);
    // SAFETY: `shared` is valid (C1). The resumer waits (C2), and takes `value` before it gives the
    // stack back (C3).
    unsafe {
        (*shared.as_ptr()).status = status;
        sanitizer::leave_for_good((*shared.as_ptr()).caller);
        arch::switch_final((*shared.as_ptr()).caller, give(&mut value))
    }
}
