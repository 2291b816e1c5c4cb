//! Random sequences of threads, events and timeouts, with a simulated kernel that only counts the
//! data.

use super::*;
use crate::task::wait::{Outcome, Waiter};

struct Random(u64);

impl Random {
    /// A number below `limit` (splitmix64).
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed >> 33) as u32) % limit
    }
}

/// A simulated thread. It never sleeps on its waiter, so a claim only marks it.
struct Thread {
    number: usize,
    worker: usize,
    /// The state of its last wait.
    state: WaitState,
    /// Its node, from when it joins until it has been woken or has left.
    joined: Option<Box<(Waiter, Option<Node>)>>,
    timed_out: bool,
}

/// One source, and the directions of some workers for it.
struct World {
    directions: Vec<Direction>,
    events: Vec<bool>,
    data: usize,
    ended: bool,
    threads: Vec<Thread>,
    spawned: usize,
    calls: usize,
    served: Vec<usize>,
}

impl World {
    fn new(workers: usize) -> Self {
        Self {
            directions: (0..workers).map(|_| Direction::new()).collect(),
            events: vec![false; workers],
            data: 0,
            ended: false,
            threads: Vec::new(),
            spawned: 0,
            calls: 0,
            served: Vec::new(),
        }
    }

    fn arrive(&mut self, data: usize) {
        self.data += data;
        self.events.fill(true);
    }

    fn end(&mut self) {
        self.ended = true;
        self.events.fill(true);
    }

    fn take_in(&mut self, worker: usize) {
        if std::mem::take(&mut self.events[worker]) {
            self.directions[worker].event(self.ended);
        }
    }

    fn spawn(&mut self, worker: usize) {
        let number = self.spawned;
        self.spawned += 1;
        let thread = Thread { number, worker, state: WaitState::Waiting, joined: None, timed_out: false };
        self.go_on(thread);
    }

    /// As `Turn` and the loop around it: waits if the direction is not ready, and otherwise makes
    /// the call.
    fn go_on(&mut self, mut thread: Thread) {
        let direction = &mut self.directions[thread.worker];
        loop {
            if !direction.is_ready() {
                let mut joined = Box::new((Waiter::new(), None));
                let node = wait_queue::Node::new(&joined.0, Cell::new(WaitState::Waiting));
                // SAFETY: the direction is not ready. The box stays in place until the thread has
                // been woken or has left.
                unsafe { direction.join(joined.1.insert(node), thread.state != WaitState::Waiting) };
                if thread.state == WaitState::Responsible {
                    thread.state = WaitState::Woken;
                }
                thread.joined = Some(joined);
                self.threads.push(thread);
                return;
            }
            self.calls += 1;
            if self.data > 0 || self.ended {
                self.data = self.data.saturating_sub(1);
                self.served.push(thread.number);
                return Self::done(direction, &thread);
            }
            direction.record(CallResult::Blocked);
        }
    }

    fn done(direction: &mut Direction, thread: &Thread) {
        if thread.state == WaitState::Responsible {
            direction.pass_on();
        }
    }

    /// Runs a thread: a woken one continues, or unwinds if `unwinds`; one whose deadline has passed
    /// leaves.
    fn run(&mut self, at: usize, unwinds: bool) {
        let joined = self.threads[at].joined.as_ref().expect("all of them have joined");
        let (state, timed_out) =
            (joined.1.as_ref().expect("a node").payload.get(), self.threads[at].timed_out);
        if state == WaitState::Waiting && !timed_out {
            return;
        }
        let mut thread = self.threads.swap_remove(at);
        let joined = thread.joined.take().expect("all of them have joined");
        let direction = &mut self.directions[thread.worker];
        if timed_out {
            assert_eq!(state, WaitState::Waiting, "woken and timed out");
            // SAFETY: the node has joined this direction.
            unsafe { direction.leave(joined.1.as_ref().expect("a node")) };
            return Self::done(direction, &thread);
        }
        thread.state = state;
        if unwinds {
            return Self::done(direction, &thread);
        }
        self.go_on(thread);
    }

    fn time_out(&mut self, at: usize) {
        let waiter: *const Waiter = &raw const self.threads[at].joined.as_ref().expect("joined").0;
        // SAFETY: the waiter is alive. The claim is lost if the thread has been woken.
        self.threads[at].timed_out |=
            matches!(unsafe { Waiter::claim(waiter, Outcome::TimedOut) }, Claim::Won(_));
    }

    /// Runs all threads, in the order in which they were spawned, until none makes progress.
    fn settle(&mut self) {
        (0..self.directions.len()).for_each(|worker| self.take_in(worker));
        loop {
            let left = (self.threads.len(), self.calls);
            self.threads.sort_by_key(|thread| thread.number);
            (0..self.threads.len()).rev().for_each(|at| self.run(at, false));
            if left == (self.threads.len(), self.calls) {
                break;
            }
        }
    }
}

#[test]
fn nobody_waits_while_there_is_something_left() {
    for round in 0..3000 {
        let mut random = Random(round as u64);
        let mut world = World::new(1 + round % 3);
        let workers = world.directions.len() as u32;
        for _ in 0..random.below(120) {
            let worker = random.below(workers) as usize;
            let at = random.below(world.threads.len().max(1) as u32) as usize;
            match random.below(12) {
                0..4 => world.spawn(worker),
                4..6 => world.arrive(1 + random.below(3) as usize),
                6..8 => world.take_in(worker),
                _ if world.threads.is_empty() => {}
                8..10 => world.run(at, false),
                10 => world.run(at, true),
                _ => world.time_out(at),
            }
        }
        world.settle();
        assert!(world.data == 0 || world.threads.is_empty(), "{} left, round {round}", world.data);
        // The end of the stream reaches all threads.
        world.end();
        world.settle();
        assert!(world.threads.is_empty(), "round {round}");
        assert!(world.directions.iter().all(Direction::is_empty));
    }
}

#[test]
fn an_event_wakes_one_and_that_one_the_next() {
    const MANY: usize = 1000;
    let mut world = World::new(2);
    (0..MANY).for_each(|n| world.spawn(n % 2));
    world.settle();
    assert_eq!(world.calls, 0);
    // One thread of each worker is woken. One of them finds the data, and wakes the next one.
    world.arrive(1);
    world.settle();
    assert_eq!((world.served.len(), world.threads.len()), (1, MANY - 1));
    assert!(world.calls <= 4, "{} calls", world.calls);
    // As many threads are served as there is data for.
    world.calls = 0;
    world.arrive(100);
    world.settle();
    assert_eq!(world.served.len(), 101);
    assert!(world.calls <= 104, "{} calls", world.calls);
}

#[test]
fn first_come_first_served() {
    let (mut random, mut world) = (Random(1), World::new(1));
    (0..200).for_each(|_| world.spawn(0));
    while !world.threads.is_empty() {
        world.arrive(1 + random.below(3) as usize);
        world.settle();
    }
    assert!(world.served.iter().copied().eq(0..200), "{:?}", world.served);
}
