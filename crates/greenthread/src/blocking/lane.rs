//! A lane of the pool: a queue of jobs, and the OS threads that do them.
//!
//! A thread of the lane is *starting* (the system makes it), *busy* (it takes jobs from the queue
//! and runs them), *idle* (it sleeps, and is in `State::idle`) or *waking* (it was taken out of
//! there). At most one is starting and at most one is waking at any time. Both look at the queue
//! when they run.
//!
//! ```text
//!   submit:   queue the job; call a thread
//!   a thread: while there is a job: take it; call a thread; run it
//!             become idle; sleep until called, or end after `IDLE`
//!   to call a thread: is nothing queued, or is one waking? done
//!             Is one idle? Wake that which has been so for the shortest time
//!             Is one starting? done
//!             Are there fewer than `limit`? Start one, with the lock given back
//!             No thread comes: refuse
//!   if it was not started, it has never been there: is nothing queued, or is one waking? done
//!             Else refuse
//!   refuse:   the jobs that may not queue; all jobs, if the lane has no thread
//! ```
//!
//! A refused job goes back to its caller, which runs it itself or returns an error. A caller that
//! is cancelled *withdraws* its job, if no thread has taken it: exactly one of both gets it, under
//! the lock. Threads that were called for it find nothing, and become idle.
//!
//! Why each job finds a thread or is refused: it is queued under the lock, and a thread is called
//! before the lock is given back. From then on, while something is queued, a thread is starting or
//! waking, or all of the lane's threads are busy and there is one at least:
//! - A thread that comes, or has run a job, looks at the queue under the lock before it becomes
//!   idle. So while a thread is idle nothing is queued, unless another is waking. An idle thread
//!   ends, under the lock, only if it was not called.
//! - A start that fails takes its thread off the count under the lock. Another is waking then, or
//!   all others are busy, or there is none, and the queue is given back.
//!
//! Calls that are made one after the other need one thread: it becomes idle before it lets the
//! caller of its last job go on. So the next call of that caller finds it.
//!
//! One thread at a time is woken, and it calls the next. So a burst of short jobs wakes as many
//! threads as there are processors to run them, and its submitters pay for few wake-ups. (The crate
//! `blocking` wakes one for each job: up to ten times the processor time.) Jobs that run for long
//! have a thread each, since it calls the next before it runs its job.
//!
//! The lock is not held while a thread is started or woken, or while a job runs.

use std::{
    collections::VecDeque,
    io, mem,
    sync::{Arc, PoisonError},
    time::Duration,
};

use super::{Mutex, MutexGuard, Parker};

/// The time without a job after which an idle thread ends. If it is shorter, a program with a burst
/// of calls every few seconds starts its threads anew each time. If it is longer, the memory of a
/// burst's threads stays for longer.
const IDLE: Duration = Duration::from_secs(10);

/// The capacity, in jobs, above which an empty queue gives its memory back.
const KEPT: usize = 1024;

/// Something to do, for which its caller waits. For each submitted job either `finish` or `refuse`
/// is called, once, unless it is withdrawn.
pub(crate) trait Job: Sized {
    /// Whether it may wait for a thread that is busy. If not, it waits only for a thread that is
    /// starting or waking.
    fn may_queue(&self) -> bool;

    /// Does the job. It does not unwind.
    fn run(&self);

    /// Called when the job is done: its caller goes on.
    fn finish(self);

    /// Called when the job has not run and will not: its caller goes on.
    fn refuse(self, why: Refusal);

    /// Starts an OS thread that calls [`Lane::work`].
    fn start(lane: Arc<Lane<Self>>, number: usize) -> io::Result<()>;
}

/// Why no thread comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// All threads that the lane may have are busy.
    Limit(usize),
    /// The system has refused a thread with this error.
    System(Option<i32>),
    /// There is no memory to queue the job.
    Memory,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Lane<J> {
    /// The runtime's name and the lane's, from which the threads' names are made.
    pub(crate) names: [String; 2],
    limit: usize,
    state: Mutex<State<J>>,
}

#[derive(Debug)]
struct State<J> {
    /// Jobs that may not queue: they wait only for a thread that is starting or waking. They are
    /// taken first.
    urgent: VecDeque<J>,
    /// Jobs that may queue.
    queue: VecDeque<J>,
    /// The sleeping threads, the latest at the back.
    idle: VecDeque<Arc<Parker>>,
    /// How many threads there are, including one that is being started.
    threads: usize,
    /// How many threads were ever started.
    started: usize,
    /// Whether a thread is being started.
    starting: bool,
    /// Whether a thread that was idle has been woken, and has not looked at the queue yet.
    waking: bool,
    /// Whether the runtime has ended, so that no more jobs come.
    closed: bool,
}

/// The result of a call for a thread. It is carried out after the lane is unlocked.
#[must_use = "a thread was counted as starting or waking"]
enum Call<J> {
    Nobody,
    Wake(Arc<Parker>),
    Start(usize),
    Refuse(Refusal, [VecDeque<J>; 2]),
}

/// The counts of a lane at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) threads: usize,
    pub(crate) idle: usize,
    pub(crate) queued: usize,
    pub(crate) limit: usize,
}

