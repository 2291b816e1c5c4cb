//! `sync::mpsc`: what std's channels do, with a bound, without one and with a bound of 0, on green
//! threads, OS threads and both.

use std::{
    panic::catch_unwind,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use greenthread::{
    sync::{
        Arc, Mutex,
        mpsc::{
            self, Receiver, RecvError, RecvTimeoutError, SendError, Sender, SyncSender, TryRecvError,
            channel, sync_channel,
        },
    },
    thread,
};

use crate::common::world::{Counted, Handle, World, everywhere, micros};

/// A sender of either kind.
pub(crate) enum Tx<T> {
    Free(Sender<T>),
    Bounded(SyncSender<T>),
}

impl<T> Clone for Tx<T> {
    fn clone(&self) -> Self {
        match self {
            Tx::Free(tx) => Tx::Free(tx.clone()),
            Tx::Bounded(tx) => Tx::Bounded(tx.clone()),
        }
    }
}

impl<T> Tx<T> {
    pub(crate) fn send(&self, message: T) -> Result<(), SendError<T>> {
        match self {
            Tx::Free(tx) => tx.send(message),
            Tx::Bounded(tx) => tx.send(message),
        }
    }
}

pub(crate) fn make<T>(bound: Option<usize>) -> (Tx<T>, Receiver<T>) {
    match bound {
        None => {
            let (tx, rx) = channel();
            (Tx::Free(tx), rx)
        }
        Some(bound) => {
            let (tx, rx) = sync_channel(bound);
            (Tx::Bounded(tx), rx)
        }
    }
}

const BOUNDS: [Option<usize>; 5] = [None, Some(0), Some(1), Some(3), Some(128)];

/// Runs the test in every world, with every kind of channel.
#[track_caller]
pub(crate) fn everywhere_and_bound(test: impl Fn(&World, Option<usize>) + Send + Sync + 'static) {
    everywhere(move |world| BOUNDS.iter().for_each(|bound| test(world, *bound)));
}

#[test]
fn passes_messages_in_order() {
    everywhere_and_bound(|world, bound| {
        let (tx, rx) = make(bound);
        let sender = world.spawn(move || (0..1000).for_each(|n| tx.send(n).unwrap()));
        assert!(rx.iter().eq(0..1000));
        sender.end();
    });
}

#[test]
fn passes_boxes_the_other_way() {
    everywhere_and_bound(|world, bound| {
        let (tx, rx) = make(bound);
        let receiver = world.spawn(move || rx.into_iter().map(|n: Box<usize>| *n).sum::<usize>());
        (0..300).for_each(|n| tx.send(Box::new(n)).unwrap());
        drop(tx);
        assert_eq!(receiver.end(), 300 * 299 / 2);
    });
}

#[test]
fn many_senders_keep_their_own_order() {
    everywhere_and_bound(|world, bound| {
        const EACH: usize = 200;
        let (tx, rx) = make(bound);
        let senders: Vec<_> = (0..6)
            .map(|me| {
                let tx = tx.clone();
                world.spawn(move || (0..EACH).for_each(|n| tx.send((me, n)).unwrap()))
            })
            .collect();
        drop(tx);
        let mut next = [0; 6];
        for (sender, n) in rx {
            assert_eq!(next[sender], n);
            next[sender] += 1;
        }
        assert_eq!(next, [EACH; 6]);
        senders.into_iter().for_each(|sender| sender.end());
    });
}

#[test]
fn many_one_shots() {
    everywhere(|world| {
        for bound in BOUNDS {
            for _ in 0..30 {
                let (tx, rx) = make(bound);
                let receiver = world.spawn(move || assert_eq!(rx.recv(), Ok(10)));
                let sender = world.spawn(move || tx.send(10).unwrap());
                receiver.end();
                sender.end();
            }
        }
    });
}

#[test]
fn ping_pong() {
    everywhere_and_bound(|world, bound| {
        let ((ping, pinged), (pong, ponged)) = (make(bound), make(bound));
        let other = world.spawn(move || pinged.iter().for_each(|n: u32| pong.send(n + 1).unwrap()));
        for n in 0..300 {
            ping.send(n).unwrap();
            assert_eq!(ponged.recv(), Ok(n + 1));
        }
        drop(ping);
        other.end();
    });
}

#[test]
fn try_recv_takes_from_a_waiting_sender() {
    everywhere(|world| {
        let (tx, rx) = sync_channel(0);
        let sender = world.spawn(move || tx.send(1).unwrap());
        let message = loop {
            match rx.try_recv() {
                Ok(message) => break message,
                Err(error) => assert_eq!(error, TryRecvError::Empty),
            }
            thread::yield_now();
        };
        assert_eq!(message, 1);
        sender.end();
    });
}

#[test]
fn a_full_channel_holds_the_sender_until_there_is_room() {
    everywhere(|world| {
        for bound in 0..3 {
            let (tx, rx) = sync_channel(bound);
            let sent = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&sent);
            let sender = world.spawn(move || {
                for n in 0..10 {
                    tx.send(n).unwrap();
                    count.fetch_add(1, Relaxed);
                }
            });
            for n in 0..10 {
                // The sender gets as far as the bound allows.
                let most = (n + bound).min(10);
                while sent.load(Relaxed) < most {
                    thread::yield_now();
                }
                thread::sleep(micros(100));
                assert_eq!(sent.load(Relaxed), most);
                assert_eq!(rx.recv(), Ok(n));
            }
            sender.end();
        }
    });
}

