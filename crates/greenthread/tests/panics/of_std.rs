//! This crate panics where std panics, with the same text: all that is under "Panics" in std's
//! documentation of the modules that this crate has too. Not tested are cases that std leaves open
//! (a thread that joins itself, a lock that its holder locks again), and panics after a refusal of
//! the system.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::common::runtime;

fn message(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<&str>() {
        Ok(text) => text.to_string(),
        Err(payload) => payload.downcast::<String>().map_or("no text".into(), |text| *text),
    }
}

/// The text of its panic, if it panics.
fn panic_of(what: impl FnOnce()) -> Option<String> {
    catch_unwind(AssertUnwindSafe(what)).err().map(message)
}

/// Compiles the code with std's modules and with this crate's, and compares the panics.
macro_rules! compare {
    ($($name:ident: $panics:literal, $code:block)*) => {
        mod by_std {
            #[allow(unused_imports, reason = "each takes what it needs")]
            use std::{process, fs, net, sync, thread, thread_local, time};
            $(pub(super) fn $name() { $code })*
        }
        mod by_us {
            #[allow(unused_imports, reason = "each takes what it needs")]
            use greenthread::{process, fs, net, sync, thread, thread_local, time};
            $(pub(super) fn $name() { $code })*
        }
        $(
            #[test]
            fn $name() {
                let theirs = panic_of(by_std::$name);
                assert_eq!(theirs.is_some(), $panics, "std: {theirs:?}");
                let without_values = |text: Option<String>| text.map(|text| text.split(": ").next().unwrap().to_owned());
                let theirs = without_values(theirs);
                assert_eq!(without_values(panic_of(by_us::$name)), theirs, "on an OS thread");
                assert_eq!(without_values(runtime(1).run(|| panic_of(by_us::$name))), theirs, "on a green thread");
            }
        )*
    };
}

