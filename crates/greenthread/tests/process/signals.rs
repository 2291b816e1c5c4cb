//! Signals. Each test runs in a process of its own, since signals go to the whole process.

use std::{
    io::Read,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use greenthread::{
    cancel::{self, Token},
    net::TcpStream,
    signal::{self, SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, Signals},
    thread,
    time::Duration,
};
use signal_hook::low_level::raise;

use crate::common::{
    child, everywhere, is_child,
    sockets::{in_time, listen},
    text,
    world::Counted,
};

fn in_a_process_of_its_own(test: impl FnOnce() + Send + 'static) {
    if is_child() {
        return in_time(test);
    }
    let output = child(|_| ());
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn each_is_seen_by_all_who_asked() {
    in_a_process_of_its_own(|| {
        everywhere(|| {
            let all: Vec<_> = (0..3).map(|_| Signals::new([SIGUSR1, SIGUSR2]).unwrap()).collect();
            let threads: Vec<_> = all
                .into_iter()
                .map(|mut signals| {
                    thread::spawn(move || {
                        let both = [signals.next(), signals.next()];
                        assert!(both.contains(&Some(SIGUSR1)) && both.contains(&Some(SIGUSR2)));
                        assert_eq!(signals.pending().next(), None);
                    })
                })
                .collect();
            thread::yield_now();
            raise(SIGUSR1).unwrap();
            raise(SIGUSR2).unwrap();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
    });
}

/// Signals on an OS thread.
#[test]
fn from_an_os_thread_to_another() {
    in_a_process_of_its_own(|| {
        let mut signals = Signals::new([SIGHUP]).unwrap();
        let handle = signals.handle();
        let waiting = std::thread::spawn(move || (signals.next(), signals.next()));
        raise(SIGHUP).unwrap();
        while !waiting.is_finished() {
            std::thread::sleep(Duration::from_millis(1));
            // The first signal is returned even if the handle is closed before it is read.
            handle.close();
        }
        assert_eq!(waiting.join().unwrap(), (Some(SIGHUP), None));
    });
}

#[test]
fn closing_wakes_waiting_threads() {
    in_a_process_of_its_own(|| {
        everywhere(|| {
            let mut signals = Signals::new([SIGTERM]).unwrap();
            let handle = signals.handle();
            assert!(!handle.is_closed());
            let waiting = thread::spawn(move || signals.next());
            thread::sleep(Duration::from_millis(5));
            handle.close();
            assert!(handle.is_closed());
            assert_eq!(waiting.join().unwrap(), None);
        });
    });
}

#[test]
fn ctrl_c_is_waited_for() {
    in_a_process_of_its_own(|| {
        everywhere(|| {
            let mut kept = Signals::new([SIGINT]).unwrap();
            let waiting = thread::spawn(signal::ctrl_c);
            while !waiting.is_finished() {
                raise(SIGINT).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
            waiting.join().unwrap().unwrap();
            assert_eq!(kept.next(), Some(SIGINT));
        });
    });
}

#[test]
fn ctrl_c_and_a_token_end_a_program() {
    in_a_process_of_its_own(|| {
        everywhere(|| {
            // A Ctrl-C does not end the process before the thread below waits for it.
            let _all = Signals::new([SIGINT]).unwrap();
            let [served, ended] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
            let token = Token::new();
            let stop = token.clone();
            let stopper = thread::spawn(move || signal::ctrl_c().map(|()| stop.cancel()));
            let serving = token.run(|| {
                let (listener, address) = listen();
                cancel::scope(|scope| -> std::io::Result<()> {
                    scope.set_limit(3);
                    scope.spawn(|| -> std::io::Result<()> {
                        loop {
                            thread::sleep(Duration::from_millis(1));
                            if served.load(SeqCst) == 2 {
                                raise(SIGINT)?;
                            }
                        }
                    });
                    loop {
                        let client = TcpStream::connect(address)?;
                        let mut stream = listener.accept()?.0;
                        let (counted, served) = (Counted(ended.clone()), &served);
                        // The third one waits for a place.
                        scope.spawn(move || {
                            let _both = (counted, client);
                            served.fetch_add(1, SeqCst);
                            stream.read(&mut [0])
                        });
                    }
                })
            });
            assert!(serving.is_err());
            assert!(stopper.join().unwrap().is_ok());
            // The third one may get the place of another that was cancelled before it.
            let (served, ended) = (served.load(SeqCst), ended.load(SeqCst));
            assert!(2 <= served && served <= ended && ended <= 3, "{served} served, {ended} ended");
        });
    });
}

#[test]
fn what_can_t_be_asked_for() {
    in_a_process_of_its_own(|| {
        for number in [libc::SIGKILL, libc::SIGSTOP, libc::SIGSEGV, 0, -1, 1000] {
            let error = Signals::new([number]).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        }
    });
}
