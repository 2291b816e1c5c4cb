//! Go's tests of channels and select, with `greenthread::channel`. A nil channel is `never` for
//! receiving, and a sender without a receiver for sending. To close is to drop the last sender.
//! (Go's `perm.go` is about directions, which are types here.)

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use greenthread::{
    channel::{Receiver, RecvError, Sender, after, bounded, never, select, unbounded},
    thread,
    time::Duration,
};

use crate::common::world::{Handle, Kind, World, everywhere, micros};

fn rounds(world: &World, green: usize, os: usize) -> usize {
    if world.kind == Kind::Green { green } else { os }
}

/// `doubleselect.go`: a select that sends on one of four channels sends each number once.
#[test]
fn doubleselect() {
    everywhere(|world| {
        let count = rounds(world, 2000, 400);
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..4).map(|n| bounded(n % 2)).unzip();
        let sender = world.spawn(move || {
            for n in 0..count {
                select! {
                    send(senders[0], n) -> sent => sent.unwrap(),
                    send(senders[1], n) -> sent => sent.unwrap(),
                    send(senders[2], n) -> sent => sent.unwrap(),
                    send(senders[3], n) -> sent => sent.unwrap(),
                }
            }
        });
        let (all, merged) = bounded(0);
        let muxes: Vec<_> = receivers
            .into_iter()
            .map(|r| {
                let all = all.clone();
                world.spawn(move || r.iter().for_each(|n| all.send(n).unwrap()))
            })
            .collect();
        drop(all);
        let mut seen = vec![false; count];
        merged.iter().for_each(|n: usize| assert!(!std::mem::replace(&mut seen[n], true), "{n} came twice"));
        assert!(seen.iter().all(|seen| *seen));
        sender.end();
        muxes.into_iter().for_each(Handle::end);
    });
}

/// `fifo.go`: first in, first out, in a buffer and along a chain.
#[test]
fn fifo() {
    everywhere(|world| {
        let (s, r) = bounded(10);
        (0..10).for_each(|n| s.send(n).unwrap());
        (0..10).for_each(|n| assert_eq!(r.recv(), Ok(n)));

        let (s, r) = bounded(0);
        let (start, mut turn) = bounded::<()>(0);
        let mut links = Vec::new();
        for n in 0..10 {
            let (next, after) = bounded(0);
            let (s, mine) = (s.clone(), std::mem::replace(&mut turn, after));
            links.push(world.spawn(move || {
                mine.recv().unwrap();
                s.send(n).unwrap();
                next.send(()).unwrap();
            }));
        }
        start.send(()).unwrap();
        (0..10).for_each(|n| assert_eq!(r.recv(), Ok(n)));
        turn.recv().unwrap();
        links.into_iter().for_each(Handle::end);
    });
}

/// `goroutines.go`: a long chain, through which one number travels and grows.
#[test]
fn goroutines() {
    everywhere(|world| {
        // A 32-bit process has no addresses for more.
        let links = rounds(world, if usize::BITS == 64 { 5000 } else { 2000 }, 60);
        let (first, mut last) = bounded(0);
        for _ in 0..links {
            let (s, next) = bounded(0);
            let r: Receiver<usize> = std::mem::replace(&mut last, next);
            drop(world.spawn(move || s.send(r.recv().unwrap() + 1).unwrap()));
        }
        first.send(0).unwrap();
        assert_eq!(last.recv(), Ok(links));
    });
}

/// `sieve1.go`: primes from a chain of filters that grows with each.
#[test]
fn sieve() {
    const PRIMES: [u32; 15] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47];
    everywhere(|world| {
        let (s, mut r) = bounded(0);
        let mut threads = vec![world.spawn(move || (2..).take_while(|n| s.send(*n).is_ok()).for_each(drop))];
        for prime in PRIMES {
            assert_eq!(r.recv(), Ok(prime));
            let (s, filtered) = bounded(0);
            let from: Receiver<u32> = std::mem::replace(&mut r, filtered);
            threads.push(world.spawn(move || {
                from.iter().filter(|n| n % prime != 0).take_while(|n| s.send(*n).is_ok()).for_each(drop);
            }));
        }
        drop(r);
        threads.into_iter().for_each(Handle::end);
    });
}

