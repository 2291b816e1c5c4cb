//! `channel::{after, at, tick, never}`.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use greenthread::{
    channel::{Receiver, RecvTimeoutError, Select, TryRecvError, after, at, never, select, tick, unbounded},
    thread,
    time::{Duration, Instant},
};

use crate::common::world::{Handle, everywhere};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A time that no test here waits for.
const LONG: Duration = Duration::from_secs(1000);

#[test]
fn after_delivers_once() {
    everywhere(|_| {
        let start = Instant::now();
        let r = after(ms(2));
        assert_eq!(r.capacity(), Some(1));
        let fired = r.recv().unwrap();
        assert!(fired >= start + ms(2) && fired <= Instant::now());
        assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(r.recv_timeout(ms(1)), Err(RecvTimeoutError::Timeout));

        let r = after(ms(1));
        thread::sleep(ms(2));
        assert_eq!((r.len(), r.is_empty(), r.is_full()), (1, false, true));
        r.try_recv().unwrap();
        assert_eq!((r.len(), r.is_empty(), r.is_full()), (0, true, false));

        let r = after(LONG);
        assert_eq!((r.len(), r.is_empty(), r.is_full()), (0, true, false));
        assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(r.recv_timeout(ms(1)), Err(RecvTimeoutError::Timeout));
        assert_eq!(r.recv_deadline(start), Err(RecvTimeoutError::Timeout));
    });
}

#[test]
fn at_delivers_then() {
    everywhere(|_| {
        let when = Instant::now() + ms(1);
        assert_eq!(at(when).recv(), Ok(when));
        assert_eq!(at(when).try_recv(), Ok(when));
        assert_eq!(at(when + ms(1)).recv_deadline(when + LONG), Ok(when + ms(1)));
    });
}

#[test]
fn one_receiver_gets_it() {
    everywhere(|world| {
        let (r, hits) = (after(ms(2)), Arc::new(AtomicUsize::new(0)));
        let receivers: Vec<_> = (0..4)
            .map(|n| {
                let (r, hits) = (r.clone(), Arc::clone(&hits));
                world.spawn(move || {
                    let start = Instant::now();
                    let got = match n % 2 {
                        0 => r.recv_timeout(ms(10)).is_ok(),
                        _ => select! {
                            recv(r) -> got => got.is_ok(),
                            default(ms(10)) => false,
                        },
                    };
                    // The others wait until their timeouts.
                    assert!(got || start.elapsed() >= ms(10));
                    hits.fetch_add(got.into(), Relaxed);
                })
            })
            .collect();
        receivers.into_iter().for_each(Handle::end);
        assert_eq!(hits.load(Relaxed), 1);
    });
}

#[test]
fn ticks_come_again_and_again() {
    everywhere(|_| {
        let start = Instant::now();
        let r = tick(ms(2));
        assert_eq!(r.capacity(), Some(1));
        let times: Vec<_> = r.iter().take(3).collect();
        times.iter().zip(1..).for_each(|(time, n)| assert!(*time >= start + ms(2) * n));
        assert!(times.is_sorted());

        // A tick that is not received for long: one message is there, with the time when it was
        // due.
        let r = tick(ms(1));
        let due = Instant::now() + ms(1);
        thread::sleep(ms(10));
        assert_eq!((r.len(), r.is_empty(), r.is_full()), (1, false, true));
        let taken = Instant::now();
        assert!(r.try_recv().unwrap() <= due);
        // The next one comes a whole period later.
        assert!(r.recv().unwrap() >= taken + ms(1));

        let r = tick(LONG);
        assert_eq!((r.len(), r.is_empty(), r.is_full()), (0, true, false));
        assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(r.recv_timeout(ms(1)), Err(RecvTimeoutError::Timeout));
    });
}

#[test]
fn one_receiver_gets_each_tick() {
    everywhere(|world| {
        let r = tick(ms(1));
        let receivers: Vec<_> = (0..3)
            .map(|_| {
                let r = r.clone();
                world.spawn(move || r.iter().take(3).collect::<Vec<_>>())
            })
            .collect();
        let mut all: Vec<_> = receivers.into_iter().flat_map(Handle::end).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 9);
    });
}

#[test]
fn never_is_never_ready() {
    everywhere(|_| {
        let r = never::<i32>();
        assert_eq!((r.capacity(), r.len(), r.is_empty(), r.is_full()), (Some(0), 0, true, true));
        assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
        let start = Instant::now();
        assert_eq!(r.recv_timeout(ms(1)), Err(RecvTimeoutError::Timeout));
        assert!(start.elapsed() >= ms(1));
        select! {
            recv(r) -> _ => panic!(),
            default => {}
        }
        // A constant, and of any type.
        const NEVER: Receiver<Box<str>> = never();
        assert!(NEVER.try_recv().is_err());
    });
}

#[test]
fn the_earliest_wins_a_select() {
    everywhere(|world| {
        let (s, r) = unbounded::<()>();
        let sender = world.spawn(move || {
            thread::sleep(ms(30));
            drop(s);
        });
        select! {
            recv(after(LONG)) -> _ => panic!(),
            recv(tick(LONG)) -> _ => panic!(),
            recv(after(ms(1))) -> time => assert!(time.unwrap() <= Instant::now()),
            recv(never::<()>()) -> _ => panic!(),
            recv(r) -> _ => {} // This happens on a very busy machine.
        }
        let late = after(ms(1));
        select! {
            recv(late) -> time => assert!(time.is_ok()),
            default(LONG) => panic!(),
        }
        // It is gone now, and the timeout counts.
        select! {
            recv(late) -> _ => panic!(),
            default(ms(1)) => {}
        }
        let ticks = tick(ms(1));
        let mut select = Select::new();
        let (tick, after) = (select.recv(&ticks), select.recv(&late));
        assert_ne!(tick, after);
        for _ in 0..3 {
            let operation = select.select();
            assert_eq!(operation.index(), tick);
            assert!(operation.recv(&ticks).is_ok());
        }
        assert_eq!(select.ready(), tick);
        sender.end();
    });
}

#[test]
fn timers_are_chosen_fairly() {
    everywhere(|_| {
        let (past, mut hits) = (Instant::now(), [0; 4]);
        for _ in 0..400 {
            let one = at(past);
            select! {
                recv(one) -> _ => hits[0] += 1,
                recv(at(past)) -> _ => hits[1] += 1,
                recv(tick(Duration::ZERO)) -> _ => hits[2] += 1,
                recv(one) -> _ => hits[3] += 1,
            }
        }
        assert!(hits.iter().all(|hits| *hits > 50), "{hits:?}");
    });
}

/// Timers fire while messages come at any moment. Each message comes once.
#[test]
fn messages_and_timers() {
    everywhere(|world| {
        let (s, r) = unbounded();
        let sender = world.spawn(move || {
            for n in 0..300 {
                s.send(n).unwrap();
                if n % 20 == 0 {
                    thread::sleep(Duration::from_micros(300));
                }
            }
        });
        let ticks = tick(Duration::from_micros(100));
        let mut next = 0;
        loop {
            select! {
                recv(r) -> n => match n {
                    Ok(n) => {
                        assert_eq!(n, next);
                        next += 1;
                    }
                    Err(_) => break,
                },
                recv(ticks) -> _ => {}
                recv(after(Duration::from_micros(30))) -> _ => {}
            }
        }
        assert_eq!(next, 300);
        sender.end();
    });
}
