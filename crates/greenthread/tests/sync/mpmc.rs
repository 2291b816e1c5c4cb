//! `sync::mpmc` and `sync::oneshot`: what std's unstable modules of these names do, on green
//! threads, OS threads and both.

use std::{
    panic::{RefUnwindSafe, UnwindSafe},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use greenthread::{
    sync::{
        Arc,
        mpmc::{
            self, Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError,
            TrySendError,
        },
        oneshot,
    },
    thread,
    time::{Duration, Instant},
};

use crate::common::world::{Counted, Handle, World, everywhere, micros};

fn make<T>(bound: Option<usize>) -> (Sender<T>, Receiver<T>) {
    bound.map_or_else(mpmc::channel, mpmc::sync_channel)
}

#[track_caller]
fn with_each(test: impl Fn(&World, Option<usize>) + Send + Sync + 'static) {
    everywhere(move |world| {
        [None, Some(0), Some(1), Some(7)].into_iter().for_each(|bound| test(world, bound))
    });
}

#[test]
fn each_message_reaches_one_receiver() {
    with_each(|world, bound| {
        let (s, r) = make(bound);
        let receivers: Vec<_> = (0..4)
            .map(|_| {
                let r = r.clone();
                world.spawn(move || r.iter().collect::<Vec<usize>>())
            })
            .collect();
        drop(r);
        let senders: Vec<_> = (0..4)
            .map(|me| {
                let s = s.clone();
                world.spawn(move || (0..100).for_each(|n| s.send(me * 100 + n).unwrap()))
            })
            .collect();
        drop(s);
        senders.into_iter().for_each(Handle::end);
        let mut all: Vec<_> = receivers
            .into_iter()
            .flat_map(|receiver| {
                let got = receiver.end();
                // The messages of each sender come in its order.
                (0..4).for_each(|me| assert!(got.iter().filter(|n| *n / 100 == me).is_sorted()));
                got
            })
            .collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..400));
    });
}

#[test]
fn sizes_and_states() {
    with_each(|_, bound| {
        let (s, r) = make(bound);
        let room = bound.unwrap_or(40);
        assert_eq!((s.capacity(), r.capacity()), (bound, bound));
        for n in 0..room {
            assert_eq!((s.len(), r.len(), s.is_empty(), r.is_empty()), (n, n, n == 0, n == 0));
            assert_eq!((s.is_full(), r.is_full()), (bound == Some(n), bound == Some(n)));
            s.send(n).unwrap();
        }
        assert_eq!((s.is_full(), r.is_full()), (bound.is_some(), bound.is_some()));
        if bound.is_some() {
            assert_eq!(s.try_send(9), Err(TrySendError::Full(9)));
            assert_eq!(s.send_timeout(9, micros(100)), Err(SendTimeoutError::Timeout(9)));
            assert_eq!(s.send_deadline(9, Instant::now()), Err(SendTimeoutError::Timeout(9)));
        }
        assert!(r.try_iter().eq(0..room));
        assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(r.recv_timeout(micros(100)), Err(RecvTimeoutError::Timeout));
        assert_eq!(r.recv_deadline(Instant::now()), Err(RecvTimeoutError::Timeout));
        let (other_s, other_r) = make(bound);
        assert!(s.same_channel(&s.clone()) && !s.same_channel(&other_s));
        assert!(r.same_channel(&r.clone()) && !r.same_channel(&other_r));
        drop(s);
        assert_eq!(r.recv(), Err(RecvError));
        drop(other_r);
        assert_eq!(other_s.send(1), Err(SendError(1)));
        assert_eq!(SendTimeoutError::from(SendError(1)), SendTimeoutError::Disconnected(1));
    });
}

#[test]
fn ends_when_the_last_one_goes() {
    with_each(|world, bound| {
        let (s, r) = make::<()>(bound);
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let r = r.clone();
                world.spawn(move || r.recv())
            })
            .collect();
        thread::sleep(micros(200));
        drop(s.clone());
        drop(s);
        waiting.into_iter().for_each(|waiting| assert_eq!(waiting.end(), Err(RecvError)));

        let drops = Arc::new(AtomicUsize::new(0));
        let (s, r) = make(bound);
        let waiting: Vec<_> = (0..10)
            .map(|_| {
                let (s, message) = (s.clone(), Counted(Arc::clone(&drops)));
                world.spawn(move || drop(s.send_timeout(message, Duration::MAX)))
            })
            .collect();
        thread::sleep(micros(200));
        drop(r.clone());
        drop(r);
        waiting.into_iter().for_each(Handle::end);
        drop(s);
        assert_eq!(drops.load(Relaxed), 10);
    });
}

