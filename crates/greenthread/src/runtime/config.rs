//! What a runtime is made with: numbers from the program and from the environment, checked.

use std::{env, ffi::OsStr, io, num::NonZeroUsize, thread::available_parallelism};

use super::descriptor_limit;
use crate::{blocking::Limits, driver::BATCH_THRESHOLD, stack, sys::uring::Ring};

/// More OS threads than this are a mistake.
const MOST_WORKERS: usize = 4096;
/// The same for the pool, where most of them sleep.
const MOST_POOL_THREADS: usize = 100_000;

/// Twice what a SATA disk takes at once (32 commands). With fewer, a few calls to a server that
/// doesn't answer (NFS) keep all others waiting. With more, a burst costs more threads, and no disk
/// answers faster.
const DISK_THREADS: usize = 64;
/// Each thread is a call that waits for somebody else, and one call more is an error: only a mistake
/// is to come that far. Go's limit of its threads is the same. With fewer, programs that are right
/// meet it; with more, the process runs out of memory maps (65,530, of which a thread takes four).
const BLOCKING_THREADS: usize = 10_000;

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// A number from the environment; the error names the variable.
fn number(name: &str, value: &OsStr, what: &str) -> io::Result<usize> {
    value
        .to_str()
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| invalid(format!("{name} is {value:?}; it must be {what}, or not be set")))
}

/// A number of OS threads: what was asked for, or the variable, or the default.
fn threads(
    asked: Option<usize>,
    variable: &str,
    what: &str,
    most: usize,
    default: usize,
) -> io::Result<usize> {
    let must = format!("a number of {what} from 1 to {most}");
    let is_right = |asked: &usize| (1..=most).contains(asked);
    if let Some(asked) = asked {
        return Some(asked)
            .filter(is_right)
            .ok_or_else(|| invalid(format!("{asked} {what} were asked for; it must be {must}")));
    }
    match env::var_os(variable) {
        Some(value) => Some(number(variable, &value, &must)?)
            .filter(is_right)
            .ok_or_else(|| invalid(format!("{variable} is {value:?}; it must be {must}, or not be set"))),
        None => Ok(default),
    }
}

/// How many workers: what was asked for, or `GREENTHREAD_WORKERS`, or one for each processor.
pub(crate) fn workers(asked: Option<usize>) -> io::Result<usize> {
    let default = available_parallelism()
        .map_or(1, NonZeroUsize::get)
        .min(MOST_WORKERS)
        .min(descriptor_limit::workers());
    threads(asked, "GREENTHREAD_WORKERS", "workers", MOST_WORKERS, default)
}

/// How many OS threads each lane of the pool may have.
pub(crate) fn pool_limits(disk: Option<usize>, blocking: Option<usize>) -> io::Result<Limits> {
    let limit = |asked, variable, what, default| threads(asked, variable, what, MOST_POOL_THREADS, default);
    Ok(Limits {
        disk: limit(disk, "GREENTHREAD_DISK_THREADS", "disk threads", DISK_THREADS)?,
        blocking: limit(blocking, "GREENTHREAD_BLOCKING_THREADS", "blocking threads", BLOCKING_THREADS)?,
    })
}

/// What the workers are called: what was asked for, or as we are.
pub(crate) fn name(asked: Option<String>) -> io::Result<String> {
    let name = asked.unwrap_or_else(|| "greenthread".into());
    if name.contains('\0') {
        return Err(invalid(format!("the runtime's name is {name:?}; it must not hold NUL bytes")));
    }
    Ok(name)
}

/// The usable stack size of threads that don't ask for one: what was asked for, or `GREENTHREAD_STACK_SIZE`, or
/// `RUST_MIN_STACK` (std's), or the default.
pub(crate) fn stack_size(asked: Option<usize>) -> io::Result<usize> {
    if let Some(asked) = asked {
        return stack::usable_size(asked);
    }
    for name in ["GREENTHREAD_STACK_SIZE", "RUST_MIN_STACK"] {
        if let Some(value) = env::var_os(name) {
            let asked = number(name, &value, "a stack size in bytes, 1 or more")?;
            return stack::usable_size(asked)
                .map_err(|error| invalid(format!("{name} is {value:?}: {error}")));
        }
    }
    stack::usable_size(stack::DEFAULT_SIZE)
}

/// Whether the watchdog runs: what was asked for, or `GREENTHREAD_WATCHDOG` (0 or 1), or as the program was built.
pub(crate) fn watchdog(asked: Option<bool>) -> io::Result<bool> {
    const NAME: &str = "GREENTHREAD_WATCHDOG";
    if let Some(asked) = asked {
        return Ok(asked);
    }
    match env::var_os(NAME) {
        Some(value) => match number(NAME, &value, "0 or 1")? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(invalid(format!("{NAME} is {value:?}; it must be 0 or 1, or not be set"))),
        },
        None => Ok(cfg!(debug_assertions)),
    }
}

/// Among how many threads sends are held back to go out together; none if there is to be no ring. `GREENTHREAD_IO` may ask for `poll`,
/// or for `uring` and fail if there is none. (`GREENTHREAD_IO_BATCH` is for tests; `RuntimeBuilder` documents it.)
pub(crate) fn batch_threshold() -> io::Result<Option<u32>> {
    const NAME: &str = "GREENTHREAD_IO";
    let batch_threshold = match env::var_os("GREENTHREAD_IO_BATCH") {
        Some(value) => number("GREENTHREAD_IO_BATCH", &value, "a number")? as u32,
        None => BATCH_THRESHOLD,
    };
    match env::var_os(NAME) {
        None => Ok(Some(batch_threshold)),
        Some(value) if value == "poll" => Ok(None),
        Some(value) if value == "uring" => match Ring::new(1, 2) {
            Ok(_) => Ok(Some(batch_threshold)),
            Err(error) => Err(io::Error::new(
                error.kind(),
                format!(
                    "{NAME} is \"uring\", and io_uring can't be had here: {error}; use poll, or don't set it"
                ),
            )),
        },
        Some(value) => Err(invalid(format!("{NAME} is {value:?}; it must be uring or poll, or not be set"))),
    }
}
