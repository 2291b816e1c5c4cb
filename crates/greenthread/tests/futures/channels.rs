//! Channels of which one end blocks and the other one awaits.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use greenthread::{
    block_on,
    channel::{self, Receiver, RecvError, SendError, Sender, TryRecvError, bounded, select, unbounded},
    sync::{mpmc, mpsc, oneshot},
    thread,
};

use crate::{
    Count,
    common::world::{Counted, Random, everywhere},
    poll,
};

fn channels<T>() -> [(Sender<T>, Receiver<T>); 4] {
    [bounded(0), bounded(1), bounded(3), unbounded()]
}

#[test]
fn one_end_blocks_and_the_other_awaits() {
    everywhere(|world| {
        for (s, r) in channels() {
            let sender = world.spawn(move || (0..100).for_each(|n| s.send(n).unwrap()));
            block_on(async {
                for n in 0..100 {
                    assert_eq!(r.recv_async().await, Ok(n));
                }
                assert_eq!(r.recv_async().await, Err(RecvError));
            });
            sender.end();
        }
        for (s, r) in channels() {
            let receiver = world.spawn(move || r.iter().take(100).collect::<Vec<_>>());
            block_on(async {
                for n in 0..100 {
                    s.send_async(n).await.unwrap();
                }
            });
            assert!(receiver.end().into_iter().eq(0..100));
            assert_eq!(block_on(s.send_async(1)), Err(SendError(1)));
        }
        for (s, r) in channels() {
            let sender = world.spawn(move || {
                block_on(async {
                    for n in 0..100 {
                        s.send_async(n).await.unwrap();
                    }
                });
            });
            block_on(async { assert_eq!(r.recv_async().await, Ok(0)) });
            assert!(r.iter().eq(1..100));
            sender.end();
        }
    });
}

#[test]
fn of_sync() {
    everywhere(|world| {
        let (s, r) = mpsc::sync_channel(0);
        let sender = world.spawn(move || block_on(s.send_async(1)));
        assert_eq!(block_on(r.recv_async()), Ok(1));
        sender.end().unwrap();
        let (s, r) = mpmc::channel();
        let sender = world.spawn(move || s.send(1));
        assert_eq!(block_on(r.recv_async()), Ok(1));
        sender.end().unwrap();
        let (s, r) = oneshot::channel();
        let sender = world.spawn(move || s.send(1));
        assert_eq!(block_on(r), Ok(1));
        sender.end().unwrap();
        let (s, r) = oneshot::channel::<i32>();
        let mut r = r.into_future();
        let (count, waker) = Count::new();
        assert!(poll(&mut r, &waker).is_pending());
        drop(s);
        assert_eq!(count.get(), 1);
        assert_eq!(poll(&mut r, &waker), Poll::Ready(Err(oneshot::RecvError)));
        let (s, r) = oneshot::channel();
        let mut r = r.into_future();
        assert!(poll(&mut r, &waker).is_pending());
        s.send(Counted(Arc::default())).unwrap();
        drop(r);
    });
}

#[test]
fn in_the_order_of_the_first_polls() {
    everywhere(|_| {
        for (s, r) in channels() {
            let ((first, one), (second, other)) = (Count::new(), Count::new());
            let (mut a, mut b) = (r.recv_async(), r.recv_async());
            assert!(poll(&mut a, &one).is_pending() && poll(&mut b, &other).is_pending());
            s.try_send(1).unwrap();
            assert_eq!((first.get(), second.get()), (1, 0));
            // The message was handed over: nobody overtakes.
            assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
            s.try_send(2).unwrap();
            assert_eq!(poll(&mut b, &other), Poll::Ready(Ok(2)));
            assert_eq!(poll(&mut a, &one), Poll::Ready(Ok(1)));
        }
    });
}

