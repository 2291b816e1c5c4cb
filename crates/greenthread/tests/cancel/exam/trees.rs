//! Threads below scopes, that fail, are cancelled, and end together.

use super::*;

/// What a thread does that only a cancellation ends.
fn rest<E>() -> Result<(), E> {
    forever()
}

/// Counts threads that begin, and again when they have left their frames.
fn counted(count: &AtomicUsize) -> impl Drop + '_ {
    struct Left<'a>(&'a AtomicUsize);
    impl Drop for Left<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    count.fetch_add(1, SeqCst);
    Left(count)
}

behaviours! {
    fn a_thread_of_a_cancelled_scope_begins_and_ends_at_its_first_point(_) {
        let count = AtomicUsize::new(0);
        let result = cancel::scope(|scope| {
            scope.cancel();
            for _ in 0..3 {
                scope.spawn(|| {
                    let _left = counted(&count);
                    rest()
                });
            }
            Ok::<_, ()>("body")
        });
        assert_eq!((result, count.into_inner()), (Ok("body"), 6));
    }

    fn a_failing_thread_wakes_the_body(_) {
        let result: Result<(), _> = cancel::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(SHORT);
                Err::<(), _>("child")
            });
            forever()
        });
        assert_eq!(result, Err("child"));
    }

    fn a_failing_body_ends_the_threads(_) {
        let count = AtomicUsize::new(0);
        let result = cancel::scope(|scope| {
            scope.spawn(|| {
                let _left = counted(&count);
                rest()
            });
            thread::sleep(SHORT);
            Err::<(), _>("body")
        });
        assert_eq!(result, Err("body"));
        assert!([0, 2].contains(&count.into_inner()));
    }

    fn of_two_failures_the_first_is_returned(_) {
        let result = cancel::scope(|scope| {
            scope.spawn(|| {
                assert!(is_unwound(|| forever()));
                Err::<(), _>("cleaning up")
            });
            scope.spawn(|| {
                thread::sleep(SHORT);
                Err::<(), _>("first")
            });
            Ok(())
        });
        assert_eq!(result, Err("first"));
    }

    fn a_panic_while_cleaning_up_does_not_replace_the_error(_) {
        let result = cancel::scope(|scope| {
            scope.spawn(|| -> Result<(), _> {
                assert!(is_unwound(|| forever()));
                resume_unwind(Box::new("cleaning up"))
            });
            scope.spawn(|| {
                thread::sleep(SHORT);
                Err::<(), _>("first")
            });
            Ok(())
        });
        assert_eq!(result, Err("first"));
    }

    fn an_error_and_a_cancellation_from_outside_meet(_) {
        let token = Token::new();
        let result = token.run(|| {
            let result: Result<(), _> = cancel::scope(|scope| {
                scope.spawn(|| {
                    token.cancel();
                    Err::<(), _>("error")
                });
                forever()
            });
            assert_eq!(result, Err("error"));
            assert!(cancel::is_cancelled());
            forever()
        });
        assert!(result.is_err());
    }

    /// A thread's lock on what has failed is no place for a destructor that waits.
    fn errors_whose_destructors_wait_hold_nobody_up(_) {
        #[derive(Debug)]
        struct Waits;
        impl Drop for Waits {
            fn drop(&mut self) {
                cancel::shield(|| thread::sleep(SHORT));
            }
        }
        let result: Result<(), _> = cancel::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    cancel::shield(|| thread::sleep(SHORT));
                    Err::<(), _>(Waits)
                });
            }
            forever()
        });
        assert!(result.is_err());
    }

    /// A thread that joins the one that fails does not take the error away from the scope.
    fn an_error_that_is_joined_by_a_sibling_is_still_returned(_) {
        for _ in 0..10 {
            let result: Result<(), _> = cancel::scope(|scope| {
                let failing = scope.spawn(|| {
                    thread::sleep(SHORT);
                    Err::<(), _>("error")
                });
                scope.spawn(move || {
                    cancel::shield(|| _ = failing.join());
                    Ok(())
                });
                forever()
            });
            assert_eq!(result, Err("error"));
        }
    }

    fn a_whole_tree_is_told_at_once(_) {
        let count = AtomicUsize::new(0);
        let leaf = || {
            let _left = counted(&count);
            rest::<()>()
        };
        let result = cancel::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    cancel::scope(|scope| {
                        scope.spawn(leaf);
                        scope.spawn(leaf);
                        Ok(())
                    })
                });
            }
            while count.load(SeqCst) < 4 {
                thread::sleep(SHORT);
            }
            scope.cancel();
            Ok(())
        });
        assert_eq!((result, count.into_inner()), (Ok(()), 8));
    }

    fn a_scope_below_fails_by_itself(_) {
        let result = cancel::scope(|scope| {
            let inner = scope.spawn(|| {
                let inner: Result<(), _> = cancel::scope(|scope| {
                    scope.spawn(|| Err::<(), _>("inner"));
                    forever()
                });
                assert_eq!(inner, Err("inner"));
                thread::sleep(SHORT);
                Ok("handled")
            });
            let other = scope.spawn(|| {
                thread::sleep(SHORT);
                Ok("beside")
            });
            Ok::<_, ()>((inner.join()?, other.join()?))
        });
        assert_eq!(result, Ok(("handled", "beside")));
    }

    fn a_scope_below_is_cancelled_by_itself(_) {
        let result = cancel::scope(|scope| {
            let one = scope.spawn(|| {
                cancel::scope(|inner| {
                    inner.spawn(rest);
                    inner.cancel();
                    Ok(())
                })?;
                thread::sleep(SHORT);
                Ok::<_, ()>(1)
            });
            one.join()
        });
        assert_eq!(result, Ok(1));
    }

    fn a_shield_covers_the_threads_below_it(world) {
        let (begins, has_begun) = channel::bounded(1);
        let (go_on, may_go_on) = channel::bounded::<()>(1);
        let (token, thread) = under_token(world, move || {
            cancel::shield(|| {
                let value = cancel::scope(|scope| {
                    let thread = scope.spawn(|| {
                        begins.send(()).unwrap();
                        may_go_on.recv().unwrap();
                        Ok::<_, ()>(7)
                    });
                    thread.join()
                });
                assert_eq!(value, Ok(7));
            });
            assert!(is_unwound(|| thread::sleep(LONG)));
        });
        has_begun.recv().unwrap();
        token.cancel();
        thread::sleep(SHORT);
        go_on.send(()).unwrap();
        assert!(thread.end().is_ok());
    }

    fn a_deadline_reaches_the_threads_below(_) {
        let count = AtomicUsize::new(0);
        let result = cancel::timeout(SHORT, || {
            cancel::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        let _left = counted(&count);
                        rest::<()>()
                    });
                }
                Ok(())
            })
        });
        assert!(result.is_err());
        assert_eq!(count.into_inner() % 2, 0);
    }

    fn a_scope_ends_after_its_threads_though_its_body_is_cancelled(world) {
        let count = Arc::new(AtomicUsize::new(0));
        let theirs = count.clone();
        let (token, thread) = under_token(world, move || {
            _ = cancel::scope(|scope| {
                scope.spawn(|| {
                    let _left = counted(&theirs);
                    assert!(is_unwound(|| forever()));
                    cancel::shield(|| thread::sleep(SHORT));
                    Ok::<(), ()>(())
                });
                while theirs.load(SeqCst) == 0 {
                    cancel::shield(|| thread::sleep(SHORT));
                }
                rest()
            });
            unreachable!("the scope is cancelled from outside");
        });
        while count.load(SeqCst) == 0 {
            thread::sleep(SHORT);
        }
        token.cancel();
        assert!(thread.end().is_err());
        assert_eq!(count.load(SeqCst), 2);
    }

    fn a_race_has_one_winner_and_the_others_have_ended(_) {
        let count = AtomicUsize::new(0);
        let first = cancel::race((0..4).map(|number| {
            let count = &count;
            move || {
                let _left = counted(count);
                if number != 2 {
                    forever();
                }
                number
            }
        }));
        assert_eq!(first, 2);
        assert_eq!(count.into_inner() % 2, 0);
    }

    fn a_race_for_a_message_takes_it_once(_) {
        for round in 0..20 {
            let (sender, receiver) = channel::bounded(1);
            let took = cancel::race([true, false].map(|receives| {
                let (sender, receiver) = (&sender, &receiver);
                move || {
                    if receives {
                        return receiver.recv().is_ok();
                    }
                    crate::common::world::Random::new(round).dawdle();
                    sender.send(7).unwrap();
                    false
                }
            }));
            assert!(!took || receiver.try_recv().is_err());
        }
    }

    fn a_race_passes_a_panic_on(_) {
        let payload = catch_unwind(|| {
            cancel::race([true, false].map(|panics| {
                move || {
                    if panics {
                        resume_unwind(Box::new("crashed"));
                    }
                    forever()
                }
            }))
        });
        let payload: Result<(), _> = payload;
        assert_eq!(payload.unwrap_err().downcast_ref(), Some(&"crashed"));
    }

    fn a_race_is_cancelled_as_a_whole(world) {
        let (token, thread) = under_token(world, || cancel::race([(); 3].map(|()| || -> () { forever() })));
        thread::sleep(SHORT);
        token.cancel();
        assert!(thread.end().is_err());
    }

    fn a_race_returns_what_was_won_though_it_is_cancelled(_) {
        let token = Token::new();
        let result = token.run(|| {
            let first = cancel::race([true, false].map(|wins| {
                let token = &token;
                move || {
                    if wins {
                        token.cancel();
                        return 7;
                    }
                    forever()
                }
            }));
            assert!(cancel::is_cancelled());
            first
        });
        assert_eq!(result.unwrap(), 7);
    }

    fn threads_that_are_spawned_in_a_failing_scope_are_waited_for(_) {
        let count = AtomicUsize::new(0);
        let result = cancel::scope(|scope| {
            scope.spawn(|| Err::<(), _>("first"));
            let late = is_unwound(|| forever());
            for _ in 0..3 {
                scope.spawn(|| {
                    let _left = counted(&count);
                    rest()
                });
            }
            assert!(late);
            Ok(())
        });
        assert_eq!(result, Err("first"));
        assert_eq!(count.into_inner(), 6);
    }
}
