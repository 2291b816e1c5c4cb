//! The examples, run as programs. Good and bad clients talk to them from outside.

#![cfg(target_os = "linux")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Command, Output},
    thread,
    time::Duration,
};

#[path = "examples/crawler.rs"]
mod crawler;
#[path = "examples/programs.rs"]
mod programs;

use rustix::process::{Pid, Signal, kill_process};

use programs::{DRAINED, FOREVER, Server, example, vanish};

// ---- echo

#[test]
fn echo_gives_back_what_it_gets() {
    let mut server = Server::start("echo");
    thread::scope(|scope| {
        for client in 0..20_u8 {
            let stream = server.connect();
            scope.spawn(move || {
                let sent = vec![client; 100_000];
                let mut got = Vec::new();
                thread::scope(|scope| {
                    scope.spawn(|| {
                        (&stream).write_all(&sent).unwrap();
                        stream.shutdown(std::net::Shutdown::Write).unwrap();
                    });
                    (&stream).read_to_end(&mut got).unwrap();
                });
                assert!(got == sent);
            });
        }
    });
    server.stop();
}

#[test]
fn echo_survives_clients_that_vanish_or_do_not_read() {
    let mut server = Server::start("echo");
    for _ in 0..50 {
        let mut stream = server.connect();
        stream.write_all(b"half of what I wanted to s").unwrap();
        vanish(stream);
    }
    // A client that writes until nothing more goes in, and never reads.
    let unread = server.connect();
    unread.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    while (&unread).write(&[b'x'; 65536]).is_ok() {}

    let mut stream = server.connect();
    stream.write_all(b"still there?").unwrap();
    let mut got = [0; 12];
    stream.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"still there?");

    // The server waits for the client that does not read, but not for long.
    let (time, said) = server.stop();
    assert!(time < DRAINED, "{time:?}: {said}");
    assert!(said.contains("stopping, with 2 under way"), "{said}");
}

// ---- bad arguments

fn fails(command: &mut Command) -> String {
    let mut child = command.spawn().unwrap();
    // If it serves instead of failing, the end of its stdout does not come.
    let pid = Pid::from_child(&child);
    let mut said = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    if stdout.read_line(&mut said).unwrap() > 0 {
        kill_process(pid, Signal::KILL).unwrap();
    }
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    String::from_utf8(stderr).unwrap()
}

#[test]
fn bad_arguments_are_named() {
    let said = fails(example("echo").args(["--workers", "0"]));
    assert!(said.starts_with("echo: ") && said.contains("worker"), "{said}");
    let said = fails(example("echo").args(["--workers", "many"]));
    assert!(said.contains("many"), "{said}");
    let said = fails(example("echo").arg("--listne"));
    assert!(said.contains("--listne"), "{said}");
    let said = fails(example("echo").args(["--listen", "nowhere"]));
    assert!(said.starts_with("echo: nowhere: "), "{said}");
    let said = fails(example("echo").env("GREENTHREAD_WORKERS", "many"));
    assert!(said.contains("GREENTHREAD_WORKERS"), "{said}");

    for arguments in [&[] as &[&str], &["localhost"], &["http://localhost/", "--connexions", "3"]] {
        let said = fails(example("crawler").args(arguments));
        assert!(said.contains("usage: crawler "), "{said}");
    }

    let server = Server::start("echo");
    let address = server.address.to_string();
    let said = fails(example("echo").args(["--listen", &address]));
    assert!(said.contains(&address) && said.to_lowercase().contains("in use"), "{said}");
}

// ---- the tour

#[test]
fn the_tour_has_three_acts() {
    let output = example("tour").args(["--threads", "20000", "--seconds", "1"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}\n{complaints}");
    assert_eq!(complaints, "", "the tour's stderr");
    println!("{said}");

    // The two threads take turns until one has ended. Either may begin.
    let turns = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(&format!("   {name}"))).unwrap();
        let columns = line.as_bytes().chunks(3).map(|column| !column.trim_ascii().is_empty());
        columns.map(|turn| if turn { '#' } else { '.' }).collect::<String>()
    };
    let (odd, even) = ("#.".repeat(10), ".#".repeat(10));
    assert!(
        (turns("one"), turns("two")) == (format!("{odd}....."), format!("{even}#####"))
            || (turns("one"), turns("two")) == (format!("{even}....."), format!("{odd}#####")),
        "{said}"
    );
    assert!(said.contains("20,000 threads were alive at once"), "{said}");
    assert!(said.contains("requests per second, 64 connections"), "{said}");
}

#[test]
fn the_tour_says_why_there_are_fewer_threads() {
    let mut tour = example("tour");
    tour.args(["--threads", "100000", "--seconds", "1"]).env("GREENTHREAD_STACK_GUARD", "mprotect");
    let output = tour.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}\n{complaints}");
    // The system's limit may have been raised.
    assert!(said.contains("vm.max_map_count") || said.contains("100,000 threads were alive"), "{said}");
    assert!(said.contains("requests per second, 64 connections"), "{said}");
}

// ---- the README

#[test]
fn the_readme_shows_the_ten_lines() {
    let file = |path| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (readme, example) = (file("../../README.md"), file("examples/ten_lines.rs"));
    let (_, code) = example.split_once("\n\n").unwrap();
    assert!(readme.contains(&format!("```rust\n{code}```\n")), "README.md and examples/ten_lines.rs differ");
}
