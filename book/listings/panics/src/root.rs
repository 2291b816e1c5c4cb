// ANCHOR: head
//! What happens around a thread's closure: its panic is caught, kept, and handed to whoever
//! joins.

use std::panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Once;

use crate::thread;
// ANCHOR_END: head

// ANCHOR: call
/// What a thread leaves to whoever joins it: its result, or what it has panicked with.
pub type Outcome<T> = std::thread::Result<T>;

/// Calls a thread's closure.
pub(crate) fn call<T>(f: impl FnOnce() -> T) -> Outcome<T> {
    install_hook();
    // Nobody sees what the closure has left half done: it was ours alone, or is behind
    // something that can be seen half done by other threads anyway.
    catch_unwind(AssertUnwindSafe(f))
}

/// What becomes of an outcome when there is nobody left to hand it to: its panic goes on here.
pub(crate) fn unwrap<T>(outcome: Outcome<T>) -> T {
    outcome.unwrap_or_else(|payload| resume_unwind(payload))
}
// ANCHOR_END: call

// ANCHOR: hook
/// Has the message of a panic say which green thread it was. std knows only the OS thread.
fn install_hook() {
    static HOOK: Once = Once::new();
    if std::thread::panicking() {
        return;
    }
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if let Some(name) = thread::name() {
                eprint!("\ngreen thread '{name}':");
            }
            previous(info);
        }));
    });
}
// ANCHOR_END: hook
