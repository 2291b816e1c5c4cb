//! Rules for the Rust sources that neither rustfmt nor Clippy knows, one file for each.

use crate::check::Check;

mod circles;
mod modules;
mod names;
mod ports;
mod size;
mod sources;
mod tokens;
mod width;

/// All of them.
pub(crate) const ALL: &[Check] = &[
    Check::new("width", "comments reach to column 100 at most", width::check),
    Check::new("size", "files have at most 600 lines", size::check),
    Check::new(
        "circles",
        "no two files of a crate use each other, straight or through others",
        circles::check,
    ),
    Check::new("ports", "only `sys` names the crates of an operating system", ports::check),
];