#[test]
fn a_dropped_receive_loses_nothing() {
    everywhere(|_| {
        for (s, r) in channels() {
            let (_, waker) = Count::new();
            // Before a message.
            let mut a = r.recv_async();
            assert!(poll(&mut a, &waker).is_pending());
            drop(a);
            // After it, with another receiver that waits.
            let (mut a, mut b) = (r.recv_async(), r.recv_async());
            assert!(poll(&mut a, &waker).is_pending() && poll(&mut b, &waker).is_pending());
            s.try_send(1).unwrap();
            drop(a);
            assert_eq!(poll(&mut b, &waker), Poll::Ready(Ok(1)));
            // After it, without one: it is the oldest again.
            let mut a = r.recv_async();
            assert!(poll(&mut a, &waker).is_pending());
            s.try_send(2).unwrap();
            let mut sent = vec![2];
            while sent.len() < 70 && s.try_send(1 + sent.len()).is_ok() {
                sent.push(1 + sent.len());
            }
            let mut waiting = s.send_async(1 + sent.len());
            sent.push(1 + sent.len());
            let is_waiting = poll(&mut waiting, &waker).is_pending();
            assert_eq!(is_waiting, s.capacity().is_some());
            drop(a);
            for message in sent {
                assert_eq!(r.try_recv(), Ok(message), "{:?}", s.capacity());
            }
            if is_waiting {
                assert_eq!(poll(&mut waiting, &waker), Poll::Ready(Ok(())));
            }
            assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
            assert_eq!(s.try_send(0).is_err(), s.capacity() == Some(0));
        }
    });
}

/// A message that was given back goes with the channel.
#[test]
fn a_returned_message_is_dropped_once() {
    everywhere(|_| {
        for (s, r) in channels() {
            let drops = Arc::new(AtomicUsize::new(0));
            let (_, waker) = Count::new();
            let mut a = r.recv_async();
            assert!(poll(&mut a, &waker).is_pending());
            s.send(Counted(drops.clone())).unwrap();
            let fits = s.try_send(Counted(drops.clone())).is_ok();
            assert_eq!(drops.load(SeqCst), usize::from(!fits));
            drop(a);
            drop(r);
            assert_eq!(drops.load(SeqCst), 2);
            assert!(s.try_send(Counted(drops)).is_err());
        }
    });
}

#[test]
fn a_dropped_send_is_not_sent_or_was_received() {
    everywhere(|_| {
        let (s, r) = bounded(1);
        let drops = Arc::new(AtomicUsize::new(0));
        let message = || Counted(drops.clone());
        let (count, waker) = Count::new();
        s.send(message()).unwrap();
        let (mut a, mut b) = (s.send_async(message()), s.send_async(message()));
        assert!(poll(&mut a, &waker).is_pending() && poll(&mut b, &waker).is_pending());
        drop(a);
        assert_eq!(drops.load(SeqCst), 1);
        drop(r.recv().unwrap());
        assert_eq!((drops.load(SeqCst), count.get()), (2, 1));
        // The message is in the buffer already.
        drop(b);
        drop(r.recv().unwrap());
        assert_eq!(drops.load(SeqCst), 3);
        // It fails, and is dropped without having been told.
        s.send(message()).unwrap();
        let (mut a, mut b) = (s.send_async(message()), s.send_async(message()));
        assert!(poll(&mut a, &waker).is_pending() && poll(&mut b, &waker).is_pending());
        drop(r);
        assert_eq!(drops.load(SeqCst), 4);
        drop(a);
        assert_eq!(drops.load(SeqCst), 5);
        assert!(matches!(poll(&mut b, &waker), Poll::Ready(Err(SendError(_)))));
        drop(b);
        assert_eq!(drops.load(SeqCst), 6);
        // Never polled.
        drop(s.send_async(message()));
        assert_eq!(drops.load(SeqCst), 7);
    });
}

/// Arms of a select at the other end, whose message is made after they were chosen.
#[test]
fn meets_selects() {
    everywhere(|world| {
        for (s, r) in channels() {
            let selecting = world.spawn(move || {
                let (_, never) = bounded::<()>(0);
                for n in 0..100 {
                    select! {
                        send(s, { thread::yield_now(); n }) -> sent => sent.unwrap(),
                        recv(channel::never::<()>()) -> _ => unreachable!(),
                    }
                }
                drop(never);
            });
            block_on(async {
                for n in 0..100 {
                    assert_eq!(r.recv_async().await, Ok(n));
                }
            });
            selecting.end();
        }
        for (s, r) in channels() {
            let selecting = world.spawn(move || {
                (0..100)
                    .map(|_| {
                        select! {
                            recv(r) -> n => n.unwrap(),
                            recv(channel::never::<i32>()) -> _ => unreachable!(),
                        }
                    })
                    .collect::<Vec<_>>()
            });
            block_on(async {
                for n in 0..100 {
                    s.send_async(n).await.unwrap();
                }
            });
            assert!(selecting.end().into_iter().eq(0..100));
        }
    });
}

