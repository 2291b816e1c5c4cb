//! What completes is returned; what is masked is not cancelled; what is cancelled stays so.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use greenthread::{
    cancel::{self, Cancelled, Token},
    channel, sync, thread,
    time::Instant,
};

use crate::common::world::{Random, everywhere, micros};

const SHORT: Duration = Duration::from_millis(2);

#[test]
fn what_has_completed_is_returned() {
    assert_eq!(cancel::deadline(Instant::now(), || 7), Ok(7));
    let token = Token::new();
    assert_eq!(
        token
            .run(|| {
                token.cancel();
                7
            })
            .unwrap(),
        7
    );
}

#[test]
fn a_thread_that_has_not_started_ends_at_its_first_point() {
    let runtime = greenthread::Runtime::builder().workers(1).build().unwrap();
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    runtime.run(|| {
        let thread = thread::spawn(|| {
            BEGUN.fetch_add(1, SeqCst);
            thread::park();
            unreachable!("the park is a point");
        });
        thread.cancel();
        thread.cancel();
        assert!(thread.join().unwrap_err().is::<Cancelled>());
    });
    assert_eq!(BEGUN.load(SeqCst), 1);
}

/// Destructors that run when a thread's closure has returned enter scopes, though none is left
/// above them. Deadlines end waits there, and a cancellation of the thread does not.
#[test]
fn late_destructors_enter_scopes() {
    static DONE: AtomicUsize = AtomicUsize::new(0);
    struct Late;
    impl Drop for Late {
        fn drop(&mut self) {
            cancel::shield(thread::yield_now);
            assert!(cancel::timeout(SHORT, || cancel::shield(|| thread::sleep(SHORT))).is_ok());
            assert!(cancel::timeout(SHORT, thread::park).is_err());
            let sum: Result<_, ()> = cancel::scope(|s| s.spawn(|| Ok(thread::sleep(SHORT))).join());
            assert!(sum.is_ok() && !cancel::is_cancelled());
            DONE.fetch_add(1, SeqCst);
        }
    }
    greenthread::thread_local!(static LATE: Late = const { Late });
    everywhere(|_| {
        DONE.store(0, SeqCst);
        // The result of a detached thread, and a thread-local.
        for is_cancelled in [false, true] {
            let thread = thread::spawn(move || {
                LATE.with(|_| ());
                if is_cancelled {
                    cancel::shield(thread::park);
                }
                Late
            });
            if is_cancelled {
                thread.cancel();
                thread.thread().unpark();
            }
        }
        let deadline = Instant::now() + Duration::from_secs(60);
        while DONE.load(SeqCst) < 4 && Instant::now() < deadline {
            thread::sleep(SHORT);
        }
        assert_eq!(DONE.load(SeqCst), 4);
    });
}

/// An OS thread's locals are destroyed one after the other, and among them is what it sleeps in.
/// A canceller wakes it all the same.
#[test]
fn late_destructors_of_os_threads_are_cancelled_in_their_scopes() {
    type Wait = (Token, channel::Receiver<()>, mpsc::Sender<bool>);
    struct Late(RefCell<Option<Wait>>);
    impl Drop for Late {
        fn drop(&mut self) {
            if let Some((token, receiver, end)) = self.0.take() {
                end.send(false).unwrap();
                _ = end.send(token.run(|| receiver.recv()).is_err());
            }
        }
    }
    std::thread_local!(static LATE: Late = const { Late(RefCell::new(None)) });
    let (token, (sender, receiver), (end, ended)) = (Token::new(), channel::bounded(1), mpsc::channel());
    let theirs = token.clone();
    std::thread::spawn(move || {
        LATE.with(|late| late.0.replace(Some((theirs, receiver, end))));
        // What was made last is destroyed first.
        let (_sender, receiver) = channel::bounded::<()>(0);
        assert!(receiver.recv_timeout(SHORT).is_err());
    });
    assert_eq!(ended.recv(), Ok(false));
    std::thread::sleep(SHORT);
    token.cancel();
    assert_eq!(ended.recv_timeout(Duration::from_secs(60)), Ok(true));
    drop(sender);
}

