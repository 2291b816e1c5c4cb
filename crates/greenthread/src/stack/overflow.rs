//! The report of a stack overflow: the thread, the size of its stack, and what helps.
//!
//! A signal handler makes the report, on the signal stack of an OS thread whose running stack is
//! used up. Anything may be locked at that moment. So nothing here allocates, locks, formats or
//! panics. The handler collects bytes in a buffer and writes them by one system call, if standard
//! error takes them within a second. Then the process aborts, as it does for an overflow that std
//! finds.
//!
//! Invariants:
//! 1. `DESCRIBE` is null or the `Describe` that `install` received. It is written before the
//!    handler is installed.

use core::{
    mem, ptr,
    sync::atomic::{
        AtomicBool, AtomicPtr,
        Ordering::{Acquire, Relaxed, Release},
    },
};
use std::{io, panic::Location};

use crate::sys::{signal, stderr::write_last_words};

/// A signal stack for the calling OS thread, until dropped. Without one the handler can't run, and
/// the kernel ends the process.
pub(crate) use crate::sys::signal::AlternateStack as SignalStack;

/// The thread whose stack has overflowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Victim {
    pub(crate) name: Option<&'static str>,
    pub(crate) stack_size: usize,
    /// The place of the call that spawned it.
    pub(crate) location: &'static Location<'static>,
}

type Describe = fn(fault: usize) -> Option<Victim>;

static DESCRIBE: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Installs the handler that reports overflows of green stacks. Calls after the first do nothing.
///
/// The handler calls `describe`, which must be async-signal-safe. If the address is in the guard of
/// the green thread that runs on the calling OS thread, `describe` returns that thread.
pub(crate) fn install(describe: Describe) -> io::Result<()> {
    if DESCRIBE.compare_exchange(ptr::null_mut(), describe as *mut (), Release, Relaxed).is_err() {
        return Ok(());
    }
    signal::on_fault(fault).inspect_err(|_| DESCRIBE.store(ptr::null_mut(), Relaxed))
}

/// Handles an invalid memory access. It returns if the access was no overflow of a green stack.
fn fault(address: usize) {
    let describe = DESCRIBE.load(Acquire);
    if describe.is_null() {
        return;
    }
    // SAFETY: a pointer that isn't null was made of a `Describe` (invariant 1).
    let describe = unsafe { mem::transmute::<*mut (), Describe>(describe) };
    if let Some(victim) = describe(address) {
        die(&victim);
    }
}

fn die(victim: &Victim) -> ! {
    // The first OS thread reports. Others that overflow meanwhile wait, so that it can finish.
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

/// A buffer for the text of the report. Only a very long name or path fills it before the end.
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
