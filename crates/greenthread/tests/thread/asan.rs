//! Errors on green threads' stacks that AddressSanitizer must find. `cargo xtask asan` builds and
//! runs this.

use std::hint::black_box;

use greenthread::thread;

use crate::common::{again, is_child};

fn is_found(what: &str) {
    let output = again().arg("--nocapture").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(what), "{}: {said}", output.status);
}

fn on_a_green_thread(f: impl FnOnce() + Send + 'static) {
    greenthread::run(|| {
        thread::spawn(move || {
            thread::yield_now();
            f();
        })
        .join()
        .unwrap();
    });
}

#[test]
fn a_use_after_free_is_found() {
    if !is_child() {
        return is_found("heap-use-after-free");
    }
    on_a_green_thread(|| {
        let freed = black_box(Box::new(7)).as_ref() as *const i32;
        // SAFETY: not sound. AddressSanitizer shall find it.
        println!("{}", unsafe { black_box(freed).read() });
    });
}

#[test]
fn a_write_beyond_a_local_is_found() {
    if !is_child() {
        return is_found("stack-buffer-overflow");
    }
    on_a_green_thread(|| {
        let mut local = [0_u8; 16];
        // SAFETY: not sound. AddressSanitizer shall find it.
        unsafe { black_box(local.as_mut_ptr()).add(black_box(16)).write(1) };
        black_box(&local);
    });
}

/// Frames that a panic has unwound, and stacks that are used again, are no errors.
#[test]
fn what_is_right_is_not_complained_of() {
    fn deep(n: u32) {
        let locals = black_box([n; 50]);
        if n == 0 {
            thread::yield_now();
            panic!("from below");
        }
        deep(n - 1);
        black_box(&locals);
    }
    greenthread::run(|| {
        for _ in 0..50 {
            let threads: Vec<_> = (0..20).map(|n| thread::spawn(move || deep(n))).collect();
            assert!(threads.into_iter().all(|thread| thread.join().is_err()));
        }
    });
}
