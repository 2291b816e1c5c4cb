//! Each program with several clients: on std's threads, and on green threads of one worker and of
//! two.

use std::{
    env,
    io::{self, Write},
    process::{self, Command},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use programs::{on_greenthread, on_std};

fn everywhere(name: &str, on_std: fn() -> programs::Result, on_greenthread: fn() -> programs::Result) {
    let done = abort_after_five_minutes(format!("{name} on std's threads"));
    on_std().expect("on std's threads");
    drop(done);
    for workers in [1, 2] {
        let _done = abort_after_five_minutes(format!("{name} on green threads, workers: {workers}"));
        let runtime = greenthread::Runtime::builder().workers(workers).build().expect("a runtime");
        runtime.run(on_greenthread).unwrap_or_else(|error| panic!("with {workers} workers: {error}"));
    }
}

/// Aborts the process if the returned value isn't dropped within five minutes. A lost wake-up would
/// hang it for ever.
fn abort_after_five_minutes(what: String) -> Sender<()> {
    let (done, over) = channel::<()>();
    thread::spawn(move || {
        if over.recv_timeout(Duration::from_secs(300)) == Err(RecvTimeoutError::Timeout) {
            // Written past the harness, which would capture it.
            _ = writeln!(io::stderr(), "hangs: {what}");
            process::abort();
        }
    });
    done
}

#[test]
fn tls() {
    everywhere("tls", on_std::tls::check, on_greenthread::tls::check);
}

#[test]
fn chat() {
    everywhere("chat", on_std::chat::check, on_greenthread::chat::check);
}

#[test]
fn http() {
    everywhere("http", on_std::http::check, on_greenthread::http::check);
}

#[test]
fn redis() {
    let missing = |tool: &&str| Command::new(tool).arg("--version").output().is_err();
    if let Some(tool) = ["redis-cli", "redis-benchmark"].into_iter().find(missing) {
        assert!(env::var_os("CI").is_none(), "{tool} must be installed: Debian's package redis-tools");
        eprintln!("skipped: there is no {tool} (Debian's package redis-tools)");
        return;
    }
    everywhere("redis", on_std::redis::check, on_greenthread::redis::check);
}

#[test]
fn clients_that_mean_harm() {
    everywhere("limits", on_std::hostile::limits, on_greenthread::hostile::limits);
    everywhere("hostile to http", on_std::hostile::http, on_greenthread::hostile::http);
    everywhere("hostile to redis", on_std::hostile::redis, on_greenthread::hostile::redis);
    everywhere("hostile to chat", on_std::hostile::chat, on_greenthread::hostile::chat);
    everywhere("hostile to tls", on_std::hostile::tls, on_greenthread::hostile::tls);
}
