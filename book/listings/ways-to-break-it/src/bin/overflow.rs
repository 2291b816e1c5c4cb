//! A thread needs more than its stack, and takes it from its neighbour. Nobody notices.
include!(concat!(env!("OUT_DIR"), "/toy.rs"));

#[path = "../dive.rs"]
mod dive;
use dive::dive;

fn main() {
    spawn(|| {
        dive(0);
        yield_now();
    });
    let savings = vec![1_u8; 1_000_000];
    spawn(move || {
        let left = savings.iter().filter(|byte| **byte == 1).count();
        println!("of a million ones there are {left} left");
        std::process::exit(0);
    });
    run();
}