#[test]
fn sizes_large_and_none() {
    everywhere_and_bound(|world, bound| {
        let (tx, rx) = make::<()>(bound);
        let sender = world.spawn(move || (0..1000).for_each(|_| tx.send(()).unwrap()));
        assert_eq!(rx.iter().count(), 1000);
        sender.end();

        let (tx, rx) = make::<[u64; 1024]>(bound);
        let sender = world.spawn(move || (0..70).for_each(|n| tx.send([n; 1024]).unwrap()));
        for (n, message) in rx.iter().enumerate() {
            assert!(message.iter().all(|word| *word == n as u64));
        }
        sender.end();
    });
    // A bound far larger than memory could hold.
    let (tx, rx) = sync_channel(usize::MAX);
    tx.send(()).unwrap();
    assert_eq!(rx.recv(), Ok(()));
    assert!(catch_unwind(|| sync_channel::<u64>(usize::MAX)).is_err());
}

#[test]
fn a_long_queue_comes_out_as_it_went_in() {
    everywhere(|_| {
        let (tx, rx) = channel();
        let mut next = (0, 0);
        for round in 1..200 {
            for _ in 0..round % 75 {
                tx.send(next.0).unwrap();
                next.0 += 1;
            }
            for _ in 0..(round * 7) % 74 {
                match rx.try_recv() {
                    Ok(n) => {
                        assert_eq!(n, next.1);
                        next.1 += 1;
                    }
                    Err(_) => assert_eq!(next.0, next.1),
                }
            }
        }
        drop(tx);
        assert!(rx.into_iter().eq(next.1..next.0));
    });
}

#[test]
fn iterators() {
    everywhere(|world| {
        let (tx, rx) = channel();
        let (count, counted) = channel();
        let counter = world.spawn(move || {
            let mut sum = 0;
            for n in &rx {
                if n == 3 {
                    break;
                }
                sum += n;
            }
            count.send(sum).unwrap();
            count.send(rx.into_iter().sum()).unwrap();
        });
        [2, 2, 2, 3, 10].into_iter().for_each(|n| tx.send(n).unwrap());
        assert_eq!(counted.recv(), Ok(6));
        tx.send(1).unwrap();
        drop(tx);
        assert_eq!(counted.recv(), Ok(11));
        counter.end();

        let (tx, rx) = channel();
        tx.send(1).unwrap();
        drop(tx);
        let mut iter = rx.into_iter();
        assert_eq!((iter.next(), iter.next(), iter.next()), (Some(1), None, None));
    });
}

