//! The texts of errors and panics are those of std and crossbeam-channel, as programs compare them
//! and people search for them.

use std::{
    fmt::{Debug, Display},
    panic::{AssertUnwindSafe, catch_unwind},
};

use greenthread::{
    channel::{self, Select, bounded},
    sync::{mpmc, nonpoison, oneshot},
    thread::{self, AccessError},
};

#[track_caller]
fn says<E: Debug + Display>(error: E, debug: &str, display: &str) {
    assert_eq!(format!("{error:?}"), debug);
    assert_eq!(error.to_string(), display);
    // A width counts.
    assert_eq!(format!("{error:>60}"), format!("{display:>60}"));
}

#[test]
fn channels() {
    use channel::*;

    let (no_receiver, no_sender) =
        ("sending on a disconnected channel", "receiving on an empty and disconnected channel");
    says(SendError(1), "SendError(..)", no_receiver);
    says(TrySendError::Full(1), "Full(..)", "sending on a full channel");
    says(TrySendError::Disconnected(1), "Disconnected(..)", no_receiver);
    says(SendTimeoutError::Timeout(1), "SendTimeoutError(..)", "timed out waiting on send operation");
    says(SendTimeoutError::Disconnected(1), "SendTimeoutError(..)", no_receiver);
    says(RecvError, "RecvError", no_sender);
    says(TryRecvError::Empty, "Empty", "receiving on an empty channel");
    says(TryRecvError::Disconnected, "Disconnected", no_sender);
    says(RecvTimeoutError::Timeout, "Timeout", "timed out waiting on receive operation");
    says(RecvTimeoutError::Disconnected, "Disconnected", "channel is empty and disconnected");
    says(TrySelectError, "TrySelectError", "all operations in select would block");
    says(SelectTimeoutError, "SelectTimeoutError", "timed out waiting on select");
    // crossbeam-channel has no such texts.
    says(TryReadyError, "TryReadyError", "all operations in select would block");
    says(ReadyTimeoutError, "ReadyTimeoutError", "timed out waiting on select");
}

#[test]
fn what_std_keeps_unstable() {
    let (no_receiver, no_sender) = ("sending on a disconnected channel", "receiving on a closed channel");
    let timeout = mpmc::SendTimeoutError::Timeout(1);
    says(timeout, "SendTimeoutError(..)", "timed out waiting on send operation");
    says(mpmc::SendTimeoutError::Disconnected(1), "SendTimeoutError(..)", no_receiver);

    let receiver = || oneshot::channel::<()>().1;
    let empty = oneshot::TryRecvError::Empty(receiver());
    says(empty, "TryRecvError(..)", "receiving on an empty channel");
    says(oneshot::TryRecvError::<()>::Disconnected, "TryRecvError(..)", no_sender);
    let timeout = oneshot::RecvTimeoutError::Timeout(receiver());
    says(timeout, "RecvTimeoutError(..)", "timed out waiting on channel");
    says(oneshot::RecvTimeoutError::<()>::Disconnected, "RecvTimeoutError(..)", no_sender);
    says(nonpoison::WouldBlock, "WouldBlock", "try_lock failed because the operation would block");
}

#[test]
fn thread_locals() {
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            let error: AccessError = LAST.try_with(|_| ()).unwrap_err();
            says(error, "AccessError", "already destroyed");
        }
    }
    greenthread::thread_local!(static LAST: Last = const { Last });
    thread::spawn(|| LAST.with(|_| ())).join().unwrap();
}

#[test]
fn panics_of_a_select() {
    fn panics(what: impl FnOnce(), text: &str) {
        let panic = catch_unwind(AssertUnwindSafe(what)).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&text));
    }
    let (s, r) = bounded(2);
    let (other_s, other_r) = (s.clone(), r.clone());
    panics(|| _ = Select::new().select(), "no operations have been added to `Select`");
    panics(|| _ = Select::new().ready(), "no operations have been added to `Select`");
    panics(|| channel::select! {}, "no operations have been added to `Select`");
    let mut ops = Select::new();
    ops.send(&s);
    panics(|| _ = ops.select(), "dropped `SelectedOperation` without completing the operation");
    panics(|| _ = ops.select().send(&other_s, 1), "passed a sender that wasn't selected");
    s.send(1).unwrap();
    let mut ops = Select::new();
    ops.recv(&r);
    panics(|| _ = ops.select().recv(&other_r), "passed a receiver that wasn't selected");
}
