//! Processes on Windows, where the programs of the other tests are missing.

use std::io::{Read, Write};

use greenthread::{
    os::windows::process::{CommandExt, ExitStatusExt},
    process::{Command, ExitStatus, Stdio},
    thread,
};

use crate::common::sockets::{a_moment, everywhere};

fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.raw_arg(format!("/c {command}"));
    shell
}

#[test]
fn output_and_status() {
    everywhere(|_| {
        let output = shell("echo out & echo err>&2 & exit 3").output().unwrap();
        assert_eq!(output.status, ExitStatus::from_raw(3));
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "out");
        assert_eq!(String::from_utf8_lossy(&output.stderr).trim(), "err");
        assert!(shell("exit 0").status().unwrap().success());
        assert!(Command::new("there is no such program").spawn().is_err());
    });
}

#[test]
fn it_is_told_and_tells() {
    everywhere(|_| {
        let mut child = shell("more").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"a line\r\n").unwrap();
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said.trim(), "a line");
        assert!(child.wait().unwrap().success());
        assert!(child.try_wait().unwrap().is_some());
    });
}

#[test]
fn waiting_keeps_nobody_else_waiting_and_ends_when_it_is_killed() {
    everywhere(|world| {
        // It reads until its input ends, which is open here.
        let mut child = shell("set /p line=").stdin(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        let waiter = world.spawn(move || child.wait().unwrap());
        a_moment();
        thread::yield_now();
        assert!(!waiter.join().success());
        drop(input);
    });
}
