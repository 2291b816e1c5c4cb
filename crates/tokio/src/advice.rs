//! What to do instead, when tokio refuses to block a worker.

use std::{
    panic::{set_hook, take_hook},
    sync::Once,
};

use greenthread::thread::is_green;

/// How tokio's messages begin.
const REFUSALS: [&str; 3] = [
    "Cannot start a runtime from within a runtime",
    "Cannot block the current thread from within a runtime",
    "can call blocking only when running on the multi-threaded runtime",
];

const ADVICE: &str = "\
note: this is a green thread, which waits for a future by `greenthread::block_on`. A crate that blocks by means of tokio
      is called inside `greenthread::thread::unblock`.";

/// From now on such a panic's report is followed by advice. It is added to the panic hook of this
/// moment, which is the library's own or the program's.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            before(panic);
            let refuses = |text: &str| REFUSALS.iter().any(|refusal| text.starts_with(refusal));
            if is_green() && panic.payload_as_str().is_some_and(refuses) {
                eprintln!("{ADVICE}");
            }
        }));
    });
}
