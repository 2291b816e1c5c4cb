//! What the tests of sanitizers and of Valgrind share: errors that they must find, and work that
//! they must not complain of.

use std::env;
use std::hint::black_box;
use std::process::Command;

use greenthread::thread;

/// Whether this process is reported to have an error, and fails by it.
pub(crate) fn is_found(command: &mut Command, what: &str) {
    // A sanitizer's findings may go into a file, where they would count as errors.
    for name in ["ASAN_OPTIONS", "TSAN_OPTIONS"] {
        if let Ok(options) = env::var(name) {
            command.env(name, options + ":log_path=stderr");
        }
    }
    let output = command.arg("--nocapture").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(what), "{}: {said}", output.status);
}

pub(crate) fn on_a_green_thread(f: impl FnOnce() + Send + 'static) {
    greenthread::run(|| {
        thread::spawn(move || {
            thread::yield_now();
            f();
        })
        .join()
        .unwrap();
    });
}

/// Reads from a box that is no more.
pub(crate) fn use_after_free() {
    let freed = black_box(Box::new(7)).as_ref() as *const i32;
    // SAFETY: not sound. It shall be found.
    println!("{}", unsafe { black_box(freed).read() });
}

/// Frames that a panic unwinds, on stacks that are used again.
pub(crate) fn panics_on_used_stacks(rounds: u32) {
    fn deep(n: u32) {
        let locals = black_box([n; 50]);
        if n == 0 {
            thread::yield_now();
            panic!("from below");
        }
        deep(n - 1);
        black_box(&locals);
    }
    greenthread::run(move || {
        for _ in 0..rounds {
            let threads: Vec<_> = (0..20).map(|n| thread::spawn(move || deep(n))).collect();
            assert!(threads.into_iter().all(|thread| thread.join().is_err()));
        }
    });
}
