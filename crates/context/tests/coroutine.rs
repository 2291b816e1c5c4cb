//! Coroutines: values, ends, panics and drops.

#![cfg(feature = "std")]

mod common;

use std::cell::{Cell, RefCell};
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::thread::panicking;

use common::{child, is_child};
use greenthread_context::{Coroutine, MmapStack, Stack, State, Suspender};

/// Counts its drops.
#[derive(Clone, Default)]
struct Count(Rc<Cell<u32>>);

struct Guard(Count);

impl Count {
    fn guard(&self) -> Guard {
        Guard(self.clone())
    }
    fn get(&self) -> u32 {
        self.0.get()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.set(self.0.get() + 1);
    }
}

/// A stack that counts when it is freed.
struct Told(MmapStack, #[allow(dead_code)] Guard);

// SAFETY: the stack inside keeps the contract.
unsafe impl Stack for Told {
    fn top(&self) -> std::ptr::NonNull<u8> {
        self.0.top()
    }
    fn limit(&self) -> std::ptr::NonNull<u8> {
        self.0.limit()
    }
}

fn told(count: &Count) -> Told {
    Told(MmapStack::new(64 * 1024).unwrap(), count.guard())
}

fn message(payload: Box<dyn std::any::Any + Send>) -> String {
    match payload.downcast::<&str>() {
        Ok(text) => text.to_string(),
        Err(payload) => *payload.downcast::<String>().unwrap(),
    }
}

#[test]
fn values_both_ways() {
    let mut co = Coroutine::new(|co, first: u32| {
        let second: u32 = co.suspend(first.to_string());
        let third = co.suspend((first + second).to_string());
        vec![first, second, third]
    });
    assert!(!co.is_finished());
    assert_eq!(co.resume(1), State::Yielded("1".to_string()));
    assert_eq!(co.resume(2), State::Yielded("3".to_string()));
    assert_eq!(co.resume(4), State::Returned(vec![1, 2, 4]));
    assert!(co.is_finished());
}

/// Hands a value of a type to a coroutine and back.
fn echo<T: Clone + PartialEq + std::fmt::Debug + 'static>(value: T) {
    let mut co = Coroutine::<T, T, T>::new(|co, value| {
        let value = co.suspend(value);
        value.clone()
    });
    assert_eq!(co.resume(value.clone()), State::Yielded(value.clone()));
    assert_eq!(co.resume(value.clone()), State::Returned(value));
}

#[test]
fn values_of_all_sizes() {
    #[derive(Clone, Debug, PartialEq)]
    #[repr(align(128))]
    struct Wide(u8);
    #[derive(Clone, Debug, PartialEq)]
    struct Padded(u8, u32);
    echo(());
    echo(7u8);
    echo(true);
    echo(Padded(1, 2));
    echo(1.5f64);
    echo(u128::MAX);
    echo([3usize; 100]);
    echo(Box::new(5));
    echo(Some(Box::new(5)));
    echo(String::from("text"));
    echo(Wide(9));
    echo([0u8; 0]);
    echo(Rc::new(RefCell::new(1)));
    echo("static");
}

#[test]
fn values_are_dropped_once() {
    let count = Count::default();
    let (one, two, three) = (count.guard(), count.guard(), count.guard());
    let mut co = Coroutine::<Guard, Guard, Guard>::new(move |co, first| {
        let _second = co.suspend(first);
        three
    });
    let State::Yielded(back) = co.resume(one) else { panic!() };
    assert_eq!(count.get(), 0);
    drop(back);
    assert_eq!(count.get(), 1);
    let State::Returned(last) = co.resume(two) else { panic!() };
    assert_eq!(count.get(), 2);
    drop(co);
    assert_eq!(count.get(), 2);
    drop(last);
    assert_eq!(count.get(), 3);
}

