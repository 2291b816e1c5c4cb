//! `channel::select!`: what it accepts, and what the bodies of its arms may do.

#![allow(
    clippy::unnecessary_literal_unwrap,
    clippy::redundant_closure_call,
    clippy::never_loop,
    clippy::match_single_binding,
    reason = "what people write in an arm is more than these"
)]

use std::{
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind},
};

use greenthread::channel::{self, Receiver, RecvError, SendError, bounded, never, select, unbounded};

use crate::common::world::micros;

#[test]
fn accepts_whatever_leads_to_a_handle() {
    struct Wrapped<T>(T);
    impl<T> Deref for Wrapped<T> {
        type Target = T;
        fn deref(&self) -> &T {
            &self.0
        }
    }
    let (s, r) = unbounded::<i32>();
    select! {
        send(&&&&s, 0) -> _ => {}
        recv(&&&&never::<()>()) -> _ => {}
    }
    select! {
        recv(Some(&r).unwrap_or(&never())) -> n => assert_eq!(n, Ok(0)),
        default => {}
    }
    let (s, r) = (Wrapped(s), Box::new(r));
    select! {
        send(s, 1) -> _ => {}
        recv(*r) -> _ => panic!(),
        recv(Wrapped(never::<i32>())) -> _ => panic!(),
    }
    select! {
        recv(r) -> n => assert_eq!(n, Ok(1)),
    }
    // Made on the spot, and gone after it.
    let once = Box::new(());
    let get = move || {
        drop(once);
        r
    };
    let other = unbounded::<i32>();
    select! {
        recv(get()) -> _ => panic!(),
        send((move || other.0)(), 5) -> _ => {}
    }
}

#[test]
fn accepts_all_kinds_of_bodies() {
    let (s, r) = unbounded::<i32>();
    let number = select! {
        recv(r) -> _ => 3.0,
        recv(r) -> _ => loop {
            unreachable!()
        },
        recv(r) -> _ => match 7 + 3 {
            _ => unreachable!()
        },
        default => 7.
    };
    assert!((number - 7.0f64).abs() < f64::EPSILON);
    select! {
        recv(r,) -> message => if message.is_ok() {
            unreachable!()
        },
        default => ()
    }
    select! {
        send(s, 1,) -> _ => (),
    }
    let word: String = select! {
        recv(r) -> (Ok(_) | Err(_)) => { "one".into() },
        default(micros(1),) => "none".to_owned(),
    };
    assert_eq!(word, "one");
    // The result's name may be the channel's.
    drop(s);
    select! {
        recv(r) -> r => assert!(r.is_err()),
    }
}

#[test]
fn bodies_may_leave_and_move() {
    fn leaves(r: &Receiver<i32>) -> Result<i32, RecvError> {
        loop {
            select! {
                recv(r) -> n => match n? {
                    0 => continue,
                    1 => break,
                    n => return Ok(n),
                },
            }
        }
        Ok(-1)
    }
    let (s, r) = unbounded();
    s.send(0).unwrap();
    s.send(1).unwrap();
    assert_eq!(leaves(&r), Ok(-1));
    s.send(0).unwrap();
    s.send(7).unwrap();
    assert_eq!(leaves(&r), Ok(7));
    drop(s);
    assert_eq!(leaves(&r), Err(RecvError));

    // The handles, and what else is in sight, even in two bodies.
    let (s, r) = unbounded::<i32>();
    let thing = Box::new(());
    select! {
        send(s, 1) -> sent => {
            sent.unwrap();
            drop((s, thing));
        }
        recv(r) -> _ => drop((r, thing)),
    }
    let (s, r) = unbounded::<i32>();
    let thing = Box::new(());
    select! {
        recv(r) -> _ => drop(thing),
        default => drop((s, r, thing)),
    }
    // A message that is moved only if it is sent.
    let (s, r) = bounded(0);
    let message = String::from("kept");
    select! {
        send(s, message) -> _ => panic!(),
        default => assert_eq!(message, "kept"),
    }
    drop(r);
}

#[test]
fn infers_types() {
    let (s, r) = unbounded();
    select! {
        recv(r) -> _ => {}
        default => {}
    }
    s.send(()).unwrap();
    let (s, r) = unbounded();
    select! {
        send(s, Box::new(|| 1)) -> _ => {}
    }
    let function: Box<dyn Fn() -> i32> = r.recv().unwrap();
    assert_eq!(function(), 1);
    let (s, r) = bounded::<i32>(0);
    select! {
        send(s, 0) -> result => { let _: Result<(), SendError<i32>> = result; }
        recv(r) -> result => { let _: Result<i32, RecvError> = result; }
        default => {}
    }
}

#[test]
fn nests() {
    let (s, r) = unbounded::<i32>();
    drop(s);
    let depth = select! {
        recv(r) -> _ => select! {
            recv(r) -> _ => {
                select! {
                    recv(r) -> _ => select! { default => 4 },
                }
            }
        },
    };
    assert_eq!(depth, 4);
    let (s, r) = unbounded();
    let inner = unbounded();
    inner.0.send(5).unwrap();
    select! {
        send(s, select! { recv(inner.1) -> n => n.unwrap() }) -> sent => sent.unwrap(),
    }
    assert_eq!(r.recv(), Ok(5));
}

#[test]
fn a_channel_expression_that_panics_changes_nothing() {
    fn fails<T>() -> T {
        panic!("on purpose")
    }
    let (s, r) = unbounded();
    s.send(1).unwrap();
    let result = catch_unwind(AssertUnwindSafe(|| {
        select! {
            recv(r) -> _ => {}
            send(fails::<channel::Sender<i32>>(), 1) -> _ => {}
        }
    }));
    assert!(result.is_err());
    assert_eq!(r.try_recv(), Ok(1));
}

#[test]
fn has_more_than_a_few_arms() {
    let channels: Vec<_> = (0..8).map(|_| unbounded()).collect();
    channels[6].0.send(6).unwrap();
    let c = |n: usize| &channels[n].1;
    let got = select! {
        recv(c(0)) -> n => n,
        recv(c(1)) -> n => n,
        recv(c(2)) -> n => n,
        recv(c(3)) -> n => n,
        recv(c(4)) -> n => n,
        recv(c(5)) -> n => n,
        recv(c(6)) -> n => n,
        recv(c(7)) -> n => n,
        recv(never()) -> n => n,
        recv(never()) -> n => n,
        recv(never()) -> n => n,
        recv(never()) -> n => n,
        recv(never()) -> n => n,
        recv(never()) -> n => n,
        recv(never()) -> n => n,
        recv(never()) -> n => n,
        recv(never()) -> n => n,
        recv(never()) -> n => n,
        recv(never()) -> n => n,
        recv(never()) -> n => n,
    };
    assert_eq!(got, Ok(6));
}
