//! std's count of panics, made right for each green thread.
//!
//! std counts for each OS thread how many panics are under way. From that count come
//! [`std::thread::panicking`], the poisoning of locks, and the rule that a panic inside a panic
//! hook aborts. A green thread that is suspended in the middle of its unwinding, or in a hook,
//! would leave the count raised for its siblings. So a switch away from such a thread lowers the
//! count to 0, and the switch back to it raises the count again.
//!
//! std offers no function that changes the count, but it changes it at two known places:
//! `resume_unwind` adds one on the OS thread that calls it, and `catch_unwind` subtracts one on the
//! OS thread where the unwinding arrives. A *stand-in* is an unwinding between those two places
//! that this file makes and suspends in a destructor. A [`Nest`] is a coroutine with stand-ins one
//! inside the other. Resumed with [`Step::Raise`] it begins one more, which raises the count here;
//! resumed with [`Step::Lower`] it finishes the innermost, which lowers the count here.
//!
//! A count can be lowered here only by a stand-in that has begun elsewhere. Therefore a nest is
//! born on a short-lived OS thread, whose own count stays raised when it ends. That happens when a
//! worker first suspends an unwinding thread: other programs pay one test in a switch. A nest that
//! its worker doesn't need any more goes to the next worker.
//!
//! While the OS refuses that thread, the worker waits for it, a second at most. Then it switches
//! with the count as it is: until the thread goes on, its siblings are taken for panicking. If
//! another thread switches meanwhile, the raised count may not be its own, so its switch leaves the
//! count too ([`Lowered::is_kept`]). Each thread subtracts what it has added to the count, so in
//! the end it is right.
//!
//! Rejected: marks set by a panic hook (a hook that is set later removes them, and `resume_unwind`
//! calls none); an unwinding of its own stack for each count (some 10 KiB instead of half a one);
//! to find std's counter in memory and write there (nothing says that it stays where and what it
//! is).
//!
//! Invariants:
//! 1. A nest is resumed by one OS thread at a time: it belongs to a worker's `PanicCount`, or lies
//!    in `SPARE`.
//! 2. Between two resumptions a nest is suspended in `StandIn::drop`, or in the coroutine's body.
//!    No frame on its stack then holds the address of a thread-local or a value of the user.
//!    `begin` and `level` are functions of their own (`inline(never)`), so that what raises a count
//!    and what lowers it are never optimised as one function.
//! 3. `depth` is how many stand-ins a nest has, and at most `DEPTH`.

use core::{
    cell::{Cell, RefCell},
    mem::ManuallyDrop,
};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    process,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, panicking},
    time::Duration,
};

use greenthread_context::{Coroutine, MmapStack, Suspender};

use crate::sys::{process::ForkMutex, stderr::write_last_words, thread::OsThread};

/// How many stand-ins a nest is born with. Each takes some 600 bytes of its stack, without
/// optimisation.
const DEPTH: usize = 32;
/// The size of a nest's stack in bytes, for the stand-ins and the unwinder.
const STACK_SIZE: usize = 64 << 10;
/// How many times a worker asks for an OS thread for a nest, a millisecond apart. The OS refuses
/// one when there are too many, and these usually end soon. With more attempts a worker stands
/// still for longer; with fewer it more often goes on with a wrong count.
const ATTEMPTS: usize = 1000;
/// The number of nested panics of one thread at which the process aborts. So many can only come
/// from a panic hook that waits and then panics, since each of its panics calls the hook again. std
/// would abort at the second one, by a mark that the wait removes.
const MAX_NESTED: u32 = 500;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Raise,
    Lower,
}

type Steps = Suspender<Step, ()>;

/// See the module. It is never dropped: to finish its stand-ins would lower the count of an OS
/// thread.
pub(crate) struct Nest {
    coroutine: ManuallyDrop<Coroutine<Step, (), ()>>,
    depth: usize,
}

// SAFETY: one OS thread at a time has it (invariant 1), and nothing on its stack belongs to an OS
// thread while it is suspended (invariant 2). The unwinder keeps what it knows of an unwinding in
// the exception, which is on the heap, and in the frame of the destructor's caller.
unsafe impl Send for Nest {}

/// Nests of workers that have ended.
pub(crate) static SPARE: ForkMutex<Vec<Nest>> = ForkMutex::new(Vec::new());

impl Nest {
    /// A nest without stand-ins. Its first step must be to raise.
    fn new() -> io::Result<Self> {
        let stack = MmapStack::new(STACK_SIZE).map_err(io::Error::other)?;
        let coroutine = Coroutine::with_stack(stack, |steps: &Steps, _: Step| {
            loop {
                level(steps);
                steps.suspend(());
            }
        });
        Ok(Self { coroutine: ManuallyDrop::new(coroutine), depth: 0 })
    }

