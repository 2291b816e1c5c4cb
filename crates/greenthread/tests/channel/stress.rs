//! `channel` under seeded stress. Whether success, a deadline or another arm ends a wait, each
//! message that was sent is received once, and no other is. `GREENTHREAD_TEST_SEED` repeats a seed.

use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use greenthread::{
    channel::{Receiver, Select, Sender, after, bounded, never, select, select_biased, unbounded},
    thread,
    time::{Duration, Instant},
};

use crate::common::world::{Counted, Handle, Kind, Random, World, everywhere, micros};

type Message = (usize, Counted);

/// Calls `test` with a seed, and prints it if that fails.
fn seeded(seeds: std::ops::Range<u64>, test: impl Fn(u64)) {
    let given = env::var("GREENTHREAD_TEST_SEED").ok().map(|seed| seed.parse().expect("a number"));
    for seed in given.map_or(seeds, |seed: u64| seed..seed + 1) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| test(seed))) {
            eprintln!("failed with GREENTHREAD_TEST_SEED={seed}");
            resume_unwind(panic);
        }
    }
}

fn make<T>(random: &mut Random) -> (Sender<T>, Receiver<T>) {
    match random.below(5) {
        0 => unbounded(),
        1 | 2 => bounded(0),
        n => bounded(n as usize - 2),
    }
}

/// Sends by one of the two, in any way. Returns the message if it wasn't sent.
fn send(random: &mut Random, pair: [&Sender<Message>; 2], message: Message) -> Option<Message> {
    let timeout = micros(random.below(60));
    let one = pair[random.below(2) as usize];
    match random.below(7) {
        0 => one.try_send(message).err().map(|error| error.into_inner()),
        1 => one.send_timeout(message, timeout).err().map(|error| error.into_inner()),
        2 => one.send_deadline(message, Instant::now() + timeout).err().map(|error| error.into_inner()),
        3 => {
            let mut message = Some(message);
            select! {
                send(pair[0], message.take().unwrap()) -> sent => sent.err().map(|error| error.into_inner()),
                send(pair[1], message.take().unwrap()) -> sent => sent.err().map(|error| error.into_inner()),
                default(timeout) => message,
            }
        }
        4 => {
            let mut message = Some(message);
            select_biased! {
                send(pair[0], message.take().unwrap()) -> sent => sent.err().map(|error| error.into_inner()),
                recv(after(timeout)) -> _ => message,
                send(pair[1], { thread::yield_now(); message.take().unwrap() }) -> sent => {
                    sent.err().map(|error| error.into_inner())
                }
            }
        }
        5 => {
            let mut select = Select::new();
            pair.iter().for_each(|s| _ = select.send(s));
            match select.select_timeout(timeout) {
                Ok(operation) => {
                    let s = pair[operation.index()];
                    operation.send(s, message).err().map(|error| error.into_inner())
                }
                Err(_) => Some(message),
            }
        }
        _ => {
            let mut select = Select::new();
            pair.iter().for_each(|s| _ = select.send(s));
            match select.ready_timeout(timeout) {
                Ok(index) => pair[index].try_send(message).err().map(|error| error.into_inner()),
                Err(_) => Some(message),
            }
        }
    }
}

/// Receives from one of the two, in any way, or doesn't.
fn recv(random: &mut Random, pair: [&Receiver<Message>; 2]) -> Option<Message> {
    let timeout = micros(random.below(60));
    let one = pair[random.below(2) as usize];
    match random.below(7) {
        0 => one.try_recv().ok(),
        1 => one.recv_timeout(timeout).ok(),
        2 => one.recv_deadline(Instant::now() + timeout).ok(),
        3 => select! {
            recv(pair[0]) -> message => message.ok(),
            recv(pair[1]) -> message => message.ok(),
            default(timeout) => None,
        },
        4 => select! {
            recv(pair[0]) -> message => message.ok(),
            recv(after(timeout)) -> _ => None,
            recv(never::<()>()) -> _ => None,
            recv(pair[1]) -> message => message.ok(),
        },
        5 => {
            let mut select = Select::new();
            pair.iter().for_each(|r| _ = select.recv(r));
            let operation = select.select_timeout(timeout).ok()?;
            let r = pair[operation.index()];
            operation.recv(r).ok()
        }
        _ => {
            let mut select = Select::new();
            pair.iter().for_each(|r| _ = select.recv(r));
            let index = select.ready_timeout(timeout).ok()?;
            pair[index].try_recv().ok()
        }
    }
}

fn rounds(world: &World, green: u64, os: u64) -> std::ops::Range<u64> {
    0..if world.kind == Kind::Green { green } else { os }
}

