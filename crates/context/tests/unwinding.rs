//! Panics on green stacks.

mod common;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;

use common::{Green, Here, child, has_aborted, is_child};

fn quiet() {
    std::panic::set_hook(Box::new(|_| ()));
}

#[test]
fn a_panic_is_caught_on_a_green_stack() {
    quiet();
    let mut green = Green::new(|_, n| {
        let caught = catch_unwind(|| panic_any(n)).unwrap_err();
        *caught.downcast::<usize>().unwrap() + 1
    });
    assert_eq!(green.resume(6), 7);
}

#[test]
fn switching_inside_of_catch_unwind() {
    quiet();
    let mut green = Green::new(|here, _| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let n = here.suspend(1);
            let m = here.suspend(2);
            panic_any(n + m);
        }));
        *caught.unwrap_err().downcast::<usize>().unwrap()
    });
    assert_eq!(green.resume(0), 1);
    // The resumer meanwhile panics, and catches it.
    assert!(catch_unwind(|| panic!()).is_err());
    assert_eq!(green.resume(10), 2);
    assert_eq!(green.resume(20), 30);
}

/// Suspends when it is dropped.
struct Suspends(Here, Rc<Cell<u32>>);

impl Drop for Suspends {
    fn drop(&mut self) {
        assert!(std::thread::panicking());
        self.1.set(self.0.suspend(8) as u32);
        self.0.suspend(9);
    }
}

#[test]
fn switching_in_a_destructor_during_unwinding() {
    quiet();
    let seen = Rc::new(Cell::new(0));
    let inside = seen.clone();
    let mut green = Green::new(move |here, _| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _guard = Suspends(*here, inside);
            panic_any(3usize);
        }));
        *caught.unwrap_err().downcast::<usize>().unwrap()
    });
    assert_eq!(green.resume(0), 8);
    assert_eq!(green.resume(77), 9);
    assert_eq!(seen.get(), 77);
    // Another stack panics and catches it while the first one unwinds.
    let mut other = Green::new(|_, _| catch_unwind(|| panic!()).is_err() as usize);
    assert_eq!(other.resume(0), 1);
    assert_eq!(green.resume(0), 3);
    assert!(!std::thread::panicking());
}

#[test]
fn contexts_unwind_by_turns() {
    quiet();
    /// Panics with `id`, and switches four times while it unwinds.
    fn unwinds(id: usize) -> Green {
        Green::new(move |here, _| {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                let _outer = Suspends(*here, Rc::default());
                let _inner = Suspends(*here, Rc::default());
                panic_any(id);
            }));
            *caught.unwrap_err().downcast::<usize>().unwrap()
        })
    }
    // In the order of their starts, and in the opposite one.
    for reverse in [false, true] {
        let mut all: Vec<(usize, Green)> = (100..103).map(|id| (id, unwinds(id))).collect();
        for want in [8, 9, 8, 9] {
            all.iter_mut().for_each(|(_, green)| assert_eq!(green.resume(0), want));
        }
        assert!(std::thread::panicking());
        if reverse {
            all.reverse();
        }
        all.iter_mut().for_each(|(id, green)| assert_eq!(green.resume(0), *id));
        assert!(!std::thread::panicking());
    }
}

#[test]
fn a_destructor_panics_during_unwinding_and_catches_it() {
    quiet();
    /// Panics when it is dropped, on its own stack and on another one, and catches both.
    struct Panics(Rc<Cell<usize>>);
    impl Drop for Panics {
        fn drop(&mut self) {
            let own = *catch_unwind(|| panic_any(1usize)).unwrap_err().downcast::<usize>().unwrap();
            let other =
                Green::new(|_, n| *catch_unwind(|| panic_any(n)).unwrap_err().downcast::<usize>().unwrap())
                    .resume(2);
            self.0.set(10 * own + other);
        }
    }
    let seen = Rc::new(Cell::new(0));
    let inside = seen.clone();
    let mut green = Green::new(move |_, _| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _guard = Panics(inside);
            panic_any(3usize);
        }));
        *caught.unwrap_err().downcast::<usize>().unwrap()
    });
    assert_eq!(green.resume(0), 3);
    assert_eq!(seen.get(), 12);
    assert!(!std::thread::panicking());
}

#[test]
fn panics_through_many_frames_with_destructors() {
    quiet();
    struct Count(Rc<Cell<u32>>);
    impl Drop for Count {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    fn down(count: &Rc<Cell<u32>>, here: &Here, depth: u32) {
        let _guard = Count(count.clone());
        if depth == 0 {
            here.suspend(0);
            panic!();
        }
        down(count, here, depth - 1);
    }
    let count = Rc::new(Cell::new(0));
    let inside = count.clone();
    let mut green = Green::new(move |here, _| {
        catch_unwind(AssertUnwindSafe(|| down(&inside, here, 99))).is_err() as usize
    });
    green.resume(0);
    assert_eq!(count.get(), 0);
    assert_eq!(green.resume(0), 1);
    assert_eq!(count.get(), 100);
}

/// Runs the test `name` in a process of its own, and asserts that this aborts with a message.
fn aborts(name: &str, message: &str) -> String {
    let output = child(name);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(has_aborted(output.status), "{}: {text}", output.status);
    assert!(text.contains(message) && !text.contains("unreachable"), "{text}");
    text
}

#[test]
fn a_panic_out_of_entry_ends_the_process() {
    if is_child() {
        let mut green = Green::new(|_, _| panic!("not caught"));
        green.resume(0);
        unreachable!();
    }
    aborts("a_panic_out_of_entry_ends_the_process", "not caught");
}

#[test]
fn a_panic_out_of_a_destructor_during_unwinding_ends_the_process() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("the second one");
        }
    }
    if is_child() {
        let mut green = Green::new(|_, _| {
            let caught = catch_unwind(|| {
                let _guard = Panics;
                panic!("the first one");
            });
            caught.is_err() as usize
        });
        green.resume(0);
        unreachable!();
    }
    let name = "a_panic_out_of_a_destructor_during_unwinding_ends_the_process";
    let text = aborts(name, "the second one");
    assert!(text.contains("the first one"), "{text}");
}
