//! Permits that are awaited.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
};

use greenthread::{block_on, sync::Semaphore};

use crate::{
    Count,
    common::world::{Random, everywhere},
    poll,
};

#[test]
fn in_the_order_of_the_first_polls() {
    everywhere(|world| {
        let semaphore = Arc::new(Semaphore::new(1));
        let permit = semaphore.acquire();
        let ((first, one), (second, other)) = (Count::new(), Count::new());
        let (mut a, mut b) = (semaphore.acquire_async(), semaphore.acquire_many_async(2));
        assert!(poll(&mut a, &one).is_pending() && poll(&mut b, &other).is_pending());
        let theirs = semaphore.clone();
        let thread = world.spawn(move || drop(theirs.acquire()));
        drop(permit);
        assert_eq!((first.get(), second.get()), (1, 0));
        let Poll::Ready(permit) = poll(&mut a, &other) else { panic!("it was granted") };
        semaphore.add_permits(1);
        assert_eq!(second.get(), 0);
        drop(permit);
        assert_eq!(second.get(), 1);
        assert!(poll(&mut b, &one).is_ready());
        thread.end();
        assert_eq!(semaphore.available_permits(), 2);
    });
}

#[test]
fn a_dropped_future_gives_its_place_and_its_permits_to_the_next() {
    everywhere(|_| {
        let semaphore = Semaphore::new(0);
        let ((_, one), (second, other)) = (Count::new(), Count::new());
        let (mut a, mut b) = (semaphore.acquire_many_async(2), semaphore.acquire_async());
        assert!(poll(&mut a, &one).is_pending() && poll(&mut b, &other).is_pending());
        semaphore.add_permits(1);
        assert_eq!(second.get(), 0);
        // It waits in front of the other one.
        drop(a);
        assert_eq!(second.get(), 1);
        // It was granted, and was not polled.
        let (third, waker) = Count::new();
        let mut c = semaphore.acquire_async();
        assert!(poll(&mut c, &waker).is_pending());
        drop(b);
        assert_eq!(third.get(), 1);
        assert!(poll(&mut c, &waker).is_ready());
        drop(c);
        assert_eq!(semaphore.available_permits(), 1);
    });
}

#[test]
fn storm() {
    everywhere(|world| {
        let semaphore = Arc::new(Semaphore::new(3));
        let inside = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..8)
            .map(|seed| {
                let (semaphore, inside) = (semaphore.clone(), inside.clone());
                world.spawn(move || {
                    let mut random = Random::new(seed + 1);
                    for _ in 0..200 {
                        let n = 1 + random.below(3) as usize;
                        let permit = match random.below(3) {
                            0 => semaphore.acquire_many(n),
                            1 => block_on(semaphore.acquire_many_async(n)),
                            _ => {
                                let mut future = semaphore.acquire_many_async(n);
                                let polled = poll(&mut future, &Count::new().1);
                                random.dawdle();
                                let Poll::Ready(permit) = polled else { continue };
                                permit
                            }
                        };
                        assert!(inside.fetch_add(n, SeqCst) + n <= 3);
                        random.dawdle();
                        inside.fetch_sub(n, SeqCst);
                        drop(permit);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(semaphore.available_permits(), 3);
    });
}
