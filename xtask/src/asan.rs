//! The library's tests under AddressSanitizer, which stable Rust has behind `RUSTC_BOOTSTRAP`.

use std::process::ExitCode;

use crate::complaints::Complaints;
use crate::repo::Repo;

/// Tests that are left out, with the reason.
const SKIPPED: &[&str] = &[
    // They start tools that can't run such a program.
    "clean_under_valgrind",
    "gdb_walks_a_green_stack",
    // They limit the address space, and AddressSanitizer reserves 20 TB of it.
    "local_threads_wait_for_a_stack",
    "a_thread_that_has_waited_for_a_stack_may_run_inline",
];

/// The library's tests: a program, and its modules.
const TESTS: &[(&str, &[&str])] = &[
    ("channel", &["core", "select"]),
    ("net", &["clones", "crowds", "descriptors", "endings", "load", "options", "streams", "udp", "workers"]),
    ("runtime", &["stress"]),
    ("sync", &["condvar", "mutex", "rwlock"]),
    ("thread", &["asan", "inline_join", "locals", "panics", "scope", "spawn", "spawn_local"]),
];

/// Runs the tests of the named programs (`sync`) or modules (`sync::mutex`), or all of `TESTS`.
pub(crate) fn asan(repo: &Repo, names: &[&str]) -> Result<ExitCode, Complaints> {
    // Because a target is named, build scripts and macros are built without the sanitizer.
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let cargo = |package: &str, which: &[&str], modules: &[&str]| -> Result<bool, Complaints> {
        let mut cargo = repo.cargo();
        cargo.args(["test", "--no-fail-fast", "--target", &target, "-p", package]).args(which);
        cargo.arg("--target-dir").arg(repo.target().join("asan"));
        cargo.arg("--").args(SKIPPED.iter().flat_map(|test| ["--skip", test]));
        cargo.args(modules.iter().map(|module| format!("{module}::")));
        cargo.env("RUSTC_BOOTSTRAP", "1");
        cargo.env("RUSTFLAGS", "-Zsanitizer=address --cfg greenthread_asan -Cforce-frame-pointers=yes");
        // Frames must stay on their stacks, where a switch leaves them. The library's own handler
        // answers an overflow. Threads that never end may own memory.
        cargo.env(
            "ASAN_OPTIONS",
            "detect_stack_use_after_return=0:handle_segv=0:use_sigaltstack=0:detect_leaks=0",
        );
        cargo.env("RUST_BACKTRACE", "0").env("GREENTHREAD_WATCHDOG", "0");
        let status = cargo.status().map_err(|error| vec![format!("cargo can't be started: {error}")])?;
        Ok(status.success())
    };
    let mut good = true;
    if names.is_empty() {
        good &= cargo("greenthread-context", &["--tests"], &[])?;
        good &= cargo("greenthread", &["--lib"], &[])?;
        for (program, modules) in TESTS {
            good &= cargo("greenthread", &["--test", program], modules)?;
        }
    }
    for name in names {
        // Of a program, or of one module of it.
        let (program, module) = name.split_once("::").unwrap_or((name, ""));
        let modules: &[&str] = if module.is_empty() { &[] } else { &[module] };
        good &= cargo("greenthread", &["--test", program], modules)?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