#[test]
fn each_message_comes_once() {
    everywhere(|world| {
        seeded(rounds(world, 12, 5), |seed| {
            const SENDERS: usize = 3;
            const EACH: usize = 60;
            let mut random = Random::new(seed);
            let channels: Vec<_> = (0..3).map(|_| make::<Message>(&mut random)).collect();
            let seen: Arc<Vec<_>> = Arc::new((0..SENDERS * EACH).map(|_| AtomicUsize::new(0)).collect());
            let (drops, received) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let senders: Vec<_> = (0..SENDERS)
                .map(|me| {
                    let all: Vec<_> = channels.iter().map(|(s, _)| s.clone()).collect();
                    let drops = Arc::clone(&drops);
                    world.spawn(move || {
                        let mut random = Random::new(seed * 31 + me as u64);
                        for n in 0..EACH {
                            let mut message = (me * EACH + n, Counted(Arc::clone(&drops)));
                            loop {
                                let first = random.below(3) as usize;
                                let pair = [&all[first], &all[(first + random.below(3) as usize) % 3]];
                                match send(&mut random, pair, message) {
                                    None => break,
                                    Some(back) => message = back,
                                }
                                thread::yield_now();
                            }
                            random.dawdle();
                        }
                    })
                })
                .collect();
            let receivers: Vec<_> = (0..3)
                .map(|me| {
                    let all: Vec<_> = channels.iter().map(|(_, r)| r.clone()).collect();
                    let (seen, received) = (Arc::clone(&seen), Arc::clone(&received));
                    world.spawn(move || {
                        let mut random = Random::new(seed * 37 + me + 100);
                        while received.load(Relaxed) < SENDERS * EACH {
                            let first = random.below(3) as usize;
                            let pair = [&all[first], &all[(first + random.below(3) as usize) % 3]];
                            match recv(&mut random, pair) {
                                Some((n, _)) => {
                                    seen[n].fetch_add(1, Relaxed);
                                    received.fetch_add(1, Relaxed);
                                }
                                None => thread::yield_now(),
                            }
                            random.dawdle();
                        }
                    })
                })
                .collect();
            senders.into_iter().chain(receivers).for_each(Handle::end);
            assert!(seen.iter().all(|seen| seen.load(Relaxed) == 1));
            assert_eq!(drops.load(Relaxed), SENDERS * EACH);
            assert!(channels.iter().all(|(_, r)| r.try_recv().is_err()));
        });
    });
}

/// All handles of a channel are dropped at some moment. What was sent was received, or dropped with
/// the channel, once.
#[test]
fn hanging_up_in_the_middle() {
    everywhere(|world| {
        seeded(rounds(world, 30, 12), |seed| {
            let mut random = Random::new(seed);
            let channels: Vec<_> = (0..2).map(|_| make::<Message>(&mut random)).collect();
            let (made, drops) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let mut threads = Vec::new();
            for me in 0..3 {
                let [one, other] = [channels[0].0.clone(), channels[1].0.clone()];
                let (made, drops) = (Arc::clone(&made), Arc::clone(&drops));
                threads.push(world.spawn(move || {
                    let mut random = Random::new(seed * 7 + me);
                    for n in 0..random.below(40) as usize {
                        made.fetch_add(1, Relaxed);
                        drop(send(&mut random, [&one, &other], (n, Counted(Arc::clone(&drops)))));
                        random.dawdle();
                    }
                }));
                let [one, other] = [channels[0].1.clone(), channels[1].1.clone()];
                threads.push(world.spawn(move || {
                    let mut random = Random::new(seed * 11 + me);
                    for _ in 0..random.below(40) {
                        drop(recv(&mut random, [&one, &other]));
                        random.dawdle();
                    }
                }));
            }
            drop(channels);
            threads.into_iter().for_each(Handle::end);
            assert_eq!(drops.load(Relaxed), made.load(Relaxed));
        });
    });
}

/// Many selects over the same channels, in different orders, send and receive. None waits for ever.
#[test]
fn selects_against_selects() {
    everywhere(|world| {
        seeded(rounds(world, 6, 3), |seed| {
            const THREADS: usize = 4;
            let mut random = Random::new(seed);
            let channels: Arc<Vec<_>> = Arc::new((0..3).map(|_| make::<usize>(&mut random)).collect());
            let balance = Arc::new(AtomicUsize::new(0));
            let threads: Vec<_> = (0..THREADS)
                .map(|me| {
                    let (channels, balance) = (Arc::clone(&channels), Arc::clone(&balance));
                    world.spawn(move || {
                        let mut random = Random::new(seed * 13 + me as u64);
                        for n in 0..100 {
                            let pick: [usize; 3] = std::array::from_fn(|_| random.below(3) as usize);
                            let [a, b, c] = pick.map(|at| &channels[at]);
                            select! {
                                send(a.0, n) -> sent => {
                                    sent.unwrap();
                                    balance.fetch_add(1, Relaxed);
                                }
                                recv(b.1) -> got => {
                                    got.unwrap();
                                    balance.fetch_sub(1, Relaxed);
                                }
                                recv(c.1) -> got => {
                                    got.unwrap();
                                    balance.fetch_sub(1, Relaxed);
                                }
                                default(Duration::from_micros(200)) => {}
                            }
                            if n % 16 == 0 {
                                random.dawdle();
                            }
                        }
                    })
                })
                .collect();
            threads.into_iter().for_each(Handle::end);
            let left: usize = channels.iter().map(|(_, r)| r.try_iter().count()).sum();
            assert_eq!(left, balance.load(Relaxed));
        });
    });
}

/// A message is always ready, though it moves from one channel to another. A select that doesn't
/// wait finds it.
#[test]
fn nothing_is_ready_at_one_moment_only() {
    everywhere(|world| {
        for _ in 0..if world.kind == Kind::Green { 300 } else { 60 } {
            let ((s1, r1), (s2, r2)) = (bounded(1), bounded(1));
            s1.send(1).unwrap();
            let mover = {
                let r1 = r1.clone();
                world.spawn(move || {
                    s2.send(2).unwrap();
                    select! {
                        recv(r1) -> _ => {}
                        default => {}
                    }
                    (s1, s2)
                })
            };
            select! {
                recv(r1) -> n => assert_eq!(n, Ok(1)),
                recv(r2) -> n => assert_eq!(n, Ok(2)),
                default => panic!("one of them was ready at any moment"),
            }
            mover.end();
        }
    });
}
