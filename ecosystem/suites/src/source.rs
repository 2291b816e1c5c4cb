//! Where the sources come from, and how they are built.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ecosystem_common::{
    NO_CHECKOUT,
    source::{copy, published},
};

use crate::table::{Origin, Suite};

/// A program of tests, and the folder of its package.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) folder: PathBuf,
}

/// The folder for sources and what is built from them. `SUITES_FOLDER` is another one. Not inside
/// this repository, where cargo would take the sources for members of its workspaces.
pub(crate) fn work() -> PathBuf {
    env::var_os("SUITES_FOLDER").map_or_else(|| env::temp_dir().join("greenthread-suites"), PathBuf::from)
}

fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.stdin(Stdio::null());
    cargo
}

/// The output of a command that must succeed.
fn output(mut command: Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find(|line| line.starts_with("error")).unwrap_or("it failed");
    Err(format!("{:?}: {line}", command.get_program()))
}

/// The values of a field in cargo's JSON, which has one object a line.
fn values<'a>(json: &'a str, field: &str) -> impl Iterator<Item = &'a str> {
    let begin = format!("\"{field}\":\"");
    json.match_indices(&begin)
        .filter_map(move |(at, begin)| json[at + begin.len()..].split('"').next())
        .collect::<Vec<_>>()
        .into_iter()
}

/// Builds the library that makes threads green.
pub(crate) fn preload() -> Result<PathBuf, String> {
    let mut build = cargo();
    build.args(["build", "--release", "--lib", "--message-format=json", "--manifest-path"]);
    build.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    let json = output(build)?;
    let mut files = json.split('"').filter(|word| word.ends_with("libpreload.so"));
    files.next().map(PathBuf::from).ok_or_else(|| "cargo built no library".into())
}

/// The folder with a copy of a crate's source, which is made first if it is not there.
pub(crate) fn folder(suite: &Suite, checkout: Option<&Path>) -> Result<PathBuf, String> {
    let folder = work().join(format!("{}-{}", suite.name, suite.version));
    if folder.join("Cargo.toml").exists() {
        return Ok(folder);
    }
    let failed = |error: io::Error| format!("{}: {error}", folder.display());
    // One that was not finished is not taken for one that was.
    let new = work().join("new");
    _ = fs::remove_dir_all(&new);
    match (checkout, suite.origin) {
        (Some(checkout), _) => copy(checkout, &new).map_err(failed)?,
        (None, Origin::Checkout) => return Err(NO_CHECKOUT.into()),
        (None, Origin::Registry) => {
            let published = published(suite.name, suite.version, &work()).map_err(failed)?;
            copy(&published, &new).map_err(failed)?;
            suite.completed.map_or(Ok(()), |complete| complete(&new)).map_err(failed)?;
            for name in suite.updated {
                let mut update = cargo();
                update.current_dir(&new).args(["update", name]);
                output(update)?;
            }
        }
        (None, Origin::RustSrc(prepare)) => {
            let mut sysroot = Command::new("rustc");
            sysroot.args(["--print", "sysroot"]);
            let std = Path::new(output(sysroot)?.trim()).join("lib/rustlib/src/rust/library/std");
            if !std.exists() {
                return Err("rustup has not installed the component rust-src".into());
            }
            fs::create_dir_all(&new).map_err(failed)?;
            prepare(&std, &new).map_err(failed)?;
        }
    }
    fs::rename(&new, &folder).map_err(failed)?;
    Ok(folder)
}

/// Builds the programs of tests of a crate.
pub(crate) fn build(suite: &Suite, folder: &Path) -> Result<Vec<Program>, String> {
    let mut build = cargo();
    build.current_dir(folder).args(["test", "--no-run", "--message-format=json"]).args(suite.for_cargo);
    build.env("CARGO_TARGET_DIR", work().join("target")).env("CARGO_PROFILE_DEV_DEBUG", "0");
    if let Origin::RustSrc(_) = suite.origin {
        // std's tests use what is not stable yet.
        build.env("RUSTC_BOOTSTRAP", "1");
    }
    let json = output(build)?;
    let programs = values(&json, "executable");
    Ok(programs.map(|path| Program { path: path.into(), folder: folder.to_owned() }).collect())
}
