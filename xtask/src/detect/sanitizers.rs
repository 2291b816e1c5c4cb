//! The compiler's sanitizers, which stable Rust has behind `RUSTC_BOOTSTRAP`.
//!
//! AddressSanitizer needs nothing else. ThreadSanitizer must see the accesses of the standard
//! library too: `std` is built with it, by the compiler and from the source that `cargo xtask
//! cross` has. That compiler has no runtime of the sanitizer. This project's own toolchain does.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::setup::{Setup, target};
use crate::complaints::Complaints;
use crate::cross::Toolkit;
use crate::repo::Repo;

/// What differs between the two.
pub(super) struct Sanitizer {
    /// The folder in `target`.
    folder: &'static str,
    flags: &'static str,
    /// A variable that tells the sanitizer how to behave.
    options: (&'static str, &'static str),
    /// Whether the standard library must be built with it.
    builds_std: bool,
    /// How many times longer everything takes.
    slowness: &'static str,
}

pub(super) const ADDRESS: Sanitizer = Sanitizer {
    folder: "asan",
    flags: "-Zsanitizer=address --cfg greenthread_asan",
    // Frames must stay on their stacks, where a switch leaves them. The library's own handler
    // answers an overflow. Threads that never end may own memory.
    options: (
        "ASAN_OPTIONS",
        "detect_stack_use_after_return=0:handle_segv=0:use_sigaltstack=0:detect_leaks=0",
    ),
    builds_std: false,
    slowness: "2",
};

pub(super) const THREAD: Sanitizer = Sanitizer {
    folder: "tsan",
    flags: "-Zsanitizer=thread --cfg greenthread_tsan",
    // Tests fork, and say themselves what a child may do.
    options: ("TSAN_OPTIONS", "handle_segv=0:second_deadlock_stack=1:die_after_fork=0"),
    builds_std: true,
    slowness: "5",
};

impl Sanitizer {
    pub(super) fn setup(&self, repo: &Repo, findings: &Path) -> Result<Setup, Complaints> {
        let mut flags = format!("{} -Cforce-frame-pointers=yes", self.flags);
        // Because a target is named, build scripts and macros are built without the sanitizer.
        let mut arguments = vec!["--target".to_owned(), target()];
        let mut cargo = repo.cargo();
        if self.builds_std {
            arguments.push("-Zbuild-std".to_owned());
            let (with_source, runtime) = with_source(repo, self.folder)?;
            cargo = with_source;
            if let Some(runtime) = runtime {
                flags += &linked(&runtime.display().to_string());
            }
        }
        cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", flags);
        cargo.env("GREENTHREAD_TEST_SLOWNESS", self.slowness);
        let (variable, options) = self.options;
        cargo.env(variable, format!("{options}:log_path={}/found", findings.display()));
        Ok(Setup { cargo, folder: repo.target().join(self.folder), runner: String::new(), arguments })
    }
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
