//! A descriptor, with the drivers at which it is registered.
//!
//! The thread that drops a source is its only owner: no thread waits for it any more, at any
//! worker. What remains is to deregister it from the drivers that know it, and to close it, in this
//! order. As long as the descriptor is open, its number means nothing else.

use std::{
    io, mem,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use super::registry::{Key, Registry};
use crate::sys::fd::{AsFd, BorrowedFd, OwnedFd};

/// A descriptor for which threads of any worker can wait.
pub(crate) struct Source {
    /// `None` only after `take`.
    descriptor: Option<OwnedFd>,
    /// The first registration, inline, since only one worker ever uses most sources.
    first: OnceLock<Registration>,
    others: Mutex<Vec<Registration>>,
}

/// The registration of a source at one driver, with its key there.
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    pub(super) registry: Arc<Registry>,
    pub(super) key: Key,
}

impl Registration {
    /// Has the same effect as an event, for changes for which the OS has none. The first waiting
    /// thread tries its call again, and passes the wake-up on as long as calls do not block. Does
    /// nothing if the source is gone.
    pub(crate) fn force_ready(&self) {
        self.registry.force_ready(self.key);
    }

    /// Whether the source is still registered there.
    pub(crate) fn is_alive(&self) -> bool {
        self.registry.knows(self.key)
    }
}

impl PartialEq for Registration {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.registry, &other.registry) && self.key == other.key
    }
}

impl Source {
    pub(crate) const fn new(descriptor: OwnedFd) -> Self {
        Self { descriptor: Some(descriptor), first: OnceLock::new(), others: Mutex::new(Vec::new()) }
    }

    /// Deregisters the descriptor everywhere, and returns it; the source is of no use afterwards.
    /// `None` if it was taken before.
    pub(crate) fn take(&mut self) -> Option<OwnedFd> {
        self.deregister();
        self.descriptor.take()
    }

    /// The key of the source at a driver, if it is registered there.
    pub(super) fn key(&self, registry: &Arc<Registry>) -> Option<Key> {
        let find = |registration: &Registration| {
            Arc::ptr_eq(&registration.registry, registry).then_some(registration.key)
        };
        let first = self.first.get()?;
        find(first).or_else(|| self.others().iter().find_map(find))
    }

    /// Records the key of the source at a driver.
    ///
    /// # Errors
    /// If there is no memory for the entry.
    pub(super) fn remember(&self, registry: &Arc<Registry>, key: Key) -> io::Result<()> {
        let registration = Registration { registry: registry.clone(), key };
        if let Err(registration) = self.first.set(registration) {
            let mut others = self.others();
            // A source may outlive many runtimes: entries of those that have ended are removed.
            others.retain(|other| other.registry.is_open());
            others.try_reserve(1)?;
            others.push(registration);
        }
        Ok(())
    }

    fn others(&self) -> std::sync::MutexGuard<'_, Vec<Registration>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deregister(&mut self) {
        let Some(descriptor) = &self.descriptor else { return };
        let Some(first) = self.first.take() else { return };
        first.registry.remove(first.key, descriptor.as_fd());
        // `others` is used only once `first` is set.
        let others = self.others.get_mut().unwrap_or_else(PoisonError::into_inner);
        for registration in mem::take(others) {
            registration.registry.remove(registration.key, descriptor.as_fd());
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.deregister();
    }
}

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_ref().expect("it is taken out only at the end").as_fd()
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("descriptor", &self.descriptor).finish_non_exhaustive()
    }
}
