//! Cancelled waits at a channel: no node stays in a queue, and no message is lost.

use std::{
    cell::UnsafeCell,
    mem::MaybeUninit,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::{Duration, Instant},
};

use super::{
    core::{Core, RecvFailed, SendFailed, State, Timeout},
    select::{Choice, Operation, select},
    slot::Slot,
    wait_queue::Queue,
};
use crate::{task::wait::Claim, thread};

const FOREVER: Timeout = Timeout::Wait(None);

fn receivers<T>(state: &mut State<T>) -> &mut Queue<Slot> {
    &mut state.receivers
}

fn senders<T>(state: &mut State<T>) -> &mut Queue<Slot> {
    &mut state.senders
}

/// Cancels the first waiting thread, if there is one.
fn try_cancel<T>(channel: &Core<T>, queue: fn(&mut State<T>) -> &mut Queue<Slot>) -> bool {
    let claim = queue(&mut channel.state.lock()).cancel_first();
    matches!(claim, Some(Claim::Won(_)))
}

/// Cancels the first waiting thread, as soon as there is one.
fn cancel<T>(channel: &Core<T>, queue: fn(&mut State<T>) -> &mut Queue<Slot>) {
    while !try_cancel(channel, queue) {
        thread::yield_now();
    }
}

#[test]
fn a_receiver_is_cancelled() {
    let channel = Core::new(Some(1));
    std::thread::scope(|s| {
        let receiver = s.spawn(|| channel.recv(FOREVER));
        cancel(&channel, receivers);
        assert_eq!(receiver.join().unwrap(), Err(RecvFailed::Empty));
    });
    assert!(channel.state.lock().receivers.is_empty());
    channel.send(1, Timeout::Try).unwrap();
    assert_eq!(channel.recv(Timeout::Try), Ok(1));
}

#[test]
fn a_green_receiver_is_cancelled() {
    let channel = Core::<u32>::new(Some(0));
    // With a deadline the receiver does not park early. Only such a wait may be cancelled.
    let far = Timeout::Wait(Some(Instant::now() + Duration::from_secs(3600)));
    thread::scope(|s| {
        let receiver = s.spawn(|| channel.recv(far));
        cancel(&channel, receivers);
        assert_eq!(receiver.join().unwrap(), Err(RecvFailed::Empty));
    });
    assert!(channel.state.lock().receivers.is_empty());
}

#[test]
fn a_sender_is_cancelled_and_has_its_message() {
    let channel = Core::new(Some(1));
    channel.send(1, FOREVER).unwrap();
    std::thread::scope(|s| {
        let sender = s.spawn(|| channel.send(2, FOREVER));
        cancel(&channel, senders);
        assert!(matches!(sender.join().unwrap(), Err(SendFailed::Full(2))));
    });
    assert!(channel.state.lock().senders.is_empty());
    assert_eq!(channel.recv(Timeout::Try), Ok(1));
    assert_eq!(channel.recv(Timeout::Try), Err(RecvFailed::Empty));
}

#[test]
fn a_select_is_cancelled_at_one_channel_and_leaves_all() {
    let channels: [Core<u32>; 3] = [(); 3].map(|()| Core::new(Some(1)));
    std::thread::scope(|s| {
        let selecting = s.spawn(|| {
            let place = UnsafeCell::new(MaybeUninit::<u32>::uninit());
            // SAFETY: the place has room for a message of these channels, and outlives the
            // operations. Only the one that is selected writes to it.
            let receive = |channel| unsafe { Operation::receive(channel, place.get().cast()) };
            let [one, two, three] = &channels;
            select(&mut [receive(one), receive(two), receive(three)], FOREVER, Choice::Fair).is_some()
        });
        cancel(&channels[1], receivers);
        assert!(!selecting.join().unwrap());
    });
    for channel in &channels {
        assert!(channel.state.lock().receivers.is_empty());
    }
}

#[test]
fn a_receiver_is_cancelled_or_has_the_message() {
    for round in 0..200 {
        let (channel, over) = (Core::new(Some(0)), AtomicBool::new(false));
        // Repeats the attempt until it succeeds or the receiver has returned.
        let repeat = |attempt: &dyn Fn() -> bool| {
            while !over.load(SeqCst) {
                if attempt() {
                    return true;
                }
            }
            false
        };
        let (got, sent, cancelled) = std::thread::scope(|s| {
            let sender = s.spawn(|| repeat(&|| channel.send(round, Timeout::Try).is_ok()));
            let canceller = s.spawn(|| repeat(&|| try_cancel(&channel, receivers)));
            let got = channel.recv(FOREVER);
            over.store(true, SeqCst);
            (got, sender.join().unwrap(), canceller.join().unwrap())
        });
        assert_ne!(sent, cancelled);
        assert_eq!(got, if sent { Ok(round) } else { Err(RecvFailed::Empty) });
    }
}
