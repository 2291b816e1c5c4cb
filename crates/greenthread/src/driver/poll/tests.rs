//! The state of one driver, examined from inside, on one OS thread.

use std::{
    io::{IoSliceMut, Read as _, Write as _},
    os::{fd::AsFd, unix::net::UnixStream},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    cancel::{self, Token},
    driver::{CallResult::*, Driver, Interest, Interest::*, Source},
    runtime::{self, Runtime},
    sys::{error::OsResult, poller::look_one, uring::Operation},
    task::wait::{Claim, Outcome},
    thread,
};

const NOW: Option<Duration> = Some(Duration::ZERO);

/// A registered source that has nothing to read, and the other end of its socket pair.
fn registered(driver: &Driver) -> (Source, UnixStream) {
    let (end, other) = UnixStream::pair().unwrap();
    let source = Source::new(end.into());
    assert!(!is_blocked(driver, &source, Read), "nothing is known of it");
    let soon = Instant::now() + Duration::from_millis(1);
    // Off the runtime a wait blocks the OS thread, so only the deadline can end it.
    assert_eq!(driver.turn(&source, Read).wait(Some(soon)).unwrap(), Outcome::TimedOut);
    driver.sleep(NOW);
    (source, other)
}

fn is_blocked(driver: &Driver, source: &Source, interest: Interest) -> bool {
    driver.turn(source, interest).is_blocked()
}

fn blocked(driver: &Driver, source: &Source) -> (bool, bool) {
    (is_blocked(driver, source, Read), is_blocked(driver, source, Write))
}

#[test]
fn an_event_makes_ready_and_a_blocked_call_unready() {
    let driver = Driver::new(None).unwrap();
    let (source, mut other) = registered(&driver);
    assert_eq!(blocked(&driver, &source), (true, false));
    other.write_all(b"x").unwrap();
    assert_eq!(blocked(&driver, &source), (true, false), "not before it is looked at");
    driver.sleep(NOW);
    assert_eq!(blocked(&driver, &source), (false, false));
    assert_eq!(driver.turn(&source, Read).wait(None).unwrap(), Outcome::Woken);
    driver.record(&source, Read, Full);
    driver.record(&source, Write, Blocked);
    assert_eq!(blocked(&driver, &source), (false, true));
    driver.record(&source, Read, Short);
    assert_eq!(blocked(&driver, &source), (true, true));
}

#[test]
fn an_event_during_a_call_is_not_lost() {
    let driver = Driver::new(None).unwrap();
    let (source, mut other) = registered(&driver);
    other.write_all(b"x").unwrap();
    driver.sleep(NOW);
    // The call takes the byte. Another byte comes before the result is recorded.
    rustix::io::read(&source, &mut [0; 8]).unwrap();
    other.write_all(b"y").unwrap();
    driver.record(&source, Read, Short);
    driver.sleep(NOW);
    assert!(!is_blocked(&driver, &source, Read));
}

#[test]
fn a_cancelled_wait_leaves_its_place() {
    /// The driver of the one worker on which all of this runs.
    fn driver<'a>() -> &'a Driver {
        runtime::driver().unwrap()
    }
    let (end, mut other) = UnixStream::pair().unwrap();
    let source = Source::new(end.into());
    let wait = || driver().turn(&source, Read).wait(None).unwrap();
    let cancel = || {
        let mut slab = driver().registry.lock();
        let entry = source.key(&driver().registry).and_then(|key| slab.get(key));
        let claim = entry.and_then(|entry| entry.direction(Read).cancel_first());
        drop(slab);
        matches!(claim, Some(Claim::Won(Some(_))))
    };
    let runtime = Runtime::builder().workers(1).build().unwrap();
    runtime.run(|| {
        thread::scope(|s| {
            let first = s.spawn(wait);
            while !cancel() {
                thread::yield_now();
            }
            let second = s.spawn(wait);
            assert_eq!(first.join().unwrap(), Outcome::Cancelled);
            other.write_all(b"x").unwrap();
            assert_eq!(second.join().unwrap(), Outcome::Woken);
            let key = source.key(&driver().registry).unwrap();
            assert!(driver().registry.lock().get(key).unwrap().direction(Read).is_empty());
        });
    });
}

