//! Without memory for a thread, and for the text of an error, a spawn still returns an error.

use std::io::ErrorKind;

use greenthread::{Runtime, thread};

use crate::{REFUSES, alone};

#[test]
fn an_error_needs_no_memory() {
    alone(|| {
        let runtime = Runtime::builder().workers(1).build().unwrap();
        runtime.run(|| {
            // The closure is larger than the blocks that a worker keeps.
            let large = [7_u8; 100_000];
            let (spawned, refused) = (thread::Builder::new(), thread::Builder::new());
            // The refusals hold for the worker's OS thread, where no other thread runs meanwhile.
            REFUSES.set(true);
            let error = refused.spawn(move || large[0]).map(drop);
            REFUSES.set(false);
            assert_eq!(error.unwrap_err().kind(), ErrorKind::OutOfMemory);
            assert_eq!(spawned.spawn(move || large[1]).unwrap().join().unwrap(), 7);
        });
    });
}
