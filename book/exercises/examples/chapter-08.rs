//! Exercise of chapter 8: a mailbox for threads. Whoever opens it waits until there is a letter.
//!
//! It doesn't work: run it, and read what the panic says. Mend `receive`. Then run
//! `cargo run -p exercises -- check 8`.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use a_safe_face::{run, spawn, yield_now};

#[derive(Default)]
struct Mailbox(RefCell<VecDeque<String>>);

impl Mailbox {
    fn send(&self, letter: String) {
        self.0.borrow_mut().push_back(letter);
    }

    /// Takes the oldest letter. While there is none, the other threads have their turns.
    fn receive(&self) -> String {
        let mut letters = self.0.borrow_mut();
        loop {
            if let Some(letter) = letters.pop_front() {
                return letter;
            }
            yield_now();
        }
    }
}

/// The argument: how many letters are sent.
fn main() {
    let count = std::env::args().nth(1).map_or(3, |count| count.parse().expect("a number"));
    run(move || {
        let mailbox = Rc::new(Mailbox::default());
        let theirs = mailbox.clone();
        let reader = spawn(move || {
            for _ in 0..count {
                println!("read: {}", theirs.receive());
            }
        });
        for number in 1..=count {
            mailbox.send(format!("letter {number}"));
            if number % 2 == 0 {
                yield_now();
            }
        }
        reader.join();
        println!("{} letters are left", mailbox.0.borrow().len());
    });
}
