//! The pool's lane: callers, threads that start, become idle and end, and a system that refuses to
//! start some.
//!
//! The surroundings of the library's file are the model's: the lock, the parker, the system. An
//! idle thread's time-out may come at any moment: where a model says so, the thread looks for its
//! token once, and then its time is up.
//!
//! Each mistake is planted in a copy of the file (`build.rs`).

use std::{
    cell::Cell,
    fmt,
    sync::{Arc, LockResult},
    time::Duration,
};

use loom::cell::UnsafeCell;

use crate::{
    harness::{Driver, Joiner},
    locks::spin::{SpinGuard, SpinLock},
};

/// std's lock, as far as a lane uses it.
pub(crate) struct Mutex<T>(SpinLock<T>);

pub(crate) type MutexGuard<'a, T> = SpinGuard<'a, T>;

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(SpinLock::new(value))
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        Ok(self.0.lock())
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mutex")
    }
}

/// `sys::parker`.
#[derive(Debug)]
pub(crate) struct Parker(Arc<Driver>);

impl Default for Parker {
    fn default() -> Self {
        Self(Driver::new())
    }
}

impl Parker {
    pub(crate) fn park(&self) {
        self.0.sleep();
    }

    pub(crate) fn park_timeout(&self, _: Duration) -> bool {
        if TIMES_OUT.get() {
            return self.0.take();
        }
        self.0.sleep();
        true
    }

    pub(crate) fn unpark(&self) {
        self.0.wake();
    }
}

std::thread_local! {
    /// Whether an idle thread may time out.
    static TIMES_OUT: Cell<bool> = const { Cell::new(false) };
    /// The threads that the system refuses to start, as a bit for each number.
    static REFUSED: Cell<usize> = const { Cell::new(0) };
    /// The threads that have been started.
    static THREADS: Cell<Vec<Joiner>> = const { Cell::new(Vec::new()) };
}

/// The callers' pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Calls {
    /// One caller makes three calls, one after the other.
    InTurn,
    /// Two callers make one call each at the same time.
    Two,
    /// Two callers, and either call lasts until both have begun, or the other was refused.
    Rendezvous,
    /// Two callers make one call each at the same time, and either withdraws it at once, if it can.
    Withdrawn,
}

/// The parameters of a model.
#[derive(Clone, Copy, Debug)]
struct Setting {
    calls: Calls,
    may_queue: bool,
    limit: usize,
    refused: usize,
    times_out: bool,
}

const PLAIN: Setting = Setting { calls: Calls::Two, may_queue: true, limit: 2, refused: 0, times_out: false };

/// One caller after the other, which one thread serves.
const IN_TURN: Setting = Setting { calls: Calls::InTurn, ..PLAIN };
/// The same, with a thread that may end in between.
const IN_TURN_LATE: Setting = Setting { times_out: true, ..IN_TURN };
/// More jobs than threads.
const CROWDED: Setting = Setting { limit: 1, ..PLAIN };
/// The same, with threads that may end.
const CROWDED_LATE: Setting = Setting { times_out: true, ..CROWDED };
/// Two jobs that need a thread each.
const RENDEZVOUS: Setting = Setting { calls: Calls::Rendezvous, ..PLAIN };
/// Two of them, neither of which may queue, and one thread.
const URGENT: Setting = Setting { may_queue: false, limit: 1, ..RENDEZVOUS };
/// More jobs than threads, and callers that don't wait for their turn.
const WITHDRAWN: Setting = Setting { calls: Calls::Withdrawn, ..CROWDED };
/// The same, with threads that may end.
const WITHDRAWN_LATE: Setting = Setting { times_out: true, ..WITHDRAWN };
/// The same, with no thread to be had.
const WITHDRAWN_REFUSED: Setting = Setting { refused: usize::MAX, ..WITHDRAWN };
/// The first thread can't be started.
const NO_FIRST: Setting = Setting { refused: 1, ..PLAIN };
/// The second thread can't be started, and the first may end.
const NO_SECOND: Setting = Setting { refused: 2, times_out: true, ..PLAIN };
/// The same, with jobs that may not queue.
const NO_SECOND_URGENT: Setting = Setting { may_queue: false, ..NO_SECOND };
/// No thread can be started.
const NONE: Setting = Setting { refused: usize::MAX, ..PLAIN };

/// The outcome of a call. Loom reports two accesses at the same time.
struct Outcome<T>(UnsafeCell<Option<T>>);