/// What `run` calls may borrow from the caller. So the caller stays, and the closure is cancelled
/// in its place.
#[test]
fn a_cancelled_run_waits_for_its_closure() {
    everywhere(|world| {
        world
            .spawn(|| {
                let runtime = crate::common::runtime(1);
                let (mut has_ended, mut was_cancelled) = (false, false);
                let result = cancel::timeout(SHORT, || {
                    runtime.run(|| {
                        cancel::shield(|| thread::sleep(10 * SHORT));
                        has_ended = true;
                        7
                    })
                });
                assert_eq!((result, has_ended), (Ok(7), true));
                let result = cancel::timeout(SHORT, || {
                    greenthread::run(|| {
                        was_cancelled = catch_unwind(AssertUnwindSafe(thread::park)).is_err();
                        thread::park();
                    })
                });
                assert!(was_cancelled && result.is_err());
            })
            .end();
    });
}

/// A join that would never end panics, and so it may end a wait; but not that of `run`.
#[test]
fn a_run_waits_for_its_closure_even_if_that_waits_for_the_caller() {
    let (sender, receiver) = channel::bounded::<thread::JoinHandle<()>>(1);
    let runtime = crate::common::runtime(2);
    let caller = runtime.spawn(move || {
        let mut has_ended = false;
        greenthread::run(|| {
            let caller = receiver.recv().unwrap();
            assert!(catch_unwind(AssertUnwindSafe(|| caller.join())).is_err(), "it waits for this");
            has_ended = true;
        });
        assert!(has_ended);
    });
    sender.send(caller).unwrap();
}

#[test]
fn a_thread_that_has_ended_is_not_cancelled() {
    let thread = thread::spawn(|| 7);
    while !thread.is_finished() {
        thread::yield_now();
    }
    thread.cancel();
    assert_eq!(thread.join().unwrap(), 7);
}

#[test]
fn a_thread_cancels_itself() {
    let (sender, receiver) = channel::bounded::<thread::JoinHandle<()>>(1);
    let thread = thread::spawn(move || {
        let own = receiver.recv().unwrap();
        own.cancel();
        own.cancel();
        assert!(cancel::is_cancelled());
        thread::park();
        unreachable!("the park is a point");
    });
    sender.send(thread).unwrap();
}

#[test]
fn it_is_a_level_and_no_edge() {
    let caught = thread::spawn(|| ());
    caught.join().unwrap();
    let count = std::sync::Arc::new(AtomicUsize::new(0));
    let theirs = count.clone();
    let thread = thread::spawn(move || {
        for _ in 0..3 {
            let payload = catch_unwind(AssertUnwindSafe(thread::park)).unwrap_err();
            assert!(payload.is::<Cancelled>());
            theirs.fetch_add(1, SeqCst);
        }
    });
    thread.cancel();
    thread.join().unwrap();
    assert_eq!(count.load(SeqCst), 3);
}

#[test]
fn the_earliest_deadline_wins_and_the_edge_is_its_own() {
    everywhere(|world| {
        world
            .spawn(|| {
                let outer = cancel::timeout(Duration::from_secs(60), || {
                    let inner = cancel::timeout(SHORT, thread::park);
                    assert!(inner.is_err());
                    thread::sleep(Duration::from_micros(10));
                    "went on"
                });
                assert_eq!(outer, Ok("went on"));
                let outer = cancel::timeout(SHORT, || {
                    let _: Result<(), _> = cancel::timeout(Duration::from_secs(60), thread::park);
                    unreachable!("the outer deadline unwinds further");
                });
                assert!(outer.is_err());
            })
            .end();
    });
}

#[test]
fn shields_hold_and_end() {
    everywhere(|world| {
        let token = Token::new();
        let theirs = token.clone();
        let (begun, has_begun) = channel::bounded(1);
        let (go_on, may_go_on) = channel::bounded::<()>(1);
        let thread = world.spawn(move || {
            let result = theirs.run(|| {
                cancel::shield(|| {
                    begun.send(()).unwrap();
                    may_go_on.recv().unwrap();
                    assert!(!cancel::is_cancelled());
                    assert!(cancel::timeout(SHORT, thread::park).is_err());
                    let all = cancel::scope(|scope| {
                        let one = scope.spawn(|| {
                            thread::sleep(SHORT);
                            Ok::<_, ()>(1)
                        });
                        one.join()
                    });
                    assert_eq!(all, Ok(1));
                });
                assert!(cancel::is_cancelled());
                thread::park();
            });
            assert!(result.is_err());
        });
        has_begun.recv().unwrap();
        token.cancel();
        go_on.send(()).unwrap();
        thread.end();
    });
}

