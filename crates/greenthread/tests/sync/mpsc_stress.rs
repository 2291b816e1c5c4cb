//! `sync::mpsc` under seeded stress, and those of Go's channel programs that need one receiver
//! only.

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use greenthread::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, channel, sync_channel},
    },
    thread,
};

use crate::common::world::{Counted, Handle, Kind, Random, World, everywhere, micros};

fn rounds(world: &World, green: usize, os: usize) -> usize {
    if world.kind == Kind::Green { green } else { os }
}

/// A deadline passes just as a message comes. The message is received, or stays in the channel.
#[test]
fn recv_timeout_loses_no_message() {
    everywhere(|world| {
        let messages = rounds(world, 2000, 500);
        for (seed, bound) in [None, Some(0), Some(1), Some(3)].into_iter().enumerate() {
            let drops = Arc::new(AtomicUsize::new(0));
            let (rx, senders) = senders(world, bound, 3, messages, seed as u64, &drops);
            let mut random = Random::new(seed as u64 + 100);
            let (mut next, mut timeouts) = ([0; 3], 0);
            loop {
                match rx.recv_timeout(micros(random.below(40))) {
                    Ok((sender, n, _)) => {
                        assert_eq!(next[sender], n, "of sender {sender}, bound {bound:?}");
                        next[sender] += 1;
                    }
                    Err(RecvTimeoutError::Timeout) => timeouts += 1,
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                if random.below(10) == 0 {
                    random.dawdle();
                }
            }
            assert_eq!(next, [messages; 3], "{timeouts} timeouts");
            assert_eq!(drops.load(Relaxed), 3 * messages);
            senders.into_iter().for_each(Handle::end);
        }
    });
}

type Numbered = (usize, usize, Counted);

fn senders(
    world: &World,
    bound: Option<usize>,
    count: usize,
    messages: usize,
    seed: u64,
    drops: &Arc<AtomicUsize>,
) -> (Receiver<Numbered>, Vec<Handle<()>>) {
    enum Tx<S, B> {
        Free(S),
        Bounded(B),
    }
    let (tx, rx) = match bound {
        None => {
            let (tx, rx) = channel();
            (Tx::Free(tx), rx)
        }
        Some(bound) => {
            let (tx, rx) = sync_channel(bound);
            (Tx::Bounded(tx), rx)
        }
    };
    let handles = (0..count)
        .map(|me| {
            let drops = Arc::clone(drops);
            let tx = match &tx {
                Tx::Free(tx) => Tx::Free(tx.clone()),
                Tx::Bounded(tx) => Tx::Bounded(tx.clone()),
            };
            world.spawn(move || {
                let mut random = Random::new(seed * 31 + me as u64);
                for n in 0..messages {
                    let mut message = (me, n, Counted(Arc::clone(&drops)));
                    match &tx {
                        Tx::Free(tx) => tx.send(message).unwrap(),
                        Tx::Bounded(tx) => {
                            // Some messages are sent by `try_send` first.
                            if random.below(3) == 0 {
                                match tx.try_send(message) {
                                    Ok(()) => continue,
                                    Err(TrySendError::Full(back)) => message = back,
                                    Err(TrySendError::Disconnected(_)) => panic!("hung up"),
                                }
                            }
                            tx.send(message).unwrap();
                        }
                    }
                    if random.below(3) == 0 {
                        random.dawdle();
                    }
                }
            })
        })
        .collect();
    (rx, handles)
}

/// The receiver hangs up in the middle of everything, after a random number of receives of each
/// kind.
#[test]
fn hanging_up_loses_and_doubles_nothing() {
    everywhere(|world| {
        for seed in 0..rounds(world, 60, 20) as u64 {
            let mut random = Random::new(seed);
            let drops = Arc::new(AtomicUsize::new(0));
            let (tx, rx) = sync_channel(random.below(4) as usize);
            let made: Vec<_> = (0..3)
                .map(|me| {
                    let (tx, drops) = (tx.clone(), Arc::clone(&drops));
                    world.spawn(move || {
                        let mut random = Random::new(seed * 7 + me);
                        let mut made = 0;
                        loop {
                            made += 1;
                            match random.below(2) {
                                0 if tx.send(Counted(Arc::clone(&drops))).is_err() => return made,
                                0 => {}
                                _ => match tx.try_send(Counted(Arc::clone(&drops))) {
                                    Err(TrySendError::Disconnected(_)) => return made,
                                    _ => thread::yield_now(),
                                },
                            }
                            random.dawdle();
                        }
                    })
                })
                .collect();
            drop(tx);
            for _ in 0..random.below(60) {
                match random.below(3) {
                    0 => drop(rx.recv()),
                    1 => drop(rx.try_recv()),
                    _ => drop(rx.recv_timeout(micros(random.below(50)))),
                }
            }
            drop(rx);
            let made: usize = made.into_iter().map(Handle::end).sum();
            assert_eq!(drops.load(Relaxed), made, "seed {seed}");
        }
    });
}

/// Go: `TestChan`. An empty channel blocks receivers and a full one senders. Neither blocks a
/// thread that only tries.
#[test]
fn go_test_chan() {
    everywhere(|world| {
        for bound in [0, 1, 2, 5, 20] {
            // A receiver waits at an empty channel.
            let (tx, rx) = sync_channel::<usize>(bound);
            let received = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&received);
            let receiver = world.spawn(move || {
                let first = rx.recv().unwrap();
                count.fetch_add(1, Relaxed);
                (first, rx.recv().unwrap(), rx)
            });
            thread::sleep(micros(300));
            assert_eq!(received.load(Relaxed), 0);
            tx.send(1).unwrap();
            tx.send(2).unwrap();
            let (first, second, rx) = receiver.end();
            assert_eq!((first, second), (1, 2));
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));

            // A sender waits at a full one.
            (0..bound).for_each(|n| tx.send(n).unwrap());
            assert_eq!(tx.try_send(99), Err(TrySendError::Full(99)));
            let sent = Arc::new(AtomicUsize::new(0));
            let (count, last) = (Arc::clone(&sent), tx.clone());
            let sender = world.spawn(move || {
                last.send(bound).unwrap();
                count.fetch_add(1, Relaxed);
            });
            thread::sleep(micros(300));
            assert_eq!(sent.load(Relaxed), 0);
            (0..=bound).for_each(|n| assert_eq!(rx.recv(), Ok(n)));
            sender.end();

            // First in, first out; closed when drained.
            let sender = world.spawn(move || (0..100).for_each(|n| tx.send(n).unwrap()));
            assert!(rx.into_iter().eq(0..100));
            sender.end();

            // Four senders, each number once.
            let (tx, rx) = sync_channel(bound);
            let senders: Vec<_> = (0..4)
                .map(|_| {
                    let tx = tx.clone();
                    world.spawn(move || (0..250).for_each(|n| tx.send(n).unwrap()))
                })
                .collect();
            drop(tx);
            let mut seen = vec![0; 250];
            rx.iter().for_each(|n: usize| seen[n] += 1);
            assert!(seen.iter().all(|n| *n == 4));
            senders.into_iter().for_each(Handle::end);
        }
    });
}

