//! The receiving end, and its iterators.

use core::{
    fmt,
    iter::FusedIterator,
    mem::MaybeUninit,
    panic::{RefUnwindSafe, UnwindSafe},
    time::Duration,
};
use std::sync::Arc;

use super::err::{RecvError, RecvTimeoutError, TryRecvError};
use crate::{
    sync::chan::{
        core::{RecvFailed, Timeout},
        handle::Rx,
        select::Operation,
        selectable::Selected,
        timer::{self, Timer},
    },
    task::{coop::polled, time::now},
    time::Instant,
};

/// The receiving end of a channel. Clone it, or share it, for more receivers: each message is received by one of
/// them.
///
/// # Examples
///
/// ```
/// use greenthread::{channel::unbounded, thread};
///
/// let (s, r) = unbounded();
/// thread::spawn(move || (0..3).for_each(|n| s.send(n).unwrap()));
/// assert!(r.iter().eq(0..3));
/// ```
pub struct Receiver<T> {
    pub(super) flavor: Flavor<T>,
}

/// What messages come from.
pub(super) enum Flavor<T> {
    Channel(Rx<T>),
    /// A timer, and how its times become messages (they are messages).
    Timer(Arc<Timer>, fn(Instant) -> T),
    Never,
}

impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

impl<T> Receiver<T> {
    fn receive(&self, timeout: Timeout) -> Result<T, RecvFailed> {
        match &self.flavor {
            Flavor::Channel(core) => core.recv(timeout),
            Flavor::Timer(timer, message) => timer.recv(timeout).map(|due| message(due.into())),
            Flavor::Never => Err(timer::recv_never(timeout)),
        }
    }

    /// Takes a message if there is one at this moment.
    ///
    /// It doesn't block, except that it waits for the message of a [`select!`](super::select) that has just chosen to send
    /// it here, if that is still being computed. (Inside [`without_yield`](crate::thread::without_yield), where no sibling can
    /// compute it, that is for ever.)
    ///
    /// # Errors
    ///
    /// There is no message, or there can't be one any more.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::{TryRecvError, unbounded};
    ///
    /// let (s, r) = unbounded();
    /// assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
    /// s.send(5).unwrap();
    /// drop(s);
    /// assert_eq!(r.try_recv(), Ok(5));
    /// assert_eq!(r.try_recv(), Err(TryRecvError::Disconnected));
    /// ```
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.receive(Timeout::Try).map_err(|failed| match failed {
            RecvFailed::Empty => TryRecvError::Empty,
            RecvFailed::Closed => TryRecvError::Disconnected,
        })
    }

    /// Takes the oldest message, and waits for one if there is none.
    ///
    /// Blocks the calling thread, green or OS.
    ///
    /// # Errors
    ///
    /// There is no message, and no sender any more.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::{RecvError, unbounded}, thread};
    ///
    /// let (s, r) = unbounded();
    /// thread::spawn(move || s.send(5).unwrap());
    /// assert_eq!(r.recv(), Ok(5));
    /// assert_eq!(r.recv(), Err(RecvError));
    /// ```
    pub fn recv(&self) -> Result<T, RecvError> {
        self.receive(Timeout::Wait(None)).map_err(|_| RecvError)
    }

    /// As [`recv`](Receiver::recv), waiting for `timeout` at most.
    ///
    /// # Errors
    ///
    /// No message came in time, or none can come any more.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::{RecvTimeoutError, unbounded}, time::Duration};
    ///
    /// let (s, r) = unbounded::<()>();
    /// let timeout = Duration::from_millis(5);
    /// assert_eq!(r.recv_timeout(timeout), Err(RecvTimeoutError::Timeout));
    /// drop(s);
    /// assert_eq!(r.recv_timeout(timeout), Err(RecvTimeoutError::Disconnected));
    /// ```
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_within(Timeout::within(timeout))
    }

    /// As [`recv`](Receiver::recv), waiting until `deadline` at most.
    ///
    /// # Errors
    ///
    /// No message came in time, or none can come any more.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::{RecvTimeoutError, unbounded}, time::{Duration, Instant}};
    ///
    /// let (_s, r) = unbounded::<()>();
    /// let deadline = Instant::now() + Duration::from_millis(5);
    /// assert_eq!(r.recv_deadline(deadline), Err(RecvTimeoutError::Timeout));
    /// ```
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_within(Timeout::until(deadline))
    }

    fn recv_within(&self, timeout: Timeout) -> Result<T, RecvTimeoutError> {
        self.receive(timeout).map_err(|failed| match failed {
            RecvFailed::Empty => RecvTimeoutError::Timeout,
            RecvFailed::Closed => RecvTimeoutError::Disconnected,
        })
    }

    /// Whether there is no message in the channel; with a capacity of 0, always.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::unbounded;
    ///
    /// let (s, r) = unbounded();
    /// assert!(r.is_empty());
    /// s.send(1).unwrap();
    /// assert!(!r.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there are as many messages in the channel as may be; with a capacity of 0, always.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::bounded;
    ///
    /// let (s, r) = bounded(1);
    /// assert!(!r.is_full());
    /// s.send(1).unwrap();
    /// assert!(r.is_full());
    /// ```
    pub fn is_full(&self) -> bool {
        match &self.flavor {
            Flavor::Channel(core) => core.is_full(),
            Flavor::Timer(..) => self.len() == 1,
            Flavor::Never => true,
        }
    }

    /// How many messages are in the channel.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::unbounded;
    ///
    /// let (s, r) = unbounded();
    /// s.send(1).unwrap();
    /// s.send(2).unwrap();
    /// assert_eq!(r.len(), 2);
    /// ```
    pub fn len(&self) -> usize {
        match &self.flavor {
            Flavor::Channel(core) => core.len(),
            Flavor::Timer(timer, _) => usize::from(polled(timer.is_due(now()))),
            Flavor::Never => usize::from(polled(false)),
        }
    }

    /// How many messages there may be in the channel; `None` if there is no limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::{bounded, unbounded};
    ///
    /// assert_eq!(unbounded::<()>().1.capacity(), None);
    /// assert_eq!(bounded::<()>(5).1.capacity(), Some(5));
    /// ```
    pub fn capacity(&self) -> Option<usize> {
        match &self.flavor {
            Flavor::Channel(core) => core.capacity(),
            Flavor::Timer(..) => Some(1),
            Flavor::Never => Some(0),
        }
    }

    /// The messages as they come; it waits for each, and ends when there can be none any more.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::unbounded, thread};
    ///
    /// let (s, r) = unbounded();
    /// thread::spawn(move || (0..3).for_each(|n| s.send(n).unwrap()));
    /// assert_eq!(r.iter().collect::<Vec<_>>(), [0, 1, 2]);
    /// ```
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// The messages that are there already; it never waits.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::unbounded;
    ///
    /// let (s, r) = unbounded();
    /// s.send(1).unwrap();
    /// s.send(2).unwrap();
    /// assert!(r.try_iter().eq([1, 2]));
    /// ```
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }

    /// Whether both receive from one channel.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::unbounded;
    ///
    /// let (_s, r) = unbounded::<()>();
    /// assert!(r.same_channel(&r.clone()));
    /// assert!(!r.same_channel(&unbounded().1));
    /// ```
    pub fn same_channel(&self, other: &Receiver<T>) -> bool {
        match (&self.flavor, &other.flavor) {
            (Flavor::Channel(one), Flavor::Channel(other)) => one.same_channel(other),
            (Flavor::Timer(one, _), Flavor::Timer(other, _)) => Arc::ptr_eq(one, other),
            (Flavor::Never, Flavor::Never) => true,
            _ => false,
        }
    }

    /// The arm of a select that receives here, into `place`.
    ///
    /// # Safety
    /// As for [`Operation::receive`].
    pub(super) unsafe fn operation(&self, place: *mut MaybeUninit<T>) -> Operation<'_> {
        match &self.flavor {
            // SAFETY: as the caller says.
            Flavor::Channel(core) => unsafe { Operation::receive(&**core, place.cast()) },
            Flavor::Timer(timer, _) => Operation::timer(timer),
            Flavor::Never => Operation::never(),
        }
    }

    /// What an arm has received.
    ///
    /// # Safety
    /// It has won this, with `place`, which is read here for the first time.
    pub(super) unsafe fn finish(&self, won: &Selected, place: *const MaybeUninit<T>) -> Result<T, RecvError> {
        match (won, &self.flavor) {
            // SAFETY: the message is there, and the caller's.
            (Selected::Message, _) => Ok(unsafe { place.cast::<T>().read() }),
            (Selected::Due(due), Flavor::Timer(_, message)) => Ok(message((*due).into())),
            _ => Err(RecvError),
        }
    }
}

