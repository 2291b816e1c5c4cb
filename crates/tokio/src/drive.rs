//! A worker inside the `block_on` of a runtime of tokio's.
//!
//! The worker's loop runs on a coroutine, which the main future of `block_on` resumes. When the
//! worker waits, it suspends the coroutine, and the main future is pending. So tokio goes on with
//! its tasks and its driver. While green threads run, tokio is inside a poll of the main future:
//! they find its context, and it refuses to block there. Each green thread has its own stack, and
//! tokio's frames, with their guards, lie untouched on the OS thread's.
//!
//! When the main future is polled again:
//!
//! * *Turn*: the worker has not really waited (a timeout of zero). The future wakes itself, so it
//!   is polled after 61 tasks or when there are none left, and after a look at tokio's driver.
//! * *Sleep*: it is woken by the worker's descriptor, by a timer, and by two hooks. A task of
//!   tokio's, or its driver, may make a green thread ready without anybody telling the future. So
//!   before tokio parks, and after it has parked, a hook looks whether that has happened.
//!
//! The hooks are not enough while tasks keep tokio from ever parking. So as long as there are
//! tasks, the timer is set to [`SLICE`] at most. It is not cleared when tokio parks after all,
//! since setting it again takes a system call. So it may fire while tokio is parked; then the next
//! one is [`GROWTH`] times as long, until there is something again. That is when tokio has parked,
//! and there are tasks: the second hook wakes the future, which sets the timer to [`SLICE`]. An
//! idle worker wakes up a few times, and then no more.
//!
//! The hook wakes the future only if the timer is not set so already. tokio's paused clock goes on
//! when tokio parks, but not if something was woken since it last did. So with a wake-up after each
//! time it would stand still for ever.
//!
//! Invariants:
//! 1. The `AsyncFd` owns the descriptor that it registers, and nobody takes it out or replaces it.
//!
//! Rejected:
//!
//! * The worker's loop outside, and a `block_on` for each sleep (the context entered once). tokio's
//!   tasks are then woken by green threads through the queue for other OS threads, with a system
//!   call for each. A `Handle::block_on` on a green thread is not refused, and hangs.
//! * A `yield_now` of the main future in each round, which finds out that a task has woken a green
//!   thread. Then tokio never parks.

use std::{
    cell::{Cell, RefCell},
    fmt, io, mem,
    os::fd::{AsFd, OwnedFd},
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use greenthread::os::unix::event_loop::{EventLoop, Worker, has_ready};
use greenthread_context::{Coroutine, MmapStack, State, Suspender};
use tokio::{
    io::{Interest, unix::AsyncFd},
    runtime::{Builder, Handle, LocalOptions, RuntimeMetrics},
    task::coop::poll_proceed,
    time::{Instant, Sleep},
};

use crate::advice;

/// The stack of a worker's loop, in bytes. It takes memory as far as it is touched. Its deepest
/// frames are destructors of what threads leave behind that found no stack.
const STACK: usize = 512 * 1024;

/// The time for which tasks keep tokio busy before green threads have a turn. With a longer one,
/// these wait for longer. With a shorter one, tokio's sleeps have so short timeouts that the kernel
/// sets the processor's timer for each of them: with 1 ms a lone request took 12 us of processor
/// time instead of 9, on a virtual machine.
const SLICE: Duration = Duration::from_millis(10);

/// How many times longer the next slice is after one in which nothing has happened. With less, an
/// idle worker wakes up more often; with more, green threads may wait for longer if a task becomes
/// busy in the very moment in which such a slice ends.
const GROWTH: u32 = 16;

thread_local! {
    /// The waker of the main future, for the hooks.
    static MAIN: RefCell<Option<Waker>> = const { RefCell::new(None) };
    /// How often tokio has parked since the main future was last polled.
    static PARKS: Cell<u32> = const { Cell::new(0) };
    /// Whether the timer will fire within a [`SLICE`], so that tasks can't keep tokio for longer,
    /// or tokio's clock is paused.
    static IS_ARMED: Cell<bool> = const { Cell::new(false) };
}

fn wake_main() {
    MAIN.with_borrow(|main| main.iter().for_each(Waker::wake_by_ref));
}

/// Runs a worker inside a runtime of tokio's, until both have ended.
pub(crate) fn run(worker: Worker, configure: &dyn Fn(&mut Builder)) -> io::Result<()> {
    advice::install();
    let mut builder = Builder::new_current_thread();
    configure(&mut builder);
    let parks = || {
        PARKS.set(PARKS.get().saturating_add(1));
        if has_ready() {
            wake_main();
        }
    };
    let has_parked = || {
        if has_ready() || !IS_ARMED.get() && Handle::current().metrics().num_alive_tasks() != 0 {
            wake_main();
        }
    };
    let runtime = builder
        .enable_all()
        .on_thread_park(parks)
        .on_thread_unpark(has_parked)
        .build_local(LocalOptions::default())?;
    let stack = MmapStack::new(STACK)?;
    let ended = runtime.block_on(async {
        // A duplicate, since the worker closes its own at its end.
        let events = worker.as_fd().try_clone_to_owned()?;
        Drive::new(events, Coroutine::with_stack(stack, |waits, _| worker.run(&Loop { waits })))?.await;
        Ok(())
    });
    MAIN.set(None);
    ended
}

/// The event loop as the worker sees it.
struct Loop<'a> {
    waits: &'a Suspender<bool, Option<Duration>>,
}

