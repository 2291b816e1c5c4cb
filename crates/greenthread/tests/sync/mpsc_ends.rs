//! `sync::mpsc` when one side hangs up: what happens to the other side, and to the messages.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use greenthread::{
    sync::{
        Arc,
        mpsc::{
            RecvError, RecvTimeoutError, SendError, Sender, TryRecvError, TrySendError, channel, sync_channel,
        },
    },
    thread,
};

use super::mpsc::{everywhere_and_bound, make};
use crate::common::world::{Counted, Handle, everywhere, micros};

#[test]
fn without_receiver_sending_fails() {
    everywhere_and_bound(|world, bound| {
        let (tx, rx) = make(bound);
        drop(rx);
        // The message comes back, at each try.
        assert_eq!(tx.send(vec![1]), Err(SendError(vec![1])));
        assert_eq!(tx.clone().send(vec![2]), Err(SendError(vec![2])));

        // The receiver is dropped while a thread sends.
        let (tx, rx) = make(bound);
        let sender = world.spawn(move || {
            while tx.send(1).is_ok() {
                thread::yield_now();
            }
        });
        assert_eq!(rx.recv(), Ok(1));
        drop(rx);
        sender.end();
    });
}

#[test]
fn without_receiver_waiting_senders_go_on() {
    everywhere(|world| {
        for bound in [0, 1, 3] {
            let (tx, rx) = sync_channel(bound);
            let senders: Vec<_> = (0..bound + 4)
                .map(|n| {
                    let tx = tx.clone();
                    world.spawn(move || tx.send(n).map_err(|SendError(back)| assert_eq!(back, n)).is_ok())
                })
                .collect();
            thread::sleep(micros(2000));
            drop(rx);
            let sent = senders.into_iter().map(Handle::end).filter(|ok| *ok).count();
            assert!(sent <= bound);
        }
    });
}

#[test]
fn without_senders_receiving_ends() {
    everywhere_and_bound(|world, bound| {
        let (tx, rx) = make(bound);
        let count = bound.unwrap_or(5).min(5);
        (0..count).for_each(|n| tx.send(n).unwrap());
        drop(tx.clone());
        drop(tx);
        // The messages in the channel come first.
        assert!(rx.iter().eq(0..count));
        assert_eq!(rx.recv(), Err(RecvError));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(rx.recv_timeout(Duration::from_secs(1000)), Err(RecvTimeoutError::Disconnected));

        // The last sender is dropped while a thread receives.
        let (tx, rx) = make::<()>(bound);
        let receiver = world.spawn(move || rx.recv());
        let limited = make::<()>(bound);
        let other = world.spawn(move || limited.1.recv_timeout(Duration::MAX));
        thread::sleep(micros(200));
        drop((tx, limited.0));
        assert_eq!(receiver.end(), Err(RecvError));
        assert_eq!(other.end(), Err(RecvTimeoutError::Disconnected));
    });
}

#[test]
fn a_thread_that_panics_hangs_up() {
    everywhere_and_bound(|world, bound| {
        let (tx, rx) = make::<u8>(bound);
        let dies = world.spawn(move || {
            let _tx = tx;
            panic!("on purpose");
        });
        assert_eq!(rx.recv(), Err(RecvError));
        assert!(dies.join().is_err());
    });
}

#[test]
fn try_recv_tells_empty_from_closed() {
    everywhere(|world| {
        let (tx, rx) = channel();
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(rx.try_iter().next(), None);
        (0..3).for_each(|n| tx.send(n).unwrap());
        assert_eq!(rx.try_recv(), Ok(0));
        assert!(rx.try_iter().eq([1, 2]));
        world.spawn(move || drop(tx)).end();
        assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
    });
}

#[test]
fn try_send_tells_full_from_closed() {
    everywhere(|world| {
        let (tx, rx) = sync_channel(2);
        assert_eq!(tx.try_send(1), Ok(()));
        assert_eq!(tx.try_send(2), Ok(()));
        assert_eq!(tx.try_send(3), Err(TrySendError::Full(3)));
        assert_eq!(rx.recv(), Ok(1));
        assert_eq!(tx.try_send(4), Ok(()));
        drop(rx);
        assert_eq!(tx.try_send(5), Err(TrySendError::Disconnected(5)));

        // With a bound of 0 it succeeds only if a receiver waits.
        let (tx, rx) = sync_channel(0);
        assert_eq!(tx.try_send(1), Err(TrySendError::Full(1)));
        let receiver = world.spawn(move || rx.recv());
        while tx.try_send(2).is_err() {
            thread::yield_now();
        }
        assert_eq!(receiver.end(), Ok(2));
        assert_eq!(tx.try_send(3), Err(TrySendError::Disconnected(3)));
    });
}

#[test]
fn queued_messages_are_dropped_with_the_receiver() {
    everywhere_and_bound(|world, bound| {
        let drops = Arc::new(AtomicUsize::new(0));
        let (tx, rx) = make(bound);
        let count = bound.unwrap_or(100).min(100);
        (0..count).for_each(|_| tx.send(Counted(Arc::clone(&drops))).unwrap());
        let taken = count / 3;
        rx.iter().take(taken).for_each(drop);
        assert_eq!(drops.load(Relaxed), taken);
        world.spawn(move || drop(rx)).end();
        assert_eq!(drops.load(Relaxed), count);
        drop(tx.send(Counted(Arc::clone(&drops))));
        assert_eq!(drops.load(Relaxed), count + 1);
        drop(tx);
        assert_eq!(drops.load(Relaxed), count + 1);
    });
}

#[test]
fn no_message_is_lost_or_doubled_when_all_hang_up() {
    everywhere_and_bound(|world, bound| {
        let drops = Arc::new(AtomicUsize::new(0));
        let (tx, rx) = make(bound);
        let senders: Vec<_> = (0..4)
            .map(|_| {
                let (tx, drops) = (tx.clone(), Arc::clone(&drops));
                world.spawn(move || {
                    let mut made = 0;
                    loop {
                        made += 1;
                        if tx.send(Counted(Arc::clone(&drops))).is_err() {
                            return made;
                        }
                        thread::yield_now();
                    }
                })
            })
            .collect();
        drop(tx);
        rx.iter().take(200).for_each(drop);
        drop(rx);
        let made: usize = senders.into_iter().map(Handle::end).sum();
        assert_eq!(drops.load(Relaxed), made);
    });
}

#[test]
fn messages_may_hold_the_channel() {
    everywhere(|_| {
        struct SendsInDrop(Option<Sender<SendsInDrop>>);
        impl Drop for SendsInDrop {
            fn drop(&mut self) {
                if let Some(tx) = self.0.take() {
                    drop(tx.send(SendsInDrop(None)));
                }
            }
        }
        let (tx, rx) = channel();
        (0..40).for_each(|_| drop(tx.send(SendsInDrop(Some(tx.clone())))));
        drop(tx);
        drop(rx);
    });
}

#[test]
fn a_message_that_panics_in_its_drop() {
    struct Panics(bool);
    impl Drop for Panics {
        fn drop(&mut self) {
            if self.0 {
                panic!("on purpose");
            }
        }
    }
    everywhere_and_bound(|_, bound| {
        if bound.is_some_and(|bound| bound < 3) {
            return;
        }
        let (tx, rx) = make(bound);
        for panics in [false, true, false] {
            drop(tx.send(Panics(panics)));
        }
        assert!(catch_unwind(AssertUnwindSafe(move || drop(rx))).is_err());
        assert!(tx.send(Panics(false)).is_err());
    });
}