impl<T> Outcome<T> {
    fn new() -> Self {
        Self(UnsafeCell::new(None))
    }

    fn set(&self, value: T) {
        // SAFETY: loom reports a race.
        let before = self.0.with_mut(|outcome| unsafe { (*outcome).replace(value) });
        assert!(before.is_none(), "it had another outcome");
    }

    /// Takes the outcome. The caller does so before its call goes out of scope.
    fn take(&self) -> T {
        // SAFETY: loom reports a race.
        self.0.with_mut(|outcome| unsafe { (*outcome).take() }).expect("an outcome")
    }
}

/// A pointer to a call on the stack of its caller.
struct Place<T>(*const T);

impl<T> Place<T> {
    fn get(&self) -> &T {
        // SAFETY: the caller sleeps until it is woken, and then touches what loom watches.
        unsafe { &*self.0 }
    }
}

macro_rules! lane_model {
    ($name:ident) => {
        mod $name {
            use std::{
                io,
                sync::{
                    Arc,
                    atomic::{AtomicUsize as Plain, Ordering::Relaxed},
                },
            };

            use super::{Calls, Outcome, Place, REFUSED, Setting, THREADS, TIMES_OUT};
            use crate::{
                harness::{Driver, spawn},
                library::blocking::$name::{self as lane, Lane, Refusal},
            };

            /// A call, on its caller's stack.
            struct Call {
                may_queue: bool,
                outcome: Outcome<Result<(), Refusal>>,
                caller: Arc<Driver>,
                /// The first driver is this call's to wait at for the other one. The second is
                /// where it tells that it has begun.
                rendezvous: Option<[Arc<Driver>; 2]>,
            }

            /// A job points to a call, until it wakes the caller.
            struct Job(Place<Call>);

            impl lane::Job for Job {
                fn may_queue(&self) -> bool {
                    self.0.get().may_queue
                }

                fn run(&self) {
                    if let Some([here, there]) = &self.0.get().rendezvous {
                        there.wake();
                        here.sleep();
                    }
                    self.0.get().outcome.set(Ok(()));
                }

                fn finish(self) {
                    let caller = self.0.get().caller.clone();
                    caller.wake();
                }

                fn refuse(self, why: Refusal) {
                    if let Some([_, there]) = &self.0.get().rendezvous {
                        there.wake();
                    }
                    self.0.get().outcome.set(Err(why));
                    self.finish();
                }

                fn start(lane: Arc<Lane<Self>>, number: usize) -> io::Result<()> {
                    if REFUSED.get() >> number & 1 != 0 {
                        return Err(io::ErrorKind::WouldBlock.into());
                    }
                    let thread = spawn(move || lane.work());
                    let mut threads = THREADS.take();
                    threads.push(thread);
                    THREADS.set(threads);
                    Ok(())
                }
            }

            /// Makes a call, and returns whether it was run.
            fn call(lane: &Arc<Lane<Job>>, setting: Setting, rendezvous: Option<[Arc<Driver>; 2]>) -> bool {
                let Setting { may_queue, calls, .. } = setting;
                let caller = Driver::new();
                let call = Call { may_queue, outcome: Outcome::new(), caller: caller.clone(), rendezvous };
                lane.submit(Job(Place(&raw const call)));
                let is_mine = |job: &Job| std::ptr::eq(job.0.0, &raw const call);
                if calls == Calls::Withdrawn
                    && let Some(job) = lane.withdraw(is_mine)
                {
                    assert!(is_mine(&job), "another's job");
                    // The job is the caller's again, and nobody else has it.
                    call.outcome.set(Ok(()));
                    call.outcome.take().unwrap();
                    return false;
                }
                caller.sleep();
                call.outcome.take().is_ok()
            }

            pub(super) fn run(setting: Setting) {
                TIMES_OUT.set(setting.times_out);
                REFUSED.set(setting.refused);
                drop(THREADS.take());
                let lane = Lane::new(Default::default(), setting.limit);
                let ran = Arc::new(Plain::new(0));
                let [one, other] = [Driver::new(), Driver::new()];
                let rendezvous = (setting.calls == Calls::Rendezvous).then_some([one, other]);
                let there = {
                    let (lane, ran, rendezvous) = (lane.clone(), ran.clone(), rendezvous.clone());
                    (setting.calls != Calls::InTurn).then(|| {
                        spawn(move || {
                            let rendezvous = rendezvous.map(|[one, other]| [other, one]);
                            ran.fetch_add(call(&lane, setting, rendezvous).into(), Relaxed);
                        })
                    })
                };
                ran.fetch_add(call(&lane, setting, rendezvous).into(), Relaxed);
                match there {
                    Some(there) => there.join(),
                    None => {
                        for _ in 0..2 {
                            ran.fetch_add(call(&lane, setting, None).into(), Relaxed);
                        }
                    }
                }
                let figures = lane.figures();
                assert!(figures.threads <= setting.limit, "more than the limit");
                assert!(figures.idle <= figures.threads, "idle twice");
                assert_eq!(figures.queued, 0, "left in the queue");
                let threads = THREADS.take();
                if setting.calls == Calls::InTurn && !setting.times_out {
                    assert_eq!(threads.len(), 1, "calls in turn take one thread");
                }
                if setting.refused == 0 && setting.may_queue && setting.calls != Calls::Withdrawn {
                    let calls = if setting.calls == Calls::InTurn { 3 } else { 2 };
                    assert_eq!(ran.load(Relaxed), calls, "refused for nothing");
                }
                if setting.refused == usize::MAX {
                    assert_eq!(ran.load(Relaxed), 0);
                }
                lane.close();
                threads.into_iter().for_each(|thread| thread.join());
                let figures = lane.figures();
                assert_eq!((figures.threads, figures.idle), (0, 0), "threads are left");
            }
        }
    };
}

