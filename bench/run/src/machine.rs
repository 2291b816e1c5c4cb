//! A description of the machine.

use std::process::{Command, Stdio};
use std::{env, fs};

use crate::results::Facts;

/// Facts about the machine and the programs, by name.
pub fn facts() -> Facts {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let models = cpuinfo.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let models: Vec<_> = models.map(|(_, model)| model).collect();
    let lock = include_str!("../../Cargo.lock");
    let version = |name: &str| {
        let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
        rest.split('"').next()
    };
    let peers = [
        "tokio",
        "smol",
        "async-executor",
        "may",
        "monoio",
        "rayon",
        "crossbeam-channel",
        "corosensei",
        "generator",
    ];
    let peers: Vec<_> = peers.iter().map(|name| format!("{name} {}", version(name).unwrap_or("?"))).collect();
    let memory = read("/proc/meminfo");
    let memory = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(f64::NAN);
    let (count, model) = (models.len(), models.first().unwrap_or(&"?"));
    let commit = said("git", &["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"]);
    let facts = [
        ("command", command()),
        ("machine", format!("{count} x {model}, {:.0} GiB of memory", memory / f64::from(1 << 20))),
        ("kernel", format!("Linux {}", read("/proc/sys/kernel/osrelease").trim())),
        ("load before", read("/proc/loadavg").split(' ').next().unwrap_or("?").to_owned()),
        ("greenthread", format!("{}, commit {commit}", version("greenthread").unwrap_or("?"))),
        ("compiler", said("rustc", &["--version"])),
        ("peers", peers.join(", ")),
    ];
    facts.map(|(name, value)| (name.to_owned(), value)).into()
}

pub fn date() -> String {
    said("date", &["-u", "+%Y-%m-%d %H:%M UTC"])
}

pub fn has_wrk() -> bool {
    Command::new("wrk").stdout(Stdio::null()).status().is_ok()
}

/// The line that a program prints.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output();
    let text =
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if text.is_empty() { "unknown".to_owned() } else { text }
}

/// The command that does the same again, on any machine.
fn command() -> String {
    let mut arguments = env::args().skip(1);
    let mut text = "cargo xtask bench".to_owned();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // These options name paths of this machine.
            "--go" | "--cxx" | "--out" => _ = arguments.next(),
            _ if argument.contains(' ') => text += &format!(" '{argument}'"),
            _ => text += &format!(" {argument}"),
        }
    }
    text
}

/// Lets the peers open as many files as the system allows.
pub fn raise_limits() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both read or write the limit given. Where it fails, the limits stay as they are.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}
