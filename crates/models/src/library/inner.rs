//! The library's spin lock, which has a model of its own. The models of the other locks have a
//! stand-in for it.

use crate::{locks::fairness, spin::atomic};

#[path = "../../../greenthread/src/sync/raw/spin.rs"]
pub(crate) mod spin;

impl<T> spin::SpinLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { held: atomic::AtomicBool::new(false), value: value.into() }
    }
}
