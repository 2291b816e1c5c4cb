//! Waiting for descriptors that belong to others.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use greenthread::{
    cancel, channel,
    os::fd::{self, Interest, Watched},
    thread,
    time::Instant,
};

use crate::common::world::everywhere;

fn soon() -> Option<Instant> {
    Some(Instant::now() + Duration::from_millis(1))
}

#[test]
fn ready_unready_ended() {
    everywhere(|world| {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        assert!(!fd::wait(&ours, Interest::Read, soon()).unwrap());
        assert!(!fd::wait(&ours, Interest::Read, Some(Instant::now())).unwrap());
        assert!(fd::wait(&ours, Interest::Write, None).unwrap());
        let watched = Watched::new(ours).unwrap();
        for _ in 0..20 {
            let mut other = theirs.try_clone().unwrap();
            let thread = world.spawn(move || {
                thread::yield_now();
                other.write_all(b"x").unwrap();
            });
            assert!(watched.wait(Interest::Read, None).unwrap());
            thread.end();
            watched.get_ref().read_exact(&mut [0]).unwrap();
            assert!(!watched.wait(Interest::Read, soon()).unwrap());
        }
        theirs.write_all(b"y").unwrap();
        drop(theirs);
        for _ in 0..3 {
            assert!(watched.wait(Interest::Read, None).unwrap());
        }
        assert!(fd::wait(std::fs::File::open("/dev/null").unwrap(), Interest::Read, None).unwrap());
        let mut ours = watched.into_inner();
        let mut rest = Vec::new();
        ours.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"y");
    });
}

/// Several threads read from one descriptor: each byte is read once, and nobody is left waiting.
#[test]
fn many_callers() {
    everywhere(|world| {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let watched = std::sync::Arc::new(Watched::new(ours).unwrap());
        let readers: Vec<_> = (0..8)
            .map(|_| {
                let watched = watched.clone();
                world.spawn(move || {
                    let mut count = 0;
                    loop {
                        let mut byte = [0];
                        match watched.call(Interest::Read, |mut stream| stream.read(&mut byte)).unwrap() {
                            0 => break count,
                            read => count += read,
                        }
                    }
                })
            })
            .collect();
        for _ in 0..50 {
            theirs.write_all(&[1; 7]).unwrap();
            thread::yield_now();
        }
        drop(theirs);
        assert_eq!(readers.into_iter().map(|reader| reader.end()).sum::<usize>(), 350);
    });
}

#[test]
fn cancelled() {
    everywhere(|_| {
        if thread::is_green() {
            let (ours, _theirs) = UnixStream::pair().unwrap();
            let late = cancel::timeout(Duration::from_millis(1), || fd::wait(&ours, Interest::Read, None));
            assert!(late.is_err());
        }
    });
}

#[test]
fn is_green() {
    everywhere(|world| {
        assert!(!std::thread::spawn(thread::is_green).join().unwrap());
        assert!(thread::spawn(thread::is_green).join().unwrap());
        assert!(thread::spawn(|| thread::without_yield(thread::is_green)).join().unwrap());
        _ = world;
    });
}

/// Ctrl-C in a select.
#[test]
fn signals_as_a_channel() {
    use greenthread::signal::{SIGUSR2, Signals};
    let signals = Signals::new([SIGUSR2]).unwrap();
    let handle = signals.handle();
    let receiver = signals.into_receiver().unwrap();
    let (_never, other) = channel::bounded::<()>(0);
    for _ in 0..3 {
        signal_hook::low_level::raise(SIGUSR2).unwrap();
        channel::select! {
            recv(receiver) -> signal => assert_eq!(signal, Ok(SIGUSR2)),
            recv(other) -> _ => unreachable!(),
        }
    }
    signal_hook::low_level::raise(SIGUSR2).unwrap();
    assert_eq!(greenthread::block_on(receiver.recv_async()), Ok(SIGUSR2));
    handle.close();
    assert!(receiver.recv().is_err());
}
