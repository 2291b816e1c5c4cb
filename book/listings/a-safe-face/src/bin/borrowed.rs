//! What threads share, none may keep borrowed over a yield.

use std::cell::RefCell;
use std::rc::Rc;

use a_safe_face::{run, spawn, yield_now};

fn main() {
    run(|| {
        let shared = Rc::new(RefCell::new(Vec::new()));
        for name in ["one", "two"] {
            let shared = shared.clone();
            spawn(move || {
                println!("{name} borrows it");
                let mut list = shared.borrow_mut();
                list.push(name);
                yield_now();
                println!("{name} gives it back");
            });
        }
    });
}
