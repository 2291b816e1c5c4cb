//! A lane of the pool: a queue of jobs, and the OS threads that do them.
//!
//! A thread of the lane is *busy* (it runs a job), *idle* (it sleeps, and is in `State::idle`), or *coming*: it has been
//! started, or woken from its idleness, and has not looked at the queue yet. At most one is coming at any time.
//!
//! ```text
//!   submit:   queue the job; call a thread
//!   a thread: comes. While there is a job: take it; call a thread; run it
//!             Becomes idle; sleeps until it is called, or ends after `IDLE`
//!   to call a thread: is one coming, or is nothing queued? done
//!             Is one idle? Wake the one that has been so for the shortest time
//!             Are there fewer than `limit`? Start one, with the lock given back
//!             Else no thread comes: refuse
//!   not started: as if it had never been there; wake an idle one, or else refuse
//!   refuse:   the jobs that may not queue, for want of a thread that comes; all jobs, if the lane has no thread
//! ```
//!
//! A refused job goes back to its caller, who runs it on the spot or returns an error.
//!
//! Why no job is left with nobody: while something is queued, one thread is coming, or all of the lane's threads are busy
//! and there is one at least. A coming thread looks at the queue under the lock, and so does a busy one before it becomes
//! idle. A thread ends only if it is idle, hence the queue was empty when the last busy one became so; and whoever queues
//! something calls, under the same lock. A start that fails takes its thread off the count under the lock, and then there
//! is another thread for what is queued, or the queue is given back.
//!
//! A job whose caller waits for this thread alone finds it idle when it comes back with the next job: a thread becomes
//! idle first, and then lets its last job's caller go on.
//!
//! One thread at a time is called, and it calls the next: a burst of short jobs wakes as many threads as there are processors to
//! run them, and the submitter pays for one of them. (A thread for each job was tried by others: it wakes them all.) Jobs that
//! run for long get one thread each, since each calls the next before it runs its own.
//!
//! The lock is never held while a thread is started or woken, or while a job runs.

use std::{
    collections::VecDeque,
    io, mem,
    sync::{Arc, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{Mutex, Parker};

/// After so long without a job an idle thread ends. Shorter, and a program that makes a burst of calls every few seconds
/// starts its threads anew each time; longer, and the memory of a burst's threads stays for as long.
const IDLE: Duration = Duration::from_secs(10);

/// A queue that has room for more jobs than this gives the room back when it is empty.
const KEPT: usize = 1024;

/// Something to do, whose caller waits for it. Of a job that is submitted either `finish` or `refuse` is called, once.
pub(super) trait Job: Sized {
    /// Whether it may wait for a thread that is busy. If not, it waits for one that is coming only.
    fn may_queue(&self) -> bool;

    /// Does it. Does not unwind.
    fn run(&self);

    /// It is done: its caller goes on.
    fn finish(self);

    /// It was not run, and will not be: its caller goes on.
    fn refuse(self, why: Refusal);

    /// Starts an OS thread that calls [`Lane::work`].
    fn start(lane: Arc<Lane<Self>>, number: usize) -> io::Result<()>;
}

/// Why no thread comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// All that the lane may have are busy.
    Limit(usize),
    /// The system gives none; its error.
    System(Option<i32>),
    /// There is no memory to queue the job.
    Memory,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Lane<J> {
    /// The runtime's name, and the lane's: what its threads are called.
    pub(super) names: [String; 2],
    limit: usize,
    state: Mutex<State<J>>,
}

#[derive(Debug)]
struct State<J> {
    /// Jobs that wait for a thread that is coming, and no longer. They are taken first.
    hurried: VecDeque<J>,
    /// Jobs that may queue.
    patient: VecDeque<J>,
    /// Those who sleep, the latest at the back.
    idle: VecDeque<Arc<Parker>>,
    /// How many there are, and are being started.
    threads: usize,
    /// How many were started, ever.
    started: usize,
    /// One is on its way to the queue.
    coming: bool,
    /// The runtime has ended, and there will be no more jobs.
    closed: bool,
}

/// What a call for a thread came to; it is done when the lock has been given back.
#[must_use = "a thread was counted as coming"]
enum Call<J> {
    Nobody,
    Wake(Arc<Parker>),
    Start(usize),
    Refuse(Refusal, [VecDeque<J>; 2]),
}

/// A lane at one moment.
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
        take(&mut self.hurried).or_else(|| take(&mut self.patient))
    }

    fn is_empty(&self) -> bool {
        self.hurried.is_empty() && self.patient.is_empty()
    }

    /// Calls a thread, if none is coming and something is queued.
    fn call(&mut self, limit: usize) -> Call<J> {
        if self.coming || self.is_empty() {
            return Call::Nobody;
        }
        if let Some(thread) = self.idle.pop_back() {
            self.coming = true;
            return Call::Wake(thread);
        }
        if self.threads == limit {
            return self.refuse(Refusal::Limit(limit));
        }
        // When it becomes idle there is room for it.
        if self.idle.try_reserve(self.threads + 1).is_err() {
            return self.refuse(Refusal::Memory);
        }
        self.coming = true;
        self.threads += 1;
        self.started += 1;
        Call::Start(self.started - 1)
    }

    /// The thread that was to come was not started.
    fn not_started(&mut self, error: Option<i32>) -> Call<J> {
        self.coming = false;
        self.threads -= 1;
        if self.is_empty() {
            return Call::Nobody;
        }
        match self.idle.pop_back() {
            Some(thread) => {
                self.coming = true;
                Call::Wake(thread)
            }
            None => self.refuse(Refusal::System(error)),
        }
    }

    fn refuse(&mut self, why: Refusal) -> Call<J> {
        let patient = if self.threads == 0 { mem::take(&mut self.patient) } else { VecDeque::new() };
        Call::Refuse(why, [mem::take(&mut self.hurried), patient])
    }
}

