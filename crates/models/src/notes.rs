//! A green thread that waits, its worker, and cancellers elsewhere: the thread finds out, whatever
//! comes first, and a wake-up that comes at the same time is neither lost nor left behind. Thread
//! and worker are one OS thread, as in the library: what a worker does on its home context is a
//! call here.

use std::{
    cell::Cell as Plain,
    ptr::{self, NonNull},
    sync::{
        Arc,
        atomic::{AtomicIsize, Ordering::Relaxed as Any},
    },
};

use crate::{
    atomic::{
        AtomicPtr, AtomicU8, AtomicUsize, Bug,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
    harness::{Driver, check, finds, spawn},
    library::{
        cancel_node::{CancelNode, State},
        notes::{self, Noted, Notes, REQUESTED},
        sleep_flag::SleepFlag,
        state::{Claimed, Outcome, WaitState},
    },
};

/// A mistake of a model.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// The canceller leaves the note before it cancels.
    NotesEarly,
    /// The canceller leaves no note if it can't tell whose the thread is.
    NotesForOne,
    /// The worker looks, and only then takes the mark away.
    LooksEarly,
    /// The thread looks only if its wait is over.
    LooksNever,
    /// The worker resumes a thread whose wait was claimed.
    ResumesClaimed,
    /// The worker sleeps without having looked for notes.
    SleepsOnNotes,
}

/// A thread's record, as far as it is needed.
struct Task {
    marks: AtomicU8,
    owner: AtomicPtr<Worker>,
    /// Counted references of notes.
    references: AtomicIsize,
    /// The scopes that the thread is in or will be in, the inner one last.
    scopes: [CancelNode; 2],
    waits: [WaitState; 2],
}

struct Worker {
    notes: Notes<Task>,
    /// Wake-ups for the thread.
    inbox: AtomicUsize,
    sleep: SleepFlag,
    driver: Arc<Driver>,
}

// SAFETY: all threads of a model run on one OS thread.
unsafe impl Send for Task {}
// SAFETY: as above.
unsafe impl Sync for Task {}

impl Task {
    fn new() -> Arc<Self> {
        let scope = || CancelNode::new(ptr::null(), false, None);
        Arc::new(Self {
            marks: AtomicU8::new(0),
            owner: AtomicPtr::new(ptr::null_mut()),
            references: AtomicIsize::new(0),
            scopes: [scope(), scope()],
            waits: [WaitState::new(), WaitState::new()],
        })
    }

    /// Whether the thread is cancelled in its outermost `depth` scopes. It looks in the library's
    /// order.
    fn is_cancelled(&self, depth: usize) -> bool {
        self.scopes[..depth].iter().rev().any(|scope| scope.state() != State::Live)
            || self.marks.load(Acquire) & REQUESTED != 0
    }

    fn note(&self, worker: &Worker, by_handle: bool) {
        unsafe fn release(task: NonNull<Task>) {
            // SAFETY: the model keeps its tasks until its end.
            unsafe { task.as_ref() }.references.fetch_sub(1, Any);
        }
        self.references.fetch_add(1, Any);
        // SAFETY: just counted.
        worker.notes.leave(unsafe { Noted::new(NonNull::from(self), by_handle, release) });
        worker.wake();
    }

    /// As `cancel::cancel`.
    fn cancel(&self, scope: usize, worker: &Worker, mistake: Mistake) {
        if mistake == Mistake::NotesEarly && notes::must_note(&self.marks) {
            self.note(worker, false);
        }
        if self.scopes[scope].end(State::Cancelled)
            && mistake != Mistake::NotesEarly
            && notes::must_note(&self.marks)
        {
            self.note(worker, false);
        }
    }

    /// As `cancel::cancel_thread`.
    fn request(&self, worker: &Worker, mistake: Mistake) {
        assert!(notes::request(&self.marks));
        let owner = self.owner.load(Relaxed).cast_const();
        if owner.is_null() && mistake != Mistake::NotesForOne || ptr::eq(owner, worker) {
            self.note(worker, true);
        }
    }
}

