//! Groups: results in the order in which threads end.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use greenthread::{
    cancel::{self, Done},
    channel, thread,
};

use crate::common::world::{Counted, everywhere};

const SHORT: Duration = Duration::from_millis(2);

#[test]
fn results_come_in_the_order_of_the_ends() {
    everywhere(|world| {
        world
            .spawn(|| {
                let order = [3, 0, 4, 1, 2];
                let result = cancel::scope(|scope| {
                    let mut group = scope.group();
                    let doors = [(); 5].map(|()| channel::bounded::<()>(1));
                    for (number, (_, door)) in doors.iter().enumerate() {
                        let door = door.clone();
                        group.spawn(move || {
                            door.recv().unwrap();
                            Ok::<_, ()>(number)
                        });
                    }
                    let mut came = Vec::new();
                    for number in order {
                        doors[number].0.send(()).unwrap();
                        came.extend(group.next().map(|done| done.value));
                    }
                    assert!(group.next().is_none());
                    assert!(group.next().is_none());
                    group.spawn(|| Ok(7));
                    assert_eq!(group.next().map(|done| done.value), Some(7));
                    Ok(came)
                });
                assert_eq!(result, Ok(order.to_vec()));
            })
            .end();
    });
}

#[test]
fn a_result_says_whose_it_is() {
    everywhere(|world| {
        world
            .spawn(|| {
                let result = cancel::scope(|scope| {
                    let mut group = scope.group();
                    group
                        .spawn_with(thread::Builder::new().name("named".into()), || {
                            Ok::<_, ()>(thread::current().id())
                        })
                        .unwrap();
                    let named = line!() - 4;
                    group.spawn(|| Ok(thread::current().id()));
                    let unnamed = line!() - 1;
                    for Done { value, thread, location, .. } in group {
                        assert_eq!(thread.id(), value);
                        assert_eq!(location.file(), file!());
                        match thread.name() {
                            Some("named") => assert_eq!(location.line(), named),
                            None => assert_eq!(location.line(), unnamed),
                            other => panic!("{other:?}"),
                        }
                    }
                    Ok(())
                });
                assert_eq!(result, Ok(()));
            })
            .end();
    });
}

#[test]
fn no_end_is_seen_before_a_failure() {
    everywhere(|world| {
        world
            .spawn(|| {
                for turn in 0..200 {
                    let went_on = AtomicBool::new(false);
                    let result = cancel::scope(|scope| {
                        let mut group = scope.group();
                        group.spawn(|| Ok(1));
                        group.spawn(|| if turn % 2 == 0 { Err("no") } else { thread_fails() });
                        let mut sum = 0;
                        for done in group {
                            sum += done.value;
                        }
                        went_on.store(true, SeqCst);
                        Ok(sum)
                    });
                    assert_eq!(result, Err("no"));
                    assert!(!went_on.load(SeqCst), "`next` has hidden a failure");
                }
            })
            .end();
    });

    fn thread_fails() -> Result<i32, &'static str> {
        thread::yield_now();
        Err("no")
    }
}

#[test]
fn a_panic_comes_out_of_the_scope() {
    everywhere(|world| {
        world
            .spawn(|| {
                let payload = catch_unwind(AssertUnwindSafe(|| {
                    cancel::scope(|scope| {
                        let mut group = scope.group();
                        group.spawn(|| Ok::<_, ()>(thread::park()));
                        group.spawn(|| std::panic::resume_unwind(Box::new("boom")));
                        Ok(group.count())
                    })
                }))
                .unwrap_err();
                assert_eq!(payload.downcast_ref(), Some(&"boom"));
            })
            .end();
    });
}

#[test]
fn cancelled_threads_are_left_out() {
    everywhere(|world| {
        world
            .spawn(|| {
                let left = cancel::scope(|scope| {
                    let mut group = scope.group();
                    group.spawn(|| Ok(1));
                    assert_eq!(group.next().map(|done| done.value), Some(1));
                    for _ in 0..5 {
                        group.spawn(|| {
                            thread::park();
                            Ok::<_, ()>(2)
                        });
                    }
                    group.spawn(|| Ok(cancel::shield(|| 3)));
                    scope.cancel();
                    Ok(group.map(|done| done.value).collect::<Vec<_>>())
                });
                assert_eq!(left, Ok(vec![3]));
            })
            .end();
    });
}

