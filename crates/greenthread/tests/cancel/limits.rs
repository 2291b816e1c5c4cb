//! The limit of a scope's live threads. `max_threads` has that of a runtime.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use greenthread::{cancel, channel, thread};

use crate::common::world::{Counted, everywhere};

const SHORT: Duration = Duration::from_millis(2);

/// Counts those who live, and notes the most.
#[derive(Default)]
pub(crate) struct Census {
    alive: AtomicUsize,
    pub(crate) most: AtomicUsize,
}

impl Census {
    pub(crate) fn live<T>(&self, life: impl FnOnce() -> T) -> T {
        let alive = self.alive.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(alive, SeqCst);
        let result = life();
        self.alive.fetch_sub(1, SeqCst);
        result
    }
}

#[test]
fn no_more_than_the_limit_live_at_a_time() {
    everywhere(|world| {
        world
            .spawn(|| {
                for limit in [1, 2, 7, usize::MAX] {
                    let (census, ended) = (Census::default(), AtomicUsize::new(0));
                    let result = cancel::scope(|scope| {
                        scope.set_limit(limit);
                        for _ in 0..40 {
                            scope.spawn(|| {
                                census.live(|| {
                                    (0..3).for_each(|_| thread::yield_now());
                                    ended.fetch_add(1, SeqCst);
                                });
                                Ok::<_, ()>(())
                            });
                        }
                        Ok(())
                    });
                    assert_eq!((result, ended.load(SeqCst)), (Ok(()), 40));
                    assert!(census.most.load(SeqCst) <= limit, "{} of {limit}", census.most.load(SeqCst));
                }
            })
            .end();
    });
}

#[test]
fn all_places_are_used() {
    everywhere(|world| {
        world
            .spawn(|| {
                // Five threads that wait for each other: they must live at the same time.
                let barrier = greenthread::sync::Barrier::new(5);
                let done = cancel::scope(|scope| {
                    scope.set_limit(5);
                    for _ in 0..20 {
                        scope.spawn(|| Ok::<_, ()>(_ = barrier.wait()));
                    }
                    Ok(())
                });
                assert_eq!(done, Ok(()));
            })
            .end();
    });
}

#[test]
fn to_spawn_at_the_limit_is_a_cancellation_point() {
    everywhere(|world| {
        world
            .spawn(|| {
                let dropped = Arc::new(AtomicUsize::new(0));
                let (go, may_go) = channel::bounded::<()>(0);
                let result = cancel::scope(|scope| {
                    scope.set_limit(1);
                    let first = scope.spawn(|| Ok(_ = may_go.recv()));
                    for _ in 0..3 {
                        let counted = Counted(dropped.clone());
                        let late = cancel::timeout(SHORT, || {
                            scope.spawn(move || {
                                drop(counted);
                                Ok(())
                            })
                        });
                        assert!(late.is_err());
                    }
                    assert_eq!(dropped.load(SeqCst), 3, "the closures are dropped");
                    go.send(()).unwrap();
                    first.join()?;
                    scope.spawn(|| Ok(7)).join()
                });
                assert_eq!(result, Ok::<_, ()>(7));
            })
            .end();
    });
}

#[test]
fn a_scope_that_fails_ends_the_wait_for_a_place() {
    everywhere(|world| {
        world
            .spawn(|| {
                let result = cancel::scope(|scope| {
                    scope.set_limit(2);
                    scope.spawn(|| Ok(thread::park()));
                    scope.spawn(|| {
                        thread::sleep(SHORT);
                        Err::<(), _>("no route")
                    });
                    loop {
                        scope.spawn(|| Ok(thread::park()));
                    }
                    #[expect(unreachable_code, reason = "says what the scope returns")]
                    Ok(())
                });
                assert_eq!(result, Err("no route"));
                let payload = catch_unwind(AssertUnwindSafe(|| {
                    cancel::scope(|scope| -> Result<(), ()> {
                        scope.set_limit(1);
                        scope.spawn(|| -> Result<(), ()> {
                            thread::sleep(SHORT);
                            std::panic::resume_unwind(Box::new("boom"))
                        });
                        loop {
                            scope.spawn(|| Ok(thread::park()));
                        }
                    })
                }))
                .unwrap_err();
                assert_eq!(payload.downcast_ref(), Some(&"boom"));
            })
            .end();
    });
}

#[test]
fn the_places_of_cancelled_and_refused_threads_come_back() {
    everywhere(|world| {
        world
            .spawn(|| {
                let started = AtomicUsize::new(0);
                let result = cancel::scope(|scope| {
                    scope.set_limit(1);
                    for _ in 0..5 {
                        let none = thread::Builder::new().stack_size(0);
                        let refused = scope.spawn_with(none, || Ok(())).unwrap_err();
                        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
                    }
                    scope.spawn(|| Ok::<_, ()>(thread::park()));
                    scope.cancel();
                    for _ in 0..5 {
                        scope.spawn(|| {
                            started.fetch_add(1, SeqCst);
                            Ok(thread::park())
                        });
                    }
                    Ok(())
                });
                assert_eq!((result, started.load(SeqCst)), (Ok(()), 5));
            })
            .end();
    });
}

#[test]
fn threads_of_the_scope_wait_like_others() {
    everywhere(|world| {
        world
            .spawn(|| {
                let (census, ended) = (Census::default(), AtomicUsize::new(0));
                let result = cancel::scope(|scope| {
                    scope.set_limit(3);
                    // Two chains of threads, each link of which spawns the next one.
                    for _ in 0..2 {
                        let (census, ended) = (&census, &ended);
                        scope.spawn(move || link(scope, 10, census, ended));
                    }
                    Ok(())
                });
                assert_eq!((result, ended.load(SeqCst)), (Ok(()), 22));
                assert!(census.most.load(SeqCst) <= 3);
            })
            .end();
    });

    fn link<'scope>(
        scope: cancel::Scope<'scope, '_, ()>,
        left: u32,
        census: &'scope Census,
        ended: &'scope AtomicUsize,
    ) -> Result<(), ()> {
        census.live(|| {
            if left > 0 {
                scope.spawn(move || link(scope, left - 1, census, ended));
            }
            ended.fetch_add(1, SeqCst);
        });
        Ok(())
    }
}

#[test]
fn wrong_limits_are_refused() {
    let panic = |f: fn(cancel::Scope<'_, '_, ()>)| {
        let payload = catch_unwind(|| cancel::scope(|scope| Ok(f(scope)))).unwrap_err();
        let text = payload.downcast_ref::<String>().cloned();
        text.unwrap_or_else(|| payload.downcast_ref::<&str>().expect("a message").to_string())
    };
    assert!(panic(|scope| scope.set_limit(0)).contains("make it 1 or more"));
    let twice = panic(|scope| {
        scope.set_limit(1);
        scope.set_limit(2);
    });
    assert!(twice.contains("has a limit already"), "{twice}");
    let late = panic(|scope| {
        scope.spawn(|| Ok(()));
        scope.set_limit(1);
    });
    assert!(late.contains("before its first thread"), "{late}");
}
