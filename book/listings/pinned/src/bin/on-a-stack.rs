//! A thread lends itself a variable, and yields before it uses what it has lent.

use a_safe_face::{run, spawn, yield_now};

fn main() {
    run(|| {
        spawn(|| claim("one"));
        spawn(|| claim("two"));
    });
}

fn claim(name: &'static str) {
    let mut owner = "nobody";
    let mine = &mut owner;
    yield_now();
    *mine = name;
    println!("{name}: this is {owner}'s");
}
