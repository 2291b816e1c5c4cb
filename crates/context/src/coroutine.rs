//! A coroutine: a function on a stack of its own that can stop in the middle, hand out a value and be resumed.
//!
//! # States
//!
//! `Coroutine::inside` is the suspended coroutine, and `None` when it has finished. `Shared::status` is how the resumer
//! asks it to unwind, and how it says what it has ended with:
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
//! - **C1** `Shared` and the closure lie at the top of the stack and stay there until the stack is gone; the context
//!   runs below them.
//! - **C2** One side runs at a time. While the resumer runs, `inside` is the suspended coroutine; while
//!   the coroutine runs, `caller` is its resumer, which waits in `enter`. Each side learns the other's context when
//!   it is resumed, by `exchange`.
//! - **C3** A value is handed over as the argument of a switch (`handover`). The giver holds it in a `ManuallyDrop` on its
//!   stack and doesn't touch it again; the receiver takes it once, before it switches again.
//! - **C4** The type of what is handed over follows from the status: to the coroutine `Input` if `NEW` or `LIVE`, else
//!   nothing; to the resumer `Yield` if it is suspended, `Return` if `RETURNED`, the panic's payload if `PANICKED`.
//! - **C5** The stack is given back only if the coroutine has finished. Otherwise it is leaked: frames on it
//!   may be borrowed by others (a scope of threads, say) until they are gone.
//! - **C6** All types are `'static`, and neither `Coroutine` nor `Suspender` is `Send` or `Sync`. A leaked coroutine
//!   therefore holds nothing that ends, and `&Suspender` exists only on the coroutine's own stack: whoever
//!   calls `suspend` runs there.

use core::fmt;
use core::iter::FusedIterator;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, forget};
use core::ptr::{self, NonNull};

#[cfg(unix)]
use crate::MmapStack;
use crate::arch::{self, Word, to_word};
use crate::handover::{give, take};
use crate::unwinding::{CAN_UNWIND, Payload, catch, is_cancelled, rethrow, rethrow_from_drop, unwind};
use crate::{Context, Stack, StackError, asan};

/// Where a coroutine is. Not an enum, so that the one test in a switch is of a byte against zero.
mod status {
    /// Started; neither finished nor told to unwind.
    pub(super) const LIVE: u8 = 0;
    /// Not started.
    pub(super) const NEW: u8 = 1;
    /// Told to unwind.
    pub(super) const CANCELLED: u8 = 2;
    /// Suspended again after it was told to unwind, and told again.
    pub(super) const INSISTING: u8 = 3;
    /// Finished, from here on: the body has returned,
    pub(super) const RETURNED: u8 = 4;
    /// or ended by a panic,
    pub(super) const PANICKED: u8 = 5;
    /// or was never called.
    pub(super) const UNSTARTED: u8 = 6;
}

/// What both sides know of each other (C1). `caller` is first: its address is that of the whole (see `entry`).
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

/// C6. (The pointers to `Shared` would do, but this is no accident.)
type NotSend = PhantomData<*mut ()>;

/// What [`Coroutine::resume`] has come back with.
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

/// A function on its own stack, that is run a piece at a time.
///
/// [`resume`](Coroutine::resume) runs it until it calls [`suspend`](Suspender::suspend) or returns. Values go both
/// ways: what is given to `resume` is what `suspend` returns, and what is given to `suspend` is what `resume` returns; the
/// first `resume` gives the closure its second argument. As a stack is saved and not a state machine, the coroutine may suspend from deep
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
/// A panic that leaves the closure continues in the caller of `resume`, and the coroutine is finished.
///
/// A backtrace from inside shows the frames of the coroutine and then those of whoever has resumed it.
///
/// # Dropping
///
/// A coroutine that is dropped while suspended is unwound: the pending `suspend` doesn't return, and the destructors of all
/// that is on its stack run. It is done with a panic that calls no panic hook; code that catches panics sees
/// it pass. If a coroutine suspends once more nevertheless, `suspend` unwinds again; and if a destructor does so
/// during the unwinding, it panics with a message, which usually ends the process as a panic in a destructor does. A coroutine
/// that goes on for ever so keeps its dropper for ever.
///
/// Without the feature `std`, or with `panic = "abort"`, nothing can be unwound: a coroutine that is dropped while suspended
/// leaks its stack and everything on it.
///
/// # What may go in
///
/// Closure, values and stack are `'static`, and a coroutine stays on its OS thread. A coroutine that borrows could
/// be forgotten with its stack still in use; one that is sent away would take with it what is not `Send` on its stack.
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
    #[cfg(unix)] S: Stack + 'static = MmapStack,
    #[cfg(not(unix))] S: Stack + 'static,
