//! A thread-local value whose initialiser yields. Two threads share it, and each makes one.
include!(concat!(env!("OUT_DIR"), "/toy.rs"));

thread_local! {
    static NAME: String = {
        let name = if FIRST.replace(false) { "one's value" } else { "two's value" };
        if name.starts_with("one") {
            yield_now();
        }
        name.to_string()
    };
    static FIRST: Cell<bool> = const { Cell::new(true) };
}

fn main() {
    spawn(|| NAME.with(|name| println!("one sees {name}")));
    spawn(|| {
        NAME.with(|name: &String| {
            println!("two sees {name}");
            yield_now();
            println!("two sees {name}");
        });
    });
    run();
}
