//! An error on a green thread's stack that Valgrind must find, and a program that has none.
//! `cargo xtask valgrind` tells these tests to run, by `GREENTHREAD_VALGRIND`.

use std::env;
use std::process::Command;

use crate::common::{again, is_child, text};
use crate::planted::{is_found, on_a_green_thread, panics_on_used_stacks, use_after_free};

/// This test again, under Valgrind. `None` if that isn't asked for.
fn again_under_valgrind() -> Option<Command> {
    let valgrind = env::var_os("GREENTHREAD_VALGRIND")?;
    let (again, mut command) = (again(), Command::new(valgrind));
    command.arg("--error-exitcode=99").arg(again.get_program()).args(again.get_args());
    command.envs(again.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Some(command)
}

#[test]
fn a_use_after_free_is_found() {
    if is_child() {
        return on_a_green_thread(use_after_free);
    }
    if let Some(mut command) = again_under_valgrind() {
        is_found(&mut command, "Invalid read of size 4");
    }
}

/// Nor does Valgrind warn that the stack pointer has jumped.
#[test]
fn what_is_right_is_not_complained_of() {
    if is_child() {
        return panics_on_used_stacks(3);
    }
    if let Some(mut command) = again_under_valgrind() {
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("ERROR SUMMARY: 0 errors"), "{}", text(&output));
        assert!(!said.contains("switching stacks"), "{said}");
    }
}
