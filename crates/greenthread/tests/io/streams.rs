//! The standard streams, in a process of their own: this program again.

use std::{
    io::{Read, Write},
    process::{Child, Command, Stdio},
};

use greenthread::{
    io::{self, BufRead},
    thread,
};

use crate::common::is_child;

/// In the parent: runs the test `name` again, with pipes for its streams.
fn piped(name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1", "-q"])
        .env("GREENTHREAD_TEST_CHILD", name)
        .env("GREENTHREAD_WORKERS", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What it has written between the marks; the harness writes around them.
fn told(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.split("<<<").nth(1).unwrap().split(">>>").next().unwrap().to_owned()
}

fn tell(text: &str) {
    let mut stdout = std::io::stdout();
    write!(stdout, "<<<{text}>>>").unwrap();
    stdout.flush().unwrap();
}

/// One worker, and a thread that waits for input: its sibling runs.
#[test]
fn waiting_for_input_lets_others_run() {
    const NAME: &str = "streams::waiting_for_input_lets_others_run";
    if is_child(NAME) {
        return greenthread::run(|| {
            let line = thread::spawn(|| {
                let mut line = String::new();
                assert_eq!(io::stdin().read_line(&mut line).unwrap(), 6);
                line
            });
            // Says that it runs, and only then is there any input.
            for _ in 0..100 {
                thread::yield_now();
            }
            tell(&format!("{:?}", line.is_finished()));
            assert_eq!(line.join().unwrap(), "first\n");
            let rest: Vec<_> = io::stdin().lines().map(Result::unwrap).collect();
            assert_eq!(rest, ["second", "third"]);
            assert_eq!(io::stdin().read(&mut [0]).unwrap(), 0);
        });
    }
    let mut child = piped(NAME);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b">>>") {
        let mut byte = [0];
        assert_eq!(stdout.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&seen));
        seen.push(byte[0]);
    }
    assert!(seen.ends_with(b"<<<false>>>"));
    stdin.write_all(b"first\nsecond\nthird").unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

/// Who holds it keeps others out, and waits for input while it does.
#[test]
fn input_is_one_thread_s_while_it_is_locked() {
    const NAME: &str = "streams::input_is_one_thread_s_while_it_is_locked";
    if is_child(NAME) {
        return greenthread::run(|| {
            let mut lock = io::stdin().lock();
            let other = thread::spawn(|| {
                let mut line = String::new();
                io::stdin().read_line(&mut line).unwrap();
                line
            });
            let (mut first, mut second) = (String::new(), String::new());
            lock.read_line(&mut first).unwrap();
            thread::yield_now();
            lock.read_line(&mut second).unwrap();
            drop(lock);
            tell(&format!("{first}{second}{}", other.join().unwrap()));
        });
    }
    let mut child = piped(NAME);
    child.stdin.take().unwrap().write_all(b"1\n2\n3\n").unwrap();
    assert_eq!(told(child), "1\n2\n3\n");
}

/// No input at all: a descriptor that was closed is at its end.
#[test]
fn closed_input_is_at_its_end() {
    const NAME: &str = "streams::closed_input_is_at_its_end";
    if is_child(NAME) {
        return greenthread::run(|| {
            // SAFETY: nobody else uses it here.
            unsafe { libc::close(0) };
            assert_eq!(io::stdin().read(&mut [0; 8]).unwrap(), 0);
            tell("the end");
        });
    }
    assert_eq!(told(piped(NAME)), "the end");
}
