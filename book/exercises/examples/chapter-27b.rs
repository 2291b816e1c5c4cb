//! Harder exercise of chapter 27: a future of two futures. It is ready when both are.
//!
//! Write `poll`. Both futures stay where they are, in `Both` itself and not in boxes, and neither
//! is polled again when it has been ready. Then run `cargo run -p exercises -- check 27b`.

use std::marker::PhantomPinned;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

struct Both<A: Future, B: Future> {
    a: A,
    b: B,
    /// What they have returned, if they have.
    outputs: (Option<A::Output>, Option<B::Output>),
}

impl<A: Future, B: Future> Future for Both<A, B> {
    type Output = (A::Output, B::Output);

    fn poll(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Self::Output> {
        let _what_there_is = (&self.a, &self.b, &self.outputs);
        // Your turn.
        Poll::Pending
    }
}

/// Is ready at poll number `last`. It insists on its rights.
struct Strict {
    name: &'static str,
    polls: u32,
    last: u32,
    place: usize,
    _stays: PhantomPinned,
}

impl Future for Strict {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        // SAFETY: It isn't moved.
        let this = unsafe { self.get_unchecked_mut() };
        let here = (&raw const *this) as usize;
        assert!(this.polls == 0 || this.place == here, "{} has been moved", this.name);
        assert!(this.polls < this.last, "{} has been polled after its end", this.name);
        (this.polls, this.place) = (this.polls + 1, here);
        println!("{}: poll {} of {}", this.name, this.polls, this.last);
        if this.polls == this.last { Poll::Ready(this.polls) } else { Poll::Pending }
    }
}

fn main() {
    let strict = |name, last| Strict { name, polls: 0, last, place: 0, _stays: PhantomPinned };
    for (a, b) in [(1, 1), (1, 3), (3, 2)] {
        let mut both = pin!(Both { a: strict("a", a), b: strict("b", b), outputs: (None, None) });
        let mut context = Context::from_waker(Waker::noop());
        let mut polls = (0..10).map(|_| both.as_mut().poll(&mut context));
        println!("{:?}", polls.find(Poll::is_ready));
    }
}
