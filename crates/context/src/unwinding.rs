//! Catching and throwing: with the feature `std` what std does, without it nothing.

// Nothing unsafe here.

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

    /// Calls `f` and catches its panic. Whoever gets the panic sees nothing that was left half done: the closure is gone.
    pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
        catch_unwind(AssertUnwindSafe(f))
    }

    /// Continues a panic on this stack, without the hook, which has run.
    #[cold]
    pub(crate) fn rethrow(payload: Payload) -> ! {
        resume_unwind(payload)
    }

    /// Continues a panic of a body that was being unwound, or swallows it if this thread panics already: the hook
    /// has reported it, and a second panic would end the process.
    #[cold]
    pub(crate) fn rethrow_from_drop(payload: Payload) {
        if !panicking() {
            resume_unwind(payload)
        }
    }

    pub(crate) fn is_cancelled(payload: &Payload) -> bool {
        payload.is::<Cancelled>()
    }

    /// Where a suspended coroutine goes on when it is dropped; `again` if it was there before.
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
    /// There is never one.
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