impl<J> State<J> {
    fn take(&mut self) -> Option<J> {
        let take = |queue: &mut VecDeque<J>| {
            let job = queue.pop_front();
            if queue.is_empty() && queue.capacity() > KEPT {
                *queue = VecDeque::new();
            }
            job
        };
        take(&mut self.urgent).or_else(|| take(&mut self.queue))
    }

    fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.queue.is_empty()
    }

    /// Calls a thread if a job is queued and no thread is starting or waking for it.
    fn call(&mut self, limit: usize) -> Call<J> {
        if self.is_empty() || self.waking {
            return Call::Nobody;
        }
        if let Some(thread) = self.idle.pop_back() {
            self.waking = true;
            return Call::Wake(thread);
        }
        if self.starting {
            return Call::Nobody;
        }
        if self.threads == limit {
            return self.refuse(Refusal::Limit(limit));
        }
        // Reserved now, so that a thread that becomes idle needs no memory.
        if self.idle.try_reserve(self.threads + 1).is_err() {
            return self.refuse(Refusal::Memory);
        }
        self.starting = true;
        self.threads += 1;
        self.started += 1;
        Call::Start(self.started - 1)
    }

    /// Called when a thread could not be started.
    fn not_started(&mut self, error: Option<i32>) -> Call<J> {
        self.starting = false;
        self.threads -= 1;
        // No thread is idle now: it would have been woken for the queued job.
        if self.is_empty() || self.waking { Call::Nobody } else { self.refuse(Refusal::System(error)) }
    }

    fn refuse(&mut self, why: Refusal) -> Call<J> {
        let queue = if self.threads == 0 { mem::take(&mut self.queue) } else { VecDeque::new() };
        Call::Refuse(why, [mem::take(&mut self.urgent), queue])
    }
}

impl<J: Job> Lane<J> {
    pub(crate) fn new(names: [String; 2], limit: usize) -> Arc<Self> {
        let state = State {
            urgent: VecDeque::new(),
            queue: VecDeque::new(),
            idle: VecDeque::new(),
            threads: 0,
            started: 0,
            starting: false,
            waking: false,
            closed: false,
        };
        Arc::new(Self { names, limit, state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the job run, or refuses it.
    pub(crate) fn submit(self: &Arc<Self>, job: J) {
        let mut state = self.lock();
        let queue = if job.may_queue() { &mut state.queue } else { &mut state.urgent };
        if queue.try_reserve(1).is_err() {
            drop(state);
            return job.refuse(Refusal::Memory);
        }
        queue.push_back(job);
        let call = state.call(self.limit);
        drop(state);
        self.carry_out(call);
    }

    fn carry_out(self: &Arc<Self>, mut call: Call<J>) {
        if let Call::Start(number) = call {
            call = match J::start(self.clone(), number) {
                Ok(()) => Call::Nobody,
                Err(error) => self.lock().not_started(error.raw_os_error()),
            };
        }
        match call {
            Call::Nobody | Call::Start(_) => {}
            Call::Wake(thread) => thread.unpark(),
            Call::Refuse(why, jobs) => jobs.into_iter().flatten().for_each(|job| job.refuse(why)),
        }
    }

    /// Takes a job back that no thread has taken. `None` if one has, or if the job was refused.
    /// Looks at each job in the queue: cancellation is rare, and a queue is seldom long.
    pub(crate) fn withdraw(&self, is_it: impl Fn(&J) -> bool) -> Option<J> {
        let mut state = self.lock();
        let place = state.queue.iter().position(is_it)?;
        state.queue.remove(place)
    }

    /// The main function of a thread of the lane.
    pub(crate) fn work(self: &Arc<Self>) {
        let parker = Arc::<Parker>::default();
        let mut state = self.lock();
        state.starting = false;
        loop {
            let mut finished: Option<J> = None;
            while let Some(job) = state.take() {
                let call = state.call(self.limit);
                drop(state);
                if let Some(job) = finished {
                    job.finish();
                }
                self.carry_out(call);
                job.run();
                finished = Some(job);
                state = self.lock();
            }
            let closed = state.closed;
            if closed {
                state.threads -= 1;
            } else {
                state.idle.push_back(parker.clone());
            }
            drop(state);
            if let Some(job) = finished {
                job.finish();
            }
            if closed || !self.sleep(&parker) {
                return;
            }
            state = self.lock();
            state.waking = false;
        }
    }

    /// An idle thread sleeps. Returns `false` if it was not called and is to end.
    fn sleep(&self, parker: &Arc<Parker>) -> bool {
        if parker.park_timeout(IDLE) {
            return true;
        }
        let mut state = self.lock();
        // This thread has been idle for longest, so it is usually the first.
        if let Some(place) = state.idle.iter().position(|idle| Arc::ptr_eq(idle, parker)) {
            state.idle.remove(place);
            state.threads -= 1;
            return false;
        }
        drop(state);
        // It was called after its timeout. The token is on its way.
        parker.park();
        true
    }

    /// Ends the threads. No job is queued, and none comes after this.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let idle = mem::take(&mut state.idle);
        drop(state);
        idle.iter().for_each(|thread| thread.unpark());
    }

    pub(crate) fn figures(&self) -> Figures {
        let state = self.lock();
        Figures {
            threads: state.threads,
            idle: state.idle.len(),
            queued: state.urgent.len() + state.queue.len(),
            limit: self.limit,
        }
    }
}
