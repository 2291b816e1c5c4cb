//! Many senders, many receivers, with async-channel for all. It is smol's own, and tokio's users
//! take it, since tokio has none.

use async_channel::bounded;
use bench_common::{Args, Mark, ROOM, Rounds};

use crate::flavour::{join, spawn, start_one};

/// Half the tasks send N messages each, and the others take what they can get.
pub async fn many_to_many(args: &Args) {
    let (senders, n) = (args.threads / 2, args.n);
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let (sender, receiver) = bounded(ROOM);
        for _ in 0..senders {
            let sender = sender.clone();
            start_one(async move {
                for i in 0..n {
                    sender.send(i).await.expect("somebody receives");
                }
            });
        }
        drop(sender);
        let spawn_one = |_| {
            let receiver = receiver.clone();
            spawn(async move {
                let (mut sum, mut count) = (0, 0);
                while let Ok(i) = receiver.recv().await {
                    sum += i;
                    count += 1;
                }
                (sum, count)
            })
        };
        let receivers: Vec<_> = (senders..args.threads).map(spawn_one).collect();
        let (mut sum, mut count) = (0, 0);
        for receiver in receivers {
            let (its_sum, its_count) = join(receiver).await;
            sum += its_sum;
            count += its_count;
        }
        rounds.add(count, start.elapsed());
        assert_eq!((sum, count), (senders * n * (n - 1) / 2, senders * n));
    }
    rounds.report("");
}
