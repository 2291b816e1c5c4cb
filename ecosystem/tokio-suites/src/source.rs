//! Where the sources come from, and what is changed in them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ecosystem_common::source::{copy, published};

use crate::table::{EDITS, EDITS_OF_TESTS, Suite};

/// Takes a suite's sources, if they have not been taken yet, and changes them.
pub(crate) fn prepare(suite: &Suite, checkout: Option<&Path>, folder: &Path) -> io::Result<PathBuf> {
    let sources = folder.join(format!("{}-{}", suite.name, suite.version));
    let member = sources.join(suite.member);
    // It is written last.
    let marker = sources.join("stand-in-is-in");
    if marker.exists() {
        return Ok(member);
    }
    _ = fs::remove_dir_all(&sources);
    match checkout {
        Some(checkout) => copy(checkout, &sources)?,
        None => copy(&published(suite.package.unwrap_or(suite.name), suite.version, folder)?, &sources)?,
    }
    // With the newest dependencies, suites share most of what is built for them.
    _ = fs::remove_file(member.join("Cargo.lock"));
    edit(suite, &sources)?;
    let manifest = member.join("Cargo.toml");
    let mut text = without_benchmarks(&fs::read_to_string(&manifest)?);
    let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("stand-in");
    text += &format!("\n[dev-dependencies.stand-in]\npath = {stand_in:?}\n");
    text += suite.manifest;
    for (name, version) in suite.changed {
        let other = sources.join(name);
        copy(&published(name, version, folder)?, &other)?;
        edit(suite, &other)?;
        let manifest = other.join("Cargo.toml");
        let own = fs::read_to_string(&manifest)?;
        fs::write(manifest, format!("{own}\n[dependencies.stand-in]\npath = {stand_in:?}\n"))?;
        text += &format!("\n[patch.crates-io.{name}]\npath = {name:?}\n");
    }
    if let Some((name, manifest, source)) = suite.helper {
        fs::create_dir_all(member.join(name).join("src"))?;
        fs::write(member.join(name).join("Cargo.toml"), manifest)?;
        fs::write(member.join(name).join("src/lib.rs"), source)?;
        text += &format!("\n[dev-dependencies.{name}]\npath = {name:?}\n");
    }
    if !text.contains("[workspace]") && suite.member.is_empty() {
        text += "\n[workspace]\n";
    }
    fs::write(manifest, text)?;
    fs::write(marker, "")?;
    Ok(member)
}

/// A manifest without its benchmarks, as what they need takes long to build.
fn without_benchmarks(manifest: &str) -> String {
    let mut is_kept = true;
    let mut text = String::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_kept = !matches!(line.trim(), "[[bench]]" | "[dev-dependencies.criterion]");
        }
        if is_kept {
            text += line;
            text.push('\n');
        }
    }
    text
}

/// Replaces texts in all Rust files of a folder.
fn edit(suite: &Suite, folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            edit(suite, &path)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let is_test = path.components().any(|component| component.as_os_str() == "tests");
            let edits_of_tests = if is_test { EDITS_OF_TESTS } else { &[] };
            let before = fs::read_to_string(&path)?;
            let edits = EDITS.iter().chain(edits_of_tests).chain(suite.edits);
            let after = edits.fold(before.clone(), |text, (from, to)| text.replace(from, to));
            if after != before {
                fs::write(&path, after)?;
            }
        }
    }
    Ok(())
}