#[test]
fn a_oneshot_carries_one_message() {
    everywhere(|world| {
        let (s, r) = oneshot::channel();
        let receiver = world.spawn(move || r.recv());
        s.send(Box::new(5)).unwrap();
        assert_eq!(receiver.end(), Ok(Box::new(5)));

        let (s, r) = oneshot::channel();
        let sender = world.spawn(move || s.send(6).unwrap());
        assert_eq!(r.recv_timeout(Duration::MAX).unwrap(), 6);
        sender.end();

        let (s, r) = oneshot::channel::<()>();
        let receiver = world.spawn(move || r.recv());
        thread::sleep(micros(100));
        drop(s);
        assert_eq!(receiver.end(), Err(RecvError));

        let (s, r) = oneshot::channel();
        drop(r);
        assert_eq!(s.send(7), Err(SendError(7)));
    });
}

#[test]
fn a_oneshot_gives_its_receiver_back() {
    everywhere(|_| {
        let (s, r) = oneshot::channel();
        let Err(oneshot::TryRecvError::Empty(r)) = r.try_recv() else { panic!("there is nothing") };
        let Err(oneshot::RecvTimeoutError::Timeout(r)) = r.recv_timeout(micros(100)) else { panic!("still") };
        let Err(oneshot::RecvTimeoutError::Timeout(r)) = r.recv_deadline(Instant::now()) else {
            panic!("still")
        };
        s.send(8).unwrap();
        assert_eq!(r.try_recv().unwrap(), 8);

        let (s, r) = oneshot::channel::<u8>();
        drop(s);
        assert!(matches!(r.try_recv(), Err(oneshot::TryRecvError::Disconnected)));
        let (s, r) = oneshot::channel::<u8>();
        drop(s);
        assert!(matches!(r.recv_timeout(Duration::MAX), Err(oneshot::RecvTimeoutError::Disconnected)));
    });
}

/// A deadline passes just as the message comes. The message is received, or is there for the next
/// try.
#[test]
fn a_oneshot_loses_nothing_to_a_deadline() {
    everywhere(|world| {
        let drops = Arc::new(AtomicUsize::new(0));
        for n in 0..100 {
            let (s, r) = oneshot::channel();
            let message = Counted(Arc::clone(&drops));
            let sender = world.spawn(move || {
                thread::sleep(micros(n % 50));
                s.send(message).unwrap();
            });
            let mut left = Some(r);
            while let Some(r) = left.take() {
                match r.recv_timeout(micros(n % 40)) {
                    Ok(message) => drop(message),
                    Err(oneshot::RecvTimeoutError::Timeout(r)) => left = Some(r),
                    Err(oneshot::RecvTimeoutError::Disconnected) => panic!("it was sent"),
                }
            }
            sender.end();
        }
        assert_eq!(drops.load(Relaxed), 100);
    });
}

#[test]
fn an_unreceived_oneshot_is_dropped() {
    let drops = Arc::new(AtomicUsize::new(0));
    let (s, r) = oneshot::channel();
    assert!(s.send(Counted(Arc::clone(&drops))).is_ok());
    assert_eq!(drops.load(Relaxed), 0);
    drop(r);
    assert_eq!(drops.load(Relaxed), 1);
}

#[test]
fn have_stds_auto_traits() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    fn unwind<T: UnwindSafe + RefUnwindSafe>() {}
    send::<Sender<u8>>();
    sync::<Sender<u8>>();
    unwind::<Sender<std::cell::Cell<u8>>>();
    send::<Receiver<u8>>();
    sync::<Receiver<u8>>();
    unwind::<Receiver<std::cell::Cell<u8>>>();
    send::<oneshot::Sender<u8>>();
    send::<oneshot::Receiver<u8>>();
    unwind::<oneshot::Sender<std::cell::Cell<u8>>>();
    unwind::<oneshot::Receiver<std::cell::Cell<u8>>>();
    // A `Sender` is `Sync` for any message.
    sync::<oneshot::Sender<*const u8>>();
    sync::<oneshot::Receiver<*const u8>>();
}
