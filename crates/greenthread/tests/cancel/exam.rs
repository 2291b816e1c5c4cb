//! An exam: what the test suites of Eio and Trio ask of cancellation, asked here in words of our
//! own. Each behaviour is a few lines, and holds in every world: its thread and those that it
//! spawns are green threads, OS threads, or both, with 1, 2 and 8 workers.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use greenthread::{
    cancel::{self, Cancelled, Token},
    channel, sync, thread,
    time::Instant,
};

use crate::common::world::{Counted, Handle, Kind, World, everywhere};

mod primitives;
mod trees;

const SHORT: Duration = Duration::from_millis(2);
const LONG: Duration = Duration::from_secs(120);

/// Runs a behaviour in every world, on a thread of each kind that the world has.
pub(crate) fn ask(behaviour: fn(&World)) {
    everywhere(move |world| {
        let kinds = match world.kind {
            Kind::Mixed => &[Kind::Green, Kind::Os][..],
            Kind::Os => &[Kind::Os],
            Kind::Green => &[Kind::Green],
        };
        for kind in kinds {
            let inner = world.clone();
            world.of(*kind).spawn(move || behaviour(&inner)).end();
        }
    });
}

/// The behaviours of a file, as tests.
macro_rules! behaviours {
    ($($(#[$doc:meta])* fn $name:ident($world:pat) $body:block)*) => { $(
        $(#[$doc])*
        #[test]
        fn $name() {
            crate::exam::ask(|$world| $body);
        }
    )* };
}
pub(crate) use behaviours;

pub(crate) fn forever() -> ! {
    loop {
        thread::sleep(LONG);
    }
}

/// Whether the thread is unwound in `f` since it is cancelled.
fn is_unwound<T>(f: impl FnOnce() -> T) -> bool {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(_) => false,
        Err(payload) if payload.is::<Cancelled>() => true,
        Err(payload) => resume_unwind(payload),
    }
}

/// A thread that runs `f` under a token, and is about to.
pub(crate) fn under_token<T: Send + 'static>(
    world: &World,
    f: impl FnOnce() -> T + Send + 'static,
) -> (Token, Handle<Result<T, Cancelled>>) {
    let (token, (begins, has_begun)) = (Token::new(), channel::bounded(1));
    let theirs = token.clone();
    let thread = world.spawn(move || {
        theirs.run(|| {
            begins.send(()).unwrap();
            f()
        })
    });
    has_begun.recv().unwrap();
    (token, thread)
}

