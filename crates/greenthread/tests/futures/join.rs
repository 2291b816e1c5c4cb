//! Threads that are awaited.

use std::{
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
};

use greenthread::{block_on, channel, thread};

use crate::{
    Count,
    common::world::{Counted, everywhere},
    poll,
};

#[test]
fn results_and_panics() {
    everywhere(|_| {
        let sum = block_on(async {
            let threads: Vec<_> = (0..100).map(|n| thread::spawn(move || n)).collect();
            let mut sum = 0;
            for thread in threads {
                sum += thread.await.unwrap();
            }
            sum
        });
        assert_eq!(sum, 4950);
        let panic = thread::spawn(|| std::panic::resume_unwind(Box::new(7)));
        assert_eq!(block_on(panic).unwrap_err().downcast_ref(), Some(&7));
    });
}

#[test]
fn a_task_is_woken_once_and_by_its_last_waker() {
    everywhere(|_| {
        let (go, gone) = channel::bounded::<()>(1);
        let thread = thread::spawn(move || gone.recv().unwrap());
        let ((first, one), (second, other)) = (Count::new(), Count::new());
        let mut end = thread.into_future();
        assert!(poll(&mut end, &one).is_pending());
        assert!(poll(&mut end, &one).is_pending());
        assert!(poll(&mut end, &other).is_pending());
        go.send(()).unwrap();
        while second.get() == 0 {
            thread::yield_now();
        }
        assert_eq!((first.get(), second.get()), (0, 1));
        assert!(matches!(poll(&mut end, &one), Poll::Ready(Ok(()))));
    });
}

/// Futures that are dropped before, at and after the end. The result is dropped once.
#[test]
fn dropped_at_any_moment() {
    everywhere(|world| {
        for round in 0..300 {
            let drops = Arc::new(AtomicUsize::new(0));
            let counted = Counted(drops.clone());
            let (_, waker) = Count::new();
            let (go, gone) = channel::bounded::<()>(1);
            let thread = thread::spawn(move || {
                gone.recv().unwrap();
                counted
            });
            let mut end = thread.into_future();
            let is_ready = poll(&mut end, &waker).is_ready();
            assert!(!is_ready);
            let other = world.spawn(move || {
                (0..round % 7).for_each(|_| thread::yield_now());
                go.send(()).unwrap();
            });
            (0..round % 5).for_each(|_| thread::yield_now());
            if round % 2 == 0 {
                drop(end);
            } else if let Poll::Ready(result) = poll(&mut end, &waker) {
                drop(result.unwrap());
            } else {
                drop(end);
            }
            other.end();
            while drops.load(SeqCst) == 0 {
                thread::yield_now();
            }
            assert_eq!(drops.load(SeqCst), 1);
        }
    });
}

#[test]
fn forgotten() {
    everywhere(|_| {
        let (go, gone) = channel::bounded::<()>(1);
        let thread = thread::spawn(move || gone.recv().unwrap());
        let (count, waker) = Count::new();
        let mut end = thread.into_future();
        assert!(poll(&mut end, &waker).is_pending());
        std::mem::forget(end);
        go.send(()).unwrap();
        while count.get() == 0 {
            thread::yield_now();
        }
    });
}

#[test]
fn scoped_and_local() {
    everywhere(|world| {
        let numbers = [1, 2, 3];
        let sum = thread::scope(|s| {
            let thread = s.spawn(|| numbers.iter().sum::<i32>());
            block_on(thread).unwrap()
        });
        assert_eq!(sum, 6);
        // Not awaited to the end: the scope waits for it.
        let ended = AtomicUsize::new(0);
        thread::scope(|s| {
            let mut end = s
                .spawn(|| {
                    thread::yield_now();
                    ended.fetch_add(1, SeqCst);
                })
                .into_future();
            _ = poll(&mut end, &Count::new().1);
        });
        assert_eq!(ended.load(SeqCst), 1);
        if world.kind != crate::common::world::Kind::Os && thread::is_green() {
            let local = thread::spawn_local(|| Rc::new(5));
            assert_eq!(*block_on(local).unwrap(), 5);
        }
    });
}

/// Threads that await each other in a chain, and threads that join them: the search for cycles
/// meets futures.
#[test]
fn among_joins() {
    everywhere(|_| {
        let mut last = thread::spawn(|| 0);
        for n in 0..50 {
            let before = last;
            last = thread::spawn(move || {
                if n % 2 == 0 { block_on(before).unwrap() + 1 } else { before.join().unwrap() + 1 }
            });
        }
        assert_eq!(last.join().unwrap(), 50);
    });
}
