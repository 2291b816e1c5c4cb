//! Threads whose waits are cancelled, while somebody has something for them: they get it, or it
//! goes to another one. No message, permit or notification is lost.

use std::sync::Arc;

use crate::{
    atomic::Bug,
    channel::{Channel, FOREVER, Message, channel, pair},
    harness::{self, finds, spawn},
    library::sync::{
        chan::core::Timeout,
        raw::{condvar::RawCondvar, mutex::RawMutex, semaphore::RawSemaphore},
    },
    locks::{Guarded, WORKER_ID},
    select::{Arm, Done, select},
    task::{
        cancel::{Moment, cancelled},
        wait::EARLY,
    },
};

/// Runs the model for threads that are cancelled before they park, and behind that; that park under
/// the lock of their channel, and not.
fn check(preemptions: usize, model: impl Fn(Moment) + Sync + Send + Copy + 'static) {
    for (moment, early) in [(Moment::Awake, false), (Moment::Parked, false), (Moment::Parked, true)] {
        EARLY.set(early);
        harness::check(Some(preemptions), move || model(moment));
    }
}

/// The same, for what knows no other way to park.
fn check_twice(preemptions: usize, model: impl Fn(Moment) + Sync + Send + Copy + 'static) {
    for moment in [Moment::Awake, Moment::Parked] {
        harness::check(Some(preemptions), move || model(moment));
    }
}

/// A receiver that is cancelled. What it has not got, another one gets.
fn receive(moment: Moment, capacity: Option<usize>) {
    let channel = channel(capacity);
    let sender = {
        let channel = channel.clone();
        spawn(move || assert!(channel.send(Message::new(7), FOREVER).is_ok()))
    };
    let got = cancelled(moment, || channel.recv(FOREVER).expect("a message"));
    let got = got.unwrap_or_else(|| channel.recv(FOREVER).expect("the message"));
    assert_eq!(got.number(), 7);
    sender.join();
    assert!(channel.recv(Timeout::Try).is_err(), "a message twice");
}

#[test]
fn a_receiver_loses_no_message() {
    for capacity in [Some(0), Some(1), None] {
        check(3, move |moment| receive(moment, capacity));
    }
}

#[test]
fn finds_a_receiver_that_tears() {
    finds(Bug::TornExchange, "", || receive(Moment::Parked, Some(0)));
}

/// A sender that is cancelled has sent or not. A second one waits behind it.
fn send(moment: Moment, capacity: usize) {
    let channel = channel(Some(capacity));
    (0..capacity).for_each(|_| assert!(channel.send(Message::new(100), FOREVER).is_ok()));
    let first = {
        let channel = channel.clone();
        channel.add_sender();
        spawn(move || {
            let sent = cancelled(moment, || channel.send(Message::new(1), FOREVER).is_ok());
            if sent.is_some() {
                // The next message says that this one was sent.
                assert!(channel.send(Message::new(10), FOREVER).is_ok());
            }
            channel.drop_sender();
        })
    };
    channel.drop_sender();
    let mut sum = 0;
    while let Ok(message) = channel.recv(FOREVER) {
        sum += message.number();
    }
    first.join();
    let sum = sum - 100 * u32::try_from(capacity).expect("a small number");
    assert!(sum == 0 || sum == 11, "{sum}");
}

#[test]
fn a_sender_sends_or_not() {
    for capacity in [0, 1] {
        check(3, move |moment| send(moment, capacity));
    }
}

/// A select that is cancelled, at two channels to which others send.
fn select_cancelled(moment: Moment, capacity: Option<usize>) {
    let [one, other] = pair([capacity; 2]);
    let senders = [(&one, 1), (&other, 2)].map(|(channel, number)| {
        let channel = Channel::clone(channel);
        spawn(move || assert!(channel.send(Message::new(number), FOREVER).is_ok()))
    });
    let arms = [Arm::Recv(one.clone()), Arm::Recv(other.clone())];
    let got = cancelled(moment, || select(&arms, FOREVER));
    assert!(matches!(got, None | Some(Done::Received(1 | 2))));
    for (channel, number) in [(&one, 1), (&other, 2)] {
        if got != Some(Done::Received(number)) {
            assert_eq!(channel.recv(FOREVER).expect("the message").number(), number);
        }
    }
    senders.into_iter().for_each(|sender| sender.join());
}