/// `select.go`, `select4.go`, `select6.go`: arms on nil channels are never chosen, and the queues
/// stay in order.
#[test]
fn select_with_nil_channels() {
    everywhere(|world| {
        // Numbers through one of two channels that may be nil; both at the end.
        let count = 100;
        let (s, r) = unbounded();
        let other = world.spawn(move || {
            let (mut sent, (nil, _receiver)) = (0, bounded(0));
            while sent < count {
                let (a, b) = if sent % 2 == 0 { (&s, &nil) } else { (&nil, &s) };
                select! {
                    send(a, sent) -> ok => ok.unwrap(),
                    send(b, sent) -> ok => ok.unwrap(),
                }
                sent += 1;
            }
        });
        assert!(r.iter().eq(0..count));
        other.end();

        let (s, r) = bounded(1);
        s.send(42).unwrap();
        select! {
            recv(r) -> n => assert_eq!(n, Ok(42)),
            recv(never::<()>()) -> _ => panic!(),
        }

        // Three threads wait for c1. The first of them also selects from c2 and c3, and receives
        // from c2.
        let ((s1, r1), (s2, r2)) = (bounded::<bool>(0), bounded::<bool>(0));
        let (s3, r3) = bounded::<bool>(0);
        let plain = {
            let r1 = r1.clone();
            world.spawn(move || r1.recv().unwrap())
        };
        let both = world.spawn(move || {
            select! {
                recv(r1) -> _ => panic!("c1 is for the others"),
                recv(r2) -> _ => s3.send(true).unwrap(),
            }
            r1.recv().unwrap()
        });
        let feeder = world.spawn(move || s2.send(true).unwrap());
        r3.recv().unwrap();
        feeder.end();
        (0..2).for_each(|_| s1.send(true).unwrap());
        assert!(plain.end() && both.end());
    });
}

/// `select3.go`: what blocks and what doesn't, with nil, closed, full and empty channels.
#[test]
fn what_blocks() {
    everywhere(|_| {
        let short = micros(200);
        let (nil_s, _receiver) = bounded(0);
        select! {
            recv(never::<()>()) -> _ => panic!(),
            send(nil_s, 1) -> _ => panic!(),
            default(short) => {}
        }
        let (s, r) = bounded::<i32>(0);
        drop(s);
        (0..2).for_each(|_| assert_eq!(select! { recv(r) -> n => n, default => panic!() }, Err(RecvError)));
        let (s, r) = bounded(0);
        drop(r);
        assert!(select! { send(s, 7) -> sent => sent.is_err(), default => panic!() });
        let (s, r) = bounded(10);
        assert!(select! { recv(r) -> _ => false, default(short) => true });
        assert!(select! { send(s, 1) -> sent => sent.is_ok(), default => false });
        (1..10).for_each(|_| s.send(1).unwrap());
        assert!(select! { send(s, 1) -> _ => false, default(short) => true });
    });
}

/// `select7.go`: a single operation against a select with the other side, in all combinations.
#[test]
fn all_kinds_meet() {
    everywhere(|world| {
        type Recv = fn(&Receiver<i32>);
        type Send = fn(&Sender<i32>, &Receiver<()>);
        let recvs: [Recv; 3] = [
            |r| assert_eq!(r.recv(), Ok(1)),
            |r| select! { recv(r) -> n => assert_eq!(n, Ok(1)) },
            |r| {
                select! {
                    recv(r) -> n => assert_eq!(n, Ok(1)),
                    recv(never::<()>()) -> _ => panic!(),
                }
            },
        ];
        let sends: [Send; 4] = [
            |s, _| s.send(1).unwrap(),
            |s, _| select! { send(s, 1) -> sent => sent.unwrap() },
            |s, nothing| {
                select! {
                    send(s, 1) -> sent => sent.unwrap(),
                    recv(nothing) -> _ => panic!(),
                }
            },
            |s, _| loop {
                select! {
                    send(s, 1) -> sent => break sent.unwrap(),
                    default => thread::yield_now(),
                }
            },
        ];
        for recv in recvs {
            for send in sends {
                for late in [false, true] {
                    let (s, r) = bounded(0);
                    let receiver = world.spawn(move || recv(&r));
                    if late {
                        thread::yield_now();
                    }
                    send(&s, &never());
                    receiver.end();
                }
            }
        }
    });
}

/// `chan_test.go`, `TestNonblockSelectRace` and its second: one of two channels is ready at any
/// moment, or closed in between.
#[test]
fn nonblocking_select_race() {
    everywhere(|world| {
        for round in 0..rounds(world, 600, 100) {
            let ((s1, r1), (s2, r2)) = (bounded(1), bounded(1));
            s1.send(1).unwrap();
            let mine = r1.clone();
            let other = world.spawn(move || {
                select! {
                    recv(mine) -> _ => true,
                    recv(r2) -> _ => true,
                    default => false,
                }
            });
            match round % 2 {
                // The other thread may be through already.
                0 => _ = s2.send(1),
                _ => drop(s2),
            }
            select! {
                recv(r1) -> _ => {}
                default => {}
            }
            assert!(other.end(), "no channel was ready, {round}, {world:?}");
        }
    });
}

