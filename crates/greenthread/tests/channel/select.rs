//! `channel::Select`: lists that are made at run time, selected from or only watched.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use greenthread::{
    channel::{
        Receiver, RecvError, Select, SendError, Sender, TryRecvError, after, at, bounded, never, tick,
        unbounded,
    },
    thread,
    time::{Duration, Instant},
};

use crate::common::world::{Counted, Handle, everywhere, micros};

#[test]
fn takes_what_is_ready() {
    everywhere(|_| {
        let (s1, r1) = unbounded();
        let (s2, r2) = unbounded::<i32>();
        s1.send(1).unwrap();
        let mut select = Select::new();
        assert_eq!((select.recv(&r1), select.recv(&r2)), (0, 1));
        let operation = select.select();
        assert_eq!(operation.index(), 0);
        assert_eq!(operation.recv(&r1), Ok(1));
        assert!(select.try_select().is_err());
        assert!(select.select_timeout(micros(100)).is_err());
        assert!(select.select_deadline(Instant::now()).is_err());
        s2.send(2).unwrap();
        assert_eq!(select.select_timeout(Duration::MAX).unwrap().recv(&r2), Ok(2));
        drop(s2);
        for _ in 0..2 {
            let operation = select.try_select().unwrap();
            assert_eq!(operation.index(), 1);
            assert_eq!(operation.recv(&r2), Err(RecvError));
        }
        drop(r1);
    });
}

#[test]
fn sends_and_gives_back() {
    everywhere(|world| {
        for capacity in [0, 1] {
            let (s, r) = bounded(capacity);
            let mut select = Select::new();
            select.send(&s);
            if capacity == 1 {
                select.select().send(&s, 0).unwrap();
                assert!(select.try_select().is_err());
                let r = r.clone();
                world.spawn(move || assert_eq!(r.recv(), Ok(0))).end();
            } else {
                assert!(select.try_select().is_err());
            }
            let receiver = world.spawn(move || {
                assert_eq!(r.recv(), Ok(1));
                r
            });
            select.select().send(&s, 1).unwrap();
            drop(receiver.end());
            assert_eq!(select.select().send(&s, 2), Err(SendError(2)));
        }
    });
}

#[test]
fn indices_stay_when_others_go() {
    let channels: Vec<_> = (0..4).map(|_| unbounded::<usize>()).collect();
    let mut select = Select::new();
    let indices: Vec<_> = channels.iter().map(|(_, r)| select.recv(r)).collect();
    assert_eq!(indices, [0, 1, 2, 3]);
    channels.iter().zip(0..).for_each(|((s, _), n)| s.send(n).unwrap());
    select.remove(1);
    assert!(catch_unwind(AssertUnwindSafe(|| select.remove(1))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| select.remove(4))).is_err());
    assert_eq!(select.send(&channels[0].0), 4);
    select.remove(4);
    let mut seen = Vec::new();
    while let Ok(operation) = select.try_select() {
        let index = operation.index();
        assert_eq!(operation.recv(&channels[index].1), Ok(index));
        seen.push(index);
    }
    seen.sort_unstable();
    assert_eq!(seen, [0, 2, 3]);
    let mut other = select.recycle();
    assert!(other.try_ready().is_err());
    assert_eq!(other.recv(&channels[1].1), 0);
    assert_eq!(other.select().recv(&channels[1].1), Ok(1));
}

#[test]
fn without_operations() {
    everywhere(|_| {
        let mut select = Select::default();
        assert!(select.try_select().is_err() && select.try_ready().is_err());
        let start = Instant::now();
        assert!(select.select_timeout(micros(200)).is_err() && select.ready_timeout(micros(200)).is_err());
        assert!(start.elapsed() >= micros(400));
        assert!(catch_unwind(AssertUnwindSafe(|| drop(select.select()))).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| select.ready())).is_err());
    });
}

#[test]
fn watching_does_nothing() {
    everywhere(|world| {
        for capacity in [None, Some(0), Some(1)] {
            let (s, r) = capacity.map_or_else(unbounded, bounded);
            let (_s2, r2) = bounded::<()>(0);
            let (mine, count) = (s.clone(), 20);
            let sender = world.spawn(move || {
                for n in 0..count {
                    // Waits until the other side is there, or there is room.
                    let mut select = Select::new();
                    select.send(&mine);
                    assert_eq!(select.ready(), 0);
                    mine.send(n).unwrap();
                }
            });
            let mut select = Select::new();
            let (first, second) = (select.recv(&r), select.recv(&r2));
            assert_ne!(first, second);
            let mut next = 0;
            while next < count {
                if capacity == Some(0) {
                    // The other side must not only watch too: both would wait for ever.
                    assert_eq!(r.recv(), Ok(next));
                } else {
                    assert_eq!(select.ready(), first);
                    assert_eq!(select.ready_timeout(Duration::MAX), Ok(first));
                    assert_eq!(r.try_recv(), Ok(next));
                }
                next += 1;
            }
            sender.end();
            assert!(select.try_ready().is_err());
            assert!(select.ready_timeout(micros(100)).is_err());
            assert!(select.ready_deadline(Instant::now()).is_err());
            drop(s);
            assert_eq!(select.ready(), first);
            assert_eq!(r.try_recv(), Err(TryRecvError::Disconnected));
        }
    });
}