/// Go: `TestNonblockRecvRace`. What was sent before the channel closed is seen by a receiver that
/// only tries.
#[test]
fn go_nonblock_recv_race() {
    everywhere(|world| {
        for _ in 0..rounds(world, 1000, 100) {
            let (tx, rx) = sync_channel(1);
            tx.send(1).unwrap();
            let receiver = world.spawn(move || rx.try_recv());
            drop(tx);
            assert_eq!(receiver.end(), Ok(1));
        }
    });
}

/// Go: `fifo.go`. A chain of threads, each of which passes on when its turn comes.
#[test]
fn go_fifo() {
    everywhere(|world| {
        const LINKS: usize = 10;
        let (tx, rx) = sync_channel(LINKS);
        (0..LINKS).for_each(|n| tx.send(n).unwrap());
        (0..LINKS).for_each(|n| assert_eq!(rx.recv(), Ok(n)));

        let (tx, rx) = sync_channel(0);
        let (start, mut before) = sync_channel::<()>(0);
        let mut links = Vec::new();
        for n in 0..LINKS {
            let tx = tx.clone();
            let (done, after) = sync_channel(0);
            let turn = std::mem::replace(&mut before, after);
            links.push(world.spawn(move || {
                turn.recv().unwrap();
                tx.send(n).unwrap();
                done.send(()).unwrap();
            }));
        }
        start.send(()).unwrap();
        (0..LINKS).for_each(|n| assert_eq!(rx.recv(), Ok(n)));
        before.recv().unwrap();
        links.into_iter().for_each(Handle::end);
    });
}

