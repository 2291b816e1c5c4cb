//! `thread_local!`: each thread has its own value, made when it is first asked for. What std's own
//! tests of thread-locals check, on green threads, on OS threads, and on both; `locals_ends` tests
//! how the values end.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use greenthread::{
    thread::{self, LocalKey},
    thread_local,
};

use crate::common::{runtime, world::everywhere};

/// Counts what the calling OS thread allocates.
struct Counting;

std::thread_local!(static ALLOCATIONS: Cell<usize> = const { Cell::new(0) });

// SAFETY: each call is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: `System.alloc` has the contract of this function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, chunk: *mut u8, layout: Layout) {
        // SAFETY: `System.dealloc` has the contract of this function.
        unsafe { System.dealloc(chunk, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn every_thread_has_its_own() {
    thread_local!(static N: Cell<usize> = const { Cell::new(1) });
    everywhere(|world| {
        assert_eq!(N.get(), 1);
        N.set(2);
        let threads: Vec<_> = (10..60)
            .map(|n| {
                world.spawn(move || {
                    assert_eq!(N.replace(n), 1);
                    for _ in 0..10 {
                        thread::yield_now();
                        assert_eq!(N.get(), n);
                    }
                    thread::sleep(Duration::from_micros(100));
                    assert_eq!(N.take(), n);
                    assert_eq!(N.get(), 0);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(N.replace(1), 2);
    });
}

#[test]
fn an_initialiser_runs_once_for_each_thread_that_asks_and_may_block() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static SLOW: usize = {
        thread::yield_now();
        thread::sleep(Duration::from_micros(50));
        RUNS.fetch_add(1, SeqCst)
    });
    everywhere(|world| {
        let before = RUNS.load(SeqCst);
        let threads: Vec<_> = (0..20)
            .map(|n| {
                world.spawn(move || {
                    thread::yield_now();
                    (n % 2 == 0).then(|| {
                        let seen = SLOW.with(|value| *value);
                        thread::yield_now();
                        assert_eq!(SLOW.with(|value| *value), seen);
                        seen
                    })
                })
            })
            .collect();
        let mut seen: Vec<usize> = threads.into_iter().filter_map(|thread| thread.end()).collect();
        seen.sort();
        assert_eq!(seen, (before..before + 10).collect::<Vec<_>>());
    });
}

#[test]
fn an_initialiser_that_panics_is_tried_again() {
    thread_local!(static TRIES: Cell<u32> = const { Cell::new(0) });
    thread_local!(static SHY: u32 = {
        TRIES.set(TRIES.get() + 1);
        if TRIES.get() < 3 {
            std::panic::resume_unwind(Box::new("not yet"));
        }
        TRIES.get()
    });
    everywhere(|world| {
        world
            .spawn(|| {
                assert!(catch_unwind(|| SHY.with(|_| ())).is_err());
                assert!(catch_unwind(|| SHY.try_with(|_| ())).is_err());
                assert_eq!(SHY.with(|tries| *tries), 3);
                assert_eq!(SHY.try_with(|tries| *tries), Ok(3));
            })
            .end();
    });
}

#[test]
fn an_initialiser_may_use_other_keys() {
    thread_local! {
        static FIRST: Cell<u32> = Cell::new(7);
        static SECOND: u32 = FIRST.get() * 6;
    }
    everywhere(|world| {
        world.spawn(|| SECOND.with(|value| assert_eq!(*value, 42))).end();
        world
            .spawn(|| {
                FIRST.set(2);
                SECOND.with(|value| assert_eq!(*value, 12));
            })
            .end();
    });
}

/// As in std: the outer value stays, and the inner one is dropped as soon as the outer one is set.
#[test]
fn an_initialiser_that_has_used_its_own_key() {
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    struct Value(&'static str);
    impl Drop for Value {
        fn drop(&mut self) {
            // The key has its new value when the inner one is dropped.
            if self.0 == "inner" {
                OWN.with(|value| assert_eq!(value.0, "outer"));
            }
            DROPS.fetch_add(1, SeqCst);
        }
    }
    fn init() -> Value {
        DEPTH.set(DEPTH.get() + 1);
        if DEPTH.get() == 1 {
            FIRST.with(|_| ());
            OWN.with(|inner| assert_eq!(inner.0, "inner"));
            LATER.with(|_| ());
            NUMBER.set(1);
            return Value("outer");
        }
        Value("inner")
    }
    thread_local! {
        static DEPTH: Cell<u32> = const { Cell::new(0) };
        static FIRST: Value = const { Value("first") };
        static LATER: Value = const { Value("later") };
        static OWN: Value = init();
        // Without a destructor.
        static NUMBER: Cell<u32> = {
            if DEPTH.get() == 1 {
                DEPTH.set(2);
                NUMBER.set(7);
            }
            Cell::new(2)
        };
    }
    everywhere(|world| {
        DROPS.store(0, SeqCst);
        world
            .spawn(|| {
                OWN.with(|value| {
                    assert_eq!(value.0, "outer");
                    OWN.with(|again| assert!(std::ptr::eq(value, again)));
                });
                assert_eq!(DROPS.load(SeqCst), 1);
                DEPTH.set(1);
                assert_eq!(NUMBER.get(), 1);
            })
            .end();
        assert_eq!(DROPS.load(SeqCst), 4);
    });
}

#[test]
fn a_number_whose_initialiser_has_used_its_own_key() {
    thread_local! {
        static DEPTH: Cell<u32> = const { Cell::new(0) };
        static NUMBER: u32 = {
            DEPTH.set(DEPTH.get() + 1);
            if DEPTH.get() < 5 { NUMBER.with(|inner| inner + 1) } else { 0 }
        };
    }
    everywhere(|world| world.spawn(|| NUMBER.with(|value| assert_eq!(*value, 4))).end());
}

#[test]
fn set_makes_the_value_without_the_initialiser() {
    thread_local! {
        static CELL: Cell<u32> = panic!("the initialiser of CELL");
        static REF: RefCell<Vec<u32>> = panic!("the initialiser of REF");
    }
    everywhere(|world| {
        world
            .spawn(|| {
                CELL.set(1);
                CELL.set(CELL.get() + 1);
                assert_eq!(CELL.replace(5), 2);
                REF.set(vec![1]);
                REF.set(vec![2]);
                REF.with_borrow_mut(|list| list.push(3));
                REF.with_borrow(|list| assert_eq!(*list, [2, 3]));
                assert_eq!(REF.replace(vec![4]), [2, 3]);
                assert_eq!(REF.take(), [4]);
                assert!(REF.take().is_empty());
            })
            .end();
    });
}

#[test]
fn a_borrowed_value_is_borrowed() {
    thread_local!(static LIST: RefCell<Vec<u32>> = RefCell::new(vec![1]));
    everywhere(|world| {
        world
            .spawn(|| {
                let fails = |f: &dyn Fn()| catch_unwind(AssertUnwindSafe(f)).is_err();
                LIST.with_borrow(|_| {
                    assert!(fails(&|| LIST.with_borrow_mut(|_| ())));
                    assert!(fails(&|| LIST.set(vec![])));
                    assert!(fails(&|| drop(LIST.take())));
                    LIST.with_borrow(|list| assert_eq!(*list, [1]));
                });
                LIST.with_borrow_mut(|_| assert!(fails(&|| LIST.with_borrow(|_| ()))));
                LIST.with_borrow(|list| assert_eq!(*list, [1]));
            })
            .end();
    });
}

mod many {
    //! 81 keys, declared by a macro of the user.
    use std::cell::Cell;

    macro_rules! nine {
        ($($module:ident),*) => {$(
            pub(crate) mod $module {
                use super::Cell;
                greenthread::thread_local! {
                    pub static A: Cell<usize> = const { Cell::new(0) };
                    pub static B: Cell<usize> = const { Cell::new(0) };
                    pub static C: Box<Cell<usize>> = Box::default();
                    pub static D: Cell<usize> = Cell::new(0);
                    pub static E: Cell<usize> = const { Cell::new(0) };
                    pub static F: Cell<usize> = const { Cell::new(0) };
                    pub static G: Cell<usize> = const { Cell::new(0) };
                    pub static H: Cell<usize> = const { Cell::new(0) };
                    pub static I: Cell<usize> = const { Cell::new(0) };
                }
                /// Adds to each key's value, and returns their sum.
                pub(crate) fn add(n: usize) -> usize {
                    let boxed = C.with(|c| {
                        c.set(c.get() + n);
                        c.get()
                    });
                    [&A, &B, &D, &E, &F, &G, &H, &I].iter().fold(boxed, |sum, key| {
                        key.set(key.get() + n);
                        sum + key.get()
                    })
                }
            }
        )*
            pub(crate) fn add(n: usize) -> usize {
                [$($module::add as fn(usize) -> usize),*].iter().map(|add| add(n)).sum()
            }
        };
    }
    nine!(a, b, c, d, e, f, g, h, i);
}

#[test]
fn many_keys_in_many_threads() {
    everywhere(|world| {
        let threads: Vec<_> = (1..40)
            .map(|n| {
                world.spawn(move || {
                    assert_eq!(many::add(n), n * 81);
                    thread::yield_now();
                    assert_eq!(many::add(1), (n + 1) * 81);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
    });
}

#[test]
fn a_reference_stays_good_while_further_keys_come() {
    thread_local!(static TEXT: String = "stays".to_string());
    everywhere(|world| {
        world
            .spawn(|| {
                TEXT.with(|text| {
                    let before = std::ptr::from_ref(text);
                    many::add(1);
                    thread::yield_now();
                    assert_eq!(text, "stays");
                    TEXT.with(|again| assert!(std::ptr::eq(before, again)));
                });
            })
            .end();
    });
}

#[test]
fn every_form_of_declaration() {
    thread_local! {}
    thread_local!(static NO_SEMICOLON: u8 = 1);
    thread_local!(static CONST: u8 = const { 1 + 1 });
    thread_local! {
        /// With docs, and an attribute.
        #[allow(dead_code)]
        pub static UNUSED: Vec<u8> = Vec::new();
        #[cfg(any())]
        static ABSENT: NoSuchType = no_such_function();
        pub(crate) static IN_A_ROW: Cell<u8> = const { Cell::new(3) };
        static LAST: Option<Box<dyn Fn() -> u8>> = Some(Box::new(|| 4))
    }
    // The names inside the macro don't hide names of the user.
    fn init() -> u8 {
        5
    }
    thread_local!(static INIT: u8 = init());
    let sum = || {
        let by = |key: &'static LocalKey<u8>| key.with(|value| *value);
        let last = LAST.with(|f| f.as_ref().unwrap()());
        by(&NO_SEMICOLON) + by(&CONST) + IN_A_ROW.get() + last + by(&INIT)
    };
    assert_eq!(sum(), 15);
    assert_eq!(runtime(1).run(sum), 15);
    fn both<T: Send + Sync>(_: &'static LocalKey<T2<T>>) {}
    thread_local!(static RC: T2<u8> = const { (std::marker::PhantomData, 0) });
    both(&RC);
    assert_eq!(format!("{RC:?}"), "LocalKey { .. }");
}

/// A type that is not `Send`, for any `T`.
type T2<T> = (std::marker::PhantomData<(*mut (), T)>, u8);

#[test]
fn a_worker_between_its_threads_and_inside_without_yield() {
    thread_local!(static N: Cell<u8> = const { Cell::new(0) });
    let runtime = runtime(1);
    runtime.run(|| {
        N.set(1);
        thread::without_yield(|| {
            assert_eq!(N.get(), 1);
            N.set(2);
        });
        assert_eq!(N.get(), 2);
        assert_eq!(thread::unblock(|| N.replace(9)), 0, "the pool's OS thread has its own");
        assert_eq!(N.get(), 2);
    });
    assert_eq!(N.get(), 0);
}

#[test]
fn a_stack_discipline_in_a_thread_local_of_ours_holds() {
    thread_local!(static STACK: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) });
    everywhere(|world| {
        let threads: Vec<_> = (0..50)
            .map(|name| {
                world.spawn(move || {
                    for depth in 0..5 {
                        STACK.with_borrow_mut(|stack| stack.push(name + depth));
                        thread::yield_now();
                    }
                    for depth in (0..5).rev() {
                        assert_eq!(STACK.with_borrow_mut(Vec::pop), Some(name + depth));
                        thread::yield_now();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
    });
}

/// A thread allocates for a key at its first use, and for no other keys.
#[test]
fn what_is_not_used_costs_nothing() {
    thread_local!(static FIRST: Cell<u8> = const { Cell::new(0) });
    thread_local!(static SECOND: Cell<u8> = Cell::new(0));
    runtime(1).run(|| {
        // Sometimes a thread starts on a stack of its own, and the worker's free lists grow.
        let of = |f: fn()| {
            let once = || {
                let before = ALLOCATIONS.get();
                thread::spawn(f).join().unwrap();
                ALLOCATIONS.get() - before
            };
            (0..10).map(|_| once()).min().unwrap()
        };
        let nothing = || ();
        // The first threads fill the worker's free lists.
        for _ in 0..10 {
            of(nothing);
            of(|| FIRST.set(1));
        }
        assert_eq!(of(nothing), of(thread::yield_now));
        let one = of(|| FIRST.set(1)) - of(nothing);
        let again = of(|| (0..100).for_each(|n| FIRST.set(n))) - of(nothing);
        let two = of(|| (0..100).for_each(|n| (FIRST.set(n), SECOND.set(n)).0)) - of(nothing);
        assert_eq!((one, again, two), (3, 3, 4), "a table and its entries, and a box for each value");
    });
}

#[test]
fn an_initialiser_is_one_piece_of_code() {
    thread_local!(static NUMBER: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, SeqCst)
    });
    let mut numbers: Vec<usize> = (0..5)
        .flat_map(|_| {
            let ask = || NUMBER.with(|number| *number);
            [thread::spawn(ask).join().unwrap(), std::thread::spawn(ask).join().unwrap()]
        })
        .collect();
    numbers.sort();
    assert_eq!(numbers, (0..10).collect::<Vec<_>>());
}