/// `TestSelfSelect`: two threads, each of which selects between sending and receiving on one
/// channel, exchange.
#[test]
fn self_select() {
    everywhere(|world| {
        for capacity in [0, 10] {
            let (s, r) = bounded(capacity);
            let count = rounds(world, 500, 150);
            let threads: Vec<_> = (0..2)
                .map(|me| {
                    let (s, r) = (s.clone(), r.clone());
                    world.spawn(move || {
                        for n in 0..count {
                            if me == 0 || n % 2 == 0 {
                                select! {
                                    send(s, me) -> sent => sent.unwrap(),
                                    recv(r) -> from => {
                                        assert!(capacity != 0 || from != Ok(me), "its own");
                                    }
                                }
                            } else {
                                select! {
                                    recv(r) -> from => {
                                        assert!(capacity != 0 || from != Ok(me), "its own");
                                    }
                                    send(s, me) -> sent => sent.unwrap(),
                                }
                            }
                        }
                    })
                })
                .collect();
            threads.into_iter().for_each(Handle::end);
        }
    });
}

/// `TestSelectStress`: plain and selecting threads on both sides of four channels; all numbers come
/// through.
#[test]
fn select_stress() {
    everywhere(|world| {
        let count = rounds(world, 300, 60);
        let (senders, receivers): (Vec<_>, Vec<_>) = [0, 0, 2, 3].into_iter().map(bounded::<usize>).unzip();
        let (senders, receivers) = (Arc::new(senders), Arc::new(receivers));
        let mut threads = Vec::new();
        for at in 0..4 {
            let s = senders[at].clone();
            threads.push(world.spawn(move || (0..count).for_each(|n| s.send(n).unwrap())));
            let r = receivers[at].clone();
            threads.push(world.spawn(move || (0..count).for_each(|_| _ = r.recv().unwrap())));
        }
        let all = Arc::clone(&senders);
        threads.push(world.spawn(move || {
            let (nil, _receiver) = bounded(0);
            let mut left = [count; 4];
            for _ in 0..4 * count {
                let pick = |at: usize| if left[at] == 0 { &nil } else { &all[at] };
                let at = select! {
                    send(pick(3), 3) -> sent => sent.map(|()| 3),
                    send(pick(2), 2) -> sent => sent.map(|()| 2),
                    send(pick(0), 0) -> sent => sent.map(|()| 0),
                    send(pick(1), 1) -> sent => sent.map(|()| 1),
                };
                left[at.unwrap()] -= 1;
            }
        }));
        let all = Arc::clone(&receivers);
        threads.push(world.spawn(move || {
            let nil = never();
            let mut left = [count; 4];
            for _ in 0..4 * count {
                let pick = |at: usize| if left[at] == 0 { &nil } else { &all[at] };
                let at = select! {
                    recv(pick(0)) -> n => n.map(|_| 0),
                    recv(pick(1)) -> n => n.map(|_| 1),
                    recv(pick(2)) -> n => n.map(|_| 2),
                    recv(pick(3)) -> n => n.map(|_| 3),
                };
                left[at.unwrap()] -= 1;
            }
        }));
        threads.into_iter().for_each(Handle::end);
        assert!(receivers.iter().all(Receiver::is_empty));
    });
}

/// `TestSelectFairness`: of two channels that are always ready, each has its share.
#[test]
fn select_fairness() {
    everywhere(|world| {
        let trials = 1000;
        let ((s1, r1), (s2, r2)) = (bounded(trials + 1), bounded(trials + 1));
        (0..=trials).for_each(|_| {
            s1.send(1).unwrap();
            s2.send(2).unwrap();
        });
        let ((_s3, r3), (_s4, r4)) = (bounded::<i32>(0), bounded::<i32>(0));
        let (out, results) = bounded(0);
        let (done, stop) = bounded::<()>(0);
        let thread = world.spawn(move || {
            loop {
                let n = select! {
                    recv(r3) -> n => n,
                    recv(r4) -> n => n,
                    recv(r1) -> n => n,
                    recv(r2) -> n => n,
                };
                select! {
                    send(out, n.unwrap()) -> _ => {}
                    recv(stop) -> _ => return,
                }
            }
        });
        let ones = results.iter().take(trials).filter(|n| *n == 1).count();
        drop(done);
        thread.end();
        assert!((trials / 3..=trials * 2 / 3).contains(&ones), "{ones} of {trials}");
    });
}

/// `TestPseudoRandomSend`: which of two equal arms is chosen isn't always the same.
#[test]
fn random_send() {
    everywhere(|world| {
        for capacity in [0, 100] {
            let (s, r) = bounded(capacity);
            let receiver = world.spawn(move || r.iter().take(100).filter(|n| *n == 0).count());
            for _ in 0..100 {
                select! {
                    send(s, 0) -> sent => sent.unwrap(),
                    send(s, 1) -> sent => sent.unwrap(),
                }
            }
            let zeros = receiver.end();
            assert!((10..=90).contains(&zeros), "{zeros} of 100");
        }
    });
}

