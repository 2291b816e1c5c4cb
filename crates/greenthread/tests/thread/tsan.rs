//! A race of green threads that ThreadSanitizer must find, and what it must not take for one.
//! `cargo xtask tsan` builds and runs this.

use std::cell::{Cell, UnsafeCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use greenthread::sync::{Mutex, mpsc};
use greenthread::thread;

use crate::common::{again, is_child, runtime};
use crate::planted::{is_found, panics_on_used_stacks};

/// A counter that says it can be shared.
struct Counter(UnsafeCell<u64>);

// SAFETY: not sound. ThreadSanitizer shall find it.
unsafe impl Sync for Counter {}

impl Counter {
    fn add(&self) {
        // SAFETY: not sound. ThreadSanitizer shall find it.
        unsafe { *self.0.get() += 1 };
    }
}

#[test]
fn a_race_between_two_workers_is_found() {
    if !is_child() {
        return is_found(&mut again(), "data race");
    }
    static COUNTER: Counter = Counter(UnsafeCell::new(0));
    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    // They run at the same time. A relaxed access orders nothing.
    let count = || {
        RUNNING.fetch_add(1, Relaxed);
        while RUNNING.load(Relaxed) < 2 {
            std::hint::spin_loop();
        }
        (0..1000).for_each(|_| COUNTER.add());
    };
    runtime(2).run(move || {
        let threads = [thread::spawn(count), thread::spawn(count)];
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Each switch on a worker orders what was before it and what comes after.
#[test]
fn threads_of_one_worker_may_share_a_cell() {
    runtime(2).run(|| {
        let cell = Rc::new(Cell::new(0));
        let threads = [(); 4].map(|()| {
            let cell = Rc::clone(&cell);
            thread::spawn_local(move || {
                for _ in 0..100 {
                    cell.set(cell.get() + 1);
                    thread::yield_now();
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(cell.get(), 400);
    });
}

#[test]
fn a_value_may_be_handed_over() {
    runtime(4).run(|| {
        let (sender, receiver) = mpsc::channel::<Box<u64>>();
        let total = Arc::new(Mutex::new(Box::new(0)));
        let senders: Vec<_> = (0..8)
            .map(|_| {
                let (sender, total) = (sender.clone(), Arc::clone(&total));
                thread::spawn(move || {
                    for n in 0..100 {
                        sender.send(Box::new(n)).unwrap();
                        **total.lock().unwrap() += n;
                        thread::yield_now();
                    }
                })
            })
            .collect();
        drop(sender);
        let received: u64 = receiver.iter().map(|it| *it).sum();
        senders.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(received, **total.lock().unwrap());
    });
}

/// A stack's next thread may run on another worker than its last.
#[test]
fn a_stack_may_be_used_again() {
    panics_on_used_stacks(50);
}
