//! Random reads of a file by many threads.

use std::sync::Arc;

use bench_common::files::{BLOCK, Offsets, check, data_path, prepare};
use bench_common::{Args, Mark, Rounds};

use crate::flavour::{File, FileExt, spawn};

pub fn read(args: &Args, cold: bool) {
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
            spawn(move || {
                let mut block = [0; BLOCK];
                for offset in Offsets::new(thread, round).take(n) {
                    file.read_exact_at(&mut block, offset).expect("a file that can be read");
                    check(&block, offset);
                }
            })
        };
        for thread in (0..args.threads).map(spawn_one).collect::<Vec<_>>() {
            thread.join().expect("no panic");
        }
        rounds.add(args.threads * n, start.elapsed());
    }
    rounds.report("");
}
