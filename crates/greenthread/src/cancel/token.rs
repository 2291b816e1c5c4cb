//! Cancellation from anywhere.

use core::{
    fmt,
    sync::atomic::{
        AtomicBool,
        Ordering::{Acquire, Release},
    },
};
use std::{panic::resume_unwind, sync::Arc};

use super::{Cancelled, is_ours};
use crate::task::{
    cancel,
    cancel_node::{List, State},
    entered::Entered,
};

/// Cancels what runs under it, from anywhere: another thread, an OS thread, a thread that waits for
/// signals. Clones are the same token.
///
/// # Examples
///
/// ```
/// use greenthread::{cancel::Token, thread};
///
/// let token = Token::new();
/// let server = thread::spawn({
///     let token = token.clone();
///     move || token.run(|| loop { thread::park() })
/// });
/// token.cancel();
/// let never: Result<std::convert::Infallible, _> = server.join().unwrap();
/// assert!(never.is_err());
/// ```
#[derive(Clone)]
pub struct Token(Arc<Inner>);

struct Inner {
    is_cancelled: AtomicBool,
    /// The scopes that run under it.
    scopes: List,
}

impl Token {
    /// A token that nobody has cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Inner { is_cancelled: AtomicBool::new(false), scopes: List::new() }))
    }

    /// Cancels whatever runs under the token now and later. Does not wait for it.
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Release);
        cancel::cancel_list(&self.0.scopes);
    }

    /// Returns whether the token was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Acquire)
    }

    /// Calls `f` under the token.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if `f` was unwound since the token was cancelled.
    pub fn run<T>(&self, f: impl FnOnce() -> T) -> Result<T, Cancelled> {
        let (result, state) = Entered::run(false, None, Some(&self.0.scopes), || {
            if self.is_cancelled() {
                cancel::cancel_innermost();
            }
            f()
        });
        result.or_else(|payload| match state {
            State::Cancelled if is_ours(&*payload) => {
                Err(*payload.downcast::<Cancelled>().expect("it is one"))
            }
            _ => resume_unwind(payload),
        })
    }
}

impl Default for Token {
    /// The same as [`Token::new`].
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("is_cancelled", &self.is_cancelled()).finish()
    }
}