#[test]
fn is_an_iterator() {
    let fibonacci = Coroutine::new(|co, ()| {
        let (mut a, mut b) = (0u64, 1);
        loop {
            co.suspend(a);
            (a, b) = (b, a + b);
        }
    });
    let fibonacci: Coroutine<_, _, ()> = fibonacci;
    assert_eq!(fibonacci.take(10).collect::<Vec<_>>(), [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]);
    let mut short = Coroutine::new(|co, ()| {
        co.suspend(1);
        "a return value that nobody sees"
    });
    assert_eq!([short.next(), short.next(), short.next(), short.next()], [Some(1), None, None, None]);
}

#[test]
fn a_finished_one_cannot_be_resumed() {
    let mut co = Coroutine::<(), (), i32>::new(|_, ()| 1);
    assert_eq!(co.resume(()), State::Returned(1));
    for _ in 0..2 {
        let payload = catch_unwind(AssertUnwindSafe(|| co.resume(()))).unwrap_err();
        assert!(message(payload).contains("has finished"));
    }
}

#[test]
fn a_panic_reaches_the_resumer() {
    let (count, stacks) = (Count::default(), Count::default());
    let guard = count.guard();
    let mut co = Coroutine::<i32, i32, (), _>::with_stack(told(&stacks), move |co, n| {
        let _guard = guard;
        let n = co.suspend(n);
        panic_any(n);
    });
    assert_eq!(co.resume(1), State::Yielded(1));
    let payload = catch_unwind(AssertUnwindSafe(|| co.resume(5))).unwrap_err();
    assert_eq!(*payload.downcast::<i32>().unwrap(), 5);
    assert!(!panicking());
    assert_eq!(count.get(), 1);
    assert!(co.is_finished());
    assert!(catch_unwind(AssertUnwindSafe(|| co.resume(5))).is_err());
    assert_eq!(stacks.get(), 0);
    drop(co);
    assert_eq!(stacks.get(), 1);
}

#[test]
fn a_suspended_one_is_unwound_when_dropped() {
    fn deep(co: &Suspender<(), u32>, count: &Count, depth: u32) {
        let _guard = count.guard();
        if depth == 0 {
            co.suspend(1);
            unreachable!();
        }
        deep(co, count, depth - 1);
    }
    let (count, stacks) = (Count::default(), Count::default());
    let inside = count.clone();
    let mut co = Coroutine::with_stack(told(&stacks), move |co, ()| deep(co, &inside, 9));
    assert_eq!(co.next(), Some(1));
    assert_eq!((count.get(), stacks.get()), (0, 0));
    drop(co);
    assert_eq!((count.get(), stacks.get()), (10, 1));
    assert!(!panicking());
}

#[test]
fn an_unstarted_one_drops_its_closure() {
    let (count, stacks) = (Count::default(), Count::default());
    let guard = count.guard();
    let co = Coroutine::<String, u8, (), _>::with_stack(told(&stacks), move |co, _| {
        let _guard = guard;
        co.suspend(0);
    });
    drop(co);
    assert_eq!((count.get(), stacks.get()), (1, 1));
}

#[test]
fn a_forgotten_one_keeps_its_stack() {
    let (count, stacks) = (Count::default(), Count::default());
    let guard = count.guard();
    let mut co = Coroutine::with_stack(told(&stacks), move |co, ()| {
        let _guard = guard;
        co.suspend(0);
    });
    co.next();
    forget(co);
    assert_eq!((count.get(), stacks.get()), (0, 0));
}

#[test]
fn dropped_while_its_owner_panics() {
    let count = Count::default();
    let inside = count.clone();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut co = Coroutine::new(move |co, ()| {
            let _guard = inside.guard();
            co.suspend(0);
        });
        co.next();
        panic_any(4u8);
    }));
    assert_eq!(*result.unwrap_err().downcast::<u8>().unwrap(), 4);
    assert_eq!(count.get(), 1);
    assert!(!panicking());
}