#[test]
fn refused_threads_are_not_waited_for() {
    let count = cancel::scope(|scope| {
        let mut group = scope.group();
        for _ in 0..3 {
            let none = thread::Builder::new().stack_size(0);
            assert!(group.spawn_with(none, || Ok::<_, ()>(())).is_err());
        }
        group.spawn(|| Ok(()));
        Ok(group.count())
    });
    assert_eq!(count, Ok(1));
}

#[test]
fn a_dropped_group_leaves_its_threads_to_the_scope() {
    everywhere(|world| {
        world
            .spawn(|| {
                let (made, dropped) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
                let result = cancel::scope(|scope| {
                    let mut group = scope.group();
                    for _ in 0..10 {
                        group.spawn(|| {
                            thread::sleep(SHORT);
                            made.fetch_add(1, SeqCst);
                            Ok::<_, ()>(Counted(dropped.clone()))
                        });
                    }
                    drop(group.next());
                    drop(group);
                    Ok(())
                });
                assert_eq!((result, made.load(SeqCst), dropped.load(SeqCst)), (Ok(()), 10, 10));
            })
            .end();
    });
}

#[test]
fn to_wait_for_a_result_is_a_cancellation_point() {
    everywhere(|world| {
        world
            .spawn(|| {
                let (go, may_go) = channel::bounded::<()>(0);
                let result = cancel::scope(|scope| {
                    let mut group = scope.group();
                    group.spawn(|| {
                        may_go.recv().unwrap();
                        Ok::<_, ()>("not lost")
                    });
                    for _ in 0..3 {
                        assert!(cancel::timeout(SHORT, || group.next()).is_err());
                    }
                    go.send(()).unwrap();
                    Ok(group.next().map(|done| done.value))
                });
                assert_eq!(result, Ok(Some("not lost")));
            })
            .end();
    });
}

#[test]
fn a_crawl_with_a_limit() {
    // Page n links to 2n and 2n + 1, up to 100.
    everywhere(|world| {
        world
            .spawn(|| {
                let pages = cancel::scope(|scope| {
                    scope.set_limit(4);
                    let mut group = scope.group();
                    let fetch = |page: u32| {
                        move || {
                            thread::yield_now();
                            Ok::<_, ()>((page, [2 * page, 2 * page + 1]))
                        }
                    };
                    group.spawn(fetch(1));
                    let mut pages = Vec::new();
                    while let Some(done) = group.next() {
                        let (page, links) = done.value;
                        pages.push(page);
                        links
                            .into_iter()
                            .filter(|link| *link <= 100)
                            .for_each(|link| group.spawn(fetch(link)));
                    }
                    pages.sort();
                    Ok(pages)
                });
                assert_eq!(pages, Ok((1..=100).collect()));
            })
            .end();
    });
}

#[test]
fn a_group_moves_to_a_thread() {
    everywhere(|world| {
        world
            .spawn(|| {
                let sum = cancel::scope(|scope| {
                    let mut group = scope.group();
                    (0..50).for_each(|number| group.spawn(move || Ok::<_, ()>(number)));
                    scope.spawn(|| Ok(group.map(|done| done.value).sum::<u32>())).join()
                });
                assert_eq!(sum, Ok(1225));
            })
            .end();
    });
}

/// A result that the group does not want is dropped as that of any thread: its panic is reported,
/// and fails nothing.
#[test]
fn the_panic_of_a_result_that_nobody_wants_fails_nothing() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("a result is dropped");
        }
    }
    everywhere(|_| {
        let result = cancel::scope(|s| {
            let (door, opened) = channel::bounded::<()>(1);
            let mut group = s.group();
            group.spawn(move || {
                _ = opened.recv();
                Ok::<_, ()>(Panics)
            });
            drop(group);
            drop(door);
            Ok("complete")
        });
        assert_eq!(result, Ok("complete"));
    });
}
