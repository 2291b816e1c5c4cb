//! Results in the order in which threads end.

use core::fmt;
use std::{io, panic::Location};

use super::Scope;
use crate::{
    channel::{Receiver, Sender, unbounded},
    runtime::spawn::Request,
    task::cancel,
    thread::{self, Builder, Thread},
};

/// Threads of a [`Scope`] whose results come in the order in which they end: [`Scope::group`].
///
/// The threads are the scope's: they fail together, and the scope's limit goes for them. Dropping
/// the group leaves them to the scope. Their results are dropped then.
///
/// At the scope's [limit](Scope::set_limit) [`spawn`](Self::spawn) waits, and results that come
/// meanwhile stay in the group. A thread that spawns, and handles each result at once, counts the
/// threads instead: the second example.
///
/// # Examples
///
/// ```
/// use greenthread::{cancel, thread, time::Duration};
///
/// let order = cancel::scope(|s| {
///     let mut group = s.group();
///     for number in [30, 0, 60] {
///         group.spawn(move || {
///             thread::sleep(Duration::from_millis(number));
///             Ok::<_, ()>(number)
///         });
///     }
///     let mut order = Vec::new();
///     while let Some(done) = group.next() {
///         order.push(done.value);
///     }
///     Ok(order)
/// });
/// assert_eq!(order, Ok(vec![0, 30, 60]));
/// ```
///
/// At most two threads at a time, without a limit of the scope:
///
/// ```
/// use greenthread::cancel;
///
/// let sum = cancel::scope(|s| {
///     let (mut group, mut numbers) = (s.group(), 1..=10);
///     let (mut live, mut sum) = (0, 0);
///     loop {
///         while live < 2 {
///             let Some(number) = numbers.next() else { break };
///             group.spawn(move || Ok::<_, ()>(number));
///             live += 1;
///         }
///         let Some(done) = group.next() else { return Ok(sum) };
///         live -= 1;
///         sum += done.value;
///     }
/// });
/// assert_eq!(sum, Ok(55));
/// ```
pub struct Group<'scope, 'env: 'scope, T, E> {
    scope: Scope<'scope, 'env, E>,
    sender: Sender<Option<Done<T>>>,
    /// Each thread sends once: `None` if it has no result.
    receiver: Receiver<Option<Done<T>>>,
    /// How many messages have not been received.
    pending: usize,
}

/// The result of a thread of a [`Group`], and which thread that was.
///
/// # Examples
///
/// ```
/// use greenthread::{cancel::{self, Done}, thread::Builder};
///
/// let result = cancel::scope(|s| {
///     let mut group = s.group();
///     group.spawn_with(Builder::new().name("fern".into()), || Ok(7))?;
///     for Done { value, thread, location, .. } in group {
///         println!("{:?}, spawned at {location}, says {value}", thread.name());
///         assert_eq!((thread.name(), value), (Some("fern"), 7));
///     }
///     std::io::Result::Ok(())
/// });
/// # assert!(result.is_ok());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Done<T> {
    /// What the thread has returned.
    pub value: T,
    /// The thread, which has a name if it was given one.
    pub thread: Thread,
    /// Where it was spawned.
    pub location: &'static Location<'static>,
}

/// A thread's one message.
struct Report<T> {
    /// `None` once it was sent.
    sender: Option<Sender<Option<Done<T>>>>,
    location: &'static Location<'static>,
}

impl<T> Report<T> {
    /// Called by the thread when it has ended. Returns the result that the group does not want,
    /// since it was dropped.
    fn send(mut self, value: Option<T>) -> Option<Done<T>> {
        let (thread, location) = (thread::current(), self.location);
        let sender = self.sender.take()?;
        sender.send(value.map(|value| Done { value, thread, location })).err()?.0
    }
}

impl<T> Drop for Report<T> {
    fn drop(&mut self) {
        if let Some(sender) = self.sender.take() {
            _ = sender.send(None);
        }
    }
}

