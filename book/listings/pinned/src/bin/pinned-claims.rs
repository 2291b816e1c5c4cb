// ANCHOR: poll
//! `claim`, taken apart by hand, as a future. While it is under way it can't be moved.

use std::marker::PhantomPinned;
use std::mem;
use std::pin::{Pin, pin};
use std::ptr;
use std::task::{Context, Poll, Waker};

struct Claim {
    name: &'static str,
    owner: &'static str,
    mine: *mut &'static str,
    place: Place,
    _stays: PhantomPinned,
}

enum Place {
    Begin,
    Yield,
    Ended,
}

impl Future for Claim {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        // SAFETY: Nothing below moves the claim.
        let this = unsafe { self.get_unchecked_mut() };
        match this.place {
            Place::Begin => {
                this.mine = &raw mut this.owner;
                this.place = Place::Yield;
                Poll::Pending
            }
            Place::Yield => {
                // SAFETY: `owner` lies where it was at the last poll. By `Pin`, whoever polls has
                // promised that the claim hasn't moved since.
                unsafe { *this.mine = this.name };
                println!("{}: this is {}'s", this.name, this.owner);
                this.place = Place::Ended;
                Poll::Ready(())
            }
            Place::Ended => panic!("it has returned already"),
        }
    }
}
// ANCHOR_END: poll

// ANCHOR: main
fn claim(name: &'static str) -> Claim {
    let (owner, mine, place) = ("nobody", ptr::null_mut(), Place::Begin);
    Claim { name, owner, mine, place, _stays: PhantomPinned }
}

fn main() {
    let mut context = Context::from_waker(Waker::noop());
    let mut one = Box::pin(claim("one"));
    let mut two = Box::pin(claim("two"));
    assert!(one.as_mut().poll(&mut context).is_pending());
    assert!(two.as_mut().poll(&mut context).is_pending());
    mem::swap(&mut one, &mut two);
    println!("the boxes have changed places");
    assert!(one.as_mut().poll(&mut context).is_ready());
    assert!(two.as_mut().poll(&mut context).is_ready());

    let mut three = pin!(claim("three"));
    while three.as_mut().poll(&mut context).is_pending() {}
}
// ANCHOR_END: main
