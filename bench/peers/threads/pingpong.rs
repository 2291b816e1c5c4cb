//! Two threads that answer each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bench_common::{Args, Mark, Rounds, Whereabouts, busy_until};

use crate::flavour::{spawn, sync_channel};

/// A round trip through two channels with room for one message. With `apart` the first keeps its
/// worker busy until another one has started the second.
pub fn pingpong(args: &Args, apart: bool) {
    let n = args.n;
    let warm_up = n / 10;
    let mut rounds = Rounds::new(args);
    let place = Arc::new(Whereabouts::default());
    while rounds.go_on() {
        let (to_b, from_a) = sync_channel(1);
        let (to_a, from_b) = sync_channel(1);
        let started = Arc::new(AtomicBool::new(false));
        let b = {
            let (place, started) = (place.clone(), started.clone());
            move || {
                started.store(true, Ordering::Release);
                for i in 0..warm_up + n {
                    let message: usize = from_a.recv().expect("a lives");
                    place.tell(i);
                    to_a.send(message).expect("a lives");
                }
            }
        };
        let place = place.clone();
        let a = move || {
            let b = spawn(b);
            if apart {
                busy_until(|| started.load(Ordering::Acquire));
            }
            let mut start = Mark::now();
            for i in 0..warm_up + n {
                if i == warm_up {
                    start = Mark::now();
                }
                to_b.send(i).expect("b lives");
                assert_eq!(from_b.recv(), Ok(i));
                place.compare(i);
            }
            let span = start.elapsed();
            b.join().expect("no panic");
            span
        };
        rounds.add(n, spawn(a).join().expect("no panic"));
    }
    rounds.report(&place.note());
}
