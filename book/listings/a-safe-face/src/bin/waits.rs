//! Who has turns while main waits? Everybody but main.

use a_safe_face::{run, spawn, yield_now};

fn main() {
    run(|| {
        let one = spawn(|| work("one", 2));
        let two = spawn(|| work("two", 4));
        println!("main: waits for one");
        one.join();
        println!("main: waits for two");
        two.join();
        println!("main: has waited");
    });
}

fn work(name: &str, turns: u32) {
    for turn in 1..=turns {
        println!("{name}: turn {turn}");
        yield_now();
    }
}
