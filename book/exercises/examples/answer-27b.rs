//! Answer of chapter 27, the harder exercise.

use std::marker::PhantomPinned;
use std::mem;
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

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `a` and `b` aren't moved. `outputs` may be: nobody pins it.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: They lie in what is pinned, and aren't moved up to its end.
        let (a, b) = unsafe { (Pin::new_unchecked(&mut this.a), Pin::new_unchecked(&mut this.b)) };
        go_on(a, &mut this.outputs.0, context);
        go_on(b, &mut this.outputs.1, context);
        match mem::take(&mut this.outputs) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            outputs => {
                this.outputs = outputs;
                Poll::Pending
            }
        }
    }
}

/// Polls the future, if it has no output yet.
fn go_on<F: Future>(future: Pin<&mut F>, output: &mut Option<F::Output>, context: &mut Context<'_>) {
    if output.is_none()
        && let Poll::Ready(ready) = future.poll(context)
    {
        *output = Some(ready);
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
