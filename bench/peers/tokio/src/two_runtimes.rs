//! Two current_thread runtimes, between which no task can move.

use std::sync::Arc;
use std::thread;

use bench_common::{Args, Rounds, Whereabouts};

use crate::current_thread;
use crate::flavour::channel;
use crate::pingpong::{answer, ask};

pub fn pingpong(args: &Args) {
    assert_eq!(args.work, "pingpong-apart");
    let n = args.n;
    let mut rounds = Rounds::new(args);
    let place = Arc::new(Whereabouts::default());
    while rounds.go_on() {
        let (to_b, from_a) = channel(1);
        let (to_a, from_b) = channel(1);
        let b = answer(n, to_a, from_a, place.clone(), Arc::default());
        let b = thread::spawn(move || current_thread().block_on(b));
        rounds.add(n, current_thread().block_on(ask(n, to_b, from_b, place.clone())));
        b.join().expect("no panic");
    }
    rounds.report(&place.note());
}
