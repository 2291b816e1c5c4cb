//! Two threads of one OS thread unwind at the same time. std counts their panics together.

use panics::{Builder, run, yield_now};

/// Says whether its thread panics, when it is dropped, and gives the other a turn.
struct Asks(&'static str);

impl Drop for Asks {
    fn drop(&mut self) {
        yield_now();
        println!("{}: std says {}", self.0, std::thread::panicking());
    }
}

fn main() {
    std::panic::set_hook(Box::new(|_| ()));
    run(|| {
        let thread = |name: &'static str, panics: bool| {
            Builder::new().name(name.into()).spawn(move || {
                let _asks = Asks(name);
                assert!(!panics, "the reason");
            })
        };
        let threads = [("one does well", false), ("two panics", true), ("three panics", true)];
        let threads = threads
            .map(|(name, panics)| thread(name, panics).expect("there is memory for a stack"));
        for thread in threads {
            println!("joined: {}", if thread.join().is_ok() { "a result" } else { "a panic" });
        }
    });
}
