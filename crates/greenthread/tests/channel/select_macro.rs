//! `channel::select!` and `select_biased!`: what they choose, wait for and evaluate.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use greenthread::{
    channel::{
        self, Receiver, RecvError, SendError, TryRecvError, after, bounded, never, select, select_biased,
        tick, unbounded,
    },
    thread,
    time::{Duration, Instant},
};

use crate::common::world::{Counted, everywhere, micros};

#[test]
fn takes_what_is_ready() {
    everywhere(|_| {
        let (s1, r1) = unbounded();
        let (s2, r2) = unbounded::<i32>();
        s1.send(1).unwrap();
        select! {
            recv(r1) -> n => assert_eq!(n, Ok(1)),
            recv(r2) -> _ => panic!(),
        }
        s2.send(2).unwrap();
        select! {
            recv(r1) -> _ => panic!(),
            recv(r2) -> n => assert_eq!(n, Ok(2)),
        }
        let (full, _r) = bounded(0);
        select! {
            send(full, 1) -> _ => panic!(),
            send(s2, 3) -> sent => assert_eq!(sent, Ok(())),
        }
        select! {
            recv(r2) -> n => assert_eq!(n, Ok(3)),
            send(full, 1) -> _ => panic!(),
            default => panic!(),
        }
    });
}

#[test]
fn a_closed_channel_is_ready() {
    everywhere(|world| {
        let (s1, r1) = unbounded::<i32>();
        let (_s2, r2) = unbounded::<i32>();
        let closer = world.spawn(move || {
            thread::sleep(micros(200));
            drop(s1);
        });
        for _ in 0..2 {
            select! {
                recv(r1) -> n => assert_eq!(n, Err(RecvError)),
                recv(r2) -> _ => panic!(),
                default(Duration::from_secs(60)) => panic!(),
            }
        }
        select! {
            recv(r1) -> n => assert_eq!(n, Err(RecvError)),
            recv(r2) -> _ => panic!(),
            default => panic!(),
        }
        closer.end();
        for capacity in [0, 1] {
            let (s, r) = bounded(capacity);
            (0..capacity).for_each(|_| s.send(1).unwrap());
            let closer = world.spawn(move || {
                thread::sleep(micros(200));
                drop(r);
            });
            select! {
                send(s, 7) -> sent => assert_eq!(sent, Err(SendError(7))),
                recv(never::<()>()) -> _ => panic!(),
            }
            closer.end();
        }
    });
}

#[test]
fn default_and_timeouts() {
    everywhere(|world| {
        let (s, r) = unbounded::<i32>();
        let (full, _other) = bounded(0);
        select! {
            recv(r) -> _ => panic!(),
            send(full, 0) -> _ => panic!(),
            default => {}
        }
        let start = Instant::now();
        select! {
            recv(r) -> _ => panic!(),
            send(full, 0) -> _ => panic!(),
            default(micros(500)) => {}
        }
        assert!(start.elapsed() >= micros(500));
        select! {
            default(micros(100)) => {}
        }
        select! {
            default() => {}
        }
        let sender = world.spawn(move || {
            thread::sleep(micros(300));
            s.send(1).unwrap();
            s
        });
        select! {
            recv(r) -> n => assert_eq!(n, Ok(1)),
            default(Duration::MAX) => panic!(),
        }
        drop(sender.end());
        assert_eq!(r.try_recv(), Err(TryRecvError::Disconnected));
        assert!(catch_unwind(|| select! {}).is_err());
    });
}

#[test]
fn a_waiting_select_is_woken_by_either() {
    everywhere(|world| {
        for turn in 0..4 {
            let (s1, r1) = bounded::<i32>(0);
            let (s2, r2) = bounded::<i32>(0);
            let other = world.spawn(move || {
                thread::sleep(micros(200));
                match turn {
                    0 => s1.send(1).unwrap(),
                    1 => assert_eq!(r2.recv(), Ok(2)),
                    2 => assert_eq!(s1.send_timeout(1, Duration::MAX), Ok(())),
                    _ => {
                        while r2.try_recv().is_err() {
                            thread::yield_now();
                        }
                    }
                }
                (s1, r2)
            });
            select! {
                recv(r1) -> n => assert_eq!((n, turn % 2), (Ok(1), 0)),
                send(s2, 2) -> sent => assert_eq!((sent, turn % 2), (Ok(()), 1)),
            }
            other.end();
        }
    });
}

