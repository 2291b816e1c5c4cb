//! Catching and resuming panics. With the feature `std` these are std's functions; without it
//! nothing is caught.

// Nothing here is unsafe.

pub(crate) use imp::{Payload, catch, is_cancelled, rethrow, rethrow_from_drop, unwind};

/// Whether a suspended coroutine can be unwound.
pub(crate) const CAN_UNWIND: bool = cfg!(all(feature = "std", panic = "unwind"));

#[cfg(feature = "std")]
mod imp {
    use std::any::Any;
    use std::boxed::Box;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::thread::panicking;

    pub(crate) type Payload = Box<dyn Any + Send>;

    /// The payload with which a coroutine that is dropped is unwound.
    struct Cancelled;

    /// Calls `f` and catches its panic. The assertion of unwind safety holds: `f` is consumed, so
    /// the caller can't see anything of it that the panic left half done.
    pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
        catch_unwind(AssertUnwindSafe(f))
    }

    /// Continues a panic on this stack. The panic hook has run already and isn't called again.
    #[cold]
    pub(crate) fn rethrow(payload: Payload) -> ! {
        resume_unwind(payload)
    }

    /// Continues a panic of a body that was being unwound. If this OS thread panics already, the
    /// function swallows the panic instead: the hook has reported it, and a second panic would end
    /// the process.
    #[cold]
    pub(crate) fn rethrow_from_drop(payload: Payload) {
        if !panicking() {
            resume_unwind(payload)
        }
    }

    /// Whether the payload is that of `unwind`.
    pub(crate) fn is_cancelled(payload: &Payload) -> bool {
        payload.is::<Cancelled>()
    }

    /// Unwinds a coroutine that is dropped while suspended. `again` if it was unwound before and
    /// has suspended once more.
    #[cold]
    pub(crate) fn unwind(again: bool) -> ! {
        if again && panicking() {
            panic!(
                "a coroutine that is being dropped has suspended again, in a destructor: nobody will resume it"
            );
        }
        resume_unwind(Box::new(Cancelled))
    }
}

#[cfg(not(feature = "std"))]
mod imp {
    /// No payload is ever made.
    pub(crate) type Payload = &'static str;

    pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
        Ok(f())
    }

    pub(crate) fn rethrow(payload: Payload) -> ! {
        panic!("{payload}")
    }

    pub(crate) fn rethrow_from_drop(_: Payload) {}

    pub(crate) fn is_cancelled(_: &Payload) -> bool {
        false
    }

    pub(crate) fn unwind(_again: bool) -> ! {
        unreachable!("nothing is asked to unwind without `std`")
    }
}
