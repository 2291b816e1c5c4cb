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
//! OS thread where the unwinding arrives. A *stand-in* is an unwinding of ours between those two
//! places: it is suspended in a destructor. A [`Nest`] is a coroutine that has stand-ins one inside
//! the other. Resumed with [`Step::Raise`] it begins one more, which raises the count here; resumed
//! with [`Step::Lower`] it finishes the innermost, which lowers the count here.
//!
//! A count can be lowered here only by a stand-in that has begun elsewhere. Therefore a nest is
//! born on a short-lived OS thread, whose own count stays raised when it ends. That happens when a
//! worker first suspends an unwinding thread: other programs pay one test in a switch. A nest that
//! its worker doesn't need any more goes to the next worker.
//!
//! While the OS refuses that thread, the worker waits for it, a second at most. Then it switches
//! with the count as it is: until the thread goes on, its siblings are taken for panicking. What
//! the count says of one that switches meanwhile may be another's, so it is left there too
//! ([`Lowered::is_kept`]): each thread adds to the count and subtracts what it has added, and
//! in the end it is right.
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
//!    No frame on its stack then holds the address of a thread-local, nor a value of the user's.
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
/// Stack for those, and for the unwinder.
const STACK_SIZE: usize = 64 << 10;
/// So often a worker asks for an OS thread for its first nest, a millisecond apart. The OS refuses
/// one when too many are there, and those are usually about to end.
const ATTEMPTS: usize = 1000;
/// This many panics within panics of one thread can only mean a panic hook that waits, and then
/// panics: each of its panics calls it again. std aborts at the second, by a mark that the wait
/// removes.
const MOST: u32 = 500;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Raise,
    Lower,
}

type Steps = Suspender<Step, ()>;

/// See the module. It is never dropped: its stand-ins could only be finished by lowering somebody's
/// count.
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
    /// Without stand-ins. The first step is to raise.
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

    /// One with as many stand-ins as it can have; begun on another OS thread, so that the count is
    /// raised there.
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
    // A box of nothing: no memory.
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
    /// How many threads are suspended whose count was kept, at least in part; and a number that
    /// changes when they are forgotten.
    kept: Cell<(u32, u32)>,
}

/// How a count was lowered, so that it can be raised again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lowered {
    by: u32,
    /// Not to 0; with the number of `PanicCount::kept`.
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
    /// for one of those who are suspended, the count stays as it is.
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
                    if by == MOST {
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

    /// Raises it again.
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
            // There is one: the count was lowered by a stand-in that has left its place.
            if let Some(nest) = nests.iter_mut().find(|nest| nest.depth < DEPTH) {
                nest.raise();
            }
        }
    }

    /// A thread has caught its last panic, and the count shall be as if it had never panicked.
    #[cold]
    pub(super) fn forget(&self) {
        self.forget_kept();
        // If the count of others is there, nobody can tell what of it is this thread's.
        if self.kept.get().0 == 0 && panicking() {
            let lowered = self.lower();
            if lowered.is_kept.is_some() {
                self.kept.set((0, self.kept.get().1));
            }
        }
    }

    /// If the count is 0, the threads that were suspended with a count of theirs have none.
    fn forget_kept(&self) {
        let (kept, number) = self.kept.get();
        if kept > 0 && !panicking() {
            self.kept.set((0, number.wrapping_add(1)));
        }
    }
}

impl Drop for PanicCount {
    /// The worker ends, and with it no thread of its own is suspended.
    fn drop(&mut self) {
        let nests = self.nests.get_mut();
        if !nests.is_empty() {
            SPARE.lock().append(nests);
        }
    }
}

/// A nest that has stand-ins, or none if the OS has no thread for it for long.
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