#[test]
fn a_select_loses_no_message() {
    for capacity in [Some(0), Some(1)] {
        check(2, move |moment| select_cancelled(moment, capacity));
    }
}

/// A select that sends, and a receiver that is cancelled: if they have met, the message is made and
/// received.
fn ask(moment: Moment) {
    let channel = channel(Some(0));
    let sender = {
        let channel = channel.clone();
        spawn(move || assert_eq!(select(&[Arm::Send(channel, 7)], FOREVER), Done::Sent(0)))
    };
    let got = cancelled(moment, || channel.recv(FOREVER).expect("a message"));
    let got = got.unwrap_or_else(|| channel.recv(FOREVER).expect("the message"));
    assert_eq!(got.number(), 7);
    sender.join();
}

#[test]
fn a_message_that_is_made_is_received() {
    check(3, ask);
}

/// A thread that is cancelled while it is granted permits: it has them, or nobody has.
fn permits(moment: Moment) {
    #[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
    let semaphore = Arc::new(RawSemaphore::new(0));
    let releaser = {
        let semaphore = semaphore.clone();
        spawn(move || assert!(semaphore.release(2)))
    };
    let behind = {
        let semaphore = semaphore.clone();
        spawn(move || {
            assert!(semaphore.acquire_until(1, None));
            assert!(semaphore.release(1));
        })
    };
    if let Some(acquired) = cancelled(moment, || semaphore.acquire_until(2, None)) {
        assert!(acquired && semaphore.release(2));
    }
    releaser.join();
    behind.join();
    assert_eq!(semaphore.available(), 2);
    assert!(semaphore.try_acquire(2), "somebody is in line");
}

#[test]
fn no_permit_is_lost() {
    check_twice(2, permits);
}

#[test]
fn finds_a_grant_that_tears() {
    finds(Bug::TornExchange, "", || permits(Moment::Parked));
}

/// One of two threads that wait for a notification is cancelled. If it had the notification, it
/// passes it on.
fn notification(moment: Moment) {
    #[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
    let shared = Arc::new((RawMutex::new(), RawCondvar::new(), Guarded::new()));
    let lock = |shared: &(RawMutex, RawCondvar, Guarded)| shared.0.lock(WORKER_ID);
    // SAFETY: the caller holds the lock; and so below.
    let unlock = |shared: &(RawMutex, RawCondvar, Guarded)| unsafe { shared.0.unlock() };
    let waiter = {
        let shared = shared.clone();
        spawn(move || {
            lock(&shared);
            while shared.2.read() == 0 {
                // SAFETY: as above.
                unsafe { shared.1.wait(&shared.0, WORKER_ID, None) };
            }
            unlock(&shared);
        })
    };
    let notifier = {
        let shared = shared.clone();
        spawn(move || {
            lock(&shared);
            shared.2.add_one();
            unlock(&shared);
            shared.1.notify_one();
        })
    };
    lock(&shared);
    let woken = cancelled(moment, || {
        while shared.2.read() == 0 {
            // SAFETY: as above.
            unsafe { shared.1.wait(&shared.0, WORKER_ID, None) };
        }
    });
    unlock(&shared);
    if woken.is_some() {
        shared.1.notify_one();
    }
    waiter.join();
    notifier.join();
}

#[test]
fn no_notification_is_lost() {
    check_twice(1, notification);
}

#[test]
fn finds_a_notification_that_tears() {
    finds(Bug::TornExchange, "", || notification(Moment::Parked));
}
