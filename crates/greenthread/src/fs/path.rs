//! How a call on a path is made: the one place that knows.
//!
//! On an OS thread it is made right here. On a green thread there are three ways:
//!
//! * *On the spot*, if the kernel has the path in its cache and it leads to a local file system:
//!   nothing has to be waited for then, to open a file or to tell what is there.
//! * *In the pool's lane for disks*, if it may have to be waited for.
//! * *In the pool's lane for blocking calls*, if it opens what may wait for others: a FIFO, a
//!   terminal, another device.

use std::{
    fs::{self, File},
    io::Result,
    os::fd::AsFd,
    path::Path,
};

use crate::task::coop::{CALL, consume_budget};
use crate::{
    runtime,
    sys::{
        error::OsError,
        file::{View, open_waits_for_others},
        lookup::{About, Access, Lookup, Mount, look_up, open_found},
    },
};

/// What came of opening a file on the spot.
pub(super) enum Opened {
    /// It is open.
    Here(File, About),
    /// That may have to be waited for; and the mount is not known yet.
    Elsewhere(Option<Mount>),
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

/// Asks what is at `path`: the file system on the spot (`there` is given what stands for it), or
/// `plain`.
pub(super) fn ask<T: Send>(
    path: &Path,
    follow: bool,
    there: impl FnOnce(&File) -> Result<T>,
    plain: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    match look(path, follow) {
        Lookup::Local(found) => there(&View::new(found.descriptor.as_fd())),
        Lookup::Missing => Err(OsError::NOT_FOUND.into()),
        Lookup::Unknown(mount) => runtime::unblock_disk(|| {
            mount.into_iter().for_each(Mount::learn);
            plain()
        }),
    }
}

/// Opens what is at `path` on the spot, if it can.
///
/// # Errors
/// There is nothing.
pub(super) fn open_here(path: &Path, access: Access) -> Result<Opened> {
    Ok(match look(path, true) {
        Lookup::Local(found) => match open_found(path, found, access) {
            Some((file, about)) => Opened::Here(file, about),
            None => Opened::Elsewhere(None),
        },
        Lookup::Missing => return Err(OsError::NOT_FOUND.into()),
        Lookup::Unknown(mount) => Opened::Elsewhere(mount),
    })
}

/// Makes a call that opens what is at the paths, where it may wait.
pub(super) fn opening<T: Send>(
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

/// Whether a call that opens it may wait for others. Whoever exchanges it after this look, keeps a
/// thread of the wrong lane.
fn waits_for_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| open_waits_for_others(&metadata))
}
