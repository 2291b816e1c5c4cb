//! No runtime at all: loops around io_uring. They show the least cost of the kernel's part of the
//! works, as far as we know how to ask for it.

use bench_common::Args;
use io_uring::{IoUring, cqueue, squeue};

mod echo;
mod files;

fn main() {
    let args = Args::from_env();
    match args.work.as_str() {
        "echo" | "echo-at-rate" | "idle-active" | "churn" => echo::serve().expect("a server"),
        "files-cached" => files::read(&args, false),
        "files-cold" => files::read(&args, true),
        _ => args.unknown(),
    }
}

fn ring(entries: u32) -> IoUring {
    let mut builder = IoUring::<squeue::Entry, cqueue::Entry>::builder();
    builder.setup_single_issuer().setup_defer_taskrun().setup_submit_all();
    builder.build(entries).expect("a ring")
}
