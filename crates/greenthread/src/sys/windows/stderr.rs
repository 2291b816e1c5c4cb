//! The standard error of the process, for messages of the library itself.
//!
//! A write to a pipe waits while the pipe is full, and Windows offers no way to ask before
//! (`WriteQuotaAvailable` also counts what a waiting reader has asked for). So only a file is
//! written to by `write_now`. A console takes UTF-16.
//!
//! Windows makes one call at a time on a handle such as the standard error's. So even the question
//! for its kind waits while another OS thread waits in a write to it. `write_all` asks, and
//! `write_now` knows the answer or does nothing.

use core::{
    ffi::c_void,
    ptr,
    sync::atomic::{
        AtomicU32, AtomicUsize,
        Ordering::{Relaxed, SeqCst},
    },
};

use windows_sys::Win32::{
    Foundation::{CloseHandle, HANDLE, INVALID_HANDLE_VALUE},
    Storage::FileSystem::{FILE_TYPE_DISK, GetFileType, WriteFile},
    System::{
        Console::{GetConsoleMode, GetStdHandle, STD_ERROR_HANDLE, WriteConsoleW},
        IO::CancelSynchronousIo,
        Threading::{CreateThread, GetCurrentThreadId, OpenThread, Sleep, THREAD_TERMINATE},
    },
};

/// The number of bytes up to which a write to a pipe is written whole or not at all: as many as the
/// smallest buffer of a pipe.
pub(crate) const ATOMIC: usize = 4096;

/// The time that the last words have, in milliseconds.
const LAST_SECOND: u32 = 1000;

/// The time in milliseconds after which the process ends if a write could not be cancelled.
const AFTER_CANCEL: u32 = 100;

/// What a standard error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File = 1,
    Console = 2,
    /// A pipe, for example.
    Other = 3,
}

/// The handle whose kind was asked for last, and the kind in the two lowest bits, which handles
/// leave free. 0 if none was asked for.
static KNOWN: AtomicUsize = AtomicUsize::new(0);

/// The kind of a handle, if it was asked for last.
fn known_kind(handle: HANDLE) -> Option<Kind> {
    let known = KNOWN.load(Relaxed);
    let kinds = [Kind::File, Kind::Console, Kind::Other];
    kinds.into_iter().find(|kind| known == handle.addr() | *kind as usize)
}

/// The kind of a handle. May wait.
fn ask_for_kind(handle: HANDLE) -> Kind {
    if let Some(kind) = known_kind(handle) {
        return kind;
    }
    let mut mode = 0;
    // SAFETY: the call writes `mode`.
    let kind = if unsafe { GetConsoleMode(handle, &mut mode) } != 0 {
        Kind::Console
    // SAFETY: the call only asks about the handle.
    } else if unsafe { GetFileType(handle) } == FILE_TYPE_DISK {
        Kind::File
    } else {
        Kind::Other
    };
    if handle.addr() % 4 == 0 {
        KNOWN.store(handle.addr() | kind as usize, Relaxed);
    }
    kind
}

/// Writes without blocking, and returns the number of bytes written, or 0 if that is impossible.
pub(crate) fn write_now(bytes: &[u8]) -> usize {
    match handle() {
        Some(stderr) if known_kind(stderr) == Some(Kind::File) => write(stderr, bytes).unwrap_or(0),
        _ => 0,
    }
}

/// Writes everything, and blocks until it is written. If the standard error is closed, or its
/// reader is gone, the message is lost.
pub(crate) fn write_all(bytes: &[u8]) {
    let Some(stderr) = handle() else { return };
    write_as(ask_for_kind(stderr), stderr, bytes);
}

/// Writes as much as is possible within a second. There may be no reader, and the process must end.
/// It neither allocates nor locks.
pub(crate) fn write_last_words(bytes: &[u8]) {
    /// The number of OS threads that are at it.
    static WRITING: AtomicU32 = AtomicU32::new(0);

    /// Ends the write of the OS thread with this ID when its time is over. If another OS thread's
    /// write is in the way, it can't be cancelled, and the process ends here.
    unsafe extern "system" fn end(thread: *mut c_void) -> u32 {
        // SAFETY: the calls have no precondition but that the handle is open, and it is.
        unsafe {
            Sleep(LAST_SECOND);
            let thread = OpenThread(THREAD_TERMINATE, 0, thread.addr() as u32);
            if !thread.is_null() {
                CancelSynchronousIo(thread);
                CloseHandle(thread);
            }
            Sleep(AFTER_CANCEL);
        }
        if WRITING.load(SeqCst) > 0 {
            std::process::abort();
        }
        0
    }
    let Some(stderr) = handle() else { return };
    if let Some(kind @ (Kind::File | Kind::Console)) = known_kind(stderr) {
        return write_as(kind, stderr, bytes);
    }
    WRITING.fetch_add(1, SeqCst);
    // SAFETY: `end` gets what it expects. If the OS thread cannot be made, the write has no limit.
    unsafe {
        let this = ptr::without_provenance(GetCurrentThreadId() as usize);
        let thread = CreateThread(ptr::null(), 0, Some(end), this, 0, ptr::null_mut());
        if !thread.is_null() {
            CloseHandle(thread);
        }
    }
    write_as(ask_for_kind(stderr), stderr, bytes);
    WRITING.fetch_sub(1, SeqCst);
}

/// Returns the handle of the standard error, if there is one.
fn handle() -> Option<HANDLE> {
    // SAFETY: the call has no precondition.
    let handle = unsafe { GetStdHandle(STD_ERROR_HANDLE) };
    (!handle.is_null() && handle != INVALID_HANDLE_VALUE).then_some(handle)
}

fn write_as(kind: Kind, handle: HANDLE, bytes: &[u8]) {
    match kind {
        Kind::Console => write_to_console(handle, bytes),
        Kind::File | Kind::Other => write_to(handle, bytes),
    }
}

/// Makes one write. Returns the number of bytes, or `None` if nothing can be written.
fn write(handle: HANDLE, bytes: &[u8]) -> Option<usize> {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut written = 0;
    // SAFETY: the call reads `len` bytes, which `bytes` has, and writes `written`.
    let done = unsafe { WriteFile(handle, bytes.as_ptr(), len, &mut written, ptr::null_mut()) };
    (done != 0 && written > 0).then_some(written as usize)
}

fn write_to(handle: HANDLE, mut bytes: &[u8]) {
    while !bytes.is_empty()
        && let Some(count) = write(handle, bytes)
    {
        bytes = bytes.get(count..).unwrap_or(&[]);
    }
}

/// Writes text to a console, a piece at a time. Bytes that are no text are left out.
fn write_to_console(console: HANDLE, bytes: &[u8]) {
    const PIECE: usize = 128;
    for text in bytes.utf8_chunks().map(|chunk| chunk.valid()) {
        let (mut units, mut len) = ([0u16; PIECE], 0);
        for c in text.chars() {
            len += c.encode_utf16(&mut units[len..]).len();
            if len + 2 > PIECE {
                write_units(console, &units[..len]);
                len = 0;
            }
        }
        write_units(console, &units[..len]);
    }
}

fn write_units(console: HANDLE, mut units: &[u16]) {
    while !units.is_empty() {
        let mut written = 0;
        // SAFETY: the call reads `units` and writes `written`.
        let done =
            unsafe { WriteConsoleW(console, units.as_ptr(), units.len() as u32, &mut written, ptr::null()) };
        if done == 0 || written == 0 {
            return;
        }
        units = units.get(written as usize..).unwrap_or(&[]);
    }
}