fn fails() -> i32 {
    std::panic::resume_unwind(Box::new(1))
}

/// A select's message that panics, or is made for a future that has gone.
#[test]
fn handshakes_that_fail() {
    everywhere(|world| {
        let (s, r) = bounded(0);
        let (count, waker) = Count::new();
        let mut a = r.recv_async();
        assert!(poll(&mut a, &waker).is_pending());
        let sender = s.clone();
        let selecting = world.spawn(move || {
            let panic = std::panic::catch_unwind(|| {
                select! { send(sender, fails()) -> _ => {} }
            });
            assert!(panic.is_err());
        });
        selecting.end();
        assert_eq!(count.get(), 1);
        assert!(poll(&mut a, &waker).is_pending());
        s.send(5).unwrap();
        assert_eq!(poll(&mut a, &waker), Poll::Ready(Ok(5)));

        // It is dropped while its message is being made: the message stays.
        let mut a = r.recv_async();
        assert!(poll(&mut a, &waker).is_pending());
        let (chosen, is_chosen) = bounded(1);
        let selecting = world.spawn(move || {
            select! {
                send(s, { chosen.send(()).unwrap(); thread::sleep(Duration::from_millis(1)); 6 }) -> sent => {
                    sent.unwrap();
                }
            }
        });
        is_chosen.recv().unwrap();
        drop(a);
        selecting.end();
        assert_eq!(r.recv(), Ok(6));
    });
}

#[test]
fn timers() {
    everywhere(|_| {
        let start = greenthread::time::Instant::now();
        block_on(channel::after(Duration::from_millis(2)).recv_async()).unwrap();
        let ticks = channel::tick(Duration::from_millis(1));
        block_on(async {
            for _ in 0..3 {
                ticks.recv_async().await.unwrap();
            }
        });
        assert!(start.elapsed() >= Duration::from_millis(5));
        let late = channel::after(Duration::from_secs(3600));
        assert!(poll(&mut late.recv_async(), &Count::new().1).is_pending());
        assert!(poll(&mut channel::never::<i32>().recv_async(), &Count::new().1).is_pending());
    });
}

/// Blocking and awaiting senders and receivers, futures that are dropped at any moment: each
/// message is received once.
#[test]
fn storm() {
    const EACH: u64 = 300;
    everywhere(|world| {
        for (s, r) in channels() {
            let senders: Vec<_> = (0..4)
                .map(|sender| {
                    let s = s.clone();
                    world.spawn(move || {
                        let mut random = Random::new(sender + 1);
                        for n in sender * EACH..(sender + 1) * EACH {
                            match random.below(2) {
                                0 => s.send(n).unwrap(),
                                _ => block_on(s.send_async(n)).unwrap(),
                            }
                        }
                    })
                })
                .collect();
            drop(s);
            let receivers: Vec<_> = (0..4)
                .map(|receiver| {
                    let r = r.clone();
                    world.spawn(move || {
                        let mut random = Random::new(receiver + 100);
                        let mut all = Vec::new();
                        loop {
                            let received = match random.below(3) {
                                0 => r.recv(),
                                1 => block_on(r.recv_async()),
                                _ => {
                                    let mut future = r.recv_async();
                                    let polled = poll(&mut future, &Count::new().1);
                                    random.dawdle();
                                    let Poll::Ready(received) = polled else { continue };
                                    received
                                }
                            };
                            let Ok(message) = received else { break all };
                            all.push(message);
                        }
                    })
                })
                .collect();
            drop(r);
            senders.into_iter().for_each(|sender| sender.end());
            let all: Vec<u64> = receivers.into_iter().flat_map(|receiver| receiver.end()).collect();
            assert_eq!(all.len() as u64, 4 * EACH);
            assert_eq!(all.iter().collect::<HashSet<_>>().len() as u64, 4 * EACH);
        }
    });
}
