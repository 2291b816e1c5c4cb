//! Each program with several clients: on std's threads, and on green threads of one worker and of two.

use std::{env, process::Command};

use programs::{on_greenthread, on_std};

fn everywhere(on_std: fn() -> programs::Result, on_greenthread: fn() -> programs::Result) {
    on_std().expect("on std's threads");
    for workers in [1, 2] {
        let runtime = greenthread::Runtime::builder().workers(workers).build().expect("a runtime");
        runtime.run(on_greenthread).unwrap_or_else(|error| panic!("with {workers} workers: {error}"));
    }
}

#[test]
fn tls() {
    everywhere(on_std::tls::check, on_greenthread::tls::check);
}

#[test]
fn chat() {
    everywhere(on_std::chat::check, on_greenthread::chat::check);
}

#[test]
fn http() {
    everywhere(on_std::http::check, on_greenthread::http::check);
}

#[test]
fn redis() {
    let missing = |tool: &&str| Command::new(tool).arg("--version").output().is_err();
    if let Some(tool) = ["redis-cli", "redis-benchmark"].into_iter().find(missing) {
        assert!(env::var_os("CI").is_none(), "{tool} must be installed: Debian's package redis-tools");
        eprintln!("skipped: there is no {tool} (Debian's package redis-tools)");
        return;
    }
    everywhere(on_std::redis::check, on_greenthread::redis::check);
}
