//! File reads, as many at a time as other peers have threads.

use std::fs::File;
use std::os::fd::AsRawFd;

use bench_common::files::{BLOCK, Offsets, check, data_path, prepare};
use bench_common::{Args, Mark, Rounds};
use io_uring::{opcode, squeue, types::Fd};

/// The data that a thread would have on its stack.
struct Reader {
    offsets: std::iter::Take<Offsets>,
    at: u64,
    block: Vec<u8>,
}

impl Reader {
    fn next(&mut self, file: &File, number: usize) -> Option<squeue::Entry> {
        self.at = self.offsets.next()?;
        let read = opcode::Read::new(Fd(file.as_raw_fd()), self.block.as_mut_ptr(), BLOCK as u32);
        Some(read.offset(self.at).build().user_data(number as u64))
    }
}

pub fn read(args: &Args, cold: bool) {
    let file = File::open(data_path()).expect("the runner has made it");
    let mut ring = crate::ring(args.threads as u32);
    let mut rounds = Rounds::new(args);
    for round in 0.. {
        if !rounds.go_on() {
            break;
        }
        prepare(cold, round);
        let start = Mark::now();
        let reader = |thread| {
            let offsets = Offsets::new(thread, round).take(args.n);
            Reader { offsets, at: 0, block: vec![0; BLOCK] }
        };
        let mut readers: Vec<_> = (0..args.threads).map(reader).collect();
        let mut next: Vec<_> = readers
            .iter_mut()
            .enumerate()
            .filter_map(|(number, reader)| reader.next(&file, number))
            .collect();
        let mut under_way = 0;
        loop {
            // SAFETY: a reader's block stays until its read has been answered, and each has one
            // read under way at most.
            unsafe { ring.submission().push_multiple(&next) }.expect("room for one read of each");
            under_way += next.len();
            next.clear();
            if under_way == 0 {
                break;
            }
            ring.submit_and_wait(1).expect("the kernel takes them");
            for answer in ring.completion() {
                under_way -= 1;
                assert_eq!(answer.result(), BLOCK as i32);
                let number = answer.user_data() as usize;
                let reader = &mut readers[number];
                check(&reader.block, reader.at);
                next.extend(reader.next(&file, number));
            }
        }
        rounds.add(args.threads * args.n, start.elapsed());
    }
    rounds.report("");
}
