//! Answer of chapter 10.

use std::any::Any;

use panics::{run, spawn};

fn told(payload: Box<dyn Any + Send>) -> String {
    // Without anything to put in, the text is in the program itself; else it was made, and has
    // an owner.
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "something else".to_owned()
    }
}

fn main() {
    std::panic::set_hook(Box::new(|_| ()));
    run(|| {
        let threads = [0_u32, 1, 2, 3].map(|number| {
            spawn(move || match number {
                0 => "no panic",
                1 => panic!("no more coffee"),
                2 => panic!("no more coffee for {number}"),
                _ => std::panic::panic_any(number),
            })
        });
        for thread in threads {
            println!("{}", thread.join().map_or_else(told, str::to_owned));
        }
    });
}
