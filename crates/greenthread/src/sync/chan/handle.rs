//! The counted handles of a channel, on which all public senders and receivers are built.

use core::ops::Deref;

use super::{cache_line_arc::CacheLineArc, core::Core};

/// A handle of the sending end.
pub(crate) struct Tx<T>(CacheLineArc<Core<T>>);

/// A handle of the receiving end.
pub(crate) struct Rx<T>(CacheLineArc<Core<T>>);

/// Makes a channel that holds at most `capacity` messages, or any number if that is `None`.
pub(crate) fn channel<T>(capacity: Option<usize>) -> (Tx<T>, Rx<T>) {
    let core = CacheLineArc::new(Core::new(capacity));
    (Tx(core.clone()), Rx(core))
}

macro_rules! handle {
    ($name:ident, $add:ident, $remove:ident) => {
        impl<T> $name<T> {
            /// Whether both belong to one channel.
            pub(crate) fn same_channel(&self, other: &Self) -> bool {
                self.0.is(&other.0)
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
                Self(self.0.clone())
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
