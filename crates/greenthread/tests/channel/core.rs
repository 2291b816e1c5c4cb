//! `channel`: sending and receiving, with capacities of none, one, some and any number of messages.
//! It checks what crossbeam's own tests check for its array, list and zero channels.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use greenthread::{
    channel::{
        Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError,
        TrySendError, after, bounded, never, select, tick, unbounded,
    },
    thread,
    time::{Duration, Instant},
};

use crate::common::world::{Counted, Handle, Kind, Random, World, everywhere, micros};

const CAPACITIES: [Option<usize>; 5] = [None, Some(0), Some(1), Some(3), Some(100)];

fn make<T>(capacity: Option<usize>) -> (Sender<T>, Receiver<T>) {
    capacity.map_or_else(unbounded, bounded)
}

#[track_caller]
fn with_each(test: impl Fn(&World, Option<usize>) + Send + Sync + 'static) {
    everywhere(move |world| CAPACITIES.iter().for_each(|capacity| test(world, *capacity)));
}

fn rounds(world: &World, green: usize, os: usize) -> usize {
    if world.kind == Kind::Green { green } else { os }
}

#[test]
fn capacity_and_length() {
    everywhere(|_| {
        for capacity in CAPACITIES {
            let (s, r) = make(capacity);
            let room = capacity.unwrap_or(200);
            assert_eq!((s.capacity(), r.capacity()), (capacity, capacity));
            for n in 0..room {
                let full = capacity == Some(n);
                assert_eq!((s.len(), s.is_empty(), s.is_full()), (n, n == 0, full));
                assert_eq!((r.len(), r.is_empty(), r.is_full()), (n, n == 0, full));
                s.send(n).unwrap();
            }
            assert_eq!((s.len(), s.is_full(), r.is_full()), (room, capacity.is_some(), capacity.is_some()));
            if capacity.is_some() {
                assert_eq!(s.try_send(9), Err(TrySendError::Full(9)));
            }
            (0..room).for_each(|n| assert_eq!(r.recv(), Ok(n)));
            assert_eq!((r.len(), r.is_empty(), r.is_full()), (0, true, room == 0));
        }
    });
}

#[test]
fn trying() {
    with_each(|world, capacity| {
        let (s, r) = make(capacity);
        assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
        let receiver = world.spawn(move || r.recv().map(|n| (n, r)));
        // With a capacity of 0 there must be a receiver.
        while let Err(error) = s.try_send(7) {
            assert_eq!((error.is_full(), error.is_disconnected(), error.into_inner()), (true, false, 7));
            thread::yield_now();
        }
        let (n, r) = receiver.end().unwrap();
        assert_eq!(n, 7);
        let sender = world.spawn(move || s.send(8).unwrap());
        let mut got = r.try_recv();
        while got == Err(TryRecvError::Empty) {
            thread::yield_now();
            got = r.try_recv();
        }
        assert_eq!(got, Ok(8));
        sender.end();
        assert_eq!(r.try_recv(), Err(TryRecvError::Disconnected));
    });
}

#[test]
fn in_time_and_too_late() {
    with_each(|world, capacity| {
        let (s, r) = make(capacity);
        let start = Instant::now();
        assert_eq!(r.recv_timeout(micros(300)), Err(RecvTimeoutError::Timeout));
        assert_eq!(r.recv_deadline(start + micros(600)), Err(RecvTimeoutError::Timeout));
        assert_eq!(r.recv_deadline(start), Err(RecvTimeoutError::Timeout));
        assert!(start.elapsed() >= micros(600));
        if let Some(capacity) = capacity {
            (0..capacity).for_each(|n| s.send(n).unwrap());
            assert_eq!(s.send_timeout(99, micros(300)), Err(SendTimeoutError::Timeout(99)));
            let start = Instant::now();
            assert_eq!(s.send_deadline(99, start + micros(300)), Err(SendTimeoutError::Timeout(99)));
            assert!(start.elapsed() >= micros(300));
            (0..capacity).for_each(|n| assert_eq!(r.recv_timeout(Duration::ZERO), Ok(n)));
        }
        let sender = world.spawn(move || s.send_timeout(1, Duration::MAX));
        assert_eq!(r.recv_timeout(Duration::MAX), Ok(1));
        assert_eq!(sender.end(), Ok(()));
        assert_eq!(r.recv_timeout(Duration::MAX), Err(RecvTimeoutError::Disconnected));
        let (s, r) = make(capacity);
        drop(r);
        assert_eq!(s.send_timeout(1, Duration::MAX), Err(SendTimeoutError::Disconnected(1)));
    });
}

