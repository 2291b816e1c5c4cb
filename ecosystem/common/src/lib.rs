//! What a program that holds exams needs: servers, sources of crates, and a table.

#![cfg(unix)]

pub mod servers;
pub mod source;
pub mod table;

use std::{path::Path, time::Duration};

/// Whether an exam is asked for: one of the words is in its name, or there are no words.
pub fn is_asked(name: &str, words: &[String]) -> bool {
    words.is_empty() || words.iter().any(|word| name.contains(word.as_str()))
}

/// The folder of a word `name=FOLDER`: where somebody has put the sources of this crate.
pub fn checkout<'a>(name: &str, words: &'a [String]) -> Option<&'a Path> {
    let folder = |word: &'a String| word.strip_prefix(name)?.strip_prefix('=').map(Path::new);
    words.iter().find_map(folder)
}

/// What is said about a crate whose tests are not published, if no folder is given.
pub const NO_CHECKOUT: &str = "its tests are not published; with sources of this version, say NAME=FOLDER";

/// The version of a crate in a `Cargo.lock`. Only the first word of the name counts.
pub fn version(name: &str, lock: &'static str) -> &'static str {
    let entry = format!("name = \"{}\"\nversion = \"", name.split(' ').next().unwrap_or(name));
    lock.split_once(&entry).and_then(|(_, rest)| rest.split('"').next()).unwrap_or("-")
}

/// The processor time that this process has used.
pub fn processor_time() -> Duration {
    // SAFETY: zeros are a valid `rusage`, and the call writes to it.
    let usage = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}
