//! Channels: each message that was sent is received once, and nobody waits for what is there.

use std::{ops::Deref, sync::Arc, time::Instant};

use crate::{
    atomic::Bug,
    harness::{self, Joiner, finds, spawn},
    library::sync::chan::core::{Core, RecvFailed, SendFailed, Timeout},
    locks::Guarded,
    task::wait::EARLY,
};

/// A message. The sender writes to it and the receiver reads it, so that loom sees whether it was
/// handed over.
pub(crate) struct Message(Guarded, u32);

impl Message {
    pub(crate) fn new(number: u32) -> Box<Self> {
        let message = Box::new(Self(Guarded::new(), number));
        message.0.add_one();
        message
    }

    pub(crate) fn number(&self) -> u32 {
        assert_eq!(self.0.read(), 1);
        self.1
    }
}

/// A channel of a pair. A pair is one allocation: the order of the two addresses must be the same
/// each time that the checker runs the model.
#[derive(Clone)]
pub(crate) struct Channel(Arc<[Core<Box<Message>>; 2]>, usize);

impl Deref for Channel {
    type Target = Core<Box<Message>>;

    fn deref(&self) -> &Self::Target {
        &self.0[self.1]
    }
}

#[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
pub(crate) fn pair(capacities: [Option<usize>; 2]) -> [Channel; 2] {
    let pair = Arc::new(capacities.map(Core::new));
    [Channel(pair.clone(), 0), Channel(pair, 1)]
}

pub(crate) fn channel(capacity: Option<usize>) -> Channel {
    let [channel, _] = pair([capacity, None]);
    channel
}

pub(crate) const FOREVER: Timeout = Timeout::Wait(None);

/// A deadline that may pass at any moment.
pub(crate) fn a_moment() -> Timeout {
    Timeout::Wait(Some(Instant::now()))
}

/// Runs the model with threads that park under the lock, and with threads that release it first.
fn check(preemptions: Option<usize>, model: impl Fn() + Sync + Send + Copy + 'static) {
    for early in [false, true] {
        EARLY.set(early);
        harness::check(preemptions, model);
    }
}

/// One thread sends `count` messages and hangs up. The other receives until the end.
fn pass(capacity: Option<usize>, count: u32) {
    let channel = channel(capacity);
    let sender = {
        let channel = channel.clone();
        spawn(move || {
            for n in 0..count {
                assert!(channel.send(Message::new(n), FOREVER).is_ok());
            }
            channel.drop_sender();
        })
    };
    for n in 0..count {
        assert_eq!(channel.recv(FOREVER).expect("a message").number(), n);
    }
    assert!(matches!(channel.recv(FOREVER), Err(RecvFailed::Closed)));
    sender.join();
}

#[test]
fn messages_pass() {
    check(Some(3), || pass(Some(0), 1));
    check(Some(3), || pass(Some(1), 2));
    check(Some(3), || pass(None, 2));
}

#[test]
fn messages_pass_from_hand_to_hand() {
    check(Some(2), || pass(Some(0), 2));
}

#[test]
fn finds_a_claim_that_tears() {
    finds(Bug::TornExchange, "", || pass(Some(0), 2));
}

#[test]
fn finds_a_claim_that_releases_nothing() {
    finds(Bug::NoRelease, "Causality violation", || pass(Some(0), 1));
}

/// Two threads send one message each, and this one receives both.
fn two_to_one(capacity: Option<usize>) {
    let channel = channel(capacity);
    let senders = [1, 2].map(|n| {
        let channel = channel.clone();
        spawn(move || assert!(channel.send(Message::new(n), FOREVER).is_ok()))
    });
    let got: u32 = (0..2).map(|_| channel.recv(FOREVER).expect("a message").number()).sum();
    assert_eq!(got, 3);
    senders.into_iter().for_each(Joiner::join);
}

#[test]
fn nobody_is_forgotten() {
    check(Some(2), || two_to_one(Some(0)));
    check(Some(2), || two_to_one(Some(1)));
}

/// Both sides have deadlines. The message was sent if and only if it was received.
fn give_up(capacity: Option<usize>) {
    let channel = channel(capacity);
    let sender = {
        let channel = channel.clone();
        spawn(move || match channel.send(Message::new(7), a_moment()) {
            Ok(()) => channel.add_sender(),
            Err(SendFailed::Full(back) | SendFailed::Closed(back)) => assert_eq!(back.number(), 7),
        })
    };
    let mut got = channel.recv(a_moment()).map(|message| message.number()).ok();
    sender.join();
    if let Ok(message) = channel.recv(Timeout::Try) {
        assert!(got.replace(message.number()).is_none(), "received twice");
    }
    // A send that succeeded has added a sender, so the channel is closed only if it failed.
    channel.drop_sender();
    let sent = !matches!(channel.recv(Timeout::Try), Err(RecvFailed::Closed));
    assert_eq!(got, sent.then_some(7));
}

#[test]
fn deadlines_lose_nothing() {
    check(Some(3), || give_up(Some(0)));
    check(Some(3), || give_up(Some(1)));
}

#[test]
fn finds_a_deadline_that_tears() {
    finds(Bug::TornExchange, "", || give_up(Some(0)));
}

/// The receiver hangs up while the other thread sends. The message comes back, or is dropped with
/// the channel.
#[test]
fn a_sender_learns_that_nobody_receives() {
    check(Some(3), || {
        let channel = channel(Some(0));
        let receiver = {
            let channel = channel.clone();
            spawn(move || channel.drop_receiver())
        };
        match channel.send(Message::new(3), FOREVER) {
            Err(SendFailed::Closed(back)) => assert_eq!(back.number(), 3),
            _ => panic!("sent to nobody"),
        }
        receiver.join();
    });
}

/// A sender that waits for room goes on as soon as one message is taken. No second one is taken
/// here.
#[test]
fn room_is_given_to_who_waits_for_it() {
    check(Some(3), || {
        let channel = channel(Some(1));
        let sender = {
            let channel = channel.clone();
            spawn(move || (0..2).for_each(|n| assert!(channel.send(Message::new(n), FOREVER).is_ok())))
        };
        assert_eq!(channel.recv(FOREVER).expect("a message").number(), 0);
        sender.join();
    });
}