    /// A nest with `DEPTH` stand-ins. They begin on another OS thread, so that the count is raised
    /// there.
    #[cold]
    fn born_elsewhere() -> io::Result<Self> {
        let cradle = Arc::new(Mutex::new(None));
        let inside = cradle.clone();
        let main = move || {
            let nest = Nest::new().map(|mut nest| {
                (0..DEPTH).for_each(|_| nest.raise());
                nest
            });
            *inside.lock().unwrap_or_else(PoisonError::into_inner) = Some(nest);
        };
        OsThread::spawn("greenthread-panic", Box::new(main))?.join();
        let nest = cradle.lock().unwrap_or_else(PoisonError::into_inner).take();
        nest.unwrap_or_else(|| Err(io::Error::other("an OS thread has ended early")))
    }

    fn raise(&mut self) {
        let _suspended = self.coroutine.resume(Step::Raise);
        self.depth += 1;
    }

    fn lower(&mut self) {
        let _suspended = self.coroutine.resume(Step::Lower);
        self.depth -= 1;
    }
}

/// Begins a stand-in, and returns when that has been finished.
#[inline(never)]
fn level(steps: &Steps) {
    drop(catch_unwind(AssertUnwindSafe(|| begin(steps))));
}

#[inline(never)]
fn begin(steps: &Steps) {
    let _stand_in = StandIn(steps);
    // A box of a zero-sized value takes no memory.
    resume_unwind(Box::new(()))
}

/// The value in whose destructor a stand-in is suspended.
struct StandIn<'a>(&'a Steps);

impl Drop for StandIn<'_> {
    #[inline(never)]
    fn drop(&mut self) {
        while self.0.suspend(()) == Step::Raise {
            level(self.0);
        }
    }
}

/// A worker's means to lower and raise its OS thread's count.
pub(super) struct PanicCount {
    nests: RefCell<Vec<Nest>>,
    /// The number of suspended threads whose count was not lowered to 0, and a number that changes
    /// when they are forgotten.
    kept: Cell<(u32, u32)>,
}

/// How a count was lowered, so that it can be raised again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lowered {
    by: u32,
    /// The number of `PanicCount::kept` at that time, if the count was not lowered to 0.
    is_kept: Option<u32>,
}

impl core::fmt::Debug for PanicCount {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PanicCount").finish_non_exhaustive()
    }
}

impl PanicCount {
    pub(super) fn new() -> Self {
        Self { nests: RefCell::new(Vec::new()), kept: Cell::new((0, 0)) }
    }

    /// Lowers the calling OS thread's count to 0. If the OS has no thread for a nest, or had none
    /// for a thread that is still suspended, the count stays as it is.
    #[cold]
    #[inline(never)]
    pub(super) fn lower(&self) -> Lowered {
        let mut nests = self.nests.borrow_mut();
        let (kept, number) = self.kept.get();
        let mut by = 0;
        while kept == 0 && panicking() {
            match nests.iter_mut().rev().find(|nest| nest.depth > 0) {
                Some(nest) => {
                    nest.lower();
                    by += 1;
                    if by == MAX_NESTED {
                        write_last_words(
                            b"green thread panicked while processing panic, again and again. aborting.\n",
                        );
                        process::abort();
                    }
                }
                None => match more() {
                    Some(nest) => nests.push(nest),
                    None => break,
                },
            }
        }
        let is_kept = panicking().then(|| {
            self.kept.set((kept + 1, number));
            number
        });
        Lowered { by, is_kept }
    }

    /// Raises the count again, by as much as `lower` has lowered it.
    #[cold]
    #[inline(never)]
    pub(super) fn raise(&self, lowered: Lowered) {
        self.forget_kept();
        let (kept, number) = self.kept.get();
        if lowered.is_kept == Some(number) {
            self.kept.set((kept - 1, number));
        }
        let mut nests = self.nests.borrow_mut();
        for _ in 0..lowered.by {
            // There is such a nest: for each step down a stand-in has ended and left its place.
            if let Some(nest) = nests.iter_mut().find(|nest| nest.depth < DEPTH) {
                nest.raise();
            }
        }
    }

    /// Called when a thread has caught its last panic. The count shall be as if it had never
    /// panicked.
    #[cold]
    pub(super) fn forget(&self) {
        self.forget_kept();
        // If counts of other threads were kept, the part of this thread is not known.
        if self.kept.get().0 == 0 && panicking() {
            let lowered = self.lower();
            if lowered.is_kept.is_some() {
                self.kept.set((0, self.kept.get().1));
            }
        }
    }

    /// If the count is 0, no suspended thread has a part in it, so all of them are forgotten.
    fn forget_kept(&self) {
        let (kept, number) = self.kept.get();
        if kept > 0 && !panicking() {
            self.kept.set((0, number.wrapping_add(1)));
        }
    }
}

impl Drop for PanicCount {
    /// Called when the worker ends. By then none of its threads is suspended.
    fn drop(&mut self) {
        let nests = self.nests.get_mut();
        if !nests.is_empty() {
            SPARE.lock().append(nests);
        }
    }
}

/// A nest that has stand-ins. `None` if the OS has refused a thread for it in all `ATTEMPTS`.
fn more() -> Option<Nest> {
    let spare = SPARE.lock().pop();
    let born = || {
        (0..ATTEMPTS).find_map(|attempt| {
            if attempt > 0 {
                thread::sleep(Duration::from_millis(1));
            }
            Nest::born_elsewhere().ok()
        })
    };
    spare.or_else(born)
}
