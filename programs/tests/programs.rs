//! Each program with several clients: on std's threads, and on green threads of one worker and of
//! two.

use std::{
    env,
    io::{self, Write},
    process::Command,
    sync::{
        atomic::AtomicUsize,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use greenthread::{
    cancel::Token,
    net::{TcpListener, TcpStream},
    process,
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
            std::process::abort();
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
    if !["redis-cli", "redis-benchmark"].into_iter().all(is_there) {
        return;
    }
    everywhere("redis", on_std::redis::check, on_greenthread::redis::check);
}

/// A server program that knows nothing of it is ended from outside: it takes no connections any
/// more, and those that are there go on until their clients leave.
fn ends_in_order(serve: fn(TcpListener), client: fn(port: &str) -> process::Command) {
    let runtime = greenthread::Runtime::builder().workers(2).build().expect("a runtime");
    runtime.run(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let address = listener.local_addr().expect("an address");
        let token = Token::new();
        let server = greenthread::thread::spawn({
            let token = token.clone();
            move || token.run(|| serve(listener))
        });
        let client = client(&address.port().to_string())
            .stdout(process::Stdio::piped())
            .stderr(process::Stdio::piped())
            .spawn()
            .expect("the client starts");
        greenthread::thread::sleep(Duration::from_secs(1));
        token.cancel();
        assert!(server.join().expect("no panic").is_err(), "the server was cancelled");
        TcpStream::connect(address).expect_err("nobody listens");
        // This blocks the thread, and not its worker.
        let output = client.wait_with_output().expect("the client ends");
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        println!("{text}");
        assert!(output.status.success(), "{text}");
        for trouble in ["Socket errors", "Non-2xx", "Error", "error"] {
            assert!(!text.contains(trouble), "{text}");
        }
    });
    assert!(runtime.shutdown_timeout(Duration::from_secs(10)), "threads are left");
}

#[test]
fn clients_see_no_error_when_a_server_ends() {
    let _done = abort_after_five_minutes("an orderly end".to_owned());
    if is_there("wrk") {
        let serve = |listener: TcpListener| {
            on_greenthread::http::serve(&listener, &AtomicUsize::new(0));
        };
        ends_in_order(serve, |port| {
            let mut wrk = process::Command::new("wrk");
            wrk.args(["-t1", "-c100", "-d3s", &format!("http://127.0.0.1:{port}/count/10")]);
            wrk
        });
    }
    if is_there("redis-benchmark") {
        let serve = |listener| drop(on_greenthread::redis::serve(listener));
        ends_in_order(serve, |port| {
            let mut benchmark = process::Command::new("redis-benchmark");
            benchmark.args(["-p", port, "-c", "50", "-n", "300000", "-t", "incr", "-q"]);
            benchmark
        });
    }
}

/// Whether a client is installed.
fn is_there(tool: &str) -> bool {
    let is_there = Command::new(tool).arg("--version").output().is_ok();
    assert!(is_there || env::var_os("CI").is_none(), "{tool} must be installed");
    if !is_there {
        eprintln!("skipped: there is no {tool}");
    }
    is_there
}

#[test]
fn clients_that_mean_harm() {
    everywhere("limits", on_std::hostile::limits, on_greenthread::hostile::limits);
    everywhere("hostile to http", on_std::hostile::http, on_greenthread::hostile::http);
    everywhere("hostile to redis", on_std::hostile::redis, on_greenthread::hostile::redis);
    everywhere("hostile to chat", on_std::hostile::chat, on_greenthread::hostile::chat);
    everywhere("hostile to tls", on_std::hostile::tls, on_greenthread::hostile::tls);
}