#[test]
fn recv_timeout_waits_as_long_as_it_says() {
    everywhere_and_bound(|world, bound| {
        let (tx, rx) = make(bound);
        let begin = Instant::now();
        assert_eq!(rx.recv_timeout(micros(2000)), Err(RecvTimeoutError::Timeout));
        assert!(begin.elapsed() >= micros(2000));
        assert_eq!(rx.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
        let sender = world.spawn(move || {
            tx.send(1).unwrap();
            thread::sleep(micros(200));
            tx.send(2).unwrap();
        });
        assert_eq!(rx.recv_timeout(Duration::from_secs(1000)), Ok(1));
        assert_eq!(rx.recv_timeout(Duration::MAX), Ok(2));
        assert_eq!(rx.recv_timeout(Duration::from_secs(1000)), Err(RecvTimeoutError::Disconnected));
        sender.end();
    });
}

#[test]
fn recv_timeout_takes_what_is_there_even_without_time() {
    everywhere(|world| {
        let (tx, rx) = channel();
        tx.send(1).unwrap();
        assert_eq!(rx.recv_timeout(Duration::ZERO), Ok(1));
        let (tx, rx) = sync_channel(0);
        let sender = world.spawn(move || tx.send(2).unwrap());
        loop {
            match rx.recv_timeout(Duration::ZERO) {
                Ok(n) => break assert_eq!(n, 2),
                Err(error) => assert_eq!(error, RecvTimeoutError::Timeout),
            }
            thread::yield_now();
        }
        sender.end();
    });
}

#[test]
fn prints_as_std_does() {
    let ((tx, rx), (stx, srx)) = (channel::<Counted>(), sync_channel::<Counted>(1));
    assert_eq!(format!("{tx:?} {stx:?} {rx:?}"), "Sender { .. } SyncSender { .. } Receiver { .. }");
    drop(srx);
    let errors: [&dyn std::error::Error; 2] = [&RecvError, &mpsc::TryRecvError::Empty];
    assert!(errors.iter().all(|error| error.to_string().contains("channel")));
}

#[test]
fn has_stds_auto_traits() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    fn unwind_safe<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    use std::cell::Cell;
    send::<Sender<Cell<u8>>>();
    sync::<Sender<Cell<u8>>>();
    send::<SyncSender<Cell<u8>>>();
    sync::<SyncSender<Cell<u8>>>();
    send::<Receiver<Cell<u8>>>();
    send::<mpsc::IntoIter<Cell<u8>>>();
    unwind_safe::<(Sender<Cell<u8>>, SyncSender<Cell<u8>>, Receiver<Cell<u8>>)>();

    // `Receiver: !Sync`: with it, `answer` would be ambiguous.
    trait Not<A> {
        fn answer() {}
    }
    struct Has;
    impl<T: ?Sized> Not<()> for T {}
    impl<T: ?Sized + Sync> Not<Has> for T {}
    let _ = <Receiver<u8> as Not<_>>::answer;
}

#[test]
fn receivers_take_turns_behind_a_mutex() {
    everywhere_and_bound(|world, bound| {
        const MESSAGES: usize = 600;
        let (tx, rx) = make(bound);
        let rx = Arc::new(Mutex::new(rx));
        let sum = Arc::new(AtomicUsize::new(0));
        let receivers: Vec<_> = (0..4)
            .map(|_| {
                let (rx, sum) = (Arc::clone(&rx), Arc::clone(&sum));
                world.spawn(move || {
                    loop {
                        // The guard is held while it waits.
                        let Ok(n) = rx.lock().unwrap().recv() else { return };
                        sum.fetch_add(n, Relaxed);
                    }
                })
            })
            .collect();
        (0..MESSAGES).for_each(|n| tx.send(n).unwrap());
        drop(tx);
        receivers.into_iter().for_each(Handle::end);
        assert_eq!(sum.load(Relaxed), MESSAGES * (MESSAGES - 1) / 2);
    });
}

#[test]
fn a_sender_is_shared_by_reference() {
    everywhere_and_bound(|world, bound| {
        let (tx, rx) = make(bound);
        let tx = Arc::new(tx);
        let senders: Vec<_> = (0..4)
            .map(|_| {
                let tx = Arc::clone(&tx);
                world.spawn(move || (0..50).for_each(|_| tx.send(1).unwrap()))
            })
            .collect();
        drop(tx);
        assert_eq!(rx.into_iter().sum::<i32>(), 200);
        senders.into_iter().for_each(Handle::end);
    });
}

#[test]
fn inside_without_yield_it_blocks_the_os_thread() {
    everywhere(|_| {
        let ((ping, pinged), (pong, ponged)) = (sync_channel(0), channel());
        let other = std::thread::spawn(move || pinged.iter().for_each(|n: i32| pong.send(n).unwrap()));
        thread::without_yield(|| {
            for n in 0..50 {
                ping.send(n).unwrap();
                assert_eq!(ponged.recv(), Ok(n));
            }
        });
        drop(ping);
        other.join().unwrap();
    });
}