impl Worker {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            notes: Notes::new(),
            inbox: AtomicUsize::new(0),
            sleep: SleepFlag::new(),
            driver: Driver::new(),
        })
    }

    fn wake(&self) {
        if self.sleep.notify() {
            self.driver.wake();
        }
    }

    /// Another OS thread ends the wait.
    fn end_wait(&self, wait: &WaitState) -> bool {
        let claimed = wait.claim(Outcome::Woken);
        if claimed == Claimed::Parked {
            self.inbox.fetch_add(1, AcqRel);
            self.wake();
        }
        claimed != Claimed::Lost
    }

    /// The thread waits: it looks, parks, and is suspended. Then the worker runs, until the thread
    /// goes on. The thread has the last word, as in `Waiter::end_by_cancellation`.
    fn wait(&self, task: &Task, depth: usize, wait: &WaitState, mistake: Mistake) -> Outcome {
        if mistake != Mistake::LooksNever && task.is_cancelled(depth) {
            // It has not parked: no wake-up will come.
            return match wait.claim(Outcome::Cancelled) {
                Claimed::Lost => wait.outcome().expect("a claim"),
                _ => Outcome::Cancelled,
            };
        }
        if let Some(outcome) = wait.park() {
            return outcome;
        }
        self.run_until_resumed(task, depth, wait, mistake);
        match wait.claim(Outcome::Cancelled) {
            Claimed::Lost => wait.outcome().expect("a claim"),
            _ => Outcome::Cancelled,
        }
    }

    /// What the worker does while the thread is parked, until that goes on, since it was woken or
    /// interrupted.
    fn run_until_resumed(&self, task: &Task, depth: usize, wait: &WaitState, mistake: Mistake) {
        loop {
            while !self.notes.is_empty()
                && let Some(noted) = self.notes.take()
            {
                // As `cancel::read_note`.
                let early = task.is_cancelled(depth);
                if !noted.by_handle {
                    notes::note_taken(&task.marks);
                }
                let is_cancelled =
                    if mistake == Mistake::LooksEarly { early } else { task.is_cancelled(depth) };
                if is_cancelled && (wait.interrupt() || mistake == Mistake::ResumesClaimed) {
                    return;
                }
            }
            match self.inbox.swap(0, Acquire) {
                0 => self.sleep(mistake),
                count => return assert_eq!(count, 1, "as many wake-ups as waits"),
            }
        }
    }

    fn sleep(&self, mistake: Mistake) {
        self.sleep.prepare();
        let is_noted = mistake != Mistake::SleepsOnNotes && !self.notes.is_empty();
        if self.inbox.load(Acquire) == 0 && !is_noted {
            self.driver.sleep();
        }
        self.sleep.finish();
    }

    /// The thread's worker has ended.
    fn end(&self, task: &Task) {
        while self.notes.take().is_some() {}
        assert_eq!(self.inbox.load(Relaxed), 0, "a wake-up is left");
        assert_eq!(task.references.load(Any), 0);
    }
}

/// Runs `f` on another OS thread.
fn elsewhere(
    task: &Arc<Task>,
    worker: &Arc<Worker>,
    f: impl FnOnce(&Task, &Worker) + 'static,
) -> crate::harness::Joiner {
    let (task, worker) = (task.clone(), worker.clone());
    spawn(move || f(&task, &worker))
}

/// The inner one of two scopes is cancelled, and then the outer one, from two OS threads: the
/// second may find the note of the first. The thread leaves the inner scope when it is told to, and
/// waits for the outer one's end.
fn twice(mistake: Mistake) {
    let (task, worker) = (Task::new(), Worker::new());
    let cancellers = [1, 0]
        .map(|scope| elsewhere(&task, &worker, move |task, worker| task.cancel(scope, worker, mistake)));
    for depth in [2, 1] {
        let outcome = worker.wait(&task, depth, &task.waits[depth - 1], mistake);
        assert_eq!(outcome, Outcome::Cancelled);
    }
    cancellers.into_iter().for_each(|canceller| canceller.join());
    worker.end(&task);
}

