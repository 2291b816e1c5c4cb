//! The lock inside its locks, with a model of its own: the models of the locks have a stand-in for it.

use crate::{locks::patience, short::atomic};

#[path = "../../../greenthread/src/sync/short.rs"]
pub(crate) mod short;

impl<T> short::ShortLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { held: atomic::AtomicBool::new(false), value: value.into() }
    }
}
