//! Threads that join themselves or each other panic, as with std.

use std::{
    panic::{self, AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Once,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use greenthread::{
    Runtime,
    channel::{Receiver, Sender, bounded},
    sync::Barrier,
    thread::{self, JoinHandle},
};

use crate::common::{everywhere, runtime};

type Handle = JoinHandle<()>;

/// Joins, and returns the text of the panic, if it panics. The panics are expected, thousands of
/// times, and not printed.
fn join(handle: Handle) -> Option<String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !info.payload_as_str().is_some_and(|said| said.starts_with("failed to join")) {
                previous(info);
            }
        }));
    });
    let panic = catch_unwind(AssertUnwindSafe(|| handle.join().unwrap())).err()?;
    Some(*panic.downcast::<String>().expect("a text"))
}

fn is_deadlock(said: Option<String>) {
    let said = said.expect("it panics");
    assert!(said.contains("failed to join thread: "), "{said}");
    // Each C library has its own words for the error.
    #[cfg(unix)]
    let number = libc::EDEADLK;
    // ERROR_POSSIBLE_DEADLOCK
    #[cfg(windows)]
    let number = 1131;
    assert!(said.to_lowercase().contains(&format!("os error {number}")), "{said}");
    assert!(said.contains("join_cycles.rs"), "the place of the spawn: {said}");
}

#[test]
fn a_thread_that_joins_itself_panics() {
    everywhere(|| {
        let (send, receive) = bounded::<Handle>(1);
        let thread = thread::Builder::new().name("self".into());
        let (done, end) = bounded(1);
        let thread = thread.spawn(move || {
            let said = join(receive.recv().unwrap());
            assert!(said.as_ref().is_some_and(|said| said.contains("'self'")), "{said:?}");
            is_deadlock(said);
            done.send(()).unwrap();
        });
        send.send(thread.unwrap()).unwrap();
        end.recv().unwrap();
    });
}

#[test]
fn a_local_thread_that_joins_itself_panics() {
    runtime(1).run(|| {
        let (send, receive) = bounded(1);
        let (done, end) = bounded(1);
        let thread = thread::spawn_local(move || {
            let myself: thread::LocalJoinHandle<()> = receive.recv().unwrap();
            let joined = catch_unwind(AssertUnwindSafe(|| myself.join()));
            done.send(joined.is_err()).unwrap();
        });
        send.send(thread).unwrap();
        assert!(end.recv().unwrap());
    });
}

/// Each of `n` threads joins the next, at the same time. Returns how many have panicked.
fn circle(n: usize, runtimes: &[&Runtime]) -> usize {
    let all = Arc::new(Barrier::new(n));
    let panics = Arc::new(AtomicUsize::new(0));
    let (done, end) = bounded(n);
    let (senders, mut threads): (Vec<Sender<Handle>>, Vec<Handle>) = (0..n)
        .map(|i| {
            let (send, receive): (_, Receiver<Handle>) = bounded(1);
            let (all, panics, done) = (all.clone(), panics.clone(), done.clone());
            let thread = runtimes[i % runtimes.len()].spawn(move || {
                let next = receive.recv().unwrap();
                all.wait();
                if let Some(said) = join(next) {
                    panics.fetch_add(1, SeqCst);
                    is_deadlock(Some(said));
                }
                done.send(()).unwrap();
            });
            (send, thread)
        })
        .unzip();
    threads.rotate_left(1);
    senders.iter().zip(threads).for_each(|(to, thread)| to.send(thread).unwrap());
    (0..n).for_each(|_| end.recv().unwrap());
    panics.load(SeqCst)
}

#[test]
fn of_threads_that_join_each_other_one_panics() {
    for workers in [1, 2, 8] {
        let runtime = runtime(workers);
        for n in (2..=64).step_by(7) {
            for _ in 0..if n == 2 { 200 } else { 20 } {
                assert_eq!(circle(n, &[&runtime]), 1, "{n} threads, {workers} workers");
            }
        }
    }
}

#[test]
fn of_threads_of_several_runtimes_too() {
    let (one, two) = (runtime(1), runtime(2));
    for _ in 0..200 {
        assert_eq!(circle(3, &[&one, &two]), 1);
    }
}

#[test]
fn a_scoped_thread_that_joins_its_owner_panics() {
    everywhere(|| {
        let (send, receive) = bounded::<Handle>(1);
        let (done, end) = bounded(1);
        let owner = thread::spawn(move || {
            thread::scope(|scope| {
                scope.spawn(|| {
                    // Through a thread that is not of the scope.
                    let owner = receive.recv().unwrap();
                    is_deadlock(join(owner));
                });
            });
            done.send(()).unwrap();
        });
        send.send(owner).unwrap();
        end.recv().unwrap();
    });
}

#[test]
fn a_scoped_thread_that_joins_one_who_joins_its_owner_panics() {
    everywhere(|| {
        let (send, receive) = bounded::<Handle>(1);
        let (send_owner, receive_owner) = bounded::<Handle>(1);
        let (done, end) = bounded(2);
        let finished = done.clone();
        let between = thread::spawn(move || {
            let said = join(receive_owner.recv().unwrap());
            done.send(said).unwrap();
        });
        send.send(between).unwrap();
        let owner = thread::spawn(move || {
            let done = finished;
            thread::scope(|scope| {
                scope.spawn(|| done.send(join(receive.recv().unwrap())).unwrap());
            });
        });
        send_owner.send(owner).unwrap();
        let said = [end.recv().unwrap(), end.recv().unwrap()];
        let panics: Vec<_> = said.into_iter().flatten().collect();
        assert_eq!(panics.len(), 1, "{panics:?}");
        is_deadlock(panics.into_iter().next());
    });
}

#[test]
fn a_child_on_its_joiners_stack_counts_as_joined() {
    runtime(1).run(|| {
        let (send, receive) = bounded::<Handle>(1);
        let (done, end) = bounded(1);
        let joiner = thread::spawn(move || {
            // It has not started when it is joined, so it runs inline.
            let child = thread::Builder::new().stack_size(1).spawn(move || {
                is_deadlock(join(receive.recv().unwrap()));
                done.send(()).unwrap();
            });
            child.unwrap().join().unwrap();
        });
        send.send(joiner).unwrap();
        end.recv().unwrap();
    });
}

/// Joins that look similar to a cycle, but are none.
#[test]
fn chains_and_trees_of_joins_are_as_before() {
    fn tree(depth: u32) -> u32 {
        if depth == 0 {
            thread::yield_now();
            return 1;
        }
        let both = [0, 1].map(|_| thread::spawn(move || tree(depth - 1)));
        // The threads start, so that the joiner waits for them.
        thread::yield_now();
        both.into_iter().map(|thread| thread.join().unwrap()).sum()
    }
    fn chain(length: u32) -> u32 {
        if length == 0 {
            return 0;
        }
        let next = thread::spawn(move || chain(length - 1));
        thread::yield_now();
        next.join().unwrap() + 1
    }
    everywhere(|| {
        assert_eq!(tree(8), 256);
        assert_eq!(chain(200), 200);
    });
}
