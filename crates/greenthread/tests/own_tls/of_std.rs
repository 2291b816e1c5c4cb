//! What std keeps for each thread.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind, panic_any},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use greenthread::{
    cancel,
    thread::{self, Builder, yield_now},
};

use crate::{common::runtime, has_none, spawn};

#[test]
fn values_with_constant_initialisers_are_its_own() {
    thread_local!(static OWN: Cell<u32> = const { Cell::new(1) });
    if has_none() {
        return;
    }
    runtime(1).run(|| {
        OWN.set(100);
        let count = |number| {
            move || {
                assert_eq!(OWN.get(), 1);
                for _ in 0..10 {
                    OWN.set(OWN.get() + number);
                    yield_now();
                }
                OWN.get()
            }
        };
        let threads = [1, 2, 3].map(|number| spawn(count(number)));
        assert_eq!(threads.map(|thread| thread.join().unwrap()), [11, 21, 31]);
        assert_eq!(OWN.get(), 100);
    });
}

/// What `known_holes` shows for other threads: here an initialiser that waits runs once for each
/// thread, and the address stays the same.
#[test]
fn an_initialiser_may_wait() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static SLOW: usize = {
        let number = RUNS.fetch_add(1, SeqCst);
        yield_now();
        number
    });
    if has_none() {
        return;
    }
    runtime(1).run(|| {
        let look = || {
            let first = SLOW.with(|value| (*value, std::ptr::from_ref(value).addr()));
            yield_now();
            assert_eq!(SLOW.with(|value| (*value, std::ptr::from_ref(value).addr())), first);
            first.0
        };
        let threads: Vec<_> = (0..20).map(|_| spawn(look)).collect();
        let numbers: HashSet<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(numbers, (0..20).collect());
    });
}

#[test]
fn a_stack_discipline_holds() {
    thread_local!(static STACK: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) });
    fn scoped(name: u32) -> Option<u32> {
        STACK.with_borrow_mut(|stack| stack.push(name));
        yield_now();
        STACK.with_borrow_mut(Vec::pop)
    }
    if has_none() {
        return;
    }
    runtime(1).run(|| {
        let both = [1, 2].map(|name| spawn(move || scoped(name)));
        assert_eq!(both.map(|thread| thread.join().unwrap()), [Some(1), Some(2)]);
    });
}