/// `TestMultiConsumer`: many consumers, some of them slow; nothing is lost.
#[test]
fn many_consumers() {
    everywhere(|world| {
        const WORKERS: usize = 23;
        let items = rounds(world, 2000, 500);
        let ((work, jobs), (done, results)) = (bounded(WORKERS * 2), bounded(WORKERS * 3));
        let factors = [2, 3, 7, 11, 13, 17, 23];
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                let (jobs, done): (Receiver<usize>, _) = (jobs.clone(), done.clone());
                world.spawn(move || {
                    for n in jobs {
                        if n % 37 == 0 {
                            thread::yield_now();
                        }
                        done.send(n).unwrap();
                    }
                })
            })
            .collect();
        drop(done);
        let feeder = world.spawn(move || {
            let sum: usize = (0..items).map(|n| factors[n % factors.len()]).sum();
            (0..items).for_each(|n| work.send(factors[n % factors.len()]).unwrap());
            sum
        });
        let got: usize = results.iter().sum();
        assert_eq!(got, feeder.end());
        workers.into_iter().for_each(Handle::end);
    });
}

/// `TestSelectDuplicateChannel`: a select that has a channel more than once is out of its queue
/// when it is done.
#[test]
fn duplicate_channel() {
    everywhere(|world| {
        let ((s, r), (s2, r2)) = (bounded::<i32>(0), bounded::<i32>(0));
        let (r1, r3) = (r.clone(), r.clone());
        let first = world.spawn(move || {
            select! {
                recv(r1) -> _ => {}
                recv(r1) -> _ => {}
                recv(r2) -> _ => {}
            }
            r1.recv().unwrap()
        });
        let second = world.spawn(move || r3.recv().unwrap());
        thread::sleep(micros(200));
        s2.send(0).unwrap();
        (0..2).for_each(|_| s.send(1).unwrap());
        assert_eq!(first.end() + second.end(), 2);
        assert_eq!(r.len(), 0);
    });
}

/// Closing races with selects of all kinds on the other side. Each select ends, and gets what was
/// sent before.
#[test]
fn close_races() {
    everywhere(|world| {
        for round in 0..rounds(world, 200, 60) {
            let (s, r) = if round % 2 == 0 { bounded(round % 3) } else { unbounded() };
            let got = Arc::new(AtomicUsize::new(0));
            let receivers: Vec<_> = (0..3)
                .map(|kind| {
                    let (r, got) = (r.clone(), Arc::clone(&got));
                    world.spawn(move || {
                        loop {
                            let message: Result<(), RecvError> = match kind {
                                0 => r.recv(),
                                1 => select! {
                                    recv(r) -> message => message,
                                    recv(never()) -> message => message,
                                },
                                _ => select! {
                                    recv(r) -> message => message,
                                    recv(after(Duration::from_micros(20))) -> _ => continue,
                                },
                            };
                            match message {
                                Ok(()) => got.fetch_add(1, Relaxed),
                                Err(RecvError) => return,
                            };
                        }
                    })
                })
                .collect();
            (0..round % 5).for_each(|_| s.send(()).unwrap());
            drop(s);
            receivers.into_iter().for_each(Handle::end);
            assert_eq!(got.load(Relaxed), round % 5);
        }
    });
}

/// `ken/chan1.go`: many senders and receivers of unlike sizes on one channel; each number the same
/// count of times.
#[test]
fn unlike_sides() {
    everywhere(|world| {
        const NUMBERS: usize = 200;
        for capacity in [0, 1, 10] {
            let (s, r) = bounded(capacity);
            let counts: Arc<Vec<AtomicUsize>> = Arc::new((0..NUMBERS).map(|_| AtomicUsize::new(0)).collect());
            let senders: Vec<_> = (0..3)
                .map(|_| {
                    let s = s.clone();
                    world.spawn(move || (0..NUMBERS).for_each(|n| s.send(n).unwrap()))
                })
                .collect();
            drop(s);
            let receivers: Vec<_> = (0..7)
                .map(|_| {
                    let (r, counts) = (r.clone(), Arc::clone(&counts));
                    world.spawn(move || {
                        r.iter().for_each(|n: usize| {
                            counts[n].fetch_add(1, Relaxed);
                        });
                    })
                })
                .collect();
            senders.into_iter().chain(receivers).for_each(Handle::end);
            assert!(counts.iter().all(|count| count.load(Relaxed) == 3));
        }
    });
}
