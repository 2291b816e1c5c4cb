//! Chapter 6: what it takes until the next of two threads has its turn.

#[allow(dead_code)]
mod program {
    include!(concat!(env!("OUT_DIR"), "/main.rs"));

    pub(crate) fn measure() {
        measures::measure("yield", 1_000_000, |count| {
            for _ in 0..2 {
                spawn(move || (0..count / 2).for_each(|_| yield_now()));
            }
            run();
        });
    }
}

fn main() {
    program::measure();
}
