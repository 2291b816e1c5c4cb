//! The answer to a stack overflow: whose it was, how big it was, and what to do.
//!
//! The report is made in a signal handler, on the signal stack of a thread whose own stack is used up, and
//! anything may be locked. So nothing here allocates, locks, formats or panics: bytes are collected in a
//! buffer and written by one system call, if standard error takes them within a second. Then the
//! process aborts, as it does for an overflow that std finds.
//!
//! Invariants:
//! 1. `DESCRIBE` is null or the `Describe` that `install` was given, written before the handler is installed.

use core::{
    mem, ptr,
    sync::atomic::{
        AtomicBool, AtomicPtr,
        Ordering::{Acquire, Relaxed, Release},
    },
};
use std::{io, panic::Location};

use crate::sys::{signal, stderr::write_last_words};

/// A signal stack for the calling OS thread, until dropped. Where there is none, there can be no report.
pub(crate) use crate::sys::signal::AlternateStack as SignalStack;

/// The thread whose stack has overflowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Victim {
    pub(crate) name: Option<&'static str>,
    pub(crate) stack_size: usize,
    /// Where it was spawned.
    pub(crate) location: &'static Location<'static>,
}

type Describe = fn(fault: usize) -> Option<Victim>;

static DESCRIBE: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Makes overflows of green stacks reported. The first call counts, later ones do nothing.
///
/// `describe` is called in a signal handler and must be async-signal-safe. It tells whether an address is in
/// the guard of the green thread that is running on the calling OS thread, and which thread that is.
pub(crate) fn install(describe: Describe) -> io::Result<()> {
    if DESCRIBE.compare_exchange(ptr::null_mut(), describe as *mut (), Release, Relaxed).is_err() {
        return Ok(());
    }
    signal::on_fault(fault).inspect_err(|_| DESCRIBE.store(ptr::null_mut(), Relaxed))
}

/// Called for every bad memory access. Returns if it was no overflow of a green stack.
fn fault(address: usize) {
    let describe = DESCRIBE.load(Acquire);
    if describe.is_null() {
        return;
    }
    // SAFETY: invariant 1.
    let describe = unsafe { mem::transmute::<*mut (), Describe>(describe) };
    if let Some(victim) = describe(address) {
        die(&victim);
    }
}

fn die(victim: &Victim) -> ! {
    // The first one reports; whoever overflows meanwhile on another OS thread lets it finish.
    static DYING: AtomicBool = AtomicBool::new(false);
    while DYING.swap(true, Relaxed) {
        signal::pause();
    }
    let mut report = Report { bytes: [0; 512], len: 0 };
    report.text("\ngreen thread '");
    report.text(victim.name.unwrap_or("<unnamed>"));
    report.text("' has overflowed its stack\nstack size: ");
    report.number(victim.stack_size);
    report.text(" bytes, spawned at ");
    report.text(victim.location.file());
    report.text(":");
    report.number(victim.location.line() as usize);
    report.text(":");
    report.number(victim.location.column() as usize);
    report.text("\nhelp: thread::Builder::stack_size or GREENTHREAD_STACK_SIZE gives more\n");
    report.text("fatal runtime error: stack overflow, aborting\n");
    report.flush();
    signal::abort()
}

/// Text on its way to standard error, which is full only for the longest of names.
struct Report {
    bytes: [u8; 512],
    len: usize,
}

impl Report {
    fn text(&mut self, text: &str) {
        for &byte in text.as_bytes() {
            if self.len == self.bytes.len() {
                self.flush();
            }
            if let Some(free) = self.bytes.get_mut(self.len) {
                *free = byte;
                self.len += 1;
            }
        }
    }

    fn number(&mut self, number: usize) {
        let mut power = 1;
        while number / power >= 10 {
            power *= 10;
        }
        while power > 0 {
            let digit = b'0' + (number / power % 10) as u8;
            self.text(str::from_utf8(&[digit]).unwrap_or("?"));
            power /= 10;
        }
    }

    fn flush(&mut self) {
        write_last_words(self.bytes.get(..self.len).unwrap_or(&[]));
        self.len = 0;
    }
}