#[test]
fn without_the_other_side() {
    with_each(|world, capacity| {
        let (s, r) = make(capacity);
        let count = capacity.unwrap_or(50);
        (0..count).for_each(|n| s.send(n).unwrap());
        drop(s.clone());
        drop(s);
        (0..count).for_each(|n| assert_eq!(r.recv(), Ok(n)));
        assert_eq!(r.recv(), Err(RecvError));
        assert_eq!(r.clone().recv(), Err(RecvError));

        let (s, r) = make(capacity);
        drop(r.clone());
        drop(r);
        assert_eq!(s.send(1), Err(SendError(1)));
        assert_eq!(s.try_send(2), Err(TrySendError::Disconnected(2)));

        // While other threads wait.
        let (s, r) = make::<()>(capacity);
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let r = r.clone();
                world.spawn(move || r.recv())
            })
            .collect();
        thread::sleep(micros(200));
        drop(s);
        waiting.into_iter().for_each(|waiting| assert_eq!(waiting.end(), Err(RecvError)));
        if let Some(capacity) = capacity {
            let (s, r) = make(Some(capacity));
            (0..capacity).for_each(|n| s.send(n).unwrap());
            let waiting: Vec<_> = (0..3)
                .map(|n| {
                    let s = s.clone();
                    world.spawn(move || s.send(n))
                })
                .collect();
            thread::sleep(micros(200));
            drop(r);
            let ends = waiting.into_iter().enumerate();
            ends.for_each(|(n, waiting)| assert_eq!(waiting.end(), Err(SendError(n))));
        }
    });
}

#[test]
fn many_to_many() {
    with_each(|world, capacity| {
        const SIDES: usize = 4;
        let each = rounds(world, 300, 100);
        let (s, r) = make::<usize>(capacity);
        let counts: Arc<Vec<AtomicUsize>> = Arc::new((0..each).map(|_| AtomicUsize::new(0)).collect());
        let receivers: Vec<_> = (0..SIDES)
            .map(|_| {
                let (r, counts) = (r.clone(), Arc::clone(&counts));
                world.spawn(move || {
                    (0..each).for_each(|_| {
                        counts[r.recv().unwrap()].fetch_add(1, Relaxed);
                    })
                })
            })
            .collect();
        let senders: Vec<_> = (0..SIDES)
            .map(|_| {
                let s = s.clone();
                world.spawn(move || (0..each).for_each(|n| s.send(n).unwrap()))
            })
            .collect();
        senders.into_iter().chain(receivers).for_each(Handle::end);
        assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
        assert!(counts.iter().all(|count| count.load(Relaxed) == SIDES));
    });
}

#[test]
fn one_to_one_in_order() {
    with_each(|world, capacity| {
        let (s, r) = make(capacity);
        let receiver = world.spawn(move || (0..500).for_each(|n| assert_eq!(r.recv(), Ok(n))));
        (0..500).for_each(|n| s.send(n).unwrap());
        receiver.end();
    });
}

