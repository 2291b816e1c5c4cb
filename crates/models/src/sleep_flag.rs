//! A worker that sleeps when its inbox is empty, and those who put something in.

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

/// What somebody does in a wrong way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// No fence between putting something in and looking at the flag.
    SenderHasNoFence,
    /// No fence between setting the flag and the last look.
    WorkerHasNoFence,
    /// The flag set after the last look.
    FlagSetLate,
    /// No last look.
    NoLastLook,
    /// The flag looked at before the thing is put in.
    SenderLooksEarly,
}

struct Seat {
    inbox: Inbox<Item>,
    flag: SleepFlag,
}

impl Sleeper for Seat {
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
    let seat = Arc::new(Seat { inbox: Inbox::new(), flag: SleepFlag::new() });
    let (driver, idle) = (Driver::new(), Idle::new());

    for sender in 0..senders {
        let (seat, driver) = (seat.clone(), driver.clone());
        spawn(move || {
            let Seat { inbox, flag } = &*seat;
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

    let Seat { inbox, flag } = &*seat;
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
                let go_to_sleep = || idle.go_to_sleep(&*seat, &[], || 0);
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
