//! What would block a worker panics, and says so.

use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    process::Command,
};

use greenthread::{block_on, thread};
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

use super::everywhere;

/// Runs `f` on a green thread, and returns the message of its panic.
fn panic_of(f: impl FnOnce() + Send + 'static) -> String {
    let panic = thread::spawn(f).join().unwrap_err();
    panic.downcast_ref::<String>().cloned().or(panic.downcast_ref::<&str>().map(|&text| text.into())).unwrap()
}

#[test]
fn a_block_on_of_tokios() {
    everywhere(|| {
        let nested = "Cannot start a runtime from within a runtime";
        assert!(panic_of(|| Handle::current().block_on(async {})).contains(nested));
        let other = || {
            let runtime = Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {});
        };
        assert!(panic_of(other).contains(nested));
        // In `unblock` there is no tokio around it.
        let handle = Handle::current();
        assert_eq!(thread::unblock(move || handle.block_on(async { 1 })), 1);
    });
}

#[test]
fn calls_of_tokios_that_block() {
    everywhere(|| {
        let blocking = || {
            let (_sender, receiver) = oneshot::channel::<()>();
            _ = receiver.blocking_recv();
        };
        assert!(panic_of(blocking).contains("Cannot block the current thread"));
        assert!(panic_of(|| tokio::task::block_in_place(|| {})).contains("multi-threaded"));
    });
}

/// The test above, in a process of its own, for what it prints.
#[test]
fn the_report_says_what_to_do_instead() {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "refused::a_block_on_of_tokios", "--nocapture"]);
    let output = child.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}");
    assert_eq!(printed.matches("by `greenthread::block_on`").count(), 4, "{printed}");
}

/// A panic inside a poll leaves nothing behind.
#[test]
fn a_panic_in_a_future_is_the_threads_own() {
    everywhere(|| {
        for _ in 0..200 {
            let panics = || block_on(async { std::panic::resume_unwind(Box::new("mine")) });
            let panic = catch_unwind(AssertUnwindSafe(panics)).map(|never: ()| never).unwrap_err();
            assert_eq!(*panic.downcast::<&str>().unwrap(), "mine");
        }
        assert_eq!(block_on(tokio::spawn(async { 1 })).unwrap(), 1);
    });
}