#[test]
fn destructors_wait_in_peace() {
    struct Waits(channel::Sender<u32>, channel::Receiver<u32>);
    impl Drop for Waits {
        fn drop(&mut self) {
            thread::sleep(SHORT);
            self.0.send(self.1.recv().unwrap() + 1).unwrap();
        }
    }
    let (to, from) = channel::bounded(1);
    let (back, answer) = channel::bounded(1);
    let thread = thread::spawn(move || {
        let _waits = Waits(back, from);
        thread::park();
    });
    std::thread::sleep(SHORT);
    thread.cancel();
    std::thread::sleep(SHORT);
    to.send(7).unwrap();
    assert_eq!(answer.recv(), Ok(8));
    assert!(thread.join().is_err());
}

#[test]
fn destructors_of_thread_locals_wait_in_peace() {
    struct Waits(channel::Sender<&'static str>);
    impl Drop for Waits {
        fn drop(&mut self) {
            thread::sleep(SHORT);
            self.0.send("destroyed").unwrap();
        }
    }
    greenthread::thread_local!(static VALUE: std::cell::RefCell<Option<Waits>> = const { std::cell::RefCell::new(None) });
    let (sender, receiver) = channel::bounded(1);
    let thread = thread::spawn(move || {
        VALUE.with(|value| *value.borrow_mut() = Some(Waits(sender)));
        thread::park();
    });
    std::thread::sleep(SHORT);
    thread.cancel();
    assert_eq!(receiver.recv(), Ok("destroyed"));
    assert!(thread.join().is_err());
}

#[test]
fn without_yield_is_masked() {
    let (sender, receiver) = channel::bounded::<u32>(1);
    let thread = thread::spawn(move || {
        let got = thread::without_yield(|| receiver.recv());
        assert_eq!(got, Ok(7));
        thread::park();
    });
    std::thread::sleep(SHORT);
    thread.cancel();
    std::thread::sleep(SHORT);
    sender.send(7).unwrap();
    assert!(thread.join().unwrap_err().is::<Cancelled>());
}

#[test]
fn a_guard_poisons_as_with_std() {
    let mutex = std::sync::Arc::new(sync::Mutex::new(()));
    let theirs = mutex.clone();
    let thread = thread::spawn(move || {
        let _guard = theirs.lock().unwrap();
        thread::park();
    });
    std::thread::sleep(SHORT);
    thread.cancel();
    assert!(thread.join().is_err());
    assert!(mutex.is_poisoned());
}

#[test]
fn a_permit_is_not_lost() {
    let semaphore = std::sync::Arc::new(sync::Semaphore::new(0));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let semaphore = semaphore.clone();
            thread::spawn(move || drop(semaphore.acquire()))
        })
        .collect();
    std::thread::sleep(SHORT);
    threads[0].cancel();
    semaphore.add_permits(1);
    // The first one may have had the permit before it was cancelled; then it gives it back.
    let mut threads = threads.into_iter();
    _ = threads.next().unwrap().join();
    threads.for_each(|thread| thread.join().unwrap());
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn a_thread_that_unwinds_by_its_own_panic_is_not_cancelled() {
    struct Waits(channel::Receiver<u32>, channel::Sender<u32>, channel::Receiver<()>);
    impl Drop for Waits {
        fn drop(&mut self) {
            let got = self.0.recv().unwrap();
            assert!(self.2.recv_timeout(SHORT).is_err());
            self.1.send(got).unwrap();
        }
    }
    let (to, from) = channel::bounded(1);
    let (back, answer) = channel::bounded(1);
    let (_never, comes) = channel::bounded(1);
    let thread = thread::spawn(move || {
        let _waits = Waits(from, back, comes);
        std::panic::resume_unwind(Box::new("why"));
    });
    std::thread::sleep(SHORT);
    thread.cancel();
    std::thread::sleep(SHORT);
    to.send(7).unwrap();
    assert_eq!(answer.recv(), Ok(7));
    assert_eq!(thread.join().unwrap_err().downcast_ref(), Some(&"why"));
}

