//! Calls that change the users and groups of the process.
//!
//! To the kernel these belong to each OS thread. So glibc interrupts every thread of its list,
//! again and again, until each one's record says that the call was made there. The handler finds
//! the record by the thread pointer. While a green thread with its own runs, that is not the
//! worker's record. If such a thread makes the call itself, the worker's record is never marked,
//! and the call never ends. Therefore another OS thread makes it. It ends when every worker has
//! been interrupted while no such thread ran there.

use core::ffi::{c_char, c_int};

use greenthread::os::linux::interpose::run_elsewhere;
use libc::{gid_t, size_t, uid_t};

use crate::{
    may_park,
    raw::{errno, next, set_errno},
};

/// Makes a call on another OS thread, if the calling thread may park.
fn elsewhere(call: impl FnOnce() -> c_int + Send) -> c_int {
    if !may_park() {
        return call();
    }
    let (result, error) = run_elsewhere(move || (call(), errno()));
    if result != 0 {
        set_errno(error);
    }
    result
}

macro_rules! functions {
    ($($name:ident, $c:literal, ($($argument:ident: $type:ty),*);)*) => {$(
        #[doc = concat!("`", stringify!($name), "`.")]
        ///
        /// # Safety
        /// As for the C library's.
        pub unsafe extern "C" fn $name($($argument: $type),*) -> c_int {
            let next = next!($c as unsafe extern "C" fn($($type),*) -> c_int);
            // SAFETY: the caller vouches for the arguments.
            elsewhere(move || unsafe { next($($argument),*) })
        }
    )*};
}

functions! {
    setuid, c"setuid", (user: uid_t);
    setgid, c"setgid", (group: gid_t);
    seteuid, c"seteuid", (user: uid_t);
    setegid, c"setegid", (group: gid_t);
    setreuid, c"setreuid", (real: uid_t, effective: uid_t);
    setregid, c"setregid", (real: gid_t, effective: gid_t);
    setresuid, c"setresuid", (real: uid_t, effective: uid_t, saved: uid_t);
    setresgid, c"setresgid", (real: gid_t, effective: gid_t, saved: gid_t);
}

/// `setgroups`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn setgroups(count: size_t, groups: *const gid_t) -> c_int {
    let next = next!(c"setgroups" as unsafe extern "C" fn(size_t, *const gid_t) -> c_int);
    let groups = groups.expose_provenance();
    // SAFETY: the caller vouches for the groups, until this returns.
    elsewhere(move || unsafe { next(count, core::ptr::with_exposed_provenance(groups)) })
}

/// `initgroups`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn initgroups(user: *const c_char, group: gid_t) -> c_int {
    let next = next!(c"initgroups" as unsafe extern "C" fn(*const c_char, gid_t) -> c_int);
    let user = user.expose_provenance();
    // SAFETY: the caller vouches for the name, until this returns.
    elsewhere(move || unsafe { next(core::ptr::with_exposed_provenance(user), group) })
}