/// Two selects that meet, each with both arms.
#[test]
fn selects_meet() {
    everywhere(|world| {
        for capacity in [0, 1, 2] {
            let (s1, r1) = bounded(capacity);
            let (s2, r2) = bounded(capacity);
            let (mine, yours) = ((s1, r2), (s2, r1));
            let run = |(s, r): (channel::Sender<usize>, Receiver<usize>)| {
                move || {
                    let (mut sent, mut received) = (0, 0);
                    while sent < 200 || received < 200 {
                        let ((nobody, _receiver), nothing) = (bounded(0), never());
                        select! {
                            send(if sent < 200 { &s } else { &nobody }, sent) -> ok => {
                                ok.unwrap();
                                sent += 1;
                            }
                            recv(if received < 200 { &r } else { &nothing }) -> n => {
                                assert_eq!(n, Ok(received));
                                received += 1;
                            }
                        }
                    }
                }
            };
            let other = world.spawn(run(yours));
            run(mine)();
            other.end();
        }
    });
}

#[test]
fn the_same_channel_twice_and_from_both_sides() {
    everywhere(|world| {
        let (s, r) = bounded::<i32>(0);
        // A select does not meet itself.
        select! {
            send(s, 1) -> _ => panic!(),
            recv(r) -> _ => panic!(),
            recv(r) -> _ => panic!(),
            default => {}
        }
        select! {
            send(s, 1) -> _ => panic!(),
            recv(r) -> _ => panic!(),
            send(s, 2) -> _ => panic!(),
            default(micros(300)) => {}
        }
        let (s1, r1) = (s.clone(), r.clone());
        let other = world.spawn(move || {
            for _ in 0..100 {
                select! {
                    send(s1, 1) -> sent => sent.unwrap(),
                    recv(r1) -> n => assert_eq!(n, Ok(2)),
                }
            }
        });
        for _ in 0..100 {
            select! {
                recv(r) -> n => assert_eq!(n, Ok(1)),
                send(s, 2) -> sent => sent.unwrap(),
                recv(r) -> n => assert_eq!(n, Ok(1)),
            }
        }
        other.end();
        let (s, r) = bounded(1);
        for n in 0..100 {
            select! {
                send(s, n) -> _ => assert_eq!(n % 2, 0),
                recv(r) -> m => assert_eq!(m, Ok(n - 1)),
            }
        }
    });
}

#[test]
fn an_arms_message_is_made_when_it_has_won() {
    everywhere(|_| {
        let (s, r) = bounded(1);
        let mut queue = vec![3, 2, 1];
        select! {
            send(s, queue.pop().unwrap()) -> sent => sent.unwrap(),
            recv(never::<()>()) -> _ => panic!(),
        }
        // It is full now.
        select! {
            send(s, queue.pop().unwrap()) -> _ => panic!(),
            recv(r) -> n => assert_eq!(n, Ok(1)),
        }
        assert_eq!(queue, [3, 2]);
        // Without a receiver it is still made, and given back.
        drop(r);
        select! {
            send(s, queue.pop().unwrap()) -> sent => assert_eq!(sent, Err(SendError(2))),
        }
        assert_eq!(queue, [3]);
    });
}

/// To make the message takes long, or waits itself, while a receiver of any kind waits for it.
#[test]
fn a_message_in_the_making_keeps_its_receiver_waiting() {
    everywhere(|world| {
        for capacity in [0, 1] {
            for kind in 0..5 {
                let (s, r) = bounded(capacity);
                (0..capacity).for_each(|_| s.send(0).unwrap());
                let (go, gone) = bounded::<()>(0);
                let receiver = world.spawn(move || {
                    (0..capacity).for_each(|_| assert_eq!(r.recv(), Ok(0)));
                    let got = loop {
                        let got = match kind {
                            0 => r.recv().ok(),
                            1 => r.recv_timeout(micros(50)).ok(),
                            2 => r.try_recv().ok(),
                            3 => select! {
                                recv(r) -> n => n.ok(),
                                recv(after(micros(50))) -> _ => None,
                            },
                            _ => select! {
                                recv(r) -> n => n.ok(),
                                default => None,
                            },
                        };
                        match got {
                            Some(n) => break n,
                            None => thread::yield_now(),
                        }
                    };
                    drop(gone);
                    got
                });
                let mut idle = true;
                while idle {
                    select! {
                        send(s, { thread::sleep(micros(100)); 7 }) -> sent => {
                            sent.unwrap();
                            idle = false;
                        }
                        recv(after(micros(30))) -> _ => thread::yield_now(),
                    }
                }
                assert!(go.send(()).is_err());
                assert_eq!(receiver.end(), 7);
            }
        }
    });
}

