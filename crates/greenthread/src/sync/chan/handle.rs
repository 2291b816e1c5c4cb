//! The two ends of a channel, counted: what all public senders and receivers are made of.

use core::ops::Deref;
use std::sync::Arc;

use super::core::Core;

/// A sender.
pub(crate) struct Tx<T>(Arc<Core<T>>);

/// A receiver.
pub(crate) struct Rx<T>(Arc<Core<T>>);

/// A channel for `capacity` messages, without a limit if that is `None`.
pub(crate) fn channel<T>(capacity: Option<usize>) -> (Tx<T>, Rx<T>) {
    let core = Arc::new(Core::new(capacity));
    (Tx(Arc::clone(&core)), Rx(core))
}

macro_rules! handle {
    ($name:ident, $add:ident, $remove:ident) => {
        impl<T> $name<T> {
            /// Whether both belong to one channel.
            pub(crate) fn same_channel(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.0, &other.0)
            }
        }

        impl<T> Deref for $name<T> {
            type Target = Core<T>;

            #[inline]
            fn deref(&self) -> &Core<T> {
                &self.0
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                self.0.$add();
                Self(Arc::clone(&self.0))
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                self.0.$remove();
            }
        }
    };
}

handle!(Tx, add_sender, drop_sender);
handle!(Rx, add_receiver, drop_receiver);
