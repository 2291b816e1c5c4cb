//! The library's tests under the compiler's sanitizers, which stable Rust has behind
//! `RUSTC_BOOTSTRAP`.
//!
//! AddressSanitizer needs nothing else. ThreadSanitizer must see the accesses of the standard
//! library too: `std` is built with it, by the compiler and from the source that `cargo xtask
//! cross` has. That compiler has no runtime of the sanitizer. This project's own toolchain does.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::complaints::Complaints;
#[cfg(target_os = "linux")]
use crate::cross::Toolkit;
use crate::repo::Repo;

/// What differs between the two.
#[derive(Debug)]
pub(crate) struct Sanitizer {
    /// The folder in `target`.
    folder: &'static str,
    flags: &'static str,
    /// A variable that tells the sanitizer how to behave.
    options: (&'static str, &'static str),
    /// Whether the standard library must be built with it.
    builds_std: bool,
    /// Test programs of the library, and the modules of each that are run; all if none is named.
    tests: &'static [(&'static str, &'static [&'static str])],
    /// Tests that are left out, by a part of their names.
    skipped: &'static [&'static str],
}

pub(crate) const ADDRESS: Sanitizer = Sanitizer {
    folder: "asan",
    flags: "-Zsanitizer=address --cfg greenthread_asan",
    // Frames must stay on their stacks, where a switch leaves them. The library's own handler
    // answers an overflow. Threads that never end may own memory.
    options: (
        "ASAN_OPTIONS",
        "detect_stack_use_after_return=0:handle_segv=0:use_sigaltstack=0:detect_leaks=0",
    ),
    builds_std: false,
    tests: &[
        ("channel", &["core", "select"]),
        (
            "net",
            &["clones", "crowds", "descriptors", "endings", "load", "options", "streams", "udp", "workers"],
        ),
        ("runtime", &["stress"]),
        ("sync", &["condvar", "mutex", "rwlock"]),
        ("thread", &["asan", "inline_join", "locals", "panics", "scope", "spawn", "spawn_local"]),
    ],
    skipped: &[
        // They start tools that can't run such a program.
        "clean_under_valgrind",
        "gdb_walks_a_green_stack",
        // They limit the address space, and AddressSanitizer reserves 20 TB of it.
        "local_threads_wait_for_a_stack",
        "a_thread_that_has_waited_for_a_stack_may_run_inline",
    ],
};

pub(crate) const THREAD: Sanitizer = Sanitizer {
    folder: "tsan",
    flags: "-Zsanitizer=thread --cfg greenthread_tsan",
    options: ("TSAN_OPTIONS", "handle_segv=0:second_deadlock_stack=1"),
    builds_std: true,
    tests: &[
        ("channel", &[]),
        ("runtime", &["reports", "stress", "watchdog"]),
        ("sync", &[]),
        ("thread", &["tsan", "join_cycles", "locals", "panics", "park", "scope", "spawn", "spawn_local"]),
    ],
    skipped: &[
        // They start tools that can't run such a program, or read its symbols.
        "clean_under_valgrind",
        "gdb_walks_a_green_stack",
        "walking",
        // They limit or measure memory. The sanitizer's own is many times the program's.
        "local_threads_wait_for_a_stack",
        "a_thread_that_has_waited_for_a_stack_may_run_inline",
        "the_limit_of_maps_is_named",
        "warm_stacks_keep_their_tops",
        "memory_goes_back",
        // The sanitizer's own handlers and threads stand between the library and the kernel.
        "the_guard_faults_and_the_rest_does_not",
        "overflowing",
    ],
};