impl<J: Job> Lane<J> {
    pub(super) fn new(names: [String; 2], limit: usize) -> Arc<Self> {
        let state = State {
            hurried: VecDeque::new(),
            patient: VecDeque::new(),
            idle: VecDeque::new(),
            threads: 0,
            started: 0,
            coming: false,
            closed: false,
        };
        Arc::new(Self { names, limit, state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the job run, or refuses it.
    pub(super) fn submit(self: &Arc<Self>, job: J) {
        let mut state = self.lock();
        let queue = if job.may_queue() { &mut state.patient } else { &mut state.hurried };
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
            Call::Refuse(why, queues) => queues.into_iter().flatten().for_each(|job| job.refuse(why)),
        }
    }

    /// A thread of the lane, from its start to its end.
    pub(super) fn work(self: &Arc<Self>) {
        let parker = Arc::<Parker>::default();
        loop {
            let mut finished: Option<J> = None;
            let mut state = self.lock();
            state.coming = false;
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
        }
    }

    /// An idle thread sleeps. `false` if it has not been called and is to end.
    fn sleep(&self, parker: &Arc<Parker>) -> bool {
        if parker.park_until(Some(Instant::now() + IDLE)) {
            return true;
        }
        let mut state = self.lock();
        // The one that has been idle for the longest is the first.
        if let Some(place) = state.idle.iter().position(|idle| Arc::ptr_eq(idle, parker)) {
            state.idle.remove(place);
            state.threads -= 1;
            return false;
        }
        drop(state);
        // It has been called at the last moment.
        parker.park();
        true
    }

    /// There will be no more jobs, and there are none: the threads end.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let idle = mem::take(&mut state.idle);
        drop(state);
        idle.iter().for_each(|thread| thread.unpark());
    }

    pub(super) fn figures(&self) -> Figures {
        let state = self.lock();
        Figures {
            threads: state.threads,
            idle: state.idle.len(),
            queued: state.hurried.len() + state.patient.len(),
            limit: self.limit,
        }
    }
}
