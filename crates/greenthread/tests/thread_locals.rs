//! `thread_local!`: each thread has its own value, made when it is first asked for, destroyed at the thread's end. What
//! std's own tests of thread-locals check, on green threads, on OS threads, and on both.

mod common;
mod sync_world;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use common::{child, is_child, runtime, text};
use greenthread::{
    thread::{self, AccessError, LocalKey},
    thread_local,
};
use sync_world::everywhere;

/// Counts what the calling OS thread allocates.
struct Counting;

std::thread_local!(static ALLOCATIONS: Cell<usize> = const { Cell::new(0) });

// SAFETY: it is the system's, and counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the caller says.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, chunk: *mut u8, layout: Layout) {
        // SAFETY: as the caller says.
        unsafe { System.dealloc(chunk, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Writes its name down when it goes.
struct Note(Arc<Mutex<Vec<&'static str>>>, &'static str);

impl Drop for Note {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(self.1);
    }
}

type Slot = RefCell<Option<Note>>;

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

#[test]
fn an_initialiser_that_has_used_its_own_key_harms_nobody() {
    thread_local! {
        static DEPTH: Cell<u32> = const { Cell::new(0) };
        static OWN: String = {
            DEPTH.set(DEPTH.get() + 1);
            if DEPTH.get() == 1 { OWN.with(|inner| format!("outer after {inner}")) } else { "inner".into() }
        };
    }
    runtime(1).run(|| {
        OWN.with(|value| {
            assert_eq!(value, "inner");
            OWN.with(|again| assert!(std::ptr::eq(value, again)));
        });
    });
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

#[test]
fn values_are_destroyed_before_join_returns_the_youngest_first() {
    thread_local! {
        static A: Slot = const { RefCell::new(None) };
        static B: Slot = RefCell::new(None);
        static C: Slot = const { RefCell::new(None) };
        static PLAIN: Cell<u8> = const { Cell::new(0) };
    }
    everywhere(|world| {
        for panics in [false, true] {
            let log = Arc::new(Mutex::new(Vec::new()));
            let notes = log.clone();
            let thread = world.spawn(move || {
                B.set(Some(Note(notes.clone(), "B")));
                PLAIN.set(1);
                A.set(Some(Note(notes.clone(), "A")));
                C.set(Some(Note(notes.clone(), "C")));
                B.set(Some(Note(notes.clone(), "B again")));
                if panics {
                    std::panic::resume_unwind(Box::new(()));
                }
            });
            assert_eq!(thread.join().is_err(), panics);
            assert_eq!(*log.lock().unwrap(), ["B", "C", "A", "B again"]);
        }
    });
}

#[test]
fn keys_in_destructors() {
    thread_local! {
        static PLAIN: Cell<u32> = const { Cell::new(1) };
        static OLD: Slot = const { RefCell::new(None) };
        static SELF: RefCell<Option<Looks>> = const { RefCell::new(None) };
        static YOUNG: Slot = const { RefCell::new(None) };
        static NEW: Slot = const { RefCell::new(None) };
    }
    struct Looks(Arc<Mutex<Vec<&'static str>>>, mpsc::Sender<[Result<(), AccessError>; 4]>);
    impl Drop for Looks {
        fn drop(&mut self) {
            assert!(catch_unwind(|| SELF.with(|_| ())).is_err());
            assert!(catch_unwind(|| SELF.set(None)).is_err());
            assert_eq!(PLAIN.get(), 5);
            let _ = self.1.send([
                SELF.try_with(|_| ()),
                YOUNG.try_with(|_| ()),
                OLD.try_with(|_| ()),
                NEW.try_with(|slot| *slot.borrow_mut() = Some(Note(self.0.clone(), "new"))),
            ]);
        }
    }
    everywhere(|world| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let (tell, told) = mpsc::channel();
        let notes = log.clone();
        world
            .spawn(move || {
                PLAIN.set(5);
                OLD.set(Some(Note(notes.clone(), "old")));
                SELF.set(Some(Looks(notes.clone(), tell)));
                YOUNG.set(Some(Note(notes, "young")));
            })
            .end();
        let [own, young, old, new] = told.recv().unwrap();
        assert!(own.is_err() && young.is_err() && old.is_ok() && new.is_ok());
        assert_eq!(own.unwrap_err().to_string(), "already destroyed");
        assert_eq!(*log.lock().unwrap(), ["young", "new", "old"]);
    });
}

#[test]
fn destructors_that_use_each_others_keys() {
    thread_local! {
        static ONE: RefCell<Option<First>> = const { RefCell::new(None) };
        static TWO: RefCell<Option<Second>> = const { RefCell::new(None) };
    }
    static SEEN: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    struct First;
    struct Second;
    impl Drop for First {
        fn drop(&mut self) {
            // Set once more: then it is there no longer.
            let set = TWO.try_with(|two| *two.borrow_mut() = Some(Second)).is_ok();
            SEEN.lock().unwrap().push(if set { "first, sets second" } else { "first" });
        }
    }
    impl Drop for Second {
        fn drop(&mut self) {
            let set = ONE.try_with(|one| *one.borrow_mut() = Some(First)).is_ok();
            SEEN.lock().unwrap().push(if set { "second, sets first" } else { "second" });
        }
    }
    everywhere(|world| {
        SEEN.lock().unwrap().clear();
        world.spawn(|| ONE.set(Some(First))).end();
        assert_eq!(*SEEN.lock().unwrap(), ["first, sets second", "second"]);
    });
}

#[test]
fn a_destructor_may_block_spawn_and_panic_inside() {
    thread_local!(static BUSY: RefCell<Option<Busy>> = const { RefCell::new(None) });
    static DONE: AtomicUsize = AtomicUsize::new(0);
    struct Busy(sync_world::World);
    impl Drop for Busy {
        fn drop(&mut self) {
            thread::yield_now();
            thread::sleep(Duration::from_micros(100));
            assert!(!thread::panicking());
            assert!(catch_unwind(|| std::panic::resume_unwind(Box::new(()))).is_err());
            let inner = self.0.spawn(|| {
                BUSY.with_borrow(|busy| assert!(busy.is_none()));
                thread::yield_now();
                1
            });
            DONE.fetch_add(inner.end(), SeqCst);
        }
    }
    everywhere(|world| {
        DONE.store(0, SeqCst);
        let threads: Vec<_> = (0..10)
            .map(|_| {
                let inner = world.clone();
                world.spawn(move || BUSY.set(Some(Busy(inner))))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(DONE.load(SeqCst), 10);
    });
}

#[test]
fn siblings_run_while_a_destructor_waits() {
    thread_local!(static WAITS: RefCell<Option<Waits>> = const { RefCell::new(None) });
    struct Waits(Arc<AtomicBool>);
    impl Drop for Waits {
        fn drop(&mut self) {
            while !self.0.load(SeqCst) {
                thread::park();
            }
        }
    }
    runtime(1).run(|| {
        let go = Arc::new(AtomicBool::new(false));
        let waits = Waits(go.clone());
        let thread = thread::spawn(move || WAITS.set(Some(waits)));
        (0..10).for_each(|_| thread::yield_now());
        assert!(!thread.is_finished());
        go.store(true, SeqCst);
        thread.thread().unpark();
        thread.join().unwrap();
    });
}

#[test]
fn a_destructor_that_panics_aborts() {
    const NAME: &str = "a_destructor_that_panics_aborts";
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("the bomb");
        }
    }
    thread_local!(static BOMB: Bomb = const { Bomb });
    if is_child(NAME) {
        runtime(1).run(|| {
            let _ = thread::spawn(|| BOMB.with(|_| ())).join();
            println!("went on");
        });
    }
    let out = child(NAME, |_| {});
    assert!(!out.status.success() && out.status.code().is_none(), "{}", text(&out));
    assert!(text(&out).contains("the bomb"), "{}", text(&out));
    assert!(text(&out).contains("fatal: a thread-local panicked when it was destroyed"), "{}", text(&out));
    assert!(!text(&out).contains("went on"), "{}", text(&out));
}

#[test]
fn scopes_and_run_wait_for_the_destructors() {
    thread_local!(static NOTE: Slot = const { RefCell::new(None) });
    let log = Arc::new(Mutex::new(Vec::new()));
    let note = |name| {
        let log = log.clone();
        move || NOTE.set(Some(Note(log, name)))
    };
    for workers in [1, 2, 8] {
        let runtime = runtime(workers);
        log.lock().unwrap().clear();
        runtime.run(|| {
            thread::scope(|s| {
                s.spawn(note("scoped"));
            });
            assert_eq!(*log.lock().unwrap(), ["scoped"]);
        });
        runtime.run(note("root"));
        assert_eq!(*log.lock().unwrap(), ["scoped", "root"]);
    }
}

#[test]
fn an_unwanted_result_is_dropped_while_the_keys_are_there() {
    thread_local!(static NOTE: Slot = const { RefCell::new(None) });
    struct Uses(Option<Note>, mpsc::Sender<bool>);
    impl Drop for Uses {
        fn drop(&mut self) {
            let note = self.0.take();
            let _ = self.1.send(NOTE.try_with(|slot| slot.borrow_mut().is_some()) == Ok(true));
            drop(note);
        }
    }
    everywhere(|world| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let (tell, told) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        let notes = log.clone();
        let thread = world.spawn(move || {
            while gone.try_recv() == Err(mpsc::TryRecvError::Empty) {
                thread::yield_now();
            }
            NOTE.set(Some(Note(notes.clone(), "key")));
            Uses(Some(Note(notes, "result")), tell)
        });
        drop(thread);
        drop(go);
        loop {
            match told.try_recv() {
                Ok(there) => break assert!(there),
                Err(_) => thread::sleep(Duration::from_micros(100)),
            }
        }
        while log.lock().unwrap().len() < 2 {
            thread::sleep(Duration::from_micros(100));
        }
        assert_eq!(*log.lock().unwrap(), ["result", "key"]);
    });
}

mod many {
    //! 81 keys, declared by a macro of the user's.
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
                /// Adds to each, and gives their sum.
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
    // The names inside the macro don't hide the user's.
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

/// Not `Send`, whatever `T` is.
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

/// A coroutine that is suspended inside `with` may outlive the thread: then the value does too.
#[test]
fn a_value_in_use_is_not_destroyed() {
    use greenthread_context::{Coroutine, State};
    thread_local!(static NAMED: RefCell<Option<Note>> = const { RefCell::new(None) });
    std::thread_local!(static LEFT: Cell<Option<Coroutine<(), usize, ()>>> = const { Cell::new(None) });
    runtime(1).run(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let notes = log.clone();
        let first = thread::spawn(move || {
            NAMED.set(Some(Note(notes, "in use")));
            let mut coroutine = Coroutine::new(|co, ()| {
                NAMED.with(|slot| {
                    co.suspend(1);
                    co.suspend(slot.borrow().as_ref().map_or(0, |note| note.1.len()));
                });
            });
            assert_eq!(coroutine.resume(()), State::Yielded(1));
            LEFT.set(Some(coroutine));
        });
        first.join().unwrap();
        assert!(log.lock().unwrap().is_empty());
        thread::spawn(|| {
            let mut coroutine = LEFT.take().unwrap();
            assert_eq!(coroutine.resume(()), State::Yielded(6));
            assert_eq!(coroutine.resume(()), State::Returned(()));
        })
        .join()
        .unwrap();
    });
}

/// A thread pays for the keys that it uses, at their first use, and for no others.
#[test]
fn what_is_not_used_costs_nothing() {
    thread_local!(static FIRST: Cell<u8> = const { Cell::new(0) });
    thread_local!(static SECOND: Cell<u8> = Cell::new(0));
    runtime(1).run(|| {
        let of = |f: fn()| {
            let before = ALLOCATIONS.get();
            thread::spawn(f).join().unwrap();
            ALLOCATIONS.get() - before
        };
        let nothing = || ();
        // The first ones fill the worker's stores.
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

/// The scheduler may run a child on its joiner's stack: it is a thread of its own all the same.
#[test]
fn a_child_is_not_its_joiner() {
    thread_local!(static N: Cell<u8> = const { Cell::new(0) });
    thread_local!(static NOTE: Slot = const { RefCell::new(None) });
    for workers in [1, 2, 8] {
        let log = Arc::new(Mutex::new(Vec::new()));
        let notes = log.clone();
        runtime(workers).run(move || {
            NOTE.set(Some(Note(notes.clone(), "parent")));
            N.with(|n| {
                n.set(1);
                for _ in 0..10 {
                    let notes = notes.clone();
                    let child = thread::spawn(move || {
                        assert_eq!(N.replace(2), 0);
                        NOTE.with_borrow(|note| assert!(note.is_none()));
                        NOTE.set(Some(Note(notes, "child")));
                        thread::yield_now();
                        assert_eq!(N.get(), 2);
                    });
                    child.join().unwrap();
                    assert_eq!((n.get(), N.get()), (1, 1));
                }
                assert_eq!(*notes.lock().unwrap(), ["child"; 10]);
            });
        });
        assert_eq!(log.lock().unwrap().last(), Some(&"parent"));
    }
}
