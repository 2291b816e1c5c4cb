//! No runtime: the cost of the parts that the works consist of, on this machine and in this run.
//! `floors.md` compares the targets with them.

use bench_common::Args;

mod memory;
mod processor;
mod system;

fn main() {
    let args = Args::from_env();
    match args.work.as_str() {
        "floor-exchange" => processor::exchange(&args),
        "floor-message" => processor::message(&args),
        "floor-thread" => processor::thread(&args),
        "floor-line" => processor::line(&args),
        "floor-stacks" => memory::stacks(&args),
        "floor-call" => system::call(&args),
        "floor-wake" => system::wake(&args),
        "floor-sockets" => system::sockets(&args),
        _ => args.unknown(),
    }
}