#[test]
fn iterators() {
    with_each(|world, capacity| {
        let (s, r) = make::<i32>(capacity);
        let (total, totals) = bounded(1);
        let receiver = world.spawn(move || total.send(r.iter().sum()).unwrap());
        (1..=3).for_each(|n| s.send(n).unwrap());
        drop(s);
        assert_eq!(totals.recv(), Ok(6));
        receiver.end();

        // An iterator that is dropped early leaves the rest.
        let (s, r) = make(capacity);
        let sender = world.spawn(move || (0..10).for_each(|n| s.send(n).unwrap()));
        for n in &r {
            if n == 4 {
                break;
            }
        }
        assert!(r.into_iter().eq(5..10));
        sender.end();

        let (s, r) = make(capacity);
        assert_eq!(r.try_iter().count(), 0);
        let (ask, asked) = unbounded();
        let sender =
            world.spawn(move || (0..3).for_each(|n| asked.recv().map(|()| s.send(n).unwrap()).unwrap()));
        let mut all = Vec::new();
        while all.len() < 3 {
            ask.send(()).unwrap();
            while r.is_empty() && capacity != Some(0) {
                thread::yield_now();
            }
            all.extend(r.try_iter());
            if capacity == Some(0) {
                thread::yield_now();
            }
        }
        assert_eq!(all, [0, 1, 2]);
        sender.end();
        assert_eq!(r.iter().next(), None);
    });
}

#[test]
fn each_message_is_dropped_once() {
    with_each(|world, capacity| {
        for seed in 0..10 {
            let mut random = Random::new(seed);
            let drops = Arc::new(AtomicUsize::new(0));
            let (s, r) = make(capacity);
            let sent = random.below(60) as usize;
            let sender = world.spawn({
                let (s, drops) = (s.clone(), Arc::clone(&drops));
                move || (0..sent).for_each(|_| s.send(Counted(Arc::clone(&drops))).unwrap())
            });
            (0..sent).for_each(|_| drop(r.recv().unwrap()));
            sender.end();
            assert_eq!(drops.load(Relaxed), sent);
            let more = capacity.unwrap_or(40).min(40);
            (0..more).for_each(|_| s.send(Counted(Arc::clone(&drops))).unwrap());
            assert_eq!(drops.load(Relaxed), sent);
            // The last receiver drops the messages, whether or not there is a sender.
            drop(r);
            assert_eq!(drops.load(Relaxed), sent + more);
            drop(s.send(Counted(Arc::clone(&drops))));
            assert_eq!(drops.load(Relaxed), sent + more + 1);
        }
    });
}

#[test]
fn a_message_that_panics_when_it_is_dropped() {
    struct Bomb(bool, #[allow(dead_code, reason = "for its drop")] Counted);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.0, "boom");
        }
    }
    everywhere(|_| {
        let drops = Arc::new(AtomicUsize::new(0));
        let (s, r) = bounded(4);
        s.send(Bomb(true, Counted(Arc::clone(&drops)))).unwrap();
        let result = catch_unwind(AssertUnwindSafe(|| drop(r)));
        assert!(result.is_err());
        assert_eq!(drops.load(Relaxed), 1);
        // The channel is closed nevertheless.
        assert!(s.send(Bomb(false, Counted(Arc::clone(&drops)))).is_err());
    });
}

/// Several threads send and then receive, so there is always a message for each.
#[test]
fn what_was_sent_is_there() {
    everywhere(|world| {
        for capacity in [None, Some(4), Some(100)] {
            let (s, r) = make(capacity);
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let (s, r) = (s.clone(), r.clone());
                    world.spawn(move || {
                        for _ in 0..200 {
                            s.send(0).unwrap();
                            assert_eq!(r.try_recv(), Ok(0));
                        }
                    })
                })
                .collect();
            threads.into_iter().for_each(Handle::end);
        }
    });
}

/// A thread that both sends to and receives from the same channel.
#[test]
fn sending_to_oneself() {
    everywhere(|_| {
        for capacity in [None, Some(2)] {
            let (s, r) = make(capacity);
            s.send(1).unwrap();
            for _ in 0..100 {
                select! {
                    recv(r) -> n => {
                        n.unwrap();
                        s.send(2).unwrap();
                    }
                    default => panic!("it was there"),
                }
            }
        }
    });
}