/// They run on the thread itself, the youngest first, and before a joiner goes on. They may wait.
#[test]
fn values_are_destroyed_at_the_end() {
    struct Tells(&'static str);
    static TOLD: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    thread_local!(static FIRST: RefCell<Option<Tells>> = const { RefCell::new(None) });
    thread_local!(static SECOND: RefCell<Option<Tells>> = const { RefCell::new(None) });
    greenthread::thread_local!(static OURS: RefCell<Option<Tells>> = const { RefCell::new(None) });
    impl Drop for Tells {
        fn drop(&mut self) {
            yield_now();
            TOLD.lock().unwrap().push(self.0);
        }
    }
    if has_none() {
        return;
    }
    runtime(1).run(|| {
        let thread = spawn(|| {
            FIRST.set(Some(Tells("first")));
            SECOND.set(Some(Tells("second")));
            OURS.set(Some(Tells("ours")));
            yield_now();
        });
        let other = thread::spawn(|| (0..100).for_each(|_| yield_now()));
        thread.join().unwrap();
        let told: HashSet<_> = TOLD.lock().unwrap().iter().copied().collect();
        assert_eq!(told, HashSet::from(["ours", "first", "second"]));
        other.join().unwrap();
    });
}

#[test]
fn the_current_thread_of_std_is_its_own() {
    if has_none() {
        return;
    }
    runtime(1).run(|| {
        let ids = || {
            let (std, ours) = (std::thread::current().id(), thread::current().id());
            yield_now();
            assert_eq!((std::thread::current().id(), thread::current().id()), (std, ours));
            std
        };
        let threads: Vec<_> = (0..10).map(|_| spawn(ids)).collect();
        let ids: HashSet<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(ids.len(), 10);
        assert!(!ids.contains(&std::thread::current().id()));
    });
}

/// A token that is there already: nothing would wake the worker otherwise.
#[test]
fn a_token_of_stds_park_is_its_own() {
    if has_none() {
        return;
    }
    runtime(1).run(|| {
        let thread = spawn(|| {
            let me = std::thread::current();
            spawn(|| std::thread::current().unpark()).join().unwrap();
            me.unpark();
            std::thread::park();
        });
        thread.join().unwrap();
    });
}

/// std's reentrant lock takes siblings for one thread, but not these: the second finds it locked.
#[test]
fn stdout_lock_excludes_siblings() {
    if has_none() {
        return;
    }
    runtime(2).run(|| {
        let (locked, is_locked) = std::sync::mpsc::channel();
        let (end, ended) = greenthread::sync::mpsc::channel::<()>();
        let holder = spawn(move || {
            let mut lock = std::io::stdout().lock();
            lock.write_all(b"").unwrap();
            locked.send(()).unwrap();
            ended.recv().unwrap_err();
        });
        is_locked.recv().unwrap();
        let is_free = Arc::new(AtomicUsize::new(0));
        let flag = is_free.clone();
        let other = std::thread::spawn(move || {
            drop(std::io::stdout().lock());
            flag.store(1, SeqCst);
        });
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert_eq!(is_free.load(SeqCst), 0);
        drop(end);
        holder.join().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn panics_are_counted_for_each_thread() {
    struct Looks(greenthread::sync::mpsc::Sender<bool>);
    impl Drop for Looks {
        fn drop(&mut self) {
            assert!(std::thread::panicking());
            yield_now();
            self.0.send(std::thread::panicking()).unwrap();
        }
    }
    if has_none() {
        return;
    }
    runtime(1).run(|| {
        let (looks, looked) = greenthread::sync::mpsc::channel();
        let panics: Vec<_> = (0..10)
            .map(|number| {
                let looks = Looks(looks.clone());
                spawn(move || {
                    let _looks = looks;
                    if number % 2 == 0 {
                        panic_any(number)
                    } else {
                        std::panic::resume_unwind(Box::new(number))
                    }
                })
            })
            .collect();
        let others: Vec<_> = [true, false]
            .map(|own_tls| {
                thread::Builder::new().own_tls(own_tls).spawn(|| {
                    for _ in 0..20 {
                        assert!(!std::thread::panicking());
                        yield_now();
                    }
                })
            })
            .into_iter()
            .collect();
        for (number, thread) in panics.into_iter().enumerate() {
            let payload = thread.join().unwrap_err();
            assert_eq!(payload.downcast_ref(), Some(&(number as i32)));
        }
        others.into_iter().for_each(|thread| thread.unwrap().join().unwrap());
        assert!(!std::thread::panicking());
        drop(looks);
        assert_eq!(looked.into_iter().collect::<Vec<_>>(), [true; 10]);
    });
}

#[test]
fn a_panic_that_is_caught_leaves_nothing() {
    if has_none() {
        return;
    }
    runtime(1).run(|| {
        let thread = spawn(|| {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                struct Waits;
                impl Drop for Waits {
                    fn drop(&mut self) {
                        yield_now();
                    }
                }
                let _waits = Waits;
                std::panic::resume_unwind(Box::new(()));
            }));
            assert!(caught.is_err());
            std::thread::panicking()
        });
        assert!(!thread.join().unwrap());
    });
}

/// The threads of a scope and of a group have them as well, and are cancelled as others.
#[test]
fn threads_of_scopes_and_groups() {
    std::thread_local!(static COUNT: Cell<u32> = const { Cell::new(0) });
    fn count() -> io::Result<u32> {
        COUNT.set(COUNT.get() + 1);
        thread::yield_now();
        Ok(COUNT.get())
    }
    if has_none() {
        return;
    }
    let own = || Builder::new().own_tls(true);
    let counts = greenthread::run(|| {
        cancel::scope(|s| {
            let mut group = s.group();
            for _ in 0..4 {
                group.spawn_with(own(), count)?;
            }
            let threads = [(); 4].map(|()| s.spawn_with(own(), count));
            let mut counts: Vec<_> = group.map(|done| done.value).collect();
            for thread in threads {
                counts.push(thread?.join()?);
            }
            // These are cancelled, which the scope has to notice.
            for _ in 0..4 {
                s.spawn_with(own(), || {
                    thread::park();
                    Ok(())
                })?;
            }
            s.cancel();
            Ok::<_, io::Error>(counts)
        })
    });
    assert_eq!(counts.unwrap(), [1; 8]);
}

/// A destructor of one kind may make a value of the other, whose destructor does so again.
#[test]
fn destructors_make_values_of_the_other_kind() {
    static DESTROYED: AtomicUsize = AtomicUsize::new(0);
    struct Green(u32);
    struct Os(u32);
    impl Drop for Green {
        fn drop(&mut self) {
            DESTROYED.fetch_add(1, SeqCst);
            match self.0 {
                1 => OS_2.with(|_| ()),
                _ => OS_4.with(|_| ()),
            }
        }
    }
    impl Drop for Os {
        fn drop(&mut self) {
            DESTROYED.fetch_add(1, SeqCst);
            if self.0 == 2 {
                GREEN_3.with(|_| ());
            }
        }
    }
    greenthread::thread_local! {
        static GREEN_1: Green = const { Green(1) };
        static GREEN_3: Green = const { Green(3) };
    }
    std::thread_local! {
        static OS_2: Os = const { Os(2) };
        static OS_4: Os = const { Os(4) };
    }
    if has_none() {
        return;
    }
    runtime(1).run(|| spawn(|| GREEN_1.with(|_| ())).join().unwrap());
    assert_eq!(DESTROYED.load(SeqCst), 4);
}
