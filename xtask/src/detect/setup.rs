//! What a tool makes of Cargo.

use std::path::PathBuf;
use std::process::Command;

pub(super) struct Setup {
    pub(super) cargo: Command,
    /// The folder in which Cargo builds.
    pub(super) folder: PathBuf,
    /// What starts a test program.
    pub(super) runner: String,
    pub(super) arguments: Vec<String>,
}

/// This machine, in Cargo's words.
pub(super) fn target() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}
