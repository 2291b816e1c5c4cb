//! `sync::Barrier`, `ReentrantLock` and `WaitGroup`, on green threads, OS threads and both.

use std::{
    cell::{Cell, RefCell},
    panic::{RefUnwindSafe, UnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use greenthread::{
    sync::{
        Arc, Barrier, BarrierWaitResult, ReentrantLock, ReentrantLockGuard, WaitGroup,
        mpsc::{TryRecvError, channel},
    },
    thread,
};

use crate::common::world::{Random, everywhere, micros, time_limit};

// ---- Barrier

#[test]
fn nobody_passes_before_all_have_come() {
    everywhere(|world| {
        const THREADS: usize = 10;
        let barrier = Arc::new(Barrier::new(THREADS));
        let (passed, passes) = channel();
        let threads: Vec<_> = (1..THREADS)
            .map(|_| {
                let (barrier, passed) = (Arc::clone(&barrier), passed.clone());
                world.spawn(move || passed.send(barrier.wait().is_leader()).unwrap())
            })
            .collect();
        thread::sleep(micros(300));
        assert_eq!(passes.try_recv(), Err(TryRecvError::Empty));
        let mut leaders = usize::from(barrier.wait().is_leader());
        leaders += (1..THREADS).filter(|_| passes.recv().unwrap()).count();
        assert_eq!(leaders, 1);
        threads.into_iter().for_each(|thread| thread.end());
    });
}

#[test]
fn a_barrier_is_used_again_at_once() {
    everywhere(|world| {
        const THREADS: usize = 6;
        const ROUNDS: usize = 100;
        let barrier = Arc::new(Barrier::new(THREADS));
        let come = Arc::new(AtomicUsize::new(0));
        let leaders = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..THREADS)
            .map(|seed| {
                let (barrier, come, leaders) =
                    (Arc::clone(&barrier), Arc::clone(&come), Arc::clone(&leaders));
                world.spawn(move || {
                    let mut random = Random::new(seed as u64);
                    for round in 1..=ROUNDS {
                        random.dawdle();
                        come.fetch_add(1, Relaxed);
                        let leads = barrier.wait().is_leader();
                        // All threads of this round have come, and none is two rounds ahead.
                        let count = come.load(Relaxed);
                        assert!((round * THREADS..(round + 1) * THREADS).contains(&count), "{round} {count}");
                        leaders.fetch_add(usize::from(leads), Relaxed);
                        barrier.wait();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(leaders.load(Relaxed), ROUNDS);
    });
}

#[test]
fn a_barrier_for_nobody_or_one_is_open() {
    for n in [0, 1] {
        let barrier = Barrier::new(n);
        assert!(barrier.wait().is_leader() && barrier.wait().is_leader());
    }
    static OPEN: Barrier = Barrier::new(1);
    let theirs = std::sync::Barrier::new(1);
    assert_eq!(format!("{OPEN:?} {:?}", OPEN.wait()), format!("{theirs:?} {:?}", theirs.wait()));
    fn all<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
    all::<Barrier>();
    all::<BarrierWaitResult>();
}

// ---- ReentrantLock

#[test]
fn its_owner_locks_it_again() {
    everywhere(|world| {
        let lock = Arc::new(ReentrantLock::new(RefCell::new(0)));
        let threads: Vec<_> = (0..6)
            .map(|seed| {
                let lock = Arc::clone(&lock);
                world.spawn(move || {
                    let mut random = Random::new(seed + 3);
                    for _ in 0..100 {
                        let outer = lock.lock();
                        let before = *outer.borrow();
                        random.dawdle();
                        {
                            let inner = lock.lock();
                            *inner.borrow_mut() += 1;
                            random.dawdle();
                        }
                        random.dawdle();
                        // The drop of the inner guard has not unlocked it.
                        *outer.borrow_mut() += 1;
                        assert_eq!(*outer.borrow(), before + 2);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(*lock.lock().borrow(), 1200);
    });
}

#[test]
fn guards_go_in_any_order() {
    everywhere(|world| {
        let lock = Arc::new(ReentrantLock::new(()));
        let (one, two, three) = (lock.lock(), lock.lock(), lock.lock());
        let (got, gets) = channel();
        let other = Arc::clone(&lock);
        let waits = world.spawn(move || {
            let _guard = other.lock();
            got.send(()).unwrap();
        });
        drop(one);
        drop(three);
        thread::sleep(micros(300));
        assert_eq!(gets.try_recv(), Err(TryRecvError::Empty));
        drop(two);
        gets.recv().unwrap();
        waits.end();
    });
}

#[test]
fn siblings_on_one_worker_are_not_one_owner() {
    let _guard = time_limit("siblings".into());
    let runtime = greenthread::Runtime::builder().workers(1).build().unwrap();
    runtime.run(|| {
        let lock = Arc::new(ReentrantLock::new(Cell::new(0)));
        let guard = lock.lock();
        let other = Arc::clone(&lock);
        let sibling = thread::spawn(move || other.lock().replace(1));
        for _ in 0..10 {
            thread::yield_now();
            assert_eq!(guard.get(), 0);
        }
        drop(guard);
        assert_eq!(sibling.join().unwrap(), 0);
        assert_eq!(lock.lock().get(), 1);
    });
}

#[test]
fn a_panic_unlocks_and_poisons_nothing() {
    everywhere(|world| {
        let lock = Arc::new(ReentrantLock::new(Cell::new(0)));
        let other = Arc::clone(&lock);
        let died = world.spawn(move || {
            let (outer, _inner) = (other.lock(), other.lock());
            outer.set(1);
            panic!("on purpose");
        });
        assert!(died.join().is_err());
        assert_eq!(lock.lock().get(), 1);
    });
}

#[test]
fn a_reentrant_lock_is_made_and_taken_apart() {
    static LOCK: ReentrantLock<i32> = ReentrantLock::new(1);
    assert_eq!(*LOCK.lock(), 1);
    let mut lock = ReentrantLock::from(String::from("a"));
    lock.get_mut().push('b');
    assert_eq!(format!("{lock:?}"), r#"ReentrantLock { data: "ab", .. }"#);
    let guard = lock.lock();
    // This thread owns the lock, so it may look.
    assert_eq!(format!("{lock:?} {guard:?} {guard}"), r#"ReentrantLock { data: "ab", .. } "ab" ab"#);
    std::thread::scope(|s| {
        let print = s.spawn(|| format!("{lock:?}"));
        assert_eq!(print.join().unwrap(), "ReentrantLock { data: <locked>, .. }");
    });
    drop(guard);
    assert_eq!(lock.into_inner(), "ab");
    assert_eq!(ReentrantLock::<u8>::default().into_inner(), 0);
    let unsized_one: &ReentrantLock<[u8]> = &ReentrantLock::new([1, 2]);
    assert_eq!(unsized_one.lock().len(), 2);

    fn all<T: Send + Sync + UnwindSafe>() {}
    all::<ReentrantLock<Cell<u8>>>();
    fn sync<T: Sync>() {}
    sync::<ReentrantLockGuard<'static, u8>>();
    trait Not<A> {
        fn answer() {}
    }
    struct Has;
    impl<T: ?Sized> Not<()> for T {}
    impl<T: ?Sized + Send> Not<Has> for T {}
    impl<T: ?Sized + Sync> Not<[Has; 2]> for T {}
    let _ = <ReentrantLockGuard<'static, Cell<u8>> as Not<_>>::answer;
}

// ---- WaitGroup

#[test]
fn waits_for_all_members() {
    everywhere(|world| {
        let group = WaitGroup::new();
        let done = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..10)
            .map(|seed| {
                let (member, done) = (group.clone(), Arc::clone(&done));
                world.spawn(move || {
                    let mut random = Random::new(seed);
                    random.dawdle();
                    done.fetch_add(1, Relaxed);
                    drop(member);
                })
            })
            .collect();
        group.wait();
        assert_eq!(done.load(Relaxed), 10);
        threads.into_iter().for_each(|thread| thread.end());
    });
}

#[test]
fn members_may_wait_too() {
    everywhere(|world| {
        const THREADS: usize = 8;
        let group = WaitGroup::new();
        let come = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let (member, come) = (group.clone(), Arc::clone(&come));
                world.spawn(move || {
                    come.fetch_add(1, Relaxed);
                    member.wait();
                    assert_eq!(come.load(Relaxed), THREADS);
                })
            })
            .collect();
        thread::sleep(micros(300));
        assert!(format!("{group:?}").starts_with("WaitGroup { members: "));
        drop(group);
        threads.into_iter().for_each(|thread| thread.end());
    });
}

#[test]
fn a_panic_leaves_the_group() {
    everywhere(|world| {
        let group = WaitGroup::default();
        let member = group.clone();
        let died = world.spawn(move || {
            let _member = member;
            panic!("on purpose");
        });
        group.wait();
        assert!(died.join().is_err());
        assert!(catch_unwind(|| WaitGroup::new().wait()).is_ok());
    });
}

#[test]
fn a_member_makes_members() {
    everywhere(|world| {
        let (group, world) = (WaitGroup::new(), world.clone());
        let (member, inner) = (group.clone(), world.clone());
        let done = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&done);
        let first = world.spawn(move || {
            for _ in 0..4 {
                let (member, count) = (member.clone(), Arc::clone(&count));
                inner.spawn(move || {
                    thread::yield_now();
                    count.fetch_add(1, Relaxed);
                    drop(member);
                });
            }
        });
        group.wait();
        assert_eq!(done.load(Relaxed), 4);
        first.end();
    });
}
