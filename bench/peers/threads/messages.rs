//! Many senders, one receiver.

use bench_common::{Args, Mark, Rounds};

use crate::flavour::{spawn, sync_channel};

/// What the channel holds.
const ROOM: usize = 128;

/// All threads but one send N messages each to the one.
pub fn many_to_one(args: &Args) {
    let (senders, n) = (args.threads - 1, args.n);
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let (sender, receiver) = sync_channel(ROOM);
        for _ in 0..senders {
            let sender = sender.clone();
            spawn(move || (0..n).for_each(|i| sender.send(i).expect("somebody receives")));
        }
        drop(sender);
        let (mut sum, mut count) = (0, 0);
        while let Ok(i) = receiver.recv() {
            sum += i;
            count += 1;
        }
        rounds.add(count, start.elapsed());
        assert_eq!((sum, count), (senders * n * (n - 1) / 2, senders * n));
    }
    rounds.report("");
}