#[test]
fn a_short_count_is_not_believed_at_the_end() {
    let driver = Driver::new(None).unwrap();
    let (source, mut other) = registered(&driver);
    other.write_all(b"x").unwrap();
    other.shutdown(std::net::Shutdown::Write).unwrap();
    driver.sleep(NOW);
    driver.record(&source, Read, Short);
    assert_eq!(blocked(&driver, &source), (false, false));
    // The second call that would block is believed.
    driver.record(&source, Read, Blocked);
    assert_eq!(blocked(&driver, &source), (false, false));
    driver.record(&source, Read, Blocked);
    assert_eq!(blocked(&driver, &source), (true, false));
    drop(other);
    driver.sleep(NOW);
    for direction in [Read, Write] {
        driver.record(&source, direction, Short);
    }
    assert_eq!(blocked(&driver, &source), (false, false));
}

#[test]
fn a_key_of_one_that_is_gone_finds_nothing() {
    let driver = Driver::new(None).unwrap();
    let (source, mut other) = registered(&driver);
    let old = source.key(&driver.registry).unwrap();
    // An event of the first source must not reach the second one, which has taken its entry.
    other.write_all(b"x").unwrap();
    drop(source);
    let (second, mut peer) = registered(&driver);
    let new = second.key(&driver.registry).unwrap();
    assert_eq!(old.index, new.index);
    assert_ne!(old, new);
    assert!(driver.registry.lock().get(old).is_none());
    assert!(is_blocked(&driver, &second, Read));
    driver.registry.lock().remove(old);
    peer.write_all(b"x").unwrap();
    driver.sleep(NOW);
    assert!(!is_blocked(&driver, &second, Read));
    assert_eq!(driver.registry.lock().entries.len(), 1);
}

#[test]
fn each_driver_has_its_own_view() {
    let (one, two) = (Driver::new(None).unwrap(), Driver::new(None).unwrap());
    let (source, mut other) = registered(&one);
    let soon = || Some(Instant::now() + Duration::from_millis(1));
    assert_eq!(two.turn(&source, Read).wait(soon()).unwrap(), Outcome::TimedOut);
    other.write_all(b"x").unwrap();
    one.sleep(NOW);
    two.sleep(NOW);
    one.record(&source, Read, Short);
    assert!(is_blocked(&one, &source, Read) && !is_blocked(&two, &source, Read));
    let key = two.turn(&source, Read).wait(None).map(|_| source.key(&two.registry).unwrap()).unwrap();
    // The source is dropped on another OS thread.
    std::thread::spawn(move || drop(source)).join().unwrap();
    assert!(two.registry.lock().get(key).is_none());
}

#[test]
fn a_driver_that_is_gone_leaves_no_descriptor() {
    let (end, mut other) = UnixStream::pair().unwrap();
    let mut source = Source::new(end.into());
    let soon = || Some(Instant::now() + Duration::from_millis(1));
    for _ in 0..5 {
        let driver = Driver::new(None).unwrap();
        assert_eq!(driver.turn(&source, Read).wait(soon()).unwrap(), Outcome::TimedOut);
        let (registry, poller) = (driver.registry.clone(), Arc::downgrade(&driver.poller));
        assert!(registry.is_open());
        drop(driver);
        assert!(!registry.is_open() && poller.upgrade().is_none());
    }
    // The descriptor can still be used.
    let descriptor = source.take().unwrap();
    rustix::io::write(&descriptor, b"x").unwrap();
    other.read_exact(&mut [0]).unwrap();
}

#[test]
fn what_can_not_be_registered_says_so() {
    let driver = Driver::new(None).unwrap();
    let source = Source::new(std::fs::File::open("/proc/self/maps").unwrap().into());
    let error = driver.turn(&source, Read).wait(None).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EPERM));
    assert!(source.key(&driver.registry).is_none());
    // The entry of the failed registration is free again.
    let (_source, _other) = registered(&driver);
    assert_eq!(driver.registry.lock().entries.len(), 1);
}

#[test]
fn a_wake_up_ends_the_next_sleep() {
    let driver = Driver::new(None).unwrap();
    for _ in 0..3 {
        driver.waker().wake();
        driver.waker().wake();
        driver.sleep(None);
        let start = Instant::now();
        driver.sleep(Some(Duration::from_micros(2500)));
        assert!(start.elapsed() >= Duration::from_micros(2500), "two wake-ups, one end");
    }
    let waker = driver.waker();
    let other = std::thread::spawn(move || waker.wake());
    driver.sleep(None);
    other.join().unwrap();
}

