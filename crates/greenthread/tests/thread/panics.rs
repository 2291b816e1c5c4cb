//! Panics in green threads: to which thread they belong, which thread gets them, and what runs
//! meanwhile.

use std::{
    any::Any,
    panic::{catch_unwind, resume_unwind},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use greenthread::thread::{self};

use crate::common::{everywhere, runtime};

fn message(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<&str>() {
        Ok(text) => text.to_string(),
        Err(payload) => *payload.downcast::<String>().expect("a text"),
    }
}

#[test]
fn a_panic_goes_to_the_joiner() {
    everywhere(|| {
        let text = thread::spawn(|| panic!("static")).join().unwrap_err();
        assert_eq!(message(text), "static");
        let text = thread::spawn(|| panic!("number {}", 7)).join().unwrap_err();
        assert_eq!(message(text), "number 7");
        let any = thread::spawn(|| resume_unwind(Box::new(juju()))).join().unwrap_err();
        assert_eq!(*any.downcast::<u16>().unwrap(), 413);
        fn juju() -> u16 {
            413
        }
    });
}

#[test]
fn a_payload_whose_destructor_panics_harms_nobody() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in the destructor of a result");
        }
    }
    everywhere(|| {
        drop(thread::spawn(|| Bomb));
        let late = thread::spawn(|| Bomb);
        while !late.is_finished() {
            thread::yield_now();
        }
        drop(late);
        thread::spawn(|| ()).join().unwrap();
    });
}

#[test]
fn panicking_is_per_green_thread() {
    struct Look<'a>(&'a AtomicUsize);
    impl Drop for Look<'_> {
        fn drop(&mut self) {
            assert!(thread::panicking());
            self.0.fetch_add(1, SeqCst);
            // A sibling runs in the middle of this unwinding, sees that it doesn't panic, and may
            // panic itself.
            let sibling = thread::spawn(|| {
                assert!(!thread::panicking());
                let inner = catch_unwind(|| panic!("inside"));
                assert!(inner.is_err());
                panic!("sibling")
            });
            assert!(sibling.join().is_err());
            assert!(thread::panicking());
            self.0.fetch_add(1, SeqCst);
        }
    }
    let seen = AtomicUsize::new(0);
    runtime(1).run(|| {
        thread::scope(|s| {
            let unwinding = s.spawn(|| {
                let _look = Look(&seen);
                panic!("outer");
            });
            assert!(unwinding.join().is_err());
        });
        assert!(!thread::panicking());
    });
    assert_eq!(seen.into_inner(), 2);
}

#[test]
fn many_threads_unwind_at_once_and_switch_in_their_destructors() {
    struct Yield;
    impl Drop for Yield {
        fn drop(&mut self) {
            (0..10).for_each(|_| thread::yield_now());
        }
    }
    everywhere(|| {
        let threads: Vec<_> = (0..50_usize)
            .map(|n| {
                thread::spawn(move || {
                    let _yields = Yield;
                    thread::yield_now();
                    resume_unwind(Box::new(n));
                })
            })
            .collect();
        for (n, thread) in threads.into_iter().enumerate() {
            assert_eq!(*thread.join().unwrap_err().downcast::<usize>().unwrap(), n);
        }
        assert!(!std::thread::panicking());
    });
}

#[test]
fn catch_unwind_across_switches() {
    everywhere(|| {
        let threads: Vec<_> = (0..20)
            .map(|n| {
                thread::spawn(move || {
                    let caught = catch_unwind(|| {
                        thread::yield_now();
                        if n % 2 == 0 {
                            resume_unwind(Box::new(n));
                        }
                        thread::yield_now();
                        n
                    });
                    thread::yield_now();
                    caught.map_err(|payload| *payload.downcast::<i32>().unwrap())
                })
            })
            .collect();
        for (n, thread) in threads.into_iter().enumerate() {
            let n = n as i32;
            assert_eq!(thread.join().unwrap(), if n % 2 == 0 { Err(n) } else { Ok(n) });
        }
    });
}