behaviours! {
    fn two_cancellations_are_one(_) {
        let token = Token::new();
        let result = token.run(|| {
            token.cancel();
            token.cancel();
            cancel::checkpoint();
            unreachable!("the checkpoint is a point");
        });
        assert!(result.is_err() && token.is_cancelled());
        cancel::checkpoint();
    }

    fn each_point_unwinds_again(_) {
        let token = Token::new();
        let result = token.run(|| {
            token.cancel();
            assert!(is_unwound(|| thread::sleep(LONG)) && is_unwound(thread::park));
            assert!(is_unwound(cancel::checkpoint) && cancel::is_cancelled());
            7
        });
        assert_eq!(result.unwrap(), 7);
    }

    fn a_cancellation_that_meets_no_point_is_forgotten_at_the_edge(_) {
        let token = Token::new();
        assert_eq!(token.run(|| { token.cancel(); "value" }).unwrap(), "value");
        assert!(!cancel::is_cancelled());
        thread::sleep(SHORT);
    }

    fn what_runs_under_a_cancelled_token_begins_and_ends_at_its_first_point(_) {
        let (token, mut begun) = (Token::new(), false);
        token.cancel();
        assert!(token.run(|| { begun = true; forever() }).is_err());
        assert!(begun);
        assert_eq!(token.run(|| 7).unwrap(), 7);
    }

    fn a_token_that_is_cancelled_after_the_end_changes_nothing(_) {
        let token = Token::new();
        assert!(token.run(|| thread::sleep(SHORT)).is_ok());
        token.cancel();
        thread::sleep(SHORT);
        assert!(!cancel::is_cancelled());
    }

    fn a_token_reaches_all_its_threads_at_once(world) {
        let (token, (begins, has_begun)) = (Token::new(), channel::bounded(0));
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (token, begins) = (token.clone(), begins.clone());
                world.spawn(move || token.run(|| { begins.send(()).unwrap(); forever() }).is_err())
            })
            .collect();
        (0..8).for_each(|_| has_begun.recv().unwrap());
        token.cancel();
        assert!(threads.into_iter().all(Handle::end));
    }

    fn a_token_inside_itself_ends_at_the_outer_edge(_) {
        let token = Token::new();
        let result = token.run(|| {
            let _: Result<(), _> = token.run(|| { token.cancel(); forever() });
            unreachable!("the outer run is cancelled, too");
        });
        assert!(result.is_err());
    }

    fn of_two_nested_scopes_that_are_cancelled_the_outer_one_ends(_) {
        let [outer, middle, inner] = [(); 3].map(|()| Token::new());
        let result = outer.run(|| {
            let result = middle.run(|| {
                let _: Result<(), _> = inner.run(|| {
                    inner.cancel();
                    middle.cancel();
                    forever()
                });
                unreachable!("the middle one is cancelled, too");
            });
            assert!(result.is_err());
            thread::sleep(SHORT);
            "went on"
        });
        assert_eq!(result.unwrap(), "went on");
    }

    fn a_shield_keeps_off_what_is_outside_and_nothing_else(_) {
        let [outer, inner] = [(); 2].map(|()| Token::new());
        let result = outer.run(|| {
            outer.cancel();
            cancel::shield(|| {
                thread::sleep(SHORT);
                assert!(!cancel::is_cancelled());
                assert!(inner.run(|| { inner.cancel(); forever() }).is_err());
                assert!(cancel::timeout(SHORT, || forever()).is_err());
                thread::sleep(SHORT);
            });
            assert!(cancel::is_cancelled());
            forever()
        });
        assert!(result.is_err());
    }

    fn shields_nest(_) {
        let token = Token::new();
        let result = token.run(|| {
            cancel::shield(|| {
                cancel::shield(|| token.cancel());
                thread::sleep(SHORT);
            });
            assert!(is_unwound(|| thread::sleep(LONG)));
        });
        assert!(result.is_ok());
    }

    fn a_shield_in_a_destructor_does_not_stop_the_unwinding(_) {
        struct Commits<'a>(&'a AtomicUsize);
        impl Drop for Commits<'_> {
            fn drop(&mut self) {
                cancel::shield(|| thread::sleep(SHORT));
                self.0.fetch_add(1, SeqCst);
            }
        }
        let (token, commits) = (Token::new(), AtomicUsize::new(0));
        let result = token.run(|| {
            let _commits = Commits(&commits);
            token.cancel();
            forever()
        });
        assert!(result.is_err() && commits.into_inner() == 1);
    }

    fn a_deadline_in_the_past_ends_the_first_wait(_) {
        let past = Instant::now() - SHORT;
        assert!(cancel::deadline(past, || thread::sleep(LONG)).is_err());
        assert!(cancel::deadline(past, thread::park).is_err());
        assert!(cancel::deadline(past, cancel::checkpoint).is_err());
        assert!(cancel::timeout(Duration::ZERO, || forever()).is_err());
    }

    fn a_deadline_in_the_past_takes_no_value_away(_) {
        let (sender, receiver) = channel::bounded(1);
        sender.send(7).unwrap();
        assert_eq!(cancel::timeout(Duration::ZERO, || receiver.recv()), Ok(Ok(7)));
        assert_eq!(cancel::timeout(Duration::ZERO, || 7), Ok(7));
    }

    fn a_deadline_that_has_passed_is_of_its_scope_alone(_) {
        let late = cancel::timeout(SHORT, || cancel::shield(|| thread::sleep(SHORT * 2)));
        assert_eq!(late, Ok(()));
        thread::sleep(SHORT);
        assert!(!cancel::is_cancelled());
    }

    fn an_earlier_deadline_inside_ends_there(_) {
        let result = cancel::timeout(LONG, || {
            assert!(cancel::timeout(SHORT, || forever()).is_err());
            thread::sleep(SHORT);
            "went on"
        });
        assert_eq!(result, Ok("went on"));
    }

    fn a_later_deadline_inside_is_no_respite(_) {
        let result = cancel::timeout(SHORT, || {
            _ = cancel::timeout(LONG, || forever());
            unreachable!("the outer deadline comes first");
        });
        assert!(result.is_err());
    }

    fn of_two_equal_deadlines_the_outer_one_ends(_) {
        let at = Instant::now() + SHORT;
        let result = cancel::deadline(at, || {
            _ = cancel::deadline(at, || forever());
            unreachable!("the outer scope is over, too");
        });
        assert!(result.is_err());
    }

    fn a_deadline_inside_a_shield_counts_though_all_is_cancelled(_) {
        let token = Token::new();
        let result = token.run(|| {
            token.cancel();
            assert!(cancel::shield(|| cancel::timeout(SHORT, || forever())).is_err());
            assert!(is_unwound(|| _ = cancel::timeout(LONG, || forever())));
        });
        assert!(result.is_ok());
    }

    fn a_wait_with_a_deadline_of_its_own_ends_by_the_earlier_one(_) {
        let (_sender, receiver) = channel::bounded::<()>(1);
        let own = cancel::timeout(LONG, || receiver.recv_timeout(SHORT));
        assert_eq!(own, Ok(Err(channel::RecvTimeoutError::Timeout)));
        assert!(cancel::timeout(SHORT, || receiver.recv_timeout(LONG)).is_err());
    }

    fn many_nested_scopes_end_one_by_one(_) {
        fn nest(depth: usize, token: &Token) {
            if depth == 0 {
                token.cancel();
                forever();
            }
            let _: Result<(), _> = cancel::timeout(LONG, || nest(depth - 1, token));
            unreachable!("only the token is cancelled");
        }
        let token = Token::new();
        assert!(token.run(|| nest(50, &token)).is_err());
        thread::sleep(SHORT);
    }

    fn a_panic_on_the_way_out_comes_first(_) {
        let token = Token::new();
        let payload = catch_unwind(AssertUnwindSafe(|| {
            token.run(|| {
                token.cancel();
                assert!(is_unwound(|| forever()));
                resume_unwind(Box::new("why"));
            })
        }));
        assert_eq!(payload.unwrap_err().downcast_ref(), Some(&"why"));
    }

    fn a_payload_from_elsewhere_is_no_cancellation_here(_) {
        let token = Token::new();
        token.cancel();
        let foreign = token.run(|| catch_unwind(|| forever()).unwrap_err()).unwrap();
        let passed_on = catch_unwind(AssertUnwindSafe(|| cancel::timeout(LONG, || resume_unwind(foreign))));
        assert!(passed_on.unwrap_err().is::<Cancelled>());
        thread::sleep(SHORT);
    }

    fn destructors_run_from_the_inside_out(_) {
        let (token, count) = (Token::new(), Arc::new(AtomicUsize::new(0)));
        let result = token.run(|| {
            let _outer = Counted(count.clone());
            _ = cancel::timeout(LONG, || {
                let _inner = Counted(count.clone());
                token.cancel();
                forever()
            });
        });
        assert!(result.is_err() && count.load(SeqCst) == 2);
    }

    fn a_race_against_the_end_is_won_by_one_side(world) {
        for round in 0..50_u64 {
            let (token, thread) = under_token(world, move || {
                crate::common::world::Random::new(round).dawdle();
                thread::yield_now();
                7
            });
            crate::common::world::Random::new(round + 1000).dawdle();
            token.cancel();
            assert!(matches!(thread.end(), Ok(7) | Err(_)));
        }
    }
}
