//! The programs that are needed beside Rust, and how to get them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::complaints::Complaints;
use crate::repo::Repo;

/// The version of mdBook that the book is made with.
const MDBOOK: &str = "0.5.4";

/// mdBook, which is built on first use.
pub(crate) fn mdbook(repo: &Repo) -> Result<PathBuf, Complaints> {
    let tools = repo.target().join("tools");
    let program = tools.join("bin").join(format!("mdbook{}", env::consts::EXE_SUFFIX));
    let version = Command::new(&program).arg("--version").output();
    if version.is_ok_and(|it| String::from_utf8_lossy(&it.stdout).trim() == format!("mdbook v{MDBOOK}")) {
        return Ok(program);
    }
    eprintln!("building mdBook {MDBOOK}; this is needed once, and takes a minute or more");
    let mut install = repo.cargo();
    install.args(["install", "mdbook", "--quiet", "--locked", "--force", "--version", &format!("={MDBOOK}")]);
    // mdBook runs for a second. Optimising it would take longer.
    install.args(["--debug", "--no-default-features", "--features", "search"]);
    install.arg("--root").arg(&tools).arg("--target-dir").arg(tools.join("build"));
    repo.output(&mut install)?;
    // The build's half a gigabyte is not needed again.
    _ = fs::remove_dir_all(tools.join("build"));
    Ok(program)
}

/// A program of this name in `PATH`. If there is none, it is installed from a Debian package, if
/// that is allowed.
pub(crate) fn program(name: &str, packages: &[&str]) -> Result<PathBuf, Complaints> {
    if let Some(path) = find(name) {
        return Ok(path);
    }
    let wanted = || vec![format!("{name} is needed: apt-get install {}", packages.join(" "))];
    if !install(packages) {
        return Err(wanted());
    }
    find(name).ok_or_else(wanted)
}

/// Installs Debian packages, if this process is root on a system that has them.
pub(crate) fn install(packages: &[&str]) -> bool {
    if !is_root() || find("apt-get").is_none() {
        return false;
    }
    eprintln!("installing {}", packages.join(" "));
    // Sources that can't be reached matter only if a package is then missing.
    apt_get(&["update", "-q"]);
    apt_get(&[&["install", "-q", "-y", "--no-install-recommends"], packages].concat())
}

/// Whether this process is root's.
pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|it| it.stdout.trim_ascii() == b"0")
}

/// Runs apt-get. It waits for another one that holds the lock. If it fails, its output is shown.
fn apt_get(arguments: &[&str]) -> bool {
    let run = Command::new("apt-get")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-o", "DPkg::Lock::Timeout=600"])
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    match run {
        Ok(run) if run.status.success() => true,
        Ok(run) => {
            eprint!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
            false
        }
        Err(error) => {
            eprintln!("apt-get can't be started: {error}");
            false
        }
    }
}

fn find(name: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    path.is_file()
}
