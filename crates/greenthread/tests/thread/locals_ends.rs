//! How the values of `thread_local!` are destroyed: at the end of their thread, before its joiner
//! goes on, the youngest first.

use std::{
    cell::{Cell, RefCell},
    panic::catch_unwind,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use greenthread::{
    thread::{self, AccessError},
    thread_local,
};

use crate::common::{
    child, is_child, runtime, text, was_aborted,
    world::{Kind, everywhere},
};

/// Writes its name to a list when it is dropped.
struct Note(Arc<Mutex<Vec<&'static str>>>, &'static str);

impl Drop for Note {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(self.1);
    }
}

type Slot = RefCell<Option<Note>>;

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
        // Windows destroys an OS thread's own variables in another order, under a lock that new
        // threads need (std's documentation of `LocalKey`).
        if cfg!(windows) && world.kind != Kind::Green {
            return;
        }
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
            // `TWO` can be set here, as it has not been destroyed. `Second` can't set `ONE` again.
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
        // Windows destroys an OS thread's own variables in another order, under a lock that new
        // threads need (std's documentation of `LocalKey`).
        if cfg!(windows) && world.kind != Kind::Green {
            return;
        }
        SEEN.lock().unwrap().clear();
        world.spawn(|| ONE.set(Some(First))).end();
        assert_eq!(*SEEN.lock().unwrap(), ["first, sets second", "second"]);
    });
}

#[test]
fn a_destructor_may_block_spawn_and_panic_inside() {
    thread_local!(static BUSY: RefCell<Option<Busy>> = const { RefCell::new(None) });
    static DONE: AtomicUsize = AtomicUsize::new(0);
    struct Busy(crate::common::world::World);
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
        // Windows destroys an OS thread's own variables in another order, under a lock that new
        // threads need (std's documentation of `LocalKey`).
        if cfg!(windows) && world.kind != Kind::Green {
            return;
        }
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
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("the bomb");
        }
    }
    thread_local!(static BOMB: Bomb = const { Bomb });
    if is_child() {
        runtime(1).run(|| {
            let _ = thread::spawn(|| BOMB.with(|_| ())).join();
            println!("went on");
        });
    }
    let out = child(|_| {});
    assert!(was_aborted(&out), "{}", text(&out));
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

/// A coroutine that is suspended inside `with` may outlive the thread. Then the value outlives it
/// too.
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

/// The scheduler may run a child on its joiner's stack. The child still has its own values.
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
