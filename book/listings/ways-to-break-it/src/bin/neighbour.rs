//! The same, and the neighbour is the stack of another thread, which falls over when its turn
//! comes.
include!(concat!(env!("OUT_DIR"), "/toy.rs"));

#[path = "../dive.rs"]
mod dive;
use dive::dive;

fn main() {
    spawn(|| {
        yield_now();
        dive(0);
        println!("one has surfaced, and is well");
        yield_now();
    });
    spawn(|| {
        yield_now();
        println!("two goes on");
    });
    run();
}