#[test]
fn watchers_see_waiting_threads() {
    everywhere(|world| {
        // A sender that waits makes receiving ready, also one in a select; and the other way round.
        for kind in 0..4 {
            let (s, r) = bounded::<i32>(0);
            let other = {
                let (s, r) = (s.clone(), r.clone());
                world.spawn(move || {
                    thread::sleep(micros(200));
                    match kind {
                        0 => s.send(1).unwrap(),
                        1 => assert_eq!(r.recv(), Ok(1)),
                        2 => {
                            let mut select = Select::new();
                            select.send(&s);
                            select.select().send(&s, 1).unwrap();
                        }
                        _ => {
                            let mut select = Select::new();
                            select.recv(&r);
                            assert_eq!(select.select().recv(&r), Ok(1));
                        }
                    }
                })
            };
            let mut select = Select::new();
            if kind % 2 == 0 {
                select.recv(&r);
                assert_eq!(select.ready(), 0);
                assert_eq!(r.try_recv(), Ok(1));
            } else {
                select.send(&s);
                assert_eq!(select.ready(), 0);
                s.try_send(1).unwrap();
            }
            other.end();
        }
        // The end of the other side.
        let (s, r) = bounded::<i32>(0);
        let other = world.spawn(move || {
            thread::sleep(micros(200));
            drop(r);
        });
        let mut select = Select::new();
        select.send(&s);
        assert_eq!(select.ready(), 0);
        other.end();
        // All watchers are woken, though one takes the message.
        let (s, r) = unbounded();
        let watchers: Vec<_> = (0..4)
            .map(|_| {
                let r = r.clone();
                world.spawn(move || {
                    let mut select = Select::new();
                    select.recv(&r);
                    loop {
                        select.ready();
                        if let Ok(n) = r.try_recv() {
                            return n;
                        }
                    }
                })
            })
            .collect();
        (0..4).for_each(|n| s.send(n).unwrap());
        assert_eq!(watchers.into_iter().map(Handle::end).sum::<i32>(), 6);
    });
}

#[test]
fn timers_in_a_list() {
    everywhere(|_| {
        let (soon, late, never) = (after(micros(300)), tick(Duration::from_secs(1000)), never::<()>());
        let mut select = Select::new();
        let soon_index = select.recv(&soon);
        select.recv(&late);
        select.recv(&never);
        assert_eq!(select.ready(), soon_index);
        let operation = select.select();
        assert_eq!(operation.index(), soon_index);
        assert!(operation.recv(&soon).unwrap() <= Instant::now());
        assert!(select.try_select().is_err());
    });
}

#[test]
fn is_fair_unless_biased() {
    everywhere(|_| {
        const COUNT: usize = 600;
        let (s, r) = unbounded::<u8>();
        let mut hits = [0; 3];
        for _ in 0..COUNT {
            let timer = at(Instant::now());
            let mut select = Select::new();
            select.recv(&r);
            select.send(&s);
            select.recv(&timer);
            s.send(0).unwrap();
            let operation = select.select();
            hits[operation.index()] += 1;
            match operation.index() {
                0 => drop(operation.recv(&r)),
                1 => operation.send(&s, 1).unwrap(),
                _ => drop(operation.recv(&timer)),
            }
        }
        assert!(hits.iter().all(|hits| *hits > COUNT / 3 / 2), "{hits:?}");
        for _ in 0..50 {
            let mut select = Select::new_biased();
            select.send(&s);
            select.recv(&r);
            assert_eq!(select.ready(), 0);
            let operation = select.try_select().unwrap();
            assert_eq!(operation.index(), 0);
            operation.send(&s, 1).unwrap();
        }
    });
}

