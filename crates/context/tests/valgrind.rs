//! A workload under Valgrind, where it is installed: no errors, no warnings about the stack, no
//! leaks.

#![cfg(feature = "std")]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

use common::{Green, command, find, is_child, is_foreign};
use greenthread_context::{Coroutine, State, valgrind, with_bridge};

/// Switches, a walk, coroutines that end, panic or are dropped.
fn workload() {
    extern "C" fn walk(_: *mut u8) {
        assert!(!std::backtrace::Backtrace::force_capture().to_string().is_empty());
    }
    let mut greens: Vec<Green> = (0..20)
        .map(|_| {
            Green::new(|here, mut n| {
                while n > 0 {
                    let words = vec![n; 1000];
                    n = here.suspend(words.iter().sum());
                }
                0
            })
        })
        .collect();
    for n in (0..50).rev() {
        greens.iter_mut().for_each(|green| assert_eq!(green.resume(n), 1000 * n));
        if n == 1 {
            // SAFETY: the context is suspended.
            unsafe { with_bridge(greens[3].context(), walk, std::ptr::null_mut()) };
        }
    }
    if is_child() {
        std::panic::set_hook(Box::new(|_| ()));
    }
    for n in 0..20usize {
        let mut co = Coroutine::new(move |co, text: String| {
            let kept = [text];
            co.suspend(kept.len());
            if n % 2 == 0 {
                panic_any(n);
            }
            co.suspend(kept.len() + 1);
        });
        assert_eq!(co.resume(n.to_string()), State::Yielded(1));
        if n % 3 > 0 {
            let result = catch_unwind(AssertUnwindSafe(|| co.resume(String::new())));
            assert_eq!(result.is_err(), n % 2 == 0);
        }
    }
}

#[test]
fn clean_under_valgrind() {
    if is_child() {
        return workload();
    }
    let Some(program) = find("valgrind").filter(|_| !is_foreign()) else {
        eprintln!("skipped: no valgrind for this machine");
        return;
    };
    let mut valgrind = std::process::Command::new(program);
    valgrind.args(["--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite"]);
    valgrind.arg(std::env::current_exe().unwrap());
    let output = command(valgrind, "clean_under_valgrind").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("ERROR SUMMARY: 0 errors"), "{text}");
    assert!(!text.contains("switching stacks"), "{text}");
}

#[test]
fn without_valgrind_nothing_happens() {
    workload();
    let stack = vec![0u8; 4096].into_boxed_slice();
    let range = stack.as_ptr_range();
    valgrind::deregister(valgrind::register(range.start, range.end));
}