/// Go: `goroutines.go`. A long chain, through which one number travels and grows.
#[test]
fn go_chain() {
    everywhere(|world| {
        // A 32-bit process has no addresses for more.
        let links = rounds(world, if usize::BITS == 64 { 10_000 } else { 2000 }, 100);
        let (first, mut rx) = sync_channel::<usize>(0);
        for _ in 0..links {
            let (tx, next) = sync_channel(0);
            let from = std::mem::replace(&mut rx, next);
            drop(world.spawn(move || tx.send(from.recv().unwrap() + 1).unwrap()));
        }
        first.send(0).unwrap();
        assert_eq!(rx.recv(), Ok(links));
    });
}

/// Go: `sieve1.go`. Primes from a growing chain of filters, which ends when its receiver hangs up.
#[test]
fn go_sieve() {
    fn pass(from: &Receiver<u32>, to: &SyncSender<u32>, prime: u32) {
        for n in from {
            if n % prime != 0 && to.send(n).is_err() {
                return;
            }
        }
    }
    everywhere(|world| {
        let primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83];
        let (tx, mut rx) = sync_channel(0);
        let mut threads = vec![world.spawn(move || {
            (2..).take_while(|n| tx.send(*n).is_ok()).for_each(drop);
        })];
        for prime in primes {
            assert_eq!(rx.recv(), Ok(prime));
            let (tx, filtered) = sync_channel(0);
            let from = std::mem::replace(&mut rx, filtered);
            threads.push(world.spawn(move || pass(&from, &tx, prime)));
        }
        drop(rx);
        threads.into_iter().for_each(Handle::end);
    });
}

/// A tree of threads, each of which waits for its children's sums.
#[test]
fn skynet() {
    fn node(world: &World, first: u64, size: u64) -> u64 {
        if size == 1 {
            return first;
        }
        let (tx, rx) = channel();
        for n in 0..10 {
            let (tx, world) = (tx.clone(), world.clone());
            let part = size / 10;
            drop(world.clone().spawn(move || tx.send(node(&world, first + n * part, part)).unwrap()));
        }
        drop(tx);
        rx.iter().sum()
    }
    everywhere(|world| {
        let size = rounds(world, 10_000, 100) as u64;
        assert_eq!(node(world, 0, size), size * (size - 1) / 2);
    });
}

/// OS threads send to green threads and the other way round, through both kinds of channels, with
/// both kinds of waits.
#[test]
fn a_pipeline_across_worlds() {
    everywhere(|world| {
        let items = rounds(world, 2000, 1000);
        let (source, mut rx) = channel();
        let mut stages = Vec::new();
        for stage in 0..4 {
            let (tx, next) = sync_channel(stage);
            let from = std::mem::replace(&mut rx, next);
            stages.push(world.spawn(move || {
                let mut random = Random::new(stage as u64);
                loop {
                    let item: Result<usize, _> = match random.below(2) {
                        0 => from.recv_timeout(micros(20)),
                        _ => from.recv().map_err(|_| RecvTimeoutError::Disconnected),
                    };
                    match item {
                        Ok(item) => tx.send(item + 1).unwrap(),
                        Err(RecvTimeoutError::Timeout) => {}
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
            }));
        }
        let feeder = world.spawn(move || (0..items).for_each(|n| source.send(n).unwrap()));
        (0..items).for_each(|n| assert_eq!(rx.recv_timeout(Duration::from_secs(60)), Ok(n + 4)));
        assert_eq!(rx.recv(), Err(std::sync::mpsc::RecvError));
        feeder.end();
        stages.into_iter().for_each(Handle::end);
    });
}
