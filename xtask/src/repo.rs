//! The places of the project's files.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use exercises::child::{self, End};

use crate::complaints::Complaints;

/// The longest that a tool may take. A build on a small and busy machine takes minutes.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(1800);

/// A tree of the project's files: the real one, or the small one of a test.
#[derive(Debug)]
pub(crate) struct Repo {
    root: PathBuf,
    target: PathBuf,
}

impl Repo {
    /// The tree that this program was built from.
    pub(crate) fn here() -> Self {
        let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = xtask.parent().expect("xtask is a folder of the repository").to_owned();
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |it| root.join(it));
        Self { root, target }
    }

    /// A path from the top.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The path from the top, as it is printed.
    pub(crate) fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string().replace('\\', "/")
    }

    /// The folder where Cargo builds.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The built book.
    pub(crate) fn built_book(&self) -> PathBuf {
        self.target.join("book")
    }

    pub(crate) fn read(&self, path: &Path) -> Result<String, Complaints> {
        fs::read_to_string(path).map_err(|error| vec![format!("{}: {error}", self.name(path))])
    }

    pub(crate) fn write(&self, path: &Path, text: impl AsRef<[u8]>) -> Result<(), Complaints> {
        let folder = path.parent().expect("a file lies in a folder");
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(path, text))
            .map_err(|error| vec![format!("{}: {error}", self.name(path))])
    }

    /// The entries of a folder in their order, or none if there is no such folder.
    pub(crate) fn entries(&self, folder: &Path) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths
    }

    /// The files in a folder with this extension, in their order.
    pub(crate) fn files(&self, folder: &str, extension: &str) -> Vec<PathBuf> {
        let mut files = self.entries(&self.path(folder));
        files.retain(|path| path.is_file() && path.extension() == Some(OsStr::new(extension)));
        files
    }

    /// All files in a folder and the folders in it.
    pub(crate) fn all_files(&self, folder: &Path) -> Vec<PathBuf> {
        let (folders, mut files): (Vec<_>, Vec<_>) =
            self.entries(folder).into_iter().partition(|path| path.is_dir());
        files.extend(folders.iter().flat_map(|folder| self.all_files(folder)));
        files
    }

    /// Runs a tool at the top and returns its output. Fails if the tool does.
    pub(crate) fn output(&self, command: &mut Command) -> Result<String, Complaints> {
        let what = command.get_program().to_string_lossy().into_owned();
        let run = child::run(command.current_dir(&self.root), TIMEOUT)
            .map_err(|error| vec![format!("{what} can't be started: {error}")])?;
        if run.end == End::Status(0) {
            return Ok(run.stdout);
        }
        Err(vec![format!("{what} has ended with {}\n{}{}", run.end, run.stdout, run.stderr)])
    }

    /// The Cargo that has started this program.
    pub(crate) fn cargo(&self) -> Command {
        Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }
}

#[cfg(test)]
impl Repo {
    /// A small tree with these files, in a folder of its own.
    pub(crate) fn of_files(files: &[(&str, &str)]) -> Self {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static TREES: AtomicUsize = AtomicUsize::new(0);
        let number = TREES.fetch_add(1, Ordering::Relaxed);
        let root = env::temp_dir().join(format!("greenthread-xtask-{}-{number}", std::process::id()));
        _ = fs::remove_dir_all(&root);
        let target = root.join("target");
        let repo = Self { root, target };
        for (name, text) in files {
            repo.write(&repo.path(name), text).unwrap();
        }
        repo
    }
}

#[cfg(test)]
impl Drop for Repo {
    fn drop(&mut self) {
        if self.root.starts_with(env::temp_dir())
            && self.root.to_string_lossy().contains("greenthread-xtask-")
        {
            _ = fs::remove_dir_all(&self.root);
        }
    }
}