#[test]
fn channels_through_channels() {
    type Parcel = Box<dyn Any + Send>;
    with_each(|world, capacity| {
        let (s, r) = make::<Parcel>(capacity);
        let sender = world.spawn(move || {
            let mut s = s;
            for _ in 0..100 {
                let (next, r) = make::<Parcel>(capacity);
                s.send(Box::new(r)).unwrap();
                s = next;
            }
        });
        let mut r = r;
        for _ in 0..100 {
            r = *r.recv().unwrap().downcast::<Receiver<Parcel>>().unwrap();
        }
        sender.end();
    });
}

#[test]
fn large_and_empty_messages() {
    with_each(|world, capacity| {
        let (s, r) = make::<[u64; 512]>(capacity);
        let sender = world.spawn(move || (0..50).for_each(|n| s.send([n; 512]).unwrap()));
        (0..50).for_each(|n| assert_eq!(r.recv(), Ok([n; 512])));
        sender.end();
        let (s, r) = make::<()>(capacity);
        let sender = world.spawn(move || (0..50).for_each(|_| s.send(()).unwrap()));
        assert_eq!(r.iter().count(), 50);
        sender.end();
    });
}

#[test]
fn same_channel() {
    let (s, r) = unbounded::<Instant>();
    assert!(s.same_channel(&s.clone()) && r.same_channel(&r.clone()));
    let (other_s, other_r) = bounded(1);
    assert!(!s.same_channel(&other_s) && !r.same_channel(&other_r));
    let (one, other) = (after(Duration::MAX), tick(Duration::from_secs(100)));
    assert!(one.same_channel(&never()), "a time that never comes");
    assert!(other.same_channel(&other.clone()));
    assert!(!other.same_channel(&tick(Duration::from_secs(100))));
    assert!(!other.same_channel(&r) && !other.same_channel(&never()) && !r.same_channel(&never()));
    assert!(never::<()>().same_channel(&never()));
}

#[test]
fn handles_and_errors_are_what_they_should_be() {
    fn whole<
        T: Send + Sync + Clone + std::fmt::Debug + std::panic::UnwindSafe + std::panic::RefUnwindSafe,
    >(
        _: &T,
    ) {
    }
    let (s, r) = unbounded::<u8>();
    whole(&s);
    whole(&r);
    assert_eq!((format!("{s:?}"), format!("{r:?}")), ("Sender { .. }".into(), "Receiver { .. }".into()));
    assert_eq!(format!("{:?} {:?}", SendError(1), TrySendError::Full(1)), "SendError(..) Full(..)");
    assert_eq!(TrySendError::from(SendError(1)), TrySendError::Disconnected(1));
    assert_eq!(SendTimeoutError::from(SendError(1)), SendTimeoutError::Disconnected(1));
    assert_eq!(TryRecvError::from(RecvError), TryRecvError::Disconnected);
    assert_eq!(RecvTimeoutError::from(RecvError), RecvTimeoutError::Disconnected);
    let errors: [Box<dyn std::error::Error>; 3] =
        [Box::new(SendError(1)), Box::new(RecvError), Box::new(RecvTimeoutError::Timeout)];
    assert!(errors.iter().all(|error| !error.to_string().is_empty()));
}

/// A thread-local's destructor waits, when the thread's other locals may be gone already.
#[test]
fn waiting_while_a_thread_ends() {
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            let (_s, r) = unbounded::<()>();
            select! {
                recv(r) -> _ => panic!(),
                default(micros(500)) => {}
            }
            assert_eq!(r.recv_timeout(micros(100)), Err(RecvTimeoutError::Timeout));
        }
    }
    thread_local! {
        static LAST: Last = const { Last };
    }
    let (s, r) = bounded::<()>(0);
    let other = std::thread::spawn(move || {
        LAST.with(|_| ());
        r.recv().unwrap();
    });
    s.send(()).unwrap();
    other.join().unwrap();
}