compare! {
    a_name_with_a_nul_byte: true, {
        let _ = thread::Builder::new().name("a\0b".into()).spawn(|| ());
    }
    a_scoped_name_with_a_nul_byte: true, {
        thread::scope(|s| _ = thread::Builder::new().name("a\0b".into()).spawn_scoped(s, || ()));
    }
    a_scoped_thread_that_nobody_joins: true, {
        thread::scope(|s| _ = s.spawn(|| std::panic::resume_unwind(Box::new("why"))));
    }
    a_thread_local_that_is_gone: true, {
        use std::sync::Mutex;
        static SAID: Mutex<Option<String>> = Mutex::new(None);
        struct Last;
        impl Drop for Last {
            fn drop(&mut self) {
                *SAID.lock().unwrap() = super::panic_of(|| LAST.with(|_| ()));
            }
        }
        thread_local!(static LAST: Last = const { Last });
        thread::spawn(|| LAST.with(|_| ())).join().unwrap();
        let said = SAID.lock().unwrap().take().unwrap();
        std::panic::resume_unwind(Box::new(said));
    }
    a_cell_that_is_gone: true, {
        use std::{cell::Cell, sync::Mutex};
        static SAID: Mutex<Option<String>> = Mutex::new(None);
        struct Last;
        impl Drop for Last {
            fn drop(&mut self) {
                *SAID.lock().unwrap() = super::panic_of(|| LAST.set(None));
            }
        }
        thread_local!(static LAST: Cell<Option<Last>> = const { Cell::new(None) });
        thread::spawn(|| LAST.set(Some(Last))).join().unwrap();
        let said = SAID.lock().unwrap().take().unwrap();
        std::panic::resume_unwind(Box::new(said));
    }
    a_thread_local_that_is_borrowed: true, {
        use std::cell::RefCell;
        thread_local!(static LIST: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) });
        LIST.with_borrow(|_| LIST.with_borrow_mut(|_| ()));
    }
    a_thread_local_that_is_borrowed_mutably: true, {
        use std::cell::RefCell;
        thread_local!(static LIST: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) });
        LIST.with_borrow_mut(|_| LIST.with_borrow(|_| ()));
    }
    a_thread_local_that_is_set_while_borrowed: true, {
        use std::cell::RefCell;
        thread_local!(static LIST: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) });
        LIST.with_borrow(|_| LIST.set(Vec::new()));
    }
    a_thread_local_that_is_taken_while_borrowed: true, {
        use std::cell::RefCell;
        thread_local!(static LIST: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) });
        LIST.with_borrow(|_| drop(LIST.take()));
    }
    a_thread_local_whose_initialiser_panics: true, {
        thread_local!(static KEY: u32 = std::panic::resume_unwind(Box::new("the initialiser")));
        KEY.with(|_| ());
    }
    a_poisoned_once: true, {
        let once = sync::Once::new();
        assert!(super::panic_of(|| once.call_once(|| std::panic::resume_unwind(Box::new(())))).is_some());
        once.call_once(|| ());
    }
    a_wait_for_a_poisoned_once: true, {
        let once = sync::Once::new();
        assert!(super::panic_of(|| once.call_once(|| std::panic::resume_unwind(Box::new(())))).is_some());
        once.wait();
    }
    a_poisoned_lazy_lock: true, {
        let lazy = sync::LazyLock::new(|| -> u32 { std::panic::resume_unwind(Box::new(())) });
        assert!(super::panic_of(|| _ = *lazy).is_some());
        let _ = *lazy;
    }
    a_poisoned_mutex_that_is_unwrapped: true, {
        let mutex = sync::Mutex::new(());
        assert!(super::panic_of(|| {
            let _guard = mutex.lock().unwrap();
            panic!("with the mutex held");
        }).is_some());
        drop(mutex.lock().unwrap());
    }
    a_once_lock_whose_initialiser_panics: true, {
        let cell = sync::OnceLock::<u32>::new();
        cell.get_or_init(|| std::panic::resume_unwind(Box::new("the initialiser")));
    }
    a_channel_too_large_for_memory: true, {
        // With a larger number std's own sums overflow, which a std with such checks reports.
        let _ = sync::mpsc::sync_channel::<u64>(usize::MAX / 8);
    }
    an_instant_beyond_the_clock: true, {
        let _ = time::Instant::now() + time::Duration::MAX;
    }
    an_instant_before_the_clock: true, {
        let _ = time::Instant::now() - time::Duration::MAX;
    }
    a_system_time_beyond_the_clock: true, {
        let _ = time::SystemTime::now() + time::Duration::MAX;
    }
    instants_the_wrong_way_round: false, {
        let earlier = time::Instant::now();
        assert_eq!(earlier.duration_since(earlier + time::Duration::from_secs(1)), time::Duration::ZERO);
        assert_eq!(earlier - (earlier + time::Duration::from_secs(1)), time::Duration::ZERO);
    }
    timeouts_without_end: false, {
        thread::current().unpark();
        thread::park_timeout(time::Duration::MAX);
        let (s, r) = sync::mpsc::channel();
        s.send(1).unwrap();
        assert_eq!(r.recv_timeout(time::Duration::MAX), Ok(1));
        let (mutex, condvar) = (sync::Mutex::new(1), sync::Condvar::new());
        let guard = mutex.lock().unwrap();
        drop(condvar.wait_timeout_while(guard, time::Duration::MAX, |one| *one != 1).unwrap());
    }
    a_barrier_for_nobody: false, {
        assert!(sync::Barrier::new(0).wait().is_leader());
    }
    timeouts_of_nothing: false, {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stream = net::TcpStream::connect(address).unwrap();
        let invalid = |result: std::io::Result<()>| {
            assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
        };
        invalid(stream.set_read_timeout(Some(time::Duration::ZERO)));
        invalid(stream.set_write_timeout(Some(time::Duration::ZERO)));
        invalid(net::TcpStream::connect_timeout(&address, time::Duration::ZERO).map(drop));
    }
    names_with_a_nul_byte_are_errors: false, {
        let invalid = |result: std::io::Result<()>| {
            assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
        };
        invalid(fs::File::open("a\0b").map(drop));
        invalid(fs::read_dir("a\0b").map(drop));
        invalid(fs::rename("a", "a\0b"));
        invalid(fs::remove_file("a\0b"));
        // Windows looks for the program first, and does not find it.
        assert!(process::Command::new("a\0b").spawn().is_err());
        let here = || {
            let mut command = process::Command::new(std::env::current_exe().unwrap());
            command.arg("--list");
            command
        };
        invalid(here().arg("a\0b").spawn().map(drop));
        invalid(here().env("a", "a\0b").spawn().map(drop));
        invalid(here().current_dir("a\0b").spawn().map(drop));
        assert!(net::TcpStream::connect("a\0b:1").is_err());
    }
}