impl fmt::Debug for Loop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tokio")
    }
}

impl EventLoop for Loop<'_> {
    fn wait(&self, timeout: Option<Duration>) -> bool {
        self.waits.suspend(timeout)
    }

    fn poll(&self, poll: &mut dyn FnMut()) {
        // All green threads run in one poll of the main future, with one budget. What this poll
        // spends of it is given back at its end, so that each begins with all of it.
        let budget = poll_proceed(&mut Context::from_waker(Waker::noop()));
        poll();
        drop(budget);
    }
}

/// The main future: it ends when the worker has.
struct Drive {
    /// The worker's loop. It is resumed with whether there may be events, and suspends with a
    /// timeout.
    worker: Coroutine<bool, Option<Duration>, ()>,
    events: AsyncFd<OwnedFd>,
    metrics: RuntimeMetrics,
    /// Until when the worker sleeps, if it does.
    sleeps: Option<Option<Instant>>,
    timer: Pin<Box<Sleep>>,
    /// When the timer fires, if it is set. It may be earlier than need be.
    timer_at: Option<Instant>,
    /// Whether the timer was set since the last poll. That ends tokio's next sleep at once.
    was_set: bool,
    /// How long the next slice is.
    slice: Duration,
    polled_at: Option<Instant>,
    /// Whether the clock was paused between the last two polls.
    stands_still: bool,
}

impl Drive {
    /// Makes the main future, in the runtime's context.
    fn new(events: OwnedFd, worker: Coroutine<bool, Option<Duration>, ()>) -> io::Result<Self> {
        // SAFETY: the descriptor is owned, so it names the same open file for as long as it is
        // registered (invariant 1).
        let events = unsafe { AsyncFd::register_with_interest(events, Interest::READABLE) };
        Ok(Self {
            worker,
            events: events?,
            metrics: Handle::current().metrics(),
            sleeps: None,
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            timer_at: None,
            was_set: false,
            slice: SLICE,
            polled_at: None,
            stands_still: false,
        })
    }

    /// Whether there may be events for the worker. If not, their coming wakes the main future.
    fn poll_events(&self, context: &mut Context<'_>) -> bool {
        match self.events.poll_read_ready(context) {
            Poll::Ready(Ok(mut guard)) => {
                // The worker takes the events after this. So what comes meanwhile is seen twice
                // rather than never.
                guard.clear_ready();
                true
            }
            // The worker asks for itself.
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        }
    }

    /// Sets the timer for a worker that sleeps `until` then.
    fn poll_timer(&mut self, until: Option<Instant>, context: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let stood_still = mem::replace(&mut self.stands_still, self.polled_at.replace(now) == Some(now));
        let result = self.poll_timer_at(now, stood_still, until, context);
        IS_ARMED.set(self.stands_still || self.timer_at.is_some_and(|at| at <= now + SLICE));
        result
    }

    fn poll_timer_at(
        &mut self,
        now: Instant,
        stood_still: bool,
        until: Option<Instant>,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        let parks = PARKS.take();
        if self.timer_at.is_some() && self.timer.as_mut().poll(context).is_ready() {
            self.timer_at = None;
            // If it parks more often, something else has ended its sleep.
            let has_slept = parks != 0 && (stood_still || parks <= 1 + u32::from(self.was_set));
            self.slice = if has_slept { self.slice.saturating_mul(GROWTH) } else { SLICE };
        } else if !mem::take(&mut self.was_set) && !self.stands_still {
            self.slice = SLICE;
        }
        let slice = (self.metrics.num_alive_tasks() != 0).then(|| now.checked_add(self.slice));
        let Some(wanted) = [until, slice.flatten()].into_iter().flatten().min() else {
            return Poll::Pending;
        };
        if self.timer_at.is_none_or(|at| at > wanted) {
            self.timer_at = Some(wanted);
            self.was_set = true;
            self.timer.as_mut().reset(wanted);
            ready!(self.timer.as_mut().poll(context));
            self.timer_at = None;
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Future for Drive {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        MAIN.with_borrow_mut(|main| {
            if main.as_ref().is_none_or(|main| !main.will_wake(context.waker())) {
                *main = Some(context.waker().clone());
            }
        });
        loop {
            let has_events = this.poll_events(context);
            if let Some(until) = this.sleeps
                && !has_events
                && !has_ready()
                && until.is_none_or(|until| Instant::now() < until)
                && this.poll_timer(until, context).is_pending()
            {
                return Poll::Pending;
            }
            match this.worker.resume(has_events) {
                State::Returned(()) => return Poll::Ready(()),
                State::Yielded(Some(Duration::ZERO)) => {
                    this.sleeps = None;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                State::Yielded(timeout) => {
                    this.slice = SLICE;
                    this.sleeps = Some(timeout.and_then(|timeout| Instant::now().checked_add(timeout)));
                }
            }
        }
    }
}