#[test]
fn a_drop_can_be_caught_and_nothing_is_lost() {
    // A body that catches panics sees the one of its drop, and may return.
    let (count, stacks) = (Count::default(), Count::default());
    let guard = count.guard();
    let mut co = Coroutine::<(), u8, Guard, _>::with_stack(told(&stacks), move |co, ()| {
        assert!(catch_unwind(AssertUnwindSafe(|| co.suspend(0))).is_err());
        guard
    });
    let _ = co.resume(());
    drop(co);
    assert_eq!((count.get(), stacks.get()), (1, 1));
}

#[test]
fn suspending_again_after_a_caught_drop_unwinds_again() {
    let (count, stacks) = (Count::default(), Count::default());
    let yielded = count.clone();
    let caught = Rc::new(Cell::new(0));
    let times = caught.clone();
    let mut co = Coroutine::<(), Guard, (), _>::with_stack(told(&stacks), move |co, ()| {
        for _ in 0..5 {
            if catch_unwind(AssertUnwindSafe(|| co.suspend(yielded.guard()))).is_err() {
                times.set(times.get() + 1);
            }
        }
    });
    let _ = co.resume(());
    let _ = co.resume(());
    assert_eq!(count.get(), 2);
    drop(co);
    // The body caught the drop where it was suspended, and in three more suspensions. The values
    // that these yielded are dropped.
    assert_eq!((caught.get(), count.get(), stacks.get()), (4, 5, 1));
}

#[test]
fn a_panic_during_the_drop_reaches_the_dropper() {
    let stacks = Count::default();
    let mut co = Coroutine::with_stack(told(&stacks), |co, ()| {
        if catch_unwind(AssertUnwindSafe(|| co.suspend(0))).is_err() {
            panic_any("while being dropped");
        }
    });
    co.next();
    let payload = catch_unwind(AssertUnwindSafe(|| drop(co))).unwrap_err();
    assert_eq!(message(payload), "while being dropped");
    assert_eq!(stacks.get(), 1);
}

/// Suspends when it is dropped.
struct Suspends<'a>(&'a Suspender<(), u8>);

impl Drop for Suspends<'_> {
    fn drop(&mut self) {
        self.0.suspend(2);
    }
}

#[test]
fn a_destructor_may_suspend() {
    // The first destructor runs at an ordinary drop, the second one in a panic of the body.
    let mut co = Coroutine::new(|co, ()| {
        drop(Suspends(co));
        let _guard = Suspends(co);
        panic_any(1i32);
    });
    let co: &mut Coroutine<(), u8, ()> = &mut co;
    assert_eq!(co.next(), Some(2));
    assert_eq!(co.next(), Some(2));
    let payload = catch_unwind(AssertUnwindSafe(|| co.next())).unwrap_err();
    assert_eq!(*payload.downcast::<i32>().unwrap(), 1);
    assert!(!panicking());
}

#[test]
fn two_unwind_by_turns() {
    fn unwinds(id: i32) -> Coroutine<(), u8, ()> {
        Coroutine::new(move |co, ()| {
            let _guards = [Suspends(co), Suspends(co)];
            panic_any(id);
        })
    }
    let (mut one, mut two) = (unwinds(1), unwinds(2));
    assert_eq!([one.next(), two.next(), one.next(), two.next()], [Some(2); 4]);
    for (co, id) in [(&mut one, 1), (&mut two, 2)] {
        let payload = catch_unwind(AssertUnwindSafe(|| co.next())).unwrap_err();
        assert_eq!(*payload.downcast::<i32>().unwrap(), id);
    }
    assert!(!panicking());
}