impl Sanitizer {
    /// Runs the tests of the named programs (`sync`) or modules (`sync::mutex`), or all of the
    /// table.
    pub(crate) fn run(&self, repo: &Repo, names: &[&str]) -> Result<ExitCode, Complaints> {
        let mut good = true;
        if names.is_empty() {
            good &= self.test(repo, "greenthread-context", &["--tests"], &[])?;
            good &= self.test(repo, "greenthread", &["--lib"], &[])?;
            for (program, modules) in self.tests {
                good &= self.test(repo, "greenthread", &["--test", program], modules)?;
            }
        }
        for name in names {
            let (program, modules) = program_and_modules(name);
            good &= self.test(repo, "greenthread", &["--test", program], &modules)?;
        }
        Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn test(&self, repo: &Repo, package: &str, which: &[&str], modules: &[&str]) -> Result<bool, Complaints> {
        let mut flags = format!("{} -Cforce-frame-pointers=yes", self.flags);
        let mut cargo = if self.builds_std {
            let (cargo, runtime) = with_source(repo, self.folder)?;
            if let Some(runtime) = runtime {
                flags += &linked(&runtime.display().to_string());
            }
            cargo
        } else {
            repo.cargo()
        };
        cargo.args(["test", "--no-fail-fast", "-p", package]).args(which);
        // Because a target is named, build scripts and macros are built without the sanitizer.
        cargo.args(["--target", &target()]);
        if self.builds_std {
            cargo.arg("-Zbuild-std");
        }
        cargo.arg("--target-dir").arg(repo.target().join(self.folder));
        cargo.arg("--").args(self.skipped.iter().flat_map(|test| ["--skip", test]));
        cargo.args(modules.iter().map(|module| format!("{module}::")));
        cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", flags);
        cargo.env(self.options.0, self.options.1);
        cargo.env("RUST_BACKTRACE", "0").env("GREENTHREAD_WATCHDOG", "0");
        let status = cargo.status().map_err(|error| vec![format!("cargo can't be started: {error}")])?;
        Ok(status.success())
    }
}

/// Of `sync` or `sync::mutex`, the program and the module, or none for all.
pub(crate) fn program_and_modules(name: &str) -> (&str, Vec<&str>) {
    match name.split_once("::") {
        Some((program, module)) => (program, vec![module]),
        None => (name, Vec::new()),
    }
}

pub(crate) fn target() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// The flags that link the sanitizer's runtime, all of it: the C library calls it too. Debian's
/// linker refuses the old versions of symbols that it names, and lld takes them. rustup's
/// toolchains have lld beside their libraries.
fn linked(runtime: &str) -> String {
    let lld = Path::new(runtime).parent().and_then(Path::parent).map(|target| target.join("bin/gcc-ld"));
    let lld = format!("-B{}", lld.unwrap_or_default().display());
    let link = [
        &*lld,
        "-fuse-ld=lld",
        "-Wl,--whole-archive",
        runtime,
        "-Wl,--no-whole-archive",
        "-Wl,--export-dynamic",
        "-lm",
        "-lc",
    ];
    link.iter().fold(" -Zexternal-clangrt".to_owned(), |flags, one| flags + " -Clink-arg=" + one)
}

/// A Cargo that can build `std`, and the runtime to link if its compiler has none: of the toolchain
/// that `GREENTHREAD_NIGHTLY` names to rustup, or else of the toolkit for other machines.
fn with_source(repo: &Repo, sanitizer: &str) -> Result<(Command, Option<PathBuf>), Complaints> {
    if let Ok(toolchain) = std::env::var("GREENTHREAD_NIGHTLY") {
        // `CARGO` is the program itself, which takes no `+toolchain`.
        let mut cargo = Command::new("cargo");
        cargo.arg(format!("+{toolchain}")).current_dir(repo.path(""));
        for name in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC", "RUSTDOC"] {
            cargo.env_remove(name);
        }
        return Ok((cargo, None));
    }
    with_toolkit(repo, sanitizer)
}

#[cfg(target_os = "linux")]
fn with_toolkit(repo: &Repo, sanitizer: &str) -> Result<(Command, Option<PathBuf>), Complaints> {
    let toolkit = Toolkit::here()?;
    toolkit.prepare(repo, &[])?;
    let sysroot = repo.output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let library = PathBuf::from(sysroot.trim()).join("lib/rustlib").join(target()).join("lib");
    let end = format!("_rt.{sanitizer}.a");
    let runtime = repo.entries(&library).into_iter().find(|path| path.to_string_lossy().ends_with(&end));
    let runtime = runtime.ok_or_else(|| {
        vec![format!(
            "{} has no *{end}: rustup's toolchains have it; or name a nightly with rust-src in GREENTHREAD_NIGHTLY",
            library.display()
        )]
    })?;
    Ok((toolkit.plain_cargo(repo), Some(runtime)))
}

#[cfg(not(target_os = "linux"))]
fn with_toolkit(_: &Repo, _: &str) -> Result<(Command, Option<PathBuf>), Complaints> {
    Err(vec!["ThreadSanitizer's tests run on Linux only".to_owned()])
}
