//! The measured program: one work, on one worker, under Valgrind.

use greenthread::Runtime;
use greenthread_context::valgrind;
use micro::{Meter, Work};

use crate::requests;

/// The environment variable that names the work to the measured program.
pub const VARIABLE: &str = "GREENTHREAD_INSTRUCTIONS_OF";

/// The least number of operations that are counted.
const OPERATIONS: usize = 20_000;
/// The number of operations before these, in which caches and queues grow to their size.
const WARM_UP: usize = 5_000;

pub fn works() -> Vec<Work<Counted>> {
    micro::works()
}

pub fn run(name: &str) {
    assert!(valgrind::is_running(), "{VARIABLE} is for the program under Valgrind");
    let work = works().into_iter().find(|work| work.name == name).expect("one of the works");
    let runtime = Runtime::builder().workers(1).build().expect("a runtime");
    runtime.run(move || (work.run)(Counted));
}

/// Counts the instructions between the first and the last measured round, and prints the number of
/// operations.
pub struct Counted;

impl Meter for Counted {
    fn measure(self, operations: usize, mut round: impl FnMut()) {
        (0..WARM_UP.div_ceil(operations)).for_each(|_| round());
        let rounds = OPERATIONS.div_ceil(operations);
        requests::toggle_collect();
        (0..rounds).for_each(|_| round());
        requests::toggle_collect();
        println!("{}", rounds * operations);
    }
}
