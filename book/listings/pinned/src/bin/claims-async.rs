//! The same by the compiler.

use generators::{take_turns, yield_now};

fn main() {
    take_turns([Box::pin(claim("one")) as _, Box::pin(claim("two")) as _]);
}

async fn claim(name: &'static str) {
    let mut owner = "nobody";
    let mine = &mut owner;
    yield_now().await;
    *mine = name;
    println!("{name}: this is {owner}'s");
}
