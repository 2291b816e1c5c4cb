//! The wounds of others, transcribed: what goes wrong elsewhere when work is cancelled, or is not.
//! Here each of them is harmless.

use std::{
    io::{Read, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use greenthread::{cancel, channel, net, sync, thread};

use crate::{
    common::{
        everywhere,
        world::{Handle, Random, micros},
    },
    exam::{behaviours, forever, under_token},
};

const SHORT: Duration = Duration::from_millis(2);

/// A connection to itself.
fn connection() -> (net::TcpStream, net::TcpStream) {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

/// The number at a place of a long message.
fn number(at: usize) -> u8 {
    (at * 31 % 251) as u8
}

behaviours! {
    /// Oxide's RFD 609, futurelock: a future that has been handed a lock is not polled any more,
    /// since another arm of the `select!` has won, and that arm waits for the lock for ever.
    fn one_that_lost_a_race_keeps_no_lock(world) {
        let lock = Arc::new(sync::Mutex::new(0));
        let guard = lock.lock().unwrap();
        let theirs = lock.clone();
        let races = world.spawn(move || {
            let lock = &*theirs;
            cancel::race([true, false].map(|waits| {
                move || {
                    if waits {
                        *lock.lock().unwrap() += 1;
                        forever();
                    }
                    thread::sleep(SHORT);
                    *lock.lock().unwrap() += 1;
                }
            }));
            *lock.lock().unwrap() += 1;
        });
        thread::sleep(SHORT * 2);
        drop(guard);
        races.end();
        assert_eq!(*lock.lock().unwrap(), 3);
    }

    /// tokio's `send` and crossbeam's habit of a timeout around it: a message that was moved into
    /// a future which is dropped is gone, or was sent, and the sender can't tell.
    fn a_send_that_is_cancelled_is_repeated_and_nothing_comes_twice(world) {
        let (sender, receiver) = channel::bounded(0);
        let sends = world.spawn(move || {
            let mut random = Random::new(7);
            for n in 0..100 {
                while cancel::timeout(micros(random.below(100)), || sender.send(n).unwrap()).is_err() {}
            }
        });
        let mut random = Random::new(8);
        for n in 0..100 {
            random.dawdle();
            assert_eq!(receiver.recv(), Ok(n));
        }
        sends.end();
        assert!(receiver.recv().is_err());
    }

    /// A `recv` in a `select!` loop that is dropped when another arm wins, after it has taken the
    /// message (Oxide's RFD 400 has a collection of these).
    fn a_receive_that_is_cancelled_is_repeated_and_nothing_is_lost(world) {
        for capacity in [0, 1, 10] {
            let (sender, receiver) = channel::bounded(capacity);
            let sends = world.spawn(move || {
                let mut random = Random::new(9);
                for n in 0..100 {
                    random.dawdle();
                    sender.send(n).unwrap();
                }
            });
            let mut random = Random::new(10);
            for n in 0..100 {
                let got = loop {
                    if let Ok(got) = cancel::timeout(micros(random.below(100)), || receiver.recv()) {
                        break got;
                    }
                };
                assert_eq!(got, Ok(n));
            }
            sends.end();
        }
    }

    /// A permit that goes to an acquire whose timeout has just passed, and is never given back
    /// (async-std and others had this).
    fn a_permit_that_comes_late_is_not_lost(world) {
        let semaphore = Arc::new(sync::Semaphore::new(2));
        let threads: Vec<_> = (0..6)
            .map(|seed| {
                let semaphore = semaphore.clone();
                world.spawn(move || {
                    let mut random = Random::new(seed);
                    for _ in 0..100 {
                        let permits = 1 + seed as usize % 2;
                        _ = cancel::timeout(micros(random.below(60)), || {
                            let _permits = semaphore.acquire_many(permits);
                            thread::sleep(micros(random.below(30)));
                        });
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(Handle::end);
        assert_eq!(semaphore.available_permits(), 2);
    }

    /// A `Notify` that wakes a task which is cancelled before it runs: the notification is gone,
    /// and the others sleep on.
    fn a_notification_outlives_a_receiver_that_is_cancelled(world) {
        for round in 0..30 {
            let (notify, notified) = channel::bounded::<()>(1);
            let other = notified.clone();
            let other = world.spawn(move || other.recv());
            let (token, cancelled) = under_token(world, move || notified.recv());
            let notifies = world.spawn(move || {
                Random::new(round).dawdle();
                notify.send(()).unwrap();
                notify
            });
            Random::new(round + 1000).dawdle();
            token.cancel();
            if let Ok(got) = cancelled.end() {
                got.unwrap();
                // It goes on, and so it passes the notification on.
                notifies.end().send(()).unwrap();
                assert_eq!(other.end(), Ok(()));
            } else {
                assert_eq!(other.end(), Ok(()));
                drop(notifies.end());
            }
        }
    }

    /// A fair lock that is handed to a waiter which has been cancelled: nobody holds it, and nobody
    /// gets it.
    fn a_lock_that_is_handed_to_a_cancelled_thread_is_passed_on(world) {
        let locks = Arc::new((sync::Mutex::new(0), sync::RwLock::new(0)));
        let guards = (locks.0.lock().unwrap(), locks.1.write().unwrap());
        let threads: Vec<_> = (0..10)
            .map(|number| {
                let theirs = locks.clone();
                under_token(world, move || {
                    *theirs.0.lock().unwrap() += 1;
                    match number % 3 {
                        0 => drop(theirs.1.read().unwrap()),
                        _ => *theirs.1.write().unwrap() += 1,
                    }
                    thread::sleep(SHORT);
                })
            })
            .collect();
        thread::sleep(SHORT);
        threads.iter().step_by(2).for_each(|(token, _)| token.cancel());
        drop(guards);
        for (number, (_, thread)) in threads.into_iter().enumerate() {
            assert_eq!(thread.end().is_err(), number % 2 == 0);
        }
        assert_eq!((*locks.0.lock().unwrap(), *locks.1.read().unwrap()), (10, 6));
    }

    /// Go's leak of a forgotten sender: three mirrors are asked, the first answer is taken, and the
    /// other two goroutines wait for ever to send theirs.
    fn no_thread_outlives_its_scope(_) {
        let alive = AtomicUsize::new(0);
        struct Alive<'a>(&'a AtomicUsize);
        impl Drop for Alive<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, SeqCst);
            }
        }
        let (answer, answers) = channel::bounded(0);
        let first = cancel::scope(|scope| {
            for mirror in 0..3 {
                let (alive, answer) = (&alive, answer.clone());
                scope.spawn(move || {
                    alive.fetch_add(1, SeqCst);
                    let _alive = Alive(alive);
                    answer.send(mirror).map_err(drop)
                });
            }
            let first = answers.recv().map_err(drop)?;
            scope.cancel();
            Ok(first)
        });
        assert!(first.unwrap() < 3);
        assert_eq!(alive.into_inner(), 0);
    }
}

/// RFD 397 and 400: a `write_all` that is dropped has written some bytes, and nobody knows how
/// many. The next message begins in the middle of this one. Here a `write` that has written says
/// so, whatever was asked for meanwhile, so that one can go on where it was.
#[test]
fn a_write_that_is_cancelled_goes_on_where_it_was() {
    const LENGTH: usize = 1 << 20;
    everywhere(|| {
        let (mut to, mut from) = connection();
        let reads = thread::spawn(move || {
            let (mut random, mut buffer, mut at) = (Random::new(11), vec![0; 20_000], 0);
            loop {
                thread::sleep(micros(random.below(200)));
                let count = from.read(&mut buffer).unwrap();
                if count == 0 {
                    return at;
                }
                assert!(buffer[..count].iter().enumerate().all(|(i, byte)| *byte == number(at + i)));
                at += count;
            }
        });
        let message: Vec<u8> = (0..LENGTH).map(number).collect();
        let (mut random, mut sent) = (Random::new(12), 0);
        while sent < LENGTH {
            _ = cancel::timeout(micros(random.below(300)), || {
                while sent < LENGTH {
                    sent += to.write(&message[sent..]).unwrap();
                }
            });
        }
        drop(to);
        assert_eq!(reads.join().unwrap(), LENGTH);
    });
}

/// The same wound, and the simplest cure: a message is written behind a shield.
#[test]
fn a_message_behind_a_shield_is_whole() {
    everywhere(|| {
        let (mut to, mut from) = connection();
        let reads = thread::spawn(move || {
            let (mut messages, mut length) = (0, [0; 4]);
            while from.read_exact(&mut length).is_ok() {
                let mut message = vec![0; u32::from_be_bytes(length) as usize];
                from.read_exact(&mut message).unwrap();
                assert!(message.iter().enumerate().all(|(i, byte)| *byte == number(i)));
                messages += 1;
                thread::sleep(micros(100));
            }
            messages
        });
        let mut random = Random::new(13);
        let mut sent = 0;
        for _ in 0..50 {
            let length = 1 + random.below(100_000) as usize;
            _ = cancel::timeout(micros(random.below(200)), || {
                cancel::checkpoint();
                cancel::shield(|| {
                    to.write_all(&(length as u32).to_be_bytes()).unwrap();
                    to.write_all(&(0..length).map(number).collect::<Vec<_>>()).unwrap();
                });
                sent += 1;
            });
        }
        drop(to);
        assert_eq!(reads.join().unwrap(), sent);
    });
}

/// A `select!` of a read and a timer drops the read each time that the timer wins, and half of a
/// frame with it. Here what was read is in the caller's buffer.
#[test]
fn a_frame_survives_the_timer_beside_it() {
    const FRAME: usize = 1000;
    everywhere(|| {
        let (mut to, mut from) = connection();
        let writes = thread::spawn(move || {
            let mut random = Random::new(14);
            for frame in 0..20 {
                for at in (0..FRAME).step_by(100) {
                    let part: Vec<_> = (at..at + 100).map(|at| number(frame * FRAME + at)).collect();
                    to.write_all(&part).unwrap();
                    thread::sleep(micros(random.below(200)));
                }
            }
        });
        let mut ticks = 0;
        for frame in 0..20 {
            let (mut buffer, mut got) = ([0; FRAME], 0);
            while got < FRAME {
                let read = cancel::timeout(micros(100), || got += from.read(&mut buffer[got..]).unwrap());
                ticks += usize::from(read.is_err());
            }
            assert!(buffer.iter().enumerate().all(|(at, byte)| *byte == number(frame * FRAME + at)));
        }
        assert_eq!(from.read(&mut [0]).unwrap(), 0, "after {ticks} ticks");
        writes.join().unwrap();
    });
}

/// A server that stops between the kernel's accept and its own: a client is connected, and nobody
/// ever answers.
#[test]
fn no_connection_is_lost_at_a_shutdown() {
    everywhere(|| {
        for round in 0..10 {
            let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let clients: Vec<_> = (0..10)
                .map(|seed| {
                    thread::spawn(move || {
                        Random::new(round * 100 + seed).dawdle();
                        let mut answer = [0];
                        net::TcpStream::connect(address).unwrap().read_exact(&mut answer).unwrap();
                    })
                })
                .collect();
            let served = std::cell::Cell::new(0);
            let time = micros(Random::new(round).below(2000));
            _ = cancel::timeout(time, || {
                loop {
                    let (mut client, _) = listener.accept().unwrap();
                    served.set(served.get() + 1);
                    cancel::shield(|| client.write_all(&[7]).unwrap());
                }
            });
            // Those that the server has not accepted are still there for the next one.
            for _ in served.get()..10 {
                listener.accept().unwrap().0.write_all(&[7]).unwrap();
            }
            clients.into_iter().for_each(|client| client.join().unwrap());
        }
    });
}