#[test]
fn a_panic_reaches_a_resumer_that_unwinds() {
    /// Resumes a coroutine that panics when it is dropped, and catches the panic.
    struct Resumes(Rc<Cell<i32>>);
    impl Drop for Resumes {
        fn drop(&mut self) {
            assert!(panicking());
            let mut co = Coroutine::<(), u8, ()>::new(|co, ()| {
                co.suspend(1);
                panic_any(7i32);
            });
            assert_eq!(co.next(), Some(1));
            let payload = catch_unwind(AssertUnwindSafe(|| co.next())).unwrap_err();
            self.0.set(*payload.downcast::<i32>().unwrap());
        }
    }
    let seen = Rc::new(Cell::new(0));
    let inside = seen.clone();
    let mut co = Coroutine::<(), (), ()>::new(move |_, ()| {
        let _guard = Resumes(inside);
        panic_any(5i32);
    });
    let payload = catch_unwind(AssertUnwindSafe(|| co.resume(()))).unwrap_err();
    assert_eq!((*payload.downcast::<i32>().unwrap(), seen.get()), (5, 7));
    assert!(!panicking());
}

#[test]
fn but_not_while_the_coroutine_is_dropped() {
    if is_child() {
        let mut co = Coroutine::new(|co, ()| {
            let _guard = Suspends(co);
            co.suspend(1);
        });
        co.next();
        drop(co);
        unreachable!();
    }
    let output = child("but_not_while_the_coroutine_is_dropped");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(text.contains("being dropped has suspended again, in a destructor"), "{text}");
    assert!(!text.contains("unreachable"), "{text}");
}

#[test]
fn nested() {
    fn countdown(n: u32) -> Coroutine<(), u32, ()> {
        Coroutine::new(move |co, ()| {
            co.suspend(n);
            if n > 0 {
                countdown(n - 1).for_each(|m| co.suspend(m));
            }
        })
    }
    assert!(countdown(30).eq((0..=30).rev()));
    // The drop of an outer coroutine in the middle drops the inner ones.
    let mut all = countdown(30);
    assert_eq!(all.nth(20), Some(10));
}

#[test]
fn a_panic_passes_through_nested_coroutines() {
    fn level(n: u32) -> Coroutine<(), (), ()> {
        Coroutine::new(move |co, ()| {
            if n == 0 {
                co.suspend(());
                panic_any(123u8);
            }
            level(n - 1).for_each(|()| co.suspend(()));
        })
    }
    let mut co = level(10);
    assert_eq!(co.next(), Some(()));
    let payload = catch_unwind(AssertUnwindSafe(|| co.next())).unwrap_err();
    assert_eq!(*payload.downcast::<u8>().unwrap(), 123);
    assert!(!panicking());
}

#[test]
fn a_coroutine_may_own_and_drop_others() {
    let count = Count::default();
    let inside = count.clone();
    let mut co = Coroutine::new(move |co, ()| {
        let mut inner: Vec<_> = (0..10)
            .map(|_| {
                let count = inside.clone();
                Coroutine::new(move |co, ()| {
                    let _guard = count.guard();
                    co.suspend(0);
                })
            })
            .collect();
        assert!(inner.iter_mut().all(|inner| inner.next() == Some(0)));
        co.suspend(1);
    });
    co.next();
    drop(co);
    assert_eq!(count.get(), 10);
}

#[test]
fn stacks_are_used_again() {
    let stacks = Count::default();
    let mut stack = told(&stacks);
    let top = stack.top();
    for n in 0..100 {
        let mut co = Coroutine::with_stack(stack, move |co, ()| co.suspend(n));
        assert_eq!(co.by_ref().collect::<Vec<_>>(), [n]);
        stack = co.into_stack();
        assert_eq!(stack.top(), top);
    }
    let mut co = Coroutine::with_stack(stack, |co, ()| co.suspend(1));
    co.next();
    let payload = catch_unwind(AssertUnwindSafe(|| co.into_stack())).err().unwrap();
    assert!(message(payload).contains("still in use"));
    assert_eq!(stacks.get(), 1);
}

