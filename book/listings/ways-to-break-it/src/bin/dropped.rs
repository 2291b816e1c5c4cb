//! A queue that is dropped with a suspended thread in it takes away a stack on which somebody
//! works.
include!(concat!(env!("OUT_DIR"), "/dropped.rs"));

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

fn main() {
    std::thread::spawn(|| {
        spawn(|| {
            let count = AtomicU32::new(0);
            // The OS thread may borrow `count`: the scope doesn't end before it does.
            std::thread::scope(|scope| {
                scope.spawn(|| while count.fetch_add(1, Relaxed) < u32::MAX {});
                yield_now();
            });
        });
        first_turn();
        println!("the queue goes, and the stack with it");
    });
    std::thread::park();
}

/// Gives the first thread a turn, and leaves it in the queue.
fn first_turn() {
    let mut thread =
        READY.with_borrow_mut(|ready| ready.pop_front()).expect("one was spawned");
    CURRENT.set(&raw mut thread);
    // SAFETY: As in `run`.
    unsafe { switch(&raw mut thread.stack.sp) };
    CURRENT.set(std::ptr::null_mut());
    READY.with_borrow_mut(|ready| ready.push_back(thread));
}
