//! Many senders, one receiver.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bench_common::{Args, Mark, ROOM, Rounds, Whereabouts, busy_until};

use crate::flavour::{spawn, sync_channel};

/// All threads but one send N messages each to the one. With `apart` the receiver has begun before
/// and keeps its worker busy until the others have started elsewhere.
pub fn many_to_one(args: &Args, apart: bool) {
    let (senders, n) = (args.threads - 1, args.n);
    let mut rounds = Rounds::new(args);
    let place = Arc::new(Whereabouts::default());
    while rounds.go_on() {
        let mut start = Mark::now();
        let (sender, receiver) = sync_channel(ROOM);
        let started = Arc::new(AtomicUsize::new(0));
        for _ in 0..senders {
            let (sender, started, place) = (sender.clone(), started.clone(), place.clone());
            spawn(move || {
                started.fetch_add(1, Ordering::Release);
                for i in 0..n {
                    place.tell(i);
                    sender.send(i).expect("somebody receives");
                }
            });
        }
        drop(sender);
        if apart {
            busy_until(|| started.load(Ordering::Acquire) == senders);
            start = Mark::now();
        }
        let (mut sum, mut count) = (0, 0);
        while let Ok(i) = receiver.recv() {
            place.compare(count);
            sum += i;
            count += 1;
        }
        rounds.add(count, start.elapsed());
        assert_eq!((sum, count), (senders * n * (n - 1) / 2, senders * n));
    }
    rounds.report(&place.note());
}
