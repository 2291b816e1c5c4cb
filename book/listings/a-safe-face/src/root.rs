//! What happens around a thread's closure. Not much, yet.

/// What a thread leaves to whoever joins it.
pub type Outcome<T> = T;

/// Calls a thread's closure.
pub(crate) fn call<T>(f: impl FnOnce() -> T) -> Outcome<T> {
    f()
}

/// What becomes of an outcome when there is nobody left to hand it to.
pub(crate) fn unwrap<T>(outcome: Outcome<T>) -> T {
    outcome
}
