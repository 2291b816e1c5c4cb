//! A panic that its thread does not catch ends the process, and with it all other threads.
include!(concat!(env!("OUT_DIR"), "/toy.rs"));

fn main() {
    spawn(|| {
        println!("thread one has bad news");
        panic!("no more coffee");
    });
    spawn(|| println!("thread two never hears of it"));
    run();
}