#[test]
fn is_shared_cloned_and_sent() {
    everywhere(|world| {
        const THREADS: usize = 10;
        let channel: &'static (Sender<usize>, Receiver<usize>) = Box::leak(Box::new(bounded(0)));
        let (s, r) = channel;
        let mut select = Select::new();
        let (receive, send) = (select.recv(r), select.send(s));
        let select: &'static Select<'static> = Box::leak(Box::new(select));
        let threads: Vec<_> = (0..THREADS)
            .map(|n| {
                let early = (n % 2 == 0).then(|| select.clone());
                world.spawn(move || {
                    let mut select = early.unwrap_or_else(|| select.clone());
                    let operation = select.select();
                    match operation.index() {
                        i if i == receive => assert!(operation.recv(r).unwrap() < THREADS),
                        i if i == send => operation.send(s, n).unwrap(),
                        _ => unreachable!(),
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(Handle::end);
        assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
    });
}

#[test]
fn messages_of_all_sizes() {
    #[derive(Debug, PartialEq)]
    #[repr(align(64))]
    struct Aligned(u8);
    everywhere(|world| {
        let (s1, r1) = bounded::<[u64; 100]>(0);
        let (s2, r2) = unbounded::<Aligned>();
        let (s3, r3) = bounded::<()>(1);
        let sender = world.spawn(move || {
            for n in 0..30 {
                s1.send([n; 100]).unwrap();
                s2.send(Aligned(n as u8)).unwrap();
                s3.send(()).unwrap();
            }
            (s1, s2, s3)
        });
        let mut select = Select::new();
        let [one, two, three] = [select.recv(&r1), select.recv(&r2), select.recv(&r3)];
        let mut counts = [0; 3];
        for _ in 0..90 {
            let operation = select.select();
            let index = operation.index();
            match index {
                i if i == one => assert_eq!(operation.recv(&r1), Ok([counts[0]; 100])),
                i if i == two => assert_eq!(operation.recv(&r2), Ok(Aligned(counts[1] as u8))),
                i if i == three => assert_eq!(operation.recv(&r3), Ok(())),
                _ => unreachable!(),
            }
            counts[index] += 1;
        }
        assert_eq!(counts, [30; 3]);
        drop(sender.end());
    });
}

#[test]
fn what_is_selected_must_be_completed() {
    everywhere(|world| {
        let drops = Arc::new(AtomicUsize::new(0));
        for capacity in [None, Some(0), Some(1)] {
            let (s, r) = capacity.map_or_else(unbounded, bounded);
            let mut select = Select::new();
            select.send(&s);
            let receiver = {
                let r = r.clone();
                world.spawn(move || r.recv().is_ok())
            };
            // A send is undone.
            assert!(catch_unwind(AssertUnwindSafe(|| drop(select.select()))).is_err());
            assert!(s.is_empty());
            s.send(Counted(Arc::clone(&drops))).unwrap();
            assert!(receiver.end());
            // With another handle than the selected one.
            let other = s.clone();
            let receiver = {
                let r = r.clone();
                world.spawn(move || r.recv().is_ok())
            };
            let message = Counted(Arc::clone(&drops));
            assert!(catch_unwind(AssertUnwindSafe(|| drop(select.select().send(&other, message)))).is_err());
            s.send(Counted(Arc::clone(&drops))).unwrap();
            assert!(receiver.end());
        }
        assert_eq!(drops.load(Relaxed), 9);
        // While its thread unwinds it is undone without a second panic.
        let (s, r) = bounded(1);
        let mut select = Select::new();
        select.send(&s);
        let result = catch_unwind(AssertUnwindSafe(|| {
            let _operation = select.select();
            panic!("on purpose");
        }));
        assert_eq!(*result.unwrap_err().downcast::<&str>().unwrap(), "on purpose");
        s.try_send(1).unwrap();
        assert_eq!(r.recv(), Ok(1));
    });
}

/// Watching and then trying, from both sides, with a third channel that keeps the steps together.
#[test]
fn watching_under_stress() {
    everywhere(|world| {
        const COUNT: usize = 200;
        let (s1, r1) = unbounded();
        let (s2, r2) = bounded(2);
        let (s3, r3) = bounded(0);
        let (s4, r4) = bounded(0);
        let other = world.spawn(move || {
            for n in 0..COUNT {
                s1.send(n).unwrap();
                r3.recv().unwrap();
                s2.send(n).unwrap();
                r3.recv().unwrap();
                assert_eq!(r4.recv(), Ok(n));
            }
        });
        for n in 0..COUNT {
            for _ in 0..2 {
                let mut select = Select::new();
                select.recv(&r1);
                select.recv(&r2);
                match select.ready() {
                    0 => assert_eq!(r1.try_recv(), Ok(n)),
                    _ => assert_eq!(r2.try_recv(), Ok(n)),
                }
                s3.send(()).unwrap();
            }
            let mut select = Select::new();
            select.send(&s4);
            assert_eq!(select.ready(), 0);
            s4.try_send(n).unwrap();
        }
        other.end();
    });
}
