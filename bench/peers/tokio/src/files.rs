//! Random reads of a file by many tasks. tokio's own `File` has no positioned reads, and would seek and copy: who wants them hands
//! std's to the blocking pool, which is what `File` does inside.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bench_common::files::{BLOCK, Offsets, check, data_path, prepare};
use bench_common::{Args, Mark, Rounds};
use tokio::task::spawn_blocking;

pub async fn read(args: &Args, cold: bool) {
    let n = args.n;
    let file = Arc::new(File::open(data_path()).expect("the runner has made it"));
    let mut rounds = Rounds::new(args);
    for round in 0.. {
        if !rounds.go_on() {
            break;
        }
        prepare(cold, round);
        let start = Mark::now();
        let spawn_one = |thread| {
            let file = file.clone();
            tokio::spawn(async move {
                let mut block = vec![0; BLOCK];
                for offset in Offsets::new(thread, round).take(n) {
                    let file = file.clone();
                    let read = spawn_blocking(move || {
                        file.read_exact_at(&mut block, offset).expect("a file that can be read");
                        block
                    });
                    block = read.await.expect("no panic");
                    check(&block, offset);
                }
            })
        };
        for task in (0..args.threads).map(spawn_one).collect::<Vec<_>>() {
            task.await.expect("no panic");
        }
        rounds.add(args.threads * n, start.elapsed());
    }
    rounds.report("");
}
