//! The sources of crates as they are published.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Where cargo has the source of a published crate. It brings it there by a package that depends on
/// nothing else, which is made in a folder of the caller's.
pub fn published(name: &str, version: &str, folder: &Path) -> io::Result<PathBuf> {
    let package = folder.join("download");
    fs::create_dir_all(package.join("src"))?;
    fs::write(package.join("src/lib.rs"), "")?;
    let manifest = format!(
        "[package]\nname = \"download\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n{name} = \"={version}\"\n"
    );
    fs::write(package.join("Cargo.toml"), manifest)?;
    let mut metadata = Command::new("cargo");
    metadata.args(["metadata", "--quiet", "--format-version=1"]).current_dir(&package);
    metadata.stderr(Stdio::inherit());
    let json = String::from_utf8_lossy(&metadata.output()?.stdout).into_owned();
    let end = format!("/{name}-{version}/Cargo.toml");
    let found = json.split('"').find(|word| word.ends_with(&end)).and_then(|path| Path::new(path).parent());
    found.map(Path::to_owned).ok_or_else(|| io::Error::other(format!("cargo has no {name} {version}")))
}

/// Copies a folder and all that is in it.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}
