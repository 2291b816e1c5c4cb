//! How a call on a path is made. All such calls go through this module.
//!
//! On an OS thread the call is made directly. On a green thread there are three ways:
//!
//! * *Directly*, if the kernel has the path in its cache and the path leads to a local file system.
//!   Then neither opening a file nor reading its metadata waits for anything.
//! * *In the pool's lane for disks*, if the call may wait for a disk.
//! * *In the pool's lane for blocking calls*, if the call opens a file that may wait for another
//!   party: a FIFO, a terminal, or another device.

use std::{
    fs::{self, File},
    io::Result,
    path::Path,
};

use crate::task::coop::{CALL, consume_budget};
use crate::{
    runtime,
    sys::{
        error::OsError,
        fd::AsFd,
        file::{View, open_waits_for_others},
        lookup::{About, Access, Lookup, Mount, look_up, open_found},
    },
};

/// The outcome of an attempt to open a file without waiting.
pub(super) enum Opened {
    /// The file is open.
    Now(File, About),
    /// Opening the file may wait. Of the mount, if there is one, it is not known whether it is
    /// local.
    MayWait(Option<Mount>),
}

fn look(path: &Path, follow: bool) -> Lookup {
    match runtime::driver() {
        Some(_) => {
            consume_budget(CALL);
            look_up(path, follow)
        }
        None => Lookup::Unknown(None),
    }
}

/// Asks for something about the file at `path`. If the kernel's cache leads to it, `cached` is
/// called directly, with a descriptor of the path (`O_PATH`). If only a call that may wait can
/// tell, `plain` is called on the pool.
pub(super) fn query<T: Send>(
    path: &Path,
    follow: bool,
    cached: impl FnOnce(&File) -> Result<T>,
    plain: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    match look(path, follow) {
        Lookup::Local(found) => cached(&View::new(found.descriptor.as_fd())),
        Lookup::Missing => Err(OsError::NOT_FOUND.into()),
        Lookup::Unknown(mount) => runtime::unblock_disk(|| {
            mount.into_iter().for_each(Mount::learn);
            plain()
        }),
    }
}

/// Opens the file at `path` if that does not wait.
///
/// # Errors
/// `NOT_FOUND` if there is no file at the path.
pub(super) fn open_now(path: &Path, access: Access) -> Result<Opened> {
    Ok(match look(path, true) {
        Lookup::Local(found) => match open_found(path, found, access) {
            Some((file, about)) => Opened::Now(file, about),
            None => Opened::MayWait(None),
        },
        Lookup::Missing => return Err(OsError::NOT_FOUND.into()),
        Lookup::Unknown(mount) => Opened::MayWait(mount),
    })
}

/// Makes a call that opens the files at `paths` on an OS thread of the pool, where it may wait.
pub(super) fn open_on_pool<T: Send>(
    paths: &[&Path],
    mount: Option<Mount>,
    plain: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    if runtime::driver().is_none() {
        return plain();
    }
    let mut plain = Some(plain);
    let done = runtime::unblock_disk(|| {
        mount.into_iter().for_each(Mount::learn);
        if paths.iter().any(|path| waits_for_others(path)) { None } else { plain.take().map(|plain| plain()) }
    });
    match (done, plain) {
        (Some(result), _) => result,
        (None, Some(plain)) => runtime::unblock_wait(plain)?,
        (None, None) => unreachable!("it has run, and has a result"),
    }
}

/// Whether a call that opens the file may wait for another party. If another process replaces the
/// file after this check, the call may occupy a thread of the wrong lane.
fn waits_for_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| open_waits_for_others(&metadata))
}