/// A message that is not made after all. The room in the buffer or the receiver is given back.
#[test]
fn a_selected_send_that_is_given_up() {
    fn fails() -> i32 {
        panic!("on purpose")
    }
    fn gives_up(s: &channel::Sender<i32>) -> Option<()> {
        select! {
            send(s, None?) -> _ => panic!(),
        }
    }
    everywhere(|world| {
        for capacity in [0, 1, 2] {
            let (s, r) = bounded(capacity);
            let receivers: Vec<_> = (0..2)
                .map(|kind| {
                    let r = r.clone();
                    world.spawn(move || match kind {
                        0 => r.recv(),
                        _ => select! {
                            recv(r) -> n => n,
                            recv(never()) -> n => n,
                        },
                    })
                })
                .collect();
            for _ in 0..3 {
                let result = catch_unwind(AssertUnwindSafe(|| {
                    select! {
                        send(s, fails()) -> _ => unreachable!(),
                    }
                }));
                assert!(result.is_err());
                assert!(gives_up(&s).is_none());
            }
            assert_eq!(s.len(), 0);
            (1..=2).for_each(|n| s.send(n).unwrap());
            let got: i32 = receivers.into_iter().map(|receiver| receiver.end().unwrap()).sum();
            assert_eq!(got, 3);

            // The room goes to a sender that waits.
            if capacity > 0 {
                (0..capacity).for_each(|_| s.send(0).unwrap());
                let (other, go) = (s.clone(), r.clone());
                let sender = world.spawn(move || other.send(5));
                let selecting = world.spawn(move || gives_up(&s));
                thread::sleep(micros(200));
                assert!(go.iter().take(capacity + 1).eq(std::iter::repeat_n(0, capacity).chain([5])));
                sender.end().unwrap();
                assert!(selecting.end().is_none());
                assert!(go.recv().is_err());
            }
        }
    });
}

#[test]
fn no_message_is_lost_by_the_arms_that_lose() {
    everywhere(|world| {
        let drops = Arc::new(AtomicUsize::new(0));
        let (s1, r1) = bounded(0);
        let (s2, r2) = unbounded();
        let sender = world.spawn({
            let drops = Arc::clone(&drops);
            move || {
                for _ in 0..200 {
                    select! {
                        send(s1, Counted(Arc::clone(&drops))) -> sent => sent.unwrap(),
                        send(s2, Counted(Arc::clone(&drops))) -> sent => sent.unwrap(),
                    }
                }
                (s1, s2)
            }
        });
        let mut kept = Vec::new();
        for _ in 0..200 {
            select! {
                recv(r1) -> message => kept.push(message.unwrap()),
                recv(r2) -> message => kept.push(message.unwrap()),
            }
        }
        assert_eq!(drops.load(Relaxed), 0);
        drop((kept, sender.end()));
        assert_eq!(drops.load(Relaxed), 200);
    });
}

#[test]
fn is_fair_among_those_that_are_ready() {
    everywhere(|_| {
        const COUNT: usize = 600;
        let (s1, r1) = bounded(COUNT);
        let (s2, r2) = unbounded();
        let (s3, _r3) = unbounded();
        (0..COUNT).for_each(|_| {
            s1.send(()).unwrap();
            s2.send(()).unwrap();
        });
        let mut hits = [0; 6];
        for _ in 0..COUNT {
            select! {
                recv(r1) -> _ => hits[0] += 1,
                recv(r1) -> _ => hits[1] += 1,
                recv(never::<()>()) -> _ => panic!(),
                recv(r2) -> _ => hits[2] += 1,
                send(s3, ()) -> _ => hits[3] += 1,
                recv(after(Duration::ZERO)) -> _ => hits[4] += 1,
                recv(tick(Duration::ZERO)) -> _ => hits[5] += 1,
            }
        }
        assert!(hits.iter().all(|hits| *hits > COUNT / 6 / 2), "{hits:?}");
    });
}

#[test]
fn biased_takes_the_first() {
    everywhere(|world| {
        let (s1, r1) = unbounded();
        let (s2, r2) = unbounded();
        let (s3, r3) = bounded(0);
        (0..50).for_each(|n| {
            s1.send(n).unwrap();
            s2.send(n + 50).unwrap();
        });
        let sender = world.spawn(move || s3.send(100).unwrap());
        for expected in 0..101 {
            let n = select_biased! {
                recv(r1) -> n => n,
                recv(r2) -> n => n,
                recv(r3) -> n => n,
            };
            assert_eq!(n, Ok(expected));
        }
        sender.end();
        select_biased! {
            recv(r1) -> _ => panic!(),
            default => {}
        }
        select_biased! {
            recv(r2) -> _ => panic!(),
            default(micros(100)) => {}
        }
        drop((s1, s2));
    });
}