impl<'scope, 'env, E> Scope<'scope, 'env, E> {
    /// Returns an empty group of threads of this scope.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::cancel;
    ///
    /// let sum = cancel::scope(|s| {
    ///     let mut group = s.group();
    ///     (1..=10).for_each(|number| group.spawn(move || Ok::<_, ()>(number)));
    ///     Ok(group.map(|done| done.value).sum::<i32>())
    /// });
    /// assert_eq!(sum, Ok(55));
    /// ```
    #[must_use]
    pub fn group<T>(self) -> Group<'scope, 'env, T, E> {
        let (sender, receiver) = unbounded();
        Group { scope: self, sender, receiver, pending: 0 }
    }
}

impl<'scope, T, E> Group<'scope, '_, T, E> {
    /// Spawns a thread of the scope, as [`Scope::spawn`] does. A thread that returns an error fails
    /// the scope. If the others are to go on, have the thread return `Ok(result)`.
    ///
    /// # Panics
    ///
    /// Panics if the thread can't be spawned.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::cancel;
    ///
    /// let counts = cancel::scope(|s| {
    ///     let mut group = s.group();
    ///     for text in ["1", "x", "3"] {
    ///         group.spawn(|| Ok::<_, ()>(text.parse::<u32>()));
    ///     }
    ///     Ok(group.filter(|done| done.value.is_ok()).count())
    /// });
    /// assert_eq!(counts, Ok(2));
    /// ```
    #[track_caller]
    pub fn spawn<F>(&mut self, f: F)
    where
        F: FnOnce() -> Result<T, E> + Send + 'scope,
        T: Send + 'scope,
        E: Send + 'scope,
    {
        self.spawn_as(Request::plain(), false, f).expect("failed to spawn a green thread");
    }

    /// Spawns a thread as [`spawn`](Self::spawn) does, with what the builder says.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::spawn_scoped`].
    ///
    /// # Panics
    ///
    /// Panics if the thread's name holds a NUL byte.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{cancel, thread::Builder};
    ///
    /// let name = cancel::scope(|s| {
    ///     let mut group = s.group::<()>();
    ///     group.spawn_with(Builder::new().name("fern".into()), || Ok(()))?;
    ///     std::io::Result::Ok(group.next().and_then(|done| done.thread.name().map(str::to_owned)))
    /// });
    /// assert_eq!(name?.as_deref(), Some("fern"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn_with<F>(&mut self, builder: Builder, f: F) -> io::Result<()>
    where
        F: FnOnce() -> Result<T, E> + Send + 'scope,
        T: Send + 'scope,
        E: Send + 'scope,
    {
        let own_tls = builder.own_tls;
        self.spawn_as(builder.request(), own_tls, f)
    }

    fn spawn_as<F>(&mut self, request: Request, own_tls: bool, f: F) -> io::Result<()>
    where
        F: FnOnce() -> Result<T, E> + Send + 'scope,
        T: Send + 'scope,
        E: Send + 'scope,
    {
        // The report is sent even if there is no thread after all.
        self.pending += 1;
        let report = Report { sender: Some(self.sender.clone()), location: request.location };
        // What is not wanted is the thread's result, and dropped as any other.
        self.scope.spawn_as(request, own_tls, f, move |result| Ok(report.send(result.ok()))).map(drop)
    }
}

/// Waits for the next thread that ends, and returns its result. `None` when no thread is left. A
/// thread that was cancelled has no result and is left out.
///
/// `next` is a [cancellation point](super#points). If the scope has failed, the caller is unwound
/// as at any other point, also where `next` would return `None`.
impl<T, E> Iterator for Group<'_, '_, T, E> {
    type Item = Done<T>;

    fn next(&mut self) -> Option<Done<T>> {
        while self.pending != 0 {
            let message = self.receiver.recv().expect("the group has a sender");
            self.pending -= 1;
            if message.is_some() {
                return message;
            }
        }
        cancel::check();
        None
    }
}

impl<T, E> fmt::Debug for Group<'_, '_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("pending", &self.pending).finish_non_exhaustive()
    }
}
