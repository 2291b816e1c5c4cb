//! The program as its readers run it: in both profiles, with its whole output, and under Valgrind
//! where there is one. And its lines are counted.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What the program prints, all of it.
fn expected() -> String {
    let mut text = String::new();
    for number in 1..=15 {
        if number <= 10 {
            writeln!(text, "thread one: {number}").unwrap();
        }
        writeln!(text, "thread two: {number}").unwrap();
    }
    text + "both threads have returned\n"
}

/// A target directory of our own, because whoever runs this test may hold the lock of the usual
/// one.
fn target_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("two-hundred-lines")
}

/// Builds and runs the program, with no flags from outside, as its readers have none.
fn cargo_run(profile: &str) -> Output {
    Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--bin", "two-hundred-lines"])
        .args(["--profile", profile, "--target-dir"])
        .arg(target_dir())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .output()
        .expect("cargo can be started")
}

#[track_caller]
fn assert_output(output: &Output) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{errors}", output.status);
    let printed = String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n");
    assert_eq!(printed, expected(), "{errors}");
}

fn assert_silent_under_valgrind(profile_dir: &str) {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("skipped: there is no valgrind on this machine");
        return;
    }
    let output = Command::new("valgrind")
        .args(["--error-exitcode=1", "--leak-check=full", "--errors-for-leak-kinds=definite"])
        .arg(target_dir().join(profile_dir).join("two-hundred-lines"))
        .output()
        .expect("valgrind can be started");
    assert_output(&output);
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(report.contains("ERROR SUMMARY: 0 errors"), "{report}");
    assert!(!report.contains("switching stacks"), "{report}");
}

#[test]
fn debug() {
    assert_output(&cargo_run("dev"));
    assert_silent_under_valgrind("debug");
}

#[test]
fn release() {
    assert_output(&cargo_run("release"));
    assert_silent_under_valgrind("release");
}

/// As the book's introduction says, for readers without a network.
#[test]
fn by_the_compiler_alone() {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("without-cargo");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let compiled = Command::new(rustc)
        .args(["--edition", "2024", "-o"])
        .arg(&program)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs"))
        .status()
        .expect("rustc can be started");
    assert!(compiled.success(), "{compiled}");
    assert_output(&Command::new(program).output().expect("the program can be started"));
}

#[test]
fn two_hundred_lines() {
    assert_eq!(include_str!("../src/main.rs").lines().count(), 200);
}
