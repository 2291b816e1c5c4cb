//! One thread waits for a message from the other, and neither moves again.
include!(concat!(env!("OUT_DIR"), "/toy.rs"));

use std::sync::mpsc;
use std::time::Duration;

fn main() {
    let (sender, receiver) = mpsc::channel();
    spawn(move || {
        println!("one waits for a message");
        println!("one has got {:?}", receiver.recv());
    });
    spawn(move || {
        println!("two sends it");
        sender.send("hello").expect("one listens");
    });
    // An OS thread that looks on.
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_millis(500));
        println!("nothing has moved for half a second");
        std::process::exit(1);
    });
    run();
}
