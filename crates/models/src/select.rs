//! The select: exactly one arm is selected, and two selects that could meet do.

use std::{cell::UnsafeCell, mem::MaybeUninit};

use crate::{
    atomic::Bug,
    channel::{Channel, FOREVER, Message, a_moment, channel, pair},
    harness::{Joiner, check, finds, spawn},
    library::sync::{
        chan::{
            core::{RecvFailed, SendFailed, Timeout},
            select::{self, Choice, Operation},
            selectable::{Selectable, Selected, Side},
            slot::{Exchange, SendTicket, Slot},
        },
        wait_queue::Node,
    },
    task::wait::{Reason, Waiter},
};

/// An arm.
#[derive(Clone)]
pub(crate) enum Arm {
    Send(Channel, u32),
    Recv(Channel),
}

/// The result of a select.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Sent(usize),
    Received(u32),
    Closed(usize),
    Late,
}

/// A whole select, as the macro does it. The message is made when its arm has been selected.
pub(crate) fn select(arms: &[Arm], timeout: Timeout) -> Done {
    select_by(Choice::First, arms, timeout)
}

fn select_by(choice: Choice, arms: &[Arm], timeout: Timeout) -> Done {
    let places: Vec<_> =
        arms.iter().map(|_| UnsafeCell::new(MaybeUninit::<Box<Message>>::uninit())).collect();
    let mut operations: Vec<_> = arms
        .iter()
        .zip(&places)
        .map(|(arm, place)| match arm {
            Arm::Send(channel, _) => Operation::send(&**channel),
            // SAFETY: the place outlives the operation.
            Arm::Recv(channel) => unsafe { Operation::receive(&**channel, place.get().cast()) },
        })
        .collect();
    let Some((chosen, selected)) = select::select(&mut operations, timeout, choice) else {
        return Done::Late;
    };
    match (&arms[chosen], selected) {
        (Arm::Send(channel, number), selected) => match channel.complete(selected, Message::new(*number)) {
            Ok(()) => Done::Sent(chosen),
            Err(_) => Done::Closed(chosen),
        },
        (Arm::Recv(_), Selected::Message) => {
            // SAFETY: the message is there.
            let message = unsafe { (*places[chosen].get()).assume_init_read() };
            Done::Received(message.number())
        }
        (Arm::Recv(_), _) => Done::Closed(chosen),
    }
}

fn sender(channel: &Channel, number: u32) -> Joiner {
    let channel = channel.clone();
    spawn(move || assert!(channel.send(Message::new(number), FOREVER).is_ok()))
}

/// One select receives from two channels, and a thread sends to each of them.
fn two_channels(choice: Choice, capacity: Option<usize>) {
    let [one, other] = pair([capacity; 2]);
    let senders = [sender(&one, 1), sender(&other, 2)];
    let arms = [Arm::Recv(one), Arm::Recv(other)];
    let mut got = [(); 2].map(|()| select_by(choice, &arms, FOREVER));
    got.sort_by_key(|got| *got == Done::Received(2));
    assert_eq!(got, [Done::Received(1), Done::Received(2)]);
    senders.into_iter().for_each(Joiner::join);
}

#[test]
fn both_channels_are_served() {
    for choice in [Choice::First, Choice::Fair] {
        check(Some(2), move || two_channels(choice, Some(0)));
        check(Some(2), move || two_channels(choice, Some(1)));
    }
}

#[test]
fn finds_a_claim_that_tears() {
    finds(Bug::TornExchange, "", || two_channels(Choice::First, Some(0)));
}

/// One thread sends to both channels, one after the other. A select that prefers the first one
/// never sees the second message alone.
#[test]
fn the_first_of_those_that_are_ready_at_one_moment() {
    check(Some(3), || {
        let [one, other] = pair([None; 2]);
        let (first, second) = (one.clone(), other.clone());
        let thread = spawn(move || {
            assert!(first.send(Message::new(1), FOREVER).is_ok());
            assert!(second.send(Message::new(2), FOREVER).is_ok());
        });
        assert_eq!(select(&[Arm::Recv(one), Arm::Recv(other)], FOREVER), Done::Received(1));
        thread.join();
    });
}

/// Two selects on opposite sides of the same two channels meet on one of them.
fn meet(mistake: bool) {
    let [one, other] = pair([Some(0); 2]);
    let mine = [Arm::Send(one.clone(), 1), Arm::Recv(other.clone())];
    let yours = [Arm::Send(other, 2), Arm::Recv(one)];
    let run = if mistake { careless } else { select };
    let thread = spawn(move || {
        assert!(matches!(run(&yours, FOREVER), Done::Sent(0) | Done::Received(1)));
    });
    assert!(matches!(run(&mine, FOREVER), Done::Sent(0) | Done::Received(2)));
    thread.join();
}

#[test]
fn two_selects_meet() {
    check(Some(3), || meet(false));
}

#[test]
fn finds_selects_that_look_at_one_channel_after_the_other() {
    finds(Bug::None, "deadlock", || meet(true));
}

