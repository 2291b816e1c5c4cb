//! A future with another one inside, which stays where it is as long as the outer one does.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use generators::yield_now;

/// Counts how often the future in it is polled.
struct Counted<F> {
    inner: F,
    polls: u32,
}

impl<F: Future> Future for Counted<F> {
    type Output = (F::Output, u32);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `inner` isn't moved: not here, and nowhere else once it is pinned.
        let this = unsafe { self.get_unchecked_mut() };
        this.polls += 1;
        // SAFETY: It lies in what is pinned.
        let inner = unsafe { Pin::new_unchecked(&mut this.inner) };
        inner.poll(context).map(|output| (output, this.polls))
    }
}

fn main() {
    let walk = async {
        let steps = [1, 2, 3];
        for step in &steps {
            println!("step {step}");
            yield_now().await;
        }
        "there"
    };
    let mut counted = pin!(Counted { inner: walk, polls: 0 });
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready((output, polls)) = counted.as_mut().poll(&mut context) {
            return println!("{output}, after {polls} polls");
        }
    }
}
