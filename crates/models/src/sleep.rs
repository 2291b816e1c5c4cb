//! A worker that sleeps when its inbox is empty, and those who put something in.

use std::sync::Arc;

use crate::{
    atomic::{Bug, without_fence},
    harness::{Driver, check, finds, spawn},
    inbox::{Item, push, take},
    library::{inbox::Inbox, sleep::SleepFlag},
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

fn work(senders: usize, mistake: Mistake) {
    let inbox = Arc::new(Inbox::<Item>::new());
    let flag = Arc::new(SleepFlag::new());
    let driver = Driver::new();

    for sender in 0..senders {
        let (inbox, flag, driver) = (inbox.clone(), flag.clone(), driver.clone());
        spawn(move || {
            let asleep = match mistake {
                Mistake::SenderLooksEarly => {
                    let asleep = flag.notify();
                    push(&inbox, (sender, 0));
                    asleep
                }
                Mistake::SenderHasNoFence => push(&inbox, (sender, 0)) && without_fence(|| flag.notify()),
                _ => push(&inbox, (sender, 0)) && flag.notify(),
            };
            if asleep {
                driver.wake();
            }
        });
    }

    let (mut got, mut sleeps) = (0, 0);
    loop {
        got += take(&inbox).len();
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
                if mistake == Mistake::WorkerHasNoFence {
                    without_fence(|| flag.prepare());
                } else {
                    flag.prepare();
                }
                if inbox.is_empty() {
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
