//! A worker that sleeps when its inbox is empty, and senders that put something in.

use std::sync::Arc;

use crate::{
    atomic::{Bug, without_fence},
    harness::{Driver, check, finds, spawn},
    inbox::{Item, push, take},
    library::{
        idle::{Idle, Sleeper},
        inbox::Inbox,
        sleep_flag::SleepFlag,
    },
};

/// A mistake of the worker or of a sender.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// The sender has no fence between putting something in and looking at the flag.
    SenderHasNoFence,
    /// The worker has no fence between setting the flag and the last look.
    WorkerHasNoFence,
    /// The worker sets the flag after the last look.
    FlagSetLate,
    /// The worker has no last look.
    NoLastLook,
    /// The sender looks at the flag before it puts something in.
    SenderLooksEarly,
}

struct Worker {
    inbox: Inbox<Item>,
    flag: SleepFlag,
}

impl Sleeper for Worker {
    fn flag(&self) -> &SleepFlag {
        &self.flag
    }

    fn fullness(&self) -> usize {
        0
    }

    fn has_mail(&self) -> bool {
        !self.inbox.is_empty()
    }

    fn has_unstarted(&self) -> bool {
        false
    }
}

fn work(senders: usize, mistake: Mistake) {
    let worker = Arc::new(Worker { inbox: Inbox::new(), flag: SleepFlag::new() });
    let (driver, idle) = (Driver::new(), Idle::new());

    for sender in 0..senders {
        let (worker, driver) = (worker.clone(), driver.clone());
        spawn(move || {
            let Worker { inbox, flag } = &*worker;
            let asleep = match mistake {
                Mistake::SenderLooksEarly => {
                    let asleep = flag.notify();
                    push(inbox, (sender, 0));
                    asleep
                }
                Mistake::SenderHasNoFence => push(inbox, (sender, 0)) && without_fence(|| flag.notify()),
                _ => push(inbox, (sender, 0)) && flag.notify(),
            };
            if asleep {
                driver.wake();
            }
        });
    }

    let Worker { inbox, flag } = &*worker;
    let (mut got, mut sleeps) = (0, 0);
    loop {
        got += take(inbox).len();
        if got == senders {
            break;
        }
        match mistake {
            Mistake::FlagSetLate => {
                if inbox.is_empty() {
                    flag.prepare();
                    driver.sleep();
                }
            }
            Mistake::NoLastLook => {
                flag.prepare();
                driver.sleep();
            }
            _ => {
                let go_to_sleep = || idle.go_to_sleep(&*worker, &[], || 0);
                let sleeps = match mistake {
                    Mistake::WorkerHasNoFence => without_fence(go_to_sleep),
                    _ => go_to_sleep(),
                };
                if sleeps {
                    driver.sleep();
                }
            }
        }
        assert!(!flag.finish(), "nobody has called it to search");
        sleeps += 1;
        assert!(driver.wakes() <= sleeps, "woken twice");
    }
}

#[test]
fn no_worker_sleeps_on_a_full_inbox() {
    check(Some(3), || work(2, Mistake::None));
}

fn finds_mistake(mistake: Mistake) {
    finds(Bug::None, "deadlock", move || work(1, mistake));
}

#[test]
fn finds_a_sender_without_a_fence() {
    finds_mistake(Mistake::SenderHasNoFence);
}

#[test]
fn finds_a_worker_without_a_fence() {
    finds_mistake(Mistake::WorkerHasNoFence);
}

#[test]
fn finds_a_flag_set_late() {
    finds_mistake(Mistake::FlagSetLate);
}

#[test]
fn finds_a_missing_last_look() {
    finds_mistake(Mistake::NoLastLook);
}

#[test]
fn finds_a_sender_that_looks_early() {
    finds_mistake(Mistake::SenderLooksEarly);
}
