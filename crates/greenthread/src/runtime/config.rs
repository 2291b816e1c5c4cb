//! The settings of a runtime: numbers from the program and from the environment, checked.

use std::{env, ffi::OsStr, io, num::NonZeroUsize, thread::available_parallelism};

use super::descriptor_limit;
use crate::{blocking::Limits, driver::BATCH_THRESHOLD, stack, sys::uring::Ring};

/// The most workers, in OS threads. It is above the number of processors of usual machines, so a
/// larger request is taken for a mistake. With a lower limit, a large machine could not use all its
/// processors. With a higher one, a mistyped number would start that many OS threads, with three
/// descriptors each.
const MOST_WORKERS: usize = 4096;
/// The most threads of one lane of the pool, in OS threads. Most of them sleep in a call, so more
/// of them than of workers make sense. A larger request is taken for a mistake.
const MOST_POOL_THREADS: usize = 100_000;

/// The most threads of the disk lane, in OS threads: twice the 32 commands that a SATA disk takes
/// at once. With fewer, a few calls to a server that doesn't answer (NFS) keep all others waiting.
/// With more, a burst costs more threads, and no disk answers faster.
const DISK_THREADS: usize = 64;
/// The most threads of the blocking lane, in OS threads, as many as Go's limit of its threads. Each
/// is a call that waits for somebody else, and one call more is an error, so only a program with a
/// mistake should reach it. With fewer, correct programs reach it. With more, the process runs out
/// of memory maps: the system grants 65,530, and a thread takes four.
const BLOCKING_THREADS: usize = 10_000;

/// The largest limit of a runtime's green threads. So many would take more memory than machines
/// have, so a larger request is taken for a mistake. It is what 32-bit machines can count.
const MOST_GREEN_THREADS: usize = i32::MAX as usize;

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// Reads a number from an environment variable. The error names the variable and says that it must
/// be `what`.
fn number(name: &str, value: &OsStr, what: &str) -> io::Result<usize> {
    value
        .to_str()
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| invalid(format!("{name} is {value:?}; it must be {what}, or not be set")))
}

/// Returns a number of threads: the one that was asked for, else the variable's, else the default.
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

/// Returns the number of workers: the one that was asked for, else `GREENTHREAD_WORKERS`, else one
/// for each processor, as far as the limits allow.
pub(crate) fn workers(asked: Option<usize>) -> io::Result<usize> {
    let default = available_parallelism()
        .map_or(1, NonZeroUsize::get)
        .min(MOST_WORKERS)
        .min(descriptor_limit::workers());
    threads(asked, "GREENTHREAD_WORKERS", "workers", MOST_WORKERS, default)
}

/// Returns how many OS threads each lane of the pool may have.
pub(crate) fn pool_limits(disk: Option<usize>, blocking: Option<usize>) -> io::Result<Limits> {
    let limit = |asked, variable, what, default| threads(asked, variable, what, MOST_POOL_THREADS, default);
    Ok(Limits {
        disk: limit(disk, "GREENTHREAD_DISK_THREADS", "disk threads", DISK_THREADS)?,
        blocking: limit(blocking, "GREENTHREAD_BLOCKING_THREADS", "blocking threads", BLOCKING_THREADS)?,
    })
}

/// Returns how many green threads may live at a time, if that is limited: as asked for, else by
/// `GREENTHREAD_MAX_THREADS`.
pub(crate) fn max_threads(asked: Option<usize>) -> io::Result<Option<usize>> {
    const NONE: usize = usize::MAX;
    let most = threads(asked, "GREENTHREAD_MAX_THREADS", "green threads", MOST_GREEN_THREADS, NONE)?;
    Ok(Some(most).filter(|most| *most != NONE))
}

/// Returns the name of the runtime's OS threads: the one that was asked for, else `greenthread`.
pub(crate) fn name(asked: Option<String>) -> io::Result<String> {
    let name = asked.unwrap_or_else(|| "greenthread".into());
    if name.contains('\0') {
        return Err(invalid(format!("the runtime's name is {name:?}; it must not hold NUL bytes")));
    }
    Ok(name)
}

/// Returns the usable stack size, in bytes, of threads that don't ask for one: the one that was
/// asked for, else `GREENTHREAD_STACK_SIZE`, else `RUST_MIN_STACK` (std's), else the default.
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

/// Returns whether the watchdog runs: as asked for, else as `GREENTHREAD_WATCHDOG` (0 or 1) says,
/// else with debug assertions only.
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

/// Returns from how many ready threads on a worker holds back sends in order to hand them to
/// io_uring together, or `None` if there is to be no io_uring.
///
/// `GREENTHREAD_IO=poll` asks for none. `GREENTHREAD_IO=uring` makes it an error if there is none.
/// `GREENTHREAD_IO_BATCH` is for tests; `RuntimeBuilder` documents it.
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
