//! A descriptor, and where it is registered.
//!
//! The one who drops a source has it alone: nobody waits for it any more, anywhere. So all that is
//! left to do is to take it out of the drivers that know it, and to close it, in this order: as
//! long as the descriptor is open its number means nothing else.

use std::{
    io, mem,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use super::registry::{Key, Registry};

/// A descriptor that can be waited for by threads of any worker.
pub(crate) struct Source {
    /// None only while it is being taken out.
    descriptor: Option<OwnedFd>,
    /// Most are only ever used by one worker.
    first: OnceLock<Registration>,
    others: Mutex<Vec<Registration>>,
}

/// That one driver knows a source, and by which key.
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    pub(super) registry: Arc<Registry>,
    pub(super) key: Key,
}

impl Registration {
    /// As an event: after something that the OS has no event for. One who waits looks again, and
    /// the next ones as long as calls don't block. Does nothing if the source is gone.
    pub(crate) fn force_ready(&self) {
        self.registry.force_ready(self.key);
    }

    /// Whether the source is still known there.
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

    /// Takes the descriptor out, registered nowhere: the last that is done with a source. None if
    /// it was taken before.
    pub(crate) fn take(&mut self) -> Option<OwnedFd> {
        self.deregister();
        self.descriptor.take()
    }

    /// The key by which a driver knows it.
    pub(super) fn key(&self, registry: &Arc<Registry>) -> Option<Key> {
        let find = |registration: &Registration| {
            Arc::ptr_eq(&registration.registry, registry).then_some(registration.key)
        };
        let first = self.first.get()?;
        find(first).or_else(|| self.others().iter().find_map(find))
    }

    /// Remembers the key by which a driver knows it from now on.
    ///
    /// # Errors
    /// There is no memory for it.
    pub(super) fn remember(&self, registry: &Arc<Registry>, key: Key) -> io::Result<()> {
        let registration = Registration { registry: registry.clone(), key };
        if let Err(registration) = self.first.set(registration) {
            let mut others = self.others();
            // A source may outlive many runtimes.
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
        // The others come after the first.
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
