//! Tasks from nothing: an executor for futures.
//!
//! A task is a future on the heap. Its waker knows its number, and puts it into a queue. The
//! executor polls the tasks whose numbers are in the queue. The rest is a list of alarms.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// A future that was spawned, and the waker that it is given in each turn.
struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    waker: Waker,
}

/// A waker is a number, and the way to the queue. Unlike a task, it may go to any OS thread.
struct Number {
    number: usize,
    ready: Arc<Ready>,
}

struct Ready {
    /// The numbers of the tasks that were woken, the next one first.
    queue: Mutex<VecDeque<usize>>,
    /// The OS thread of the executor. It sleeps when the queue is empty.
    sleeper: Thread,
}

impl Wake for Number {
    fn wake(self: Arc<Self>) {
        self.ready.queue.lock().unwrap().push_back(self.number);
        self.ready.sleeper.unpark();
    }
}

/// What belongs to one `block_on`.
struct Executor {
    /// The tasks by their numbers. `None`: a task that has ended, or has its turn right now.
    tasks: RefCell<Vec<Option<Task>>>,
    /// The numbers that may be given again.
    free: RefCell<Vec<usize>>,
    alarms: RefCell<BTreeMap<Instant, Vec<Waker>>>,
    ready: Arc<Ready>,
}

thread_local! {
    /// The executor of the innermost `block_on` on this OS thread.
    static CURRENT: RefCell<Option<Rc<Executor>>> = const { RefCell::new(None) };
}

/// The future of `block_on` itself has this number, and isn't in the list.
const MAIN: usize = 0;

/// Runs a future and the tasks that it spawns until the future is ready. Drops the tasks left.
pub fn block_on<T>(main: impl Future<Output = T>) -> T {
    block_on_with(main, thread::park_timeout)
}

/// The same, for those who have something better to do than to sleep. When no task is ready,
/// `idle` is called with the time until the next alarm. It may return at any time.
pub fn block_on_with<T>(main: impl Future<Output = T>, idle: impl Fn(Duration)) -> T {
    let mut main = pin!(main);
    let executor = Rc::new(Executor {
        tasks: RefCell::new(vec![None]),
        free: RefCell::default(),
        alarms: RefCell::default(),
        ready: Arc::new(Ready { queue: Mutex::default(), sleeper: thread::current() }),
    });
    let outer = CURRENT.replace(Some(executor.clone()));
    let waker = executor.waker(MAIN);
    let mut context = Context::from_waker(&waker);
    waker.wake_by_ref();
    let outcome = loop {
        let time = executor.ring();
        let next = executor.ready.queue.lock().unwrap().pop_front();
        match next {
            Some(MAIN) => {
                if let Poll::Ready(outcome) = main.as_mut().poll(&mut context) {
                    break outcome;
                }
            }
            Some(number) => executor.turn(number),
            None => idle(time),
        }
    };
    CURRENT.set(outer);
    outcome
}

impl Executor {
    fn current() -> Rc<Self> {
        CURRENT.with_borrow(Option::clone).expect("only within `block_on`")
    }

    fn waker(&self, number: usize) -> Waker {
        Waker::from(Arc::new(Number { number, ready: self.ready.clone() }))
    }

    /// Gives a task its turn.
    fn turn(&self, number: usize) {
        // A task that was woken twice may have ended in the first of its turns.
        let Some(mut task) = self.tasks.borrow_mut()[number].take() else { return };
        match task.future.as_mut().poll(&mut Context::from_waker(&task.waker)) {
            Poll::Pending => self.tasks.borrow_mut()[number] = Some(task),
            Poll::Ready(()) => self.free.borrow_mut().push(number),
        }
    }

    /// Wakes those whose time has come. Returns how long it is until the next one's.
    fn ring(&self) -> Duration {
        let mut alarms = self.alarms.borrow_mut();
        while let Some(first) = alarms.first_entry() {
            let time = first.key().saturating_duration_since(Instant::now());
            if !time.is_zero() {
                return time;
            }
            first.remove().into_iter().for_each(Waker::wake);
        }
        Duration::MAX
    }
}

/// Makes a task. It has its first turn when those before it in the queue have had theirs.
pub fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> JoinHandle<T> {
    let packet = Rc::new(RefCell::new(Packet { outcome: None, joiner: None }));
    let theirs = packet.clone();
    let future = Box::pin(async move {
        let ended = Packet { outcome: Some(future.await), joiner: None };
        theirs.replace(ended).joiner.into_iter().for_each(Waker::wake);
    });
    let executor = Executor::current();
    let mut tasks = executor.tasks.borrow_mut();
    let number = executor.free.borrow_mut().pop().unwrap_or_else(|| {
        tasks.push(None);
        tasks.len() - 1
    });
    let waker = executor.waker(number);
    waker.wake_by_ref();
    tasks[number] = Some(Task { future, waker });
    JoinHandle(packet)
}

/// A future of what a task returns. Dropped, it leaves the task to itself.
#[derive(Debug)]
pub struct JoinHandle<T>(Rc<RefCell<Packet<T>>>);

/// What a task and its handle share.
#[derive(Debug)]
struct Packet<T> {
    outcome: Option<T>,
    joiner: Option<Waker>,
}

impl<T> Future for JoinHandle<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut packet = self.0.borrow_mut();
        packet.joiner = Some(context.waker().clone());
        packet.outcome.take().map_or(Poll::Pending, Poll::Ready)
    }
}

/// Ends this task's turn, and puts it at the end of the queue.
pub fn yield_now() -> impl Future<Output = ()> {
    let mut is_back = false;
    poll_fn(move |context| {
        if is_back {
            return Poll::Ready(());
        }
        is_back = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Waits until some time has passed.
pub fn sleep(time: Duration) -> impl Future<Output = ()> {
    let end = Instant::now() + time;
    poll_fn(move |context| {
        if Instant::now() >= end {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        Executor::current().alarms.borrow_mut().entry(end).or_default().push(waker);
        Poll::Pending
    })
}

// Left out on purpose:
// - panics: one in a task ends `block_on`, and with it the other tasks;
// - alarms that are no longer wanted: they stay, and one day wake a task for nothing;
// - sockets: somebody has to ask the system which of them are ready, and to wake their tasks;
// - a second OS thread that polls, for which all tasks would have to be `Send`.
