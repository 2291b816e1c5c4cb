//! Errors on green threads' stacks that AddressSanitizer must find. `cargo xtask asan` builds and
//! runs this.

use std::hint::black_box;

use crate::common::{again, is_child};
use crate::planted::{is_found, on_a_green_thread, panics_on_used_stacks, use_after_free};

#[test]
fn a_use_after_free_is_found() {
    if !is_child() {
        return is_found(&mut again(), "heap-use-after-free");
    }
    on_a_green_thread(use_after_free);
}

#[test]
fn a_write_beyond_a_local_is_found() {
    if !is_child() {
        return is_found(&mut again(), "stack-buffer-overflow");
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
    panics_on_used_stacks(50);
}
