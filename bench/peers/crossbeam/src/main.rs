//! crossbeam-channel between OS threads.

use bench_common::Args;

#[path = "../../threads/messages.rs"]
mod messages;
#[path = "../../threads/mpmc.rs"]
mod mpmc;
#[path = "../../threads/pingpong.rs"]
mod pingpong;
#[path = "../../threads/select.rs"]
mod select;

mod flavour {
    pub use crossbeam_channel::{bounded, bounded as sync_channel, select};
    pub use std::thread::spawn;
}

fn main() {
    let args = Args::from_env();
    match args.work.as_str() {
        "pingpong-apart" => pingpong::pingpong(&args, true),
        "many-to-one-apart" => messages::many_to_one(&args, true),
        "many-to-one" => messages::many_to_one(&args, false),
        "many-to-many" => mpmc::many_to_many(&args),
        "select" => select::select(&args),
        _ => args.unknown(),
    }
}
