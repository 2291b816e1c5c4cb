//! Two tasks that answer each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bench_common::{Args, Mark, Rounds, Span, Whereabouts, busy_until};

use crate::flavour::{Receiver, Sender, channel, join, next, spawn};

/// A round trip through two channels with room for one message. With `apart` the first keeps its
/// worker busy until another one has started the second.
pub async fn pingpong(args: &Args, apart: bool) {
    let n = args.n;
    let mut rounds = Rounds::new(args);
    let place = Arc::new(Whereabouts::default());
    while rounds.go_on() {
        let (to_b, from_a) = channel(1);
        let (to_a, from_b) = channel(1);
        let started = Arc::new(AtomicBool::new(false));
        let b = answer(n, to_a, from_a, place.clone(), started.clone());
        let a = {
            let place = place.clone();
            async move {
                let b = spawn(b);
                if apart {
                    busy_until(|| started.load(Ordering::Acquire));
                }
                let span = ask(n, to_b, from_b, place).await;
                join(b).await;
                span
            }
        };
        rounds.add(n, join(spawn(a)).await);
    }
    rounds.report(&place.note());
}

pub async fn ask(
    n: usize,
    to_b: Sender<usize>,
    mut from_b: Receiver<usize>,
    place: Arc<Whereabouts>,
) -> Span {
    let mut start = Mark::now();
    for i in 0..n + n / 10 {
        if i == n / 10 {
            start = Mark::now(); // a tenth is warm-up
        }
        to_b.send(i).await.expect("b lives");
        assert_eq!(next(&mut from_b).await, Some(i));
        place.compare(i);
    }
    start.elapsed()
}

pub async fn answer(
    n: usize,
    to_a: Sender<usize>,
    mut from_a: Receiver<usize>,
    place: Arc<Whereabouts>,
    started: Arc<AtomicBool>,
) {
    started.store(true, Ordering::Release);
    for i in 0..n + n / 10 {
        let message = next(&mut from_a).await.expect("a lives");
        place.tell(i);
        to_a.send(message).await.expect("a lives");
    }
}