#[test]
fn closures_of_all_sizes() {
    #[repr(align(256))]
    struct Wide([u8; 256]);
    let wide = Wide([5; 256]);
    let mut co = Coroutine::<(), u8, usize>::new(move |co, ()| {
        co.suspend(wide.0[255]);
        (&raw const wide).addr() % 256
    });
    assert_eq!(co.resume(()), State::Yielded(5));
    assert_eq!(co.resume(()), State::Returned(0));

    let big = [1u8; 20_000];
    let sum = move |_: &Suspender<(), ()>, ()| big.iter().map(|&n| n as usize).sum::<usize>();
    // Without optimisation the stack has a dozen copies of the closure, and some more on AArch64.
    let mut co = Coroutine::with_stack(MmapStack::new(1 << 20).unwrap(), sum);
    assert_eq!(co.resume(()), State::Returned(20_000));
    let small = MmapStack::new(16 * 1024).unwrap();
    let payload = catch_unwind(AssertUnwindSafe(|| Coroutine::with_stack(small, sum))).unwrap_err();
    assert!(message(payload).contains("use a larger stack"));
}

#[test]
fn thousands_at_once() {
    let mut all: Vec<_> = (0..5000u32)
        .map(|n| {
            let stack = MmapStack::new(16 * 1024).unwrap();
            Coroutine::with_stack(stack, move |co, ()| (n..n + 3).for_each(|n| co.suspend(n)))
        })
        .collect();
    for round in 0..3 {
        for (n, co) in all.iter_mut().enumerate() {
            assert_eq!(co.next(), Some(n as u32 + round));
        }
    }
    // Some end here, and most are dropped while suspended.
    assert!(all.iter_mut().step_by(7).all(|co| co.next().is_none()));
}

#[test]
fn on_threads_of_their_own() {
    let sums: Vec<u64> = (0..4)
        .map(|seed| {
            std::thread::spawn(move || {
                Coroutine::new(move |co, ()| (0..10_000u64).for_each(|n| co.suspend(n ^ seed))).sum()
            })
        })
        .map(|thread| thread.join().unwrap())
        .collect();
    assert_eq!(sums[0], 49_995_000);
}

#[test]
fn in_a_thread_local() {
    thread_local! {
        static IDS: RefCell<Coroutine<(), u32, ()>> = RefCell::new(Coroutine::new(|co, ()| (0..100).for_each(|n| co.suspend(n))));
    }
    // The coroutine is unwound when its OS thread ends.
    let ids = std::thread::spawn(|| [0; 3].map(|_| IDS.with_borrow_mut(|ids| ids.next().unwrap())));
    assert_eq!(ids.join().unwrap(), [0, 1, 2]);
}

#[test]
fn debug_output_and_errors() {
    let co = Coroutine::<(), (), ()>::new(|_, ()| ());
    assert_eq!(format!("{co:?}"), "Coroutine { finished: false, .. }");
    let error = MmapStack::new(usize::MAX).unwrap_err();
    assert_eq!(error.errno(), if cfg!(windows) { 8 } else { 12 });
    assert!(error.to_string().contains("fewer or smaller stacks"), "{error}");
    let error: Box<dyn std::error::Error + Send + Sync> = error.into();
    assert!(error.downcast_ref::<greenthread_context::StackError>().is_some());
}

#[test]
fn running_out_of_stack_hits_the_guard() {
    #[allow(unconditional_recursion)]
    fn forever(n: usize) -> usize {
        std::hint::black_box([n; 64]);
        std::hint::black_box(forever(n + 1)) + 1
    }
    if is_child() {
        let mut co = Coroutine::<(), (), usize>::new(|_, ()| forever(0));
        let _ = co.resume(());
        unreachable!();
    }
    let output = child("running_out_of_stack_hits_the_guard");
    #[cfg(unix)]
    let has_faulted = matches!(std::os::unix::process::ExitStatusExt::signal(&output.status), Some(11 | 10));
    // An access violation, for which no handler can run on this stack. Wine then ends the process
    // with 1.
    #[cfg(windows)]
    let has_faulted = matches!(output.status.code().unwrap() as u32, 0xC000_0005 | 1);
    assert!(has_faulted, "{output:?}");
}