/// The deadline ends the join at the moment at which the thread ends: its end is not waited for
/// twice, and the joiner is not left alone.
#[test]
fn a_deadline_and_an_end_race_for_a_join() {
    everywhere(|world| {
        let joiners: Vec<_> = (0..8)
            .map(|seed| {
                world.spawn(move || {
                    let mut random = Random::new(seed);
                    for _ in 0..200 {
                        let time = micros(random.below(300));
                        let other = thread::spawn(move || thread::sleep(time));
                        _ = cancel::timeout(time, || other.join());
                    }
                })
            })
            .collect();
        joiners.into_iter().for_each(|joiner| joiner.end());
    });
}

/// A thread that is cancelled while the last one arrives is counted or not, but not half.
#[test]
fn a_cancellation_and_the_last_arrival_race_for_a_barrier() {
    everywhere(|world| {
        for seed in 0..100 {
            let barrier = Arc::new(sync::Barrier::new(2));
            let token = Token::new();
            let (theirs, waits) = (barrier.clone(), token.clone());
            let cancelled = world.spawn(move || waits.run(|| theirs.wait()).is_err());
            let theirs = barrier.clone();
            let last = world.spawn(move || {
                let mut random = Random::new(seed);
                random.dawdle();
                theirs.wait();
            });
            let mut random = Random::new(seed + 1000);
            random.dawdle();
            token.cancel();
            if cancelled.end() {
                // The other one waits for somebody else.
                barrier.wait();
            }
            last.end();
            let theirs = barrier.clone();
            let again = world.spawn(move || theirs.wait().is_leader());
            assert_ne!(barrier.wait().is_leader(), again.end());
        }
    });
}

/// A wake-up that comes when the park has just been cancelled is kept for the next one.
#[test]
fn an_unpark_is_not_lost() {
    everywhere(|world| {
        for seed in 0..500 {
            let token = Token::new();
            let theirs = token.clone();
            let (sender, receiver) = channel::bounded(1);
            let parks = world.spawn(move || {
                sender.send(thread::current()).unwrap();
                if theirs.run(thread::park).is_err() {
                    thread::park();
                }
            });
            let thread = receiver.recv().unwrap();
            let unparks = world.spawn(move || {
                Random::new(seed).dawdle();
                thread.unpark();
            });
            Random::new(seed + 1000).dawdle();
            token.cancel();
            unparks.end();
            parks.end();
        }
    });
}

/// A chain of scopes that is deeper than the canceller's stack would be if it went down by calls.
#[test]
fn a_deep_chain_is_cancelled() {
    const DEPTH: usize = 800;
    fn chain(depth: usize, deepest: &AtomicUsize) -> Result<(), ()> {
        if depth == 0 {
            deepest.fetch_add(1, SeqCst);
            thread::park();
            return Ok(());
        }
        cancel::scope(|scope| {
            scope.spawn(move || chain(depth - 1, deepest));
            Ok(())
        })
    }
    let runtime = greenthread::Runtime::builder().workers(2).build().unwrap();
    runtime.run(|| {
        let token = Token::new();
        let deepest = Arc::new(AtomicUsize::new(0));
        let (theirs, mark) = (token.clone(), deepest.clone());
        let thread = thread::spawn(move || theirs.run(|| chain(DEPTH, &mark)));
        while deepest.load(SeqCst) == 0 {
            thread::sleep(SHORT);
        }
        let small = thread::Builder::new().stack_size(64 * 1024);
        drop(small.spawn(move || token.cancel()).unwrap());
        assert!(thread.join().unwrap().is_err());
    });
}

#[test]
fn a_scope_in_a_destructor_is_whole() {
    struct Farewell(mpsc::Sender<u32>);
    impl Drop for Farewell {
        fn drop(&mut self) {
            let contender = || {
                thread::sleep(SHORT);
                7
            };
            self.0.send(cancel::race([contender, contender])).unwrap();
        }
    }
    everywhere(|world| {
        let (sender, receiver) = mpsc::channel();
        let token = Token::new();
        let theirs = token.clone();
        let thread = world.spawn(move || {
            theirs.run(|| {
                let _farewell = Farewell(sender);
                thread::park();
            })
        });
        token.cancel();
        assert!(thread.end().is_err());
        // The token may have come before its scope.
        assert_eq!(receiver.recv().unwrap_or(7), 7);
    });
}
