//! A green thread lends a value of its OS thread's to another OS thread, and waits for itself.

use std::cell::Cell;
use std::rc::Rc;
use std::thread;

use a_safe_face::{JoinHandle, run, spawn};

thread_local! {
    static TEXT: String = String::from("still there");
}

fn main() {
    let runtime = thread::spawn(|| {
        run(|| {
            let myself: Rc<Cell<Option<JoinHandle<()>>>> = Rc::default();
            let mine = myself.clone();
            let lender = move || {
                TEXT.with(|text| {
                    thread::scope(|scope| {
                        scope.spawn(|| {
                            loop {
                                assert_eq!(text, "still there")
                            }
                        });
                        mine.take().expect("our own handle").join();
                    });
                });
            };
            myself.set(Some(spawn(lender)));
        });
    });
    println!("{:?}", runtime.join());
}