/// A wrong select: it releases the locks between looking at the channels and waiting at them.
fn careless(arms: &[Arm], _: Timeout) -> Done {
    match select(arms, Timeout::Try) {
        Done::Late => {}
        done => return done,
    }
    let waiter = Waiter::new();
    let place = UnsafeCell::new(MaybeUninit::<Box<Message>>::uninit());
    let nodes: Vec<(&Channel, Side, Node<Slot>)> = arms
        .iter()
        .map(|arm| match arm {
            Arm::Send(channel, _) => {
                (channel, Side::Senders, Node::new(&waiter, Slot::new(std::ptr::null_mut())))
            }
            Arm::Recv(channel) => {
                (channel, Side::Receivers, Node::new(&waiter, Slot::new(place.get().cast())))
            }
        })
        .collect();
    for (channel, side, node) in &nodes {
        channel.lock();
        // SAFETY: locked; the node is taken out below.
        unsafe {
            channel.enlist(*side, node);
            channel.unlock();
        }
    }
    waiter.wait(Reason::Select, None);
    for (channel, side, node) in &nodes {
        // SAFETY: our own, put into this queue.
        unsafe { channel.withdraw(*side, node) };
    }
    for (at, (arm, (channel, _, node))) in arms.iter().zip(&nodes).enumerate() {
        let slot = &node.payload;
        match (arm, slot.exchange.get()) {
            (_, Exchange::None) => {}
            (Arm::Send(_, number), _) => {
                // SAFETY: the handshake is with us.
                let ticket = unsafe { SendTicket::new(slot.partner.get(), None) };
                assert!(channel.complete(Selected::Receiver(ticket), Message::new(*number)).is_ok());
                return Done::Sent(at);
            }
            (Arm::Recv(_), _) => {
                // SAFETY: a handshake has begun; if the sender has sent, the message is there.
                let message = unsafe {
                    assert!(slot.await_handshake());
                    (*place.get()).assume_init_read()
                };
                return Done::Received(message.number());
            }
        }
    }
    panic!("woken for nothing")
}

/// Two selects with deadlines. Either both succeed or both time out.
fn in_time() {
    let [one, other] = pair([Some(0); 2]);
    let mine = [Arm::Send(one.clone(), 1), Arm::Recv(other.clone())];
    let yours = [Arm::Recv(one), Arm::Send(other, 2)];
    let result = std::sync::Arc::new(std::sync::OnceLock::new());
    let thread = {
        let result = result.clone();
        spawn(move || result.set(select(&yours, a_moment())).expect("one result"))
    };
    let mine = select(&mine, a_moment());
    thread.join();
    let yours = result.get().expect("it has ended");
    assert!(
        matches!((&mine, yours), (Done::Sent(0), Done::Received(1)))
            || matches!((&mine, yours), (Done::Received(2), Done::Sent(1)))
            || matches!((&mine, yours), (Done::Late, Done::Late)),
        "{mine:?} {yours:?}"
    );
}

#[test]
fn deadlines_are_the_same_for_both() {
    check(Some(3), in_time);
}

#[test]
fn finds_a_deadline_that_tears() {
    finds(Bug::TornExchange, "", in_time);
}

/// A select that sends, and a plain receiver that may give up.
fn against_one(capacity: Option<usize>) {
    let [one, nobody] = pair([capacity, Some(0)]);
    let receiver = {
        let one = one.clone();
        spawn(move || {
            let got = match one.recv(a_moment()) {
                Err(RecvFailed::Empty) => one.recv(FOREVER),
                got => got,
            };
            assert_eq!(got.expect("a message").number(), 5);
        })
    };
    assert_eq!(select(&[Arm::Recv(nobody), Arm::Send(one, 5)], FOREVER), Done::Sent(1));
    receiver.join();
}

#[test]
fn a_handshake_ends_with_a_message() {
    check(Some(3), || against_one(Some(0)));
    check(Some(3), || against_one(Some(1)));
}

#[test]
fn finds_a_handshake_that_releases_nothing() {
    finds(Bug::NoRelease, "Causality violation", || against_one(Some(0)));
}

/// The message is not made after all. Its receiver gets another one.
#[test]
fn a_handshake_is_cancelled() {
    for capacity in [0, 1] {
        check(Some(2), move || {
            let channel = channel(Some(capacity));
            let receiver = {
                let channel = channel.clone();
                spawn(move || assert_eq!(channel.recv(FOREVER).expect("a message").number(), 6))
            };
            let mut operations = [Operation::send(&*channel)];
            let (_, selected) =
                select::select(&mut operations, FOREVER, Choice::First).expect("there is no deadline");
            channel.abandon(selected);
            assert!(channel.send(Message::new(6), FOREVER).is_ok());
            receiver.join();
        });
    }
}

/// The channel of a select that waits is closed.
#[test]
fn a_select_learns_of_the_end() {
    check(Some(3), || {
        let [one, other] = pair([Some(0); 2]);
        let closer = {
            let other = other.clone();
            spawn(move || other.drop_sender())
        };
        assert_eq!(select(&[Arm::Recv(one), Arm::Recv(other)], FOREVER), Done::Closed(1));
        closer.join();
    });
}

/// A watcher is told of a message, and of a sender that waits.
#[test]
fn a_watcher_is_told() {
    for capacity in [0, 1] {
        check(Some(3), move || {
            let [one, other] = pair([Some(capacity), Some(0)]);
            let sender = {
                let other = other.clone();
                spawn(move || match other.send(Message::new(1), FOREVER) {
                    Ok(()) => {}
                    Err(SendFailed::Full(_) | SendFailed::Closed(_)) => panic!("there is a receiver"),
                })
            };
            let place = UnsafeCell::new(MaybeUninit::<Box<Message>>::uninit());
            // SAFETY: the place outlives the operations, and only one of them could use it.
            let mut operations = unsafe {
                [
                    Operation::receive(&*one, place.get().cast()),
                    Operation::receive(&*other, place.get().cast()),
                ]
            };
            assert_eq!(select::ready(&mut operations, FOREVER, Choice::First), Some(1));
            assert_eq!(other.recv(Timeout::Try).expect("a message").number(), 1);
            sender.join();
        });
    }
}