#[test]
fn one_descriptor_by_itself() {
    use crate::sys::poller::poll_one;

    let (end, mut other) = UnixStream::pair().unwrap();
    let start = Instant::now();
    let error = poll_one(end.as_fd(), Read, Some(start + Duration::from_millis(3)), None).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert!(start.elapsed() >= Duration::from_millis(3));
    poll_one(end.as_fd(), Write, None, None).unwrap();
    other.write_all(b"x").unwrap();
    poll_one(end.as_fd(), Read, Some(start), None).unwrap();
}

#[test]
fn entries_of_many_that_are_gone_go_too() {
    let driver = Driver::new(None).unwrap();
    let mut all: Vec<_> = (0..400).map(|_| driver.registry.lock().insert().unwrap()).collect();
    let (kept, room) = (all.remove(17), driver.registry.lock().entries.capacity());
    all.iter().for_each(|&key| driver.registry.lock().remove(key));
    driver.shrink();
    {
        let mut slab = driver.registry.lock();
        assert!(slab.entries.capacity() < room / 4 && slab.entries.len() == 18);
        assert!(slab.get(kept).is_some() && all.iter().all(|&key| slab.get(key).is_none()));
    }
    // New sources take the entries, and old keys do not find them.
    let new: Vec<_> = (0..400).map(|_| driver.registry.lock().insert().unwrap()).collect();
    let mut slab = driver.registry.lock();
    assert!(new.iter().all(|&key| slab.get(key).is_some() && !all.contains(&key) && key != kept));
    assert!(all.iter().all(|&key| slab.get(key).is_none()));
    assert_eq!((slab.used, slab.entries.len()), (401, 401));
}

/// A read of a pipe, which waits in the ring as no file of the library's own does.
fn read_in_the_ring(reader: &std::io::PipeReader, memory: &mut [u8]) -> Option<OsResult<usize>> {
    let driver = runtime::driver()?;
    let operation = Operation::read(reader, &mut [IoSliceMut::new(memory)], None)?;
    // SAFETY: the memory is borrowed until `file` returns.
    Some(unsafe { driver.file(operation) }?.result)
}

#[test]
fn an_operation_in_flight_is_cancelled_and_its_answer_awaited() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let reader = Arc::new(reader);
    let runtime = Runtime::builder().workers(1).build().unwrap();
    runtime.run(move || {
        for (limit, by_token) in [(1, false), (60_000, true)] {
            let token = Token::new();
            let (theirs, pipe) = (token.clone(), reader.clone());
            let reading = thread::spawn(move || {
                let mut memory = [7; 4];
                let read = || theirs.run(|| read_in_the_ring(&pipe, &mut memory));
                match cancel::timeout(Duration::from_millis(limit), read) {
                    Ok(Ok(result)) => Err(result),
                    _ => Ok(memory),
                }
            });
            thread::sleep(Duration::from_millis(2));
            if by_token {
                token.cancel();
            }
            match reading.join().unwrap() {
                Ok(memory) => assert_eq!(memory, [7; 4]),
                // The system has no ring.
                Err(result) => return assert_eq!(result, None),
            }
            // The kernel has given the pipe up, and reads no more.
            writer.write_all(b"word").unwrap();
            let mut word = [0; 4];
            match read_in_the_ring(&reader, &mut word) {
                // The deadline was faster than the call. The system has no ring.
                None => return,
                read => assert_eq!((read, word), (Some(Ok(4)), *b"word")),
            }
        }
    });
}

#[test]
fn an_operation_that_was_answered_counts() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let reader = Arc::new(reader);
    let runtime = Runtime::builder().workers(1).build().unwrap();
    for round in 0..200 {
        let pipe = reader.clone();
        let reading = runtime.spawn(move || {
            let mut byte = [0];
            let result = read_in_the_ring(&pipe, &mut byte);
            (result, byte[0])
        });
        if round % 3 != 0 {
            std::thread::sleep(Duration::from_micros(100));
        }
        writer.write_all(&[round]).unwrap();
        reading.cancel();
        match reading.join() {
            Ok((None, _)) => return,
            Ok(read) => assert_eq!(read, (Some(Ok(1)), round)),
            // The byte is still there, for the next one.
            Err(_) => (&*reader).read_exact(&mut [0]).unwrap(),
        }
        assert!(look_one(reader.as_fd(), Read).is_err(), "nothing is left");
    }
}