#[test]
fn a_second_cancellation_is_seen() {
    check(Some(2), || twice(Mistake::None));
}

#[test]
fn finds_an_early_note() {
    finds(Bug::None, "deadlock", || twice(Mistake::NotesEarly));
}

#[test]
fn finds_an_early_look() {
    finds(Bug::None, "deadlock", || twice(Mistake::LooksEarly));
}

#[test]
fn finds_a_thread_that_does_not_look() {
    finds(Bug::None, "deadlock", || twice(Mistake::LooksNever));
}

#[test]
fn finds_a_sleep_on_notes() {
    finds(Bug::None, "deadlock", || twice(Mistake::SleepsOnNotes));
}

#[test]
fn finds_marks_that_release_nothing() {
    finds(Bug::NoRelease, "", || twice(Mistake::None));
}

/// A wake-up and a cancellation.
fn race(mistake: Mistake) {
    let (task, worker) = (Task::new(), Worker::new());
    #[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
    let won = Arc::new(Plain::new(false));
    let waker = {
        let won = won.clone();
        elsewhere(&task, &worker, move |task, worker| won.set(worker.end_wait(&task.waits[0])))
    };
    let canceller = elsewhere(&task, &worker, move |task, worker| task.cancel(0, worker, mistake));
    let outcome = worker.wait(&task, 1, &task.waits[0], mistake);
    waker.join();
    canceller.join();
    assert_eq!(outcome == Outcome::Woken, won.get());
    worker.end(&task);
}

#[test]
fn one_of_wake_up_and_cancellation_counts() {
    check(Some(2), || race(Mistake::None));
}

#[test]
fn finds_a_thread_that_is_resumed_twice() {
    finds(Bug::None, "a wake-up is left", || race(Mistake::ResumesClaimed));
}

#[test]
fn finds_claims_that_tear() {
    finds(Bug::TornExchange, "", || race(Mistake::None));
}

/// A thread is cancelled by its handle while it starts, and a scope of it as well.
fn start(mistake: Mistake) {
    let (task, worker) = (Task::new(), Worker::new());
    let by_handle = elsewhere(&task, &worker, move |task, worker| task.request(worker, mistake));
    let by_scope = elsewhere(&task, &worker, move |task, worker| task.cancel(1, worker, mistake));
    // The worker reads what is there, and starts the thread.
    while worker.notes.take().is_some_and(|noted| {
        if !noted.by_handle {
            notes::note_taken(&task.marks);
        }
        true
    }) {}
    task.owner.store(Arc::as_ptr(&worker).cast_mut(), Relaxed);
    for depth in [2, 0] {
        let outcome = worker.wait(&task, depth, &task.waits[depth / 2], mistake);
        assert_eq!(outcome, Outcome::Cancelled);
    }
    by_handle.join();
    by_scope.join();
    worker.end(&task);
}

#[test]
fn a_thread_that_starts_is_told() {
    check(Some(2), || start(Mistake::None));
}

#[test]
fn finds_a_thread_that_is_left_out() {
    finds(Bug::None, "deadlock", || start(Mistake::NotesForOne));
}

/// Two threads of one worker are cancelled from two OS threads: no note hides another one.
#[test]
fn each_thread_is_told() {
    check(Some(2), || {
        let (tasks, worker) = ([(); 2].map(|()| Task::new()), Worker::new());
        let cancellers = tasks
            .each_ref()
            .map(|task| elsewhere(task, &worker, |task, worker| task.cancel(0, worker, Mistake::None)));
        let mut told = 0;
        while told < 2 {
            while !worker.notes.is_empty()
                && let Some(noted) = worker.notes.take()
            {
                // SAFETY: the model keeps its tasks.
                let task = unsafe { noted.task.as_ref() };
                notes::note_taken(&task.marks);
                assert!(task.is_cancelled(1));
                told += 1;
            }
            if told < 2 {
                worker.sleep(Mistake::None);
            }
        }
        cancellers.into_iter().for_each(|canceller| canceller.join());
        tasks.iter().for_each(|task| worker.end(task));
    });
}
