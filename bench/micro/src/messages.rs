//! Channels.

use greenthread::{
    channel::{Receiver, bounded, select, unbounded},
    sync::{
        mpsc::{self, sync_channel},
        oneshot,
    },
    thread::spawn,
};

use crate::Meter;

pub(crate) fn mpsc(meter: impl Meter) {
    let (sender, receiver) = mpsc::channel();
    meter.measure(1, || {
        sender.send(7usize).expect("a receiver");
        assert_eq!(receiver.recv(), Ok(7));
    });
}

pub(crate) fn channel(meter: impl Meter) {
    let (sender, receiver) = bounded(16);
    meter.measure(1, || {
        sender.send(7usize).expect("a receiver");
        assert_eq!(receiver.recv(), Ok(7));
    });
}

pub(crate) fn unbounded_channel(meter: impl Meter) {
    let (sender, receiver) = unbounded();
    meter.measure(1, || {
        sender.send(7usize).expect("a receiver");
        assert_eq!(receiver.recv(), Ok(7));
    });
}

pub(crate) fn one(meter: impl Meter) {
    meter.measure(1, || {
        let (sender, receiver) = oneshot::channel();
        sender.send(7usize).expect("a receiver");
        assert_eq!(receiver.recv(), Ok(7));
    });
}

/// A round trip through two channels of this capacity.
pub(crate) fn pingpong(meter: impl Meter, room: usize) {
    let (to_other, from_us) = sync_channel::<usize>(room);
    let (to_us, from_other) = sync_channel(room);
    let other = spawn(move || from_us.iter().for_each(|message| to_us.send(message).expect("we live")));
    meter.measure(1, || {
        to_other.send(7).expect("the other lives");
        assert_eq!(from_other.recv(), Ok(7));
    });
    drop(to_other);
    other.join().expect("no panic");
}

pub(crate) fn many_to_one(meter: impl Meter) {
    let (sender, receiver) = sync_channel(128);
    let senders = [(); 4].map(|()| {
        let sender = sender.clone();
        spawn(move || while sender.send(7usize).is_ok() {})
    });
    meter.measure(1, || assert_eq!(receiver.recv(), Ok(7)));
    drop(receiver);
    senders.into_iter().for_each(|sender| sender.join().expect("no panic"));
}

/// A select over eight channels, seven of which never have a message.
fn any_of_8(messages: &Receiver<usize>, quiet: &[Receiver<usize>; 7]) -> usize {
    let [a, b, c, d, e, f, g] = quiet;
    select! {
        recv(a) -> message => message,
        recv(b) -> message => message,
        recv(c) -> message => message,
        recv(messages) -> message => message,
        recv(d) -> message => message,
        recv(e) -> message => message,
        recv(f) -> message => message,
        recv(g) -> message => message,
    }
    .expect("all channels are open")
}

pub(crate) fn select_ready(meter: impl Meter) {
    let (sender, receiver) = bounded(1);
    let (_open, quiet): (Vec<_>, Vec<_>) = (0..7).map(|_| bounded(1)).unzip();
    let quiet = quiet.try_into().expect("seven");
    meter.measure(1, || {
        sender.send(7usize).expect("a receiver");
        assert_eq!(any_of_8(&receiver, &quiet), 7);
    });
}

pub(crate) fn select_wait(meter: impl Meter) {
    let (to_other, from_us) = bounded::<usize>(1);
    let (to_us, from_other) = bounded(1);
    let (_open, quiet): (Vec<_>, Vec<_>) = (0..7).map(|_| bounded(1)).unzip();
    let quiet = quiet.try_into().expect("seven");
    let other = spawn(move || from_us.iter().for_each(|message| to_us.send(message).expect("we live")));
    meter.measure(1, || {
        to_other.send(7).expect("the other lives");
        assert_eq!(any_of_8(&from_other, &quiet), 7);
    });
    drop(to_other);
    other.join().expect("no panic");
}