impl<T> Clone for Receiver<T> {
    /// One more receiver for the same channel.
    fn clone(&self) -> Self {
        let flavor = match &self.flavor {
            Flavor::Channel(core) => Flavor::Channel(core.clone()),
            Flavor::Timer(timer, message) => Flavor::Timer(Arc::clone(timer), *message),
            Flavor::Never => Flavor::Never,
        };
        Self { flavor }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

/// The messages of a [`Receiver`], waited for; see [`Receiver::iter`].
///
/// # Examples
///
/// ```
/// use greenthread::channel::unbounded;
///
/// let (s, r) = unbounded();
/// s.send(1).unwrap();
/// s.send(2).unwrap();
/// drop(s);
/// assert_eq!(r.iter().collect::<Vec<_>>(), [1, 2]);
/// ```
pub struct Iter<'a, T> {
    receiver: &'a Receiver<T>,
}

/// The messages that a [`Receiver`] has already; see [`Receiver::try_iter`].
///
/// # Examples
///
/// ```
/// use greenthread::channel::unbounded;
///
/// let (s, r) = unbounded();
/// s.send(1).unwrap();
/// assert_eq!(r.try_iter().collect::<Vec<_>>(), [1]);
/// assert_eq!(r.try_iter().next(), None);
/// drop(s);
/// ```
pub struct TryIter<'a, T> {
    receiver: &'a Receiver<T>,
}

/// The messages of a [`Receiver`], waited for, with the receiver inside; `for message in receiver` makes it.
///
/// # Examples
///
/// ```
/// use greenthread::channel::unbounded;
///
/// let (s, r) = unbounded();
/// s.send(1).unwrap();
/// drop(s);
/// let mut messages = r.into_iter();
/// assert_eq!((messages.next(), messages.next()), (Some(1), None));
/// ```
pub struct IntoIter<T> {
    receiver: Receiver<T>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> FusedIterator for Iter<'_, T> {}
impl<T> FusedIterator for IntoIter<T> {}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self }
    }
}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for TryIter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryIter").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for IntoIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoIter").finish_non_exhaustive()
    }
}