> {
    inside: Option<Context>,
    shared: NonNull<Shared>,
    stack: ManuallyDrop<S>,
    types: PhantomData<fn(Input) -> (Yield, Return)>,
    not_send: NotSend,
}

#[cfg(unix)]
impl<Input, Yield, Return> Coroutine<Input, Yield, Return> {
    /// Makes a coroutine of `body`, with a stack of [`MmapStack::DEFAULT_SIZE`]. It doesn't run yet.
    ///
    /// # Panics
    /// If there is no memory for the stack. [`try_new`](Coroutine::try_new) doesn't.
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

    /// As [`new`](Coroutine::new).
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
    /// Makes a coroutine of `body` on `stack`. It doesn't run yet; the closure is moved to the top of the stack, and
    /// nothing is allocated.
    ///
    /// # Panics
    /// If the closure leaves less than 512 bytes of the stack.
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
        let top = stack.top().addr().get();
        let align = align_of::<Block<F>>().max(16);
        let room = top.saturating_sub(stack.limit().addr().get());
        let used = size_of::<Block<F>>().saturating_add(align);
        assert!(
            used.saturating_add(512) <= room,
            "the closure of a coroutine takes {used} bytes of a stack of {room} bytes: box what it captures, or use a larger stack"
        );
        let offset = top - ((top - size_of::<Block<F>>()) & !(align - 1));
        // SAFETY: `room` was checked: the block and the context's first frame fit above the limit, and by the contract
        // of `Stack` that memory is ours. What `link` points to (C1) lives as long as the context.
        unsafe {
            let block = stack.top().sub(offset).cast::<Block<F>>();
            let shared = block.cast::<Shared>();
            let caller = &raw mut (*shared.as_ptr()).caller;
            let inside = arch::init_linked(block.cast(), entry::<F, Input, Yield, Return>, caller);
            block.write(Block {
                // `caller` is set whenever the coroutine is resumed, before anybody reads it.
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
    /// If it is finished. And when its closure panics, with that panic.
    ///
    /// See [the example](Coroutine).
    #[inline]
    #[track_caller]
    pub fn resume(&mut self, input: Input) -> State<Yield, Return> {
        let Some(inside) = self.inside else { finished() };
        let mut input = ManuallyDrop::new(input);
        // SAFETY: `inside` is suspended. NEW or LIVE, as nobody resumes what is being dropped: C3, C4 for the input.
        let out = unsafe { self.enter(inside, give(&mut input)) };
        if self.inside.is_some() {
            // SAFETY: C3, C4.
            State::Yielded(unsafe { take::<Yield>(out) })
        } else {
            // SAFETY: it has just finished.
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

    /// Gives back the stack of a coroutine that is finished, for another one.
    ///
    /// # Panics
    /// If it isn't finished. (The coroutine is then dropped, and unwound.)
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
        // SAFETY: C5; what is read is forgotten in its place.
        let stack = unsafe { ptr::read(&*self.stack) };
        forget(self);
        stack
    }

    #[inline(always)]
    fn status(&self) -> u8 {
        // SAFETY: C1, and by C2 the coroutine doesn't run now.
        unsafe { (*self.shared.as_ptr()).status }
    }

    /// Lets the coroutine run until it switches back.
    ///
    /// # Safety
    /// `inside` is `self.inside`, and `arg` is what its status says (C4).
    #[inline(always)]
    unsafe fn enter(&mut self, inside: Context, arg: Word) -> Word {
        let left = asan::leave(inside);
        // SAFETY: C2: `inside` is suspended, and by C6 this is its OS thread.
        let (inside, out) = unsafe { arch::exchange(inside, arg) };
        asan::arrive(left);
        self.inside = inside;
        out
    }

    /// What the coroutine has ended with; nothing if its closure wasn't called.
    ///
    /// # Safety
    /// It has just finished and handed over `out`.
    unsafe fn outcome(&mut self, out: Word) -> Option<Result<Return, Payload>> {
        match self.status() {
            // SAFETY: C3, C4.
            status::RETURNED => Some(Ok(unsafe { take(out) })),
            // SAFETY: C3, C4.
            status::PANICKED => Some(Err(unsafe { take(out) })),
            _ => None,
        }
    }

    /// Has the coroutine unwound, if it hasn't finished. Gives the payload if it ended by a panic of its own.
    fn cancel(&mut self) -> Option<Payload> {
        let mut ask = status::CANCELLED;
        while let Some(inside) = self.inside {
            // SAFETY: C1, C2: it is suspended. C4: there is no input.
            let out = unsafe {
                (*self.shared.as_ptr()).status = ask;
                self.enter(inside, to_word(0))
            };
            if self.inside.is_none() {
                // SAFETY: it has just finished.
                let outcome = unsafe { self.outcome(out) };
                return outcome.and_then(Result::err).filter(|payload| !is_cancelled(payload));
            }
            // SAFETY: C3, C4: it has suspended again, with a value that nobody wants.
            drop(unsafe { take::<Yield>(out) });
            ask = status::INSISTING;
        }
        None
    }
}

impl<Input, Yield, Return, S: Stack + 'static> Drop for Coroutine<Input, Yield, Return, S> {
    fn drop(&mut self) {
        if !CAN_UNWIND && !self.is_finished() && self.status() != status::NEW {
            // C5: the stack stays, with all that is on it.
            return;
        }
        let payload = self.cancel();
        // SAFETY: C5: it is finished. Nobody uses the stack after a drop.
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

/// Yields what the coroutine yields, and ends when it returns.
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

/// What the closure of a [`Coroutine`] suspends itself with.
///
/// It exists only on the stack of its coroutine; functions that are called from there may take it by reference.
///
/// See [the example](Coroutine#as-an-iterator).
pub struct Suspender<Input: 'static, Yield: 'static> {
    shared: NonNull<Shared>,
    types: PhantomData<fn(Yield) -> Input>,
    not_send: NotSend,
}

impl<Input, Yield> Suspender<Input, Yield> {
    /// Hands `value` to whoever has resumed the coroutine, and waits until it is resumed again.
    ///
    /// It doesn't return, but unwinds, if the coroutine is dropped meanwhile.
    ///
    /// # Panics
    /// If the coroutine is being dropped and a destructor on its stack suspends.
    ///
    /// See [the example](Coroutine).
    #[inline]
    pub fn suspend(&self, value: Yield) -> Input {
        let shared = self.shared.as_ptr();
        let mut value = ManuallyDrop::new(value);
        // SAFETY: C6: this runs on the coroutine's stack, so that by C2 `caller` waits. C3, C4 for the value. It is
        // resumed by `exchange` and nothing else, therefore there is a context.
        let arg = unsafe {
            let left = asan::leave((*shared).caller);
            let (caller, arg) = arch::exchange((*shared).caller, give(&mut value));
            asan::arrive(left);
            (*shared).caller = caller.unwrap_unchecked();
            arg
        };
        // SAFETY: C1, C2: the resumer waits.
        match unsafe { (*shared).status } {
            // SAFETY: C3, C4.
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

/// The first function on the stack of a coroutine. `caller` is the link of the context, which is the field at the
/// start of the block.
unsafe extern "C" fn entry<F, Input, Yield, Return>(arg: Word, caller: *mut Context) -> !
where
    F: FnOnce(&Suspender<Input, Yield>, Input) -> Return + 'static,
    Input: 'static,
    Yield: 'static,
{
    asan::arrive_first();
    let block = caller.cast::<Block<F>>();
    // SAFETY: `caller` is within the allocation of the block (C1), and not null.
    let shared = unsafe { NonNull::new_unchecked(caller.cast::<Shared>()) };
    // SAFETY: C1; the body is read only here, and this function runs once.
    let body = unsafe { ManuallyDrop::take(&mut (*block).body) };
    // SAFETY: C1, C2.
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
        // SAFETY: C3, C4: what the first resume hands over is an input.
        let input = unsafe { take::<Input>(arg) };
        Some(body(&Suspender { shared, types: PhantomData, not_send: PhantomData }, input))
    });
    // SAFETY: `result` is handed over according to the status (C3, C4), and nothing else is left on this stack.
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
/// `value` is what the status says (C4). Nobody needs a frame of this stack any more.
unsafe fn leave<T>(shared: NonNull<Shared>, status: u8, value: T) -> ! {
    let mut value = ManuallyDrop::new(value);
    // SAFETY: C1, C2: the resumer waits, and reads `value` before the stack is given back.
    unsafe {
        (*shared.as_ptr()).status = status;
        asan::leave_for_good((*shared.as_ptr()).caller);
        arch::switch_final((*shared.as_ptr()).caller, give(&mut value))
    }
}
