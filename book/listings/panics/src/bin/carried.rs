//! A panic ends its thread and nothing else, and whoever joins the thread is told.

use panics::{Builder, run, spawn, yield_now};

fn main() {
    run(|| {
        let other = spawn(|| {
            yield_now();
            "the other thread goes on"
        });
        let barista = Builder::new().name("barista".into());
        let one = barista
            .spawn(|| -> u32 { panic!("no more coffee") })
            .expect("there is memory for a stack");
        match one.join() {
            Ok(cups) => println!("{cups} cups"),
            Err(payload) => {
                println!("told by join: {}", payload.downcast_ref::<&str>().unwrap_or(&"?"))
            }
        }
        println!("{}", other.join().expect("it doesn't panic"));
    });
}