macro_rules! models {
    ($($test:ident: $setting:expr;)*) => {
        lane_model!(lane);

        $(
            #[test]
            fn $test() {
                crate::harness::check(Some(3), || lane::run($setting));
            }
        )*
    };
}

macro_rules! mistakes {
    ($($test:ident: $mistake:ident, $setting:expr, $complaint:expr;)*) => { $(
        lane_model!($mistake);

        #[test]
        fn $test() {
            crate::harness::finds(crate::atomic::Bug::None, $complaint, || $mistake::run($setting));
        }
    )* };
}

models! {
    calls_in_turn_take_one_thread: IN_TURN;
    a_job_that_comes_when_an_idle_thread_ends_is_run: IN_TURN_LATE;
    a_job_that_queues_is_run: CROWDED;
    a_job_that_queues_is_run_though_threads_end: CROWDED_LATE;
    no_job_waits_for_one_that_waits_for_it: RENDEZVOUS;
    a_job_that_may_not_queue_does_not: URGENT;
    a_refusal_gives_the_queue_back: NO_FIRST;
    a_refusal_while_the_last_thread_ends_leaves_no_job: NO_SECOND;
    a_refusal_while_the_last_thread_ends_refuses_the_urgent: NO_SECOND_URGENT;
    without_threads_all_jobs_come_back: NONE;
    a_withdrawn_job_is_not_run: WITHDRAWN;
    a_withdrawn_job_is_not_run_though_threads_end: WITHDRAWN_LATE;
    a_job_is_withdrawn_or_comes_back: WITHDRAWN_REFUSED;
}

mistakes! {
    finds_a_caller_that_goes_on_early: finishes_early, IN_TURN, "one thread";
    finds_a_thread_that_becomes_idle_late: idle_late, CROWDED, "deadlock";
    finds_a_thread_that_calls_nobody: calls_nobody, RENDEZVOUS, "deadlock";
    finds_a_thread_that_comes_late: comes_late, RENDEZVOUS, "deadlock";
    finds_a_called_thread_that_ends: ends_although_called, IN_TURN_LATE, "deadlock";
    finds_a_token_left: leaves_the_token, IN_TURN_LATE, "idle twice";
    finds_an_ended_thread_that_is_called: stays_in_the_list, IN_TURN_LATE, "deadlock";
    finds_an_unstarted_thread_that_is_counted: counts_the_unstarted, NONE, "deadlock";
    finds_a_wake_up_that_never_ends: wakes_once, IN_TURN, "deadlock";
    finds_a_start_that_never_ends: starts_once, NO_FIRST, "deadlock";
    finds_a_queue_with_nobody: keeps_the_queue, NONE, "deadlock";
    finds_a_urgent_job_that_queues: queues_all, URGENT, "deadlock";
    finds_an_end_that_wakes_nobody: ends_silently, IN_TURN, "deadlock";
    finds_another_job_that_is_withdrawn: withdraws_another, WITHDRAWN, "another's job";
    finds_an_end_that_is_not_seen: ends_unseen, IN_TURN, "deadlock";
}
