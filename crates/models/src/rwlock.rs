//! The read-write lock: a writer is alone, readers may be several, and no thread sleeps at a lock
//! that would let it in.

use std::{sync::Arc, time::Instant};

use crate::{
    atomic::Bug,
    harness::{Joiner, check, finds, spawn},
    library::sync::raw::rwlock::RawRwLock,
    locks::{Guarded, WANTS_HANDOVER, WORKER_ID},
};

struct RwLock {
    raw: RawRwLock,
    value: Guarded,
}

/// An action of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Read,
    ReadInTime,
    Write,
    WriteInTime,
    /// Writes, and reads what it has written.
    Downgrade,
}

use Action::{Downgrade, Read, ReadInTime, Write, WriteInTime};

impl RwLock {
    fn act(&self, action: Action) {
        let deadline = Some(Instant::now());
        let locked = match action {
            Read => self.raw.read_until(WORKER_ID, None),
            ReadInTime => self.raw.read_until(WORKER_ID, deadline),
            Write | Downgrade => self.raw.write_until(WORKER_ID, None),
            WriteInTime => self.raw.write_until(WORKER_ID, deadline),
        };
        if !locked {
            assert!(matches!(action, ReadInTime | WriteInTime));
            return;
        }
        // SAFETY: just locked in that way.
        unsafe {
            match action {
                Read | ReadInTime => {
                    self.value.read();
                    self.raw.unlock_read();
                }
                Write | WriteInTime => {
                    self.value.add_one();
                    self.raw.unlock_write();
                }
                Downgrade => {
                    let value = self.value.add_one();
                    self.raw.downgrade();
                    assert_eq!(self.value.read(), value, "somebody has written in between");
                    self.raw.unlock_read();
                }
            }
        }
    }
}

/// Each thread takes its actions one after the other. The last one is the model's own thread.
fn act(threads: &[&'static [Action]]) {
    #[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
    let lock = Arc::new(RwLock { raw: RawRwLock::new(), value: Guarded::new() });
    let (own, others) = threads.split_last().expect("there are threads");
    let others: Vec<Joiner> = others
        .iter()
        .map(|&actions| {
            let lock = lock.clone();
            spawn(move || actions.iter().for_each(|&action| lock.act(action)))
        })
        .collect();
    own.iter().for_each(|&action| lock.act(action));
    others.into_iter().for_each(Joiner::join);
    let written = threads.iter().flat_map(|actions| actions.iter());
    let (surely, perhaps) = written.fold((0, 0), |(surely, perhaps), action| match action {
        Write | Downgrade => (surely + 1, perhaps),
        WriteInTime => (surely, perhaps + 1),
        _ => (surely, perhaps),
    });
    assert!((surely..=surely + perhaps).contains(&lock.value.read()));
    assert!(lock.raw.is_clean(), "locked by nobody, and nobody in line");
}

/// Checks with threads that ask for a hand-over the first time that they are woken in vain, or
/// never.
fn check_with(handover: bool, preemptions: usize, threads: &'static [&'static [Action]]) {
    WANTS_HANDOVER.set(handover);
    check(Some(preemptions), move || act(threads));
}

#[test]
fn writers_exclude_each_other() {
    for handover in [false, true] {
        check_with(handover, 3, &[&[Write, Write], &[Write]]);
        check_with(handover, 2, &[&[Write], &[Write], &[Write]]);
    }
}

#[test]
fn a_lock_is_handed_over() {
    // The first thread locks again right after it has handed the lock over.
    check_with(true, 3, &[&[Write], &[Write, Write, Write]]);
    check_with(true, 2, &[&[Write], &[Write], &[Write, Write]]);
}

#[test]
fn a_writer_excludes_readers() {
    for handover in [false, true] {
        check_with(handover, 3, &[&[Read, Read], &[Write]]);
    }
    check_with(true, 1, &[&[Read], &[Read], &[Write]]);
}

#[test]
fn writers_and_a_reader_let_each_other_in() {
    check_with(true, 2, &[&[Write], &[Read], &[Write]]);
}

/// Readers pass a queued writer once. Then there is a bar.
#[test]
fn readers_pass_a_writer_up_to_the_bar() {
    check_with(false, 2, &[&[Read, Read], &[Write], &[Read, Read]]);
    check_with(true, 1, &[&[Read, Read], &[Write, Write], &[Read]]);
}

#[test]
fn a_writer_that_gives_up_takes_its_bar_along() {
    for handover in [false, true] {
        check_with(handover, 2, &[&[Read, Read], &[WriteInTime], &[Read, Read]]);
        check_with(handover, 1, &[&[Read], &[WriteInTime, Write], &[Read, Read]]);
    }
}

#[test]
fn a_writer_goes_on_as_a_reader() {
    check_with(false, 3, &[&[Write], &[Downgrade]]);
    check_with(true, 1, &[&[Read], &[Write], &[Downgrade]]);
}

#[test]
fn giving_up_harms_nobody() {
    check_with(true, 2, &[&[ReadInTime], &[Write], &[Write]]);
    check_with(true, 2, &[&[WriteInTime], &[Write], &[Read]]);
    check_with(true, 1, &[&[Read, Read], &[ReadInTime, ReadInTime], &[WriteInTime]]);
}

#[test]
fn a_writer_that_gives_up_lets_readers_in() {
    check_with(false, 2, &[&[WriteInTime], &[Read], &[Read]]);
}

/// One thread reads until two others have read, while a writer before them gives up. One of the two
/// passes the writer, the other one is barred.
#[test]
fn giving_up_lets_in_who_is_behind() {
    check(Some(1), || {
        #[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
        let lock = Arc::new(RwLock { raw: RawRwLock::new(), value: Guarded::new() });
        assert!(lock.raw.try_read());
        let [writer, first, second] = [WriteInTime, Read, Read].map(|action| {
            let lock = lock.clone();
            spawn(move || lock.act(action))
        });
        first.join();
        second.join();
        // SAFETY: locked above.
        unsafe { lock.raw.unlock_read() };
        writer.join();
    });
}

#[test]
fn finds_an_unlock_that_releases_nothing() {
    finds(Bug::NoRelease, "Causality violation", || act(&[&[Read], &[Write]]));
}

#[test]
fn finds_a_lock_that_acquires_nothing() {
    finds(Bug::NoAcquire, "Causality violation", || act(&[&[Read], &[Write]]));
}

#[test]
fn finds_a_torn_exchange() {
    finds(Bug::TornExchange, "", || act(&[&[Write], &[Write]]));
}

#[test]
fn finds_a_torn_count() {
    finds(Bug::TornExchange, "", || act(&[&[Read], &[Read], &[Write]]));
}
