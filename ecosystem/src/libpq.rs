//! Postgres's library of C, loaded while the program runs.

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    mem::transmute,
};

/// The functions that are used.
pub(crate) struct Libpq {
    connect: unsafe extern "C" fn(*const c_char) -> *mut c_void,
    status: unsafe extern "C" fn(*const c_void) -> c_int,
    execute: unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut c_void,
    result: unsafe extern "C" fn(*const c_void) -> c_int,
    clear: unsafe extern "C" fn(*mut c_void),
    finish: unsafe extern "C" fn(*mut c_void),
}

impl Libpq {
    pub(crate) fn load() -> Self {
        // SAFETY: the library may be loaded at any time, and its functions have these types.
        unsafe {
            let library = libc::dlopen(c"libpq.so.5".as_ptr(), libc::RTLD_NOW);
            assert!(!library.is_null(), "Error: libpq.so.5 is not installed");
            let find = |name: &CStr| {
                let function = libc::dlsym(library, name.as_ptr());
                assert!(!function.is_null(), "Error: libpq has no {name:?}");
                function
            };
            Self {
                connect: transmute::<*mut c_void, unsafe extern "C" fn(*const c_char) -> *mut c_void>(find(
                    c"PQconnectdb",
                )),
                status: transmute::<*mut c_void, unsafe extern "C" fn(*const c_void) -> c_int>(find(
                    c"PQstatus",
                )),
                execute: transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut c_void,
                >(find(c"PQexec")),
                result: transmute::<*mut c_void, unsafe extern "C" fn(*const c_void) -> c_int>(find(
                    c"PQresultStatus",
                )),
                clear: transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void)>(find(c"PQclear")),
                finish: transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void)>(find(c"PQfinish")),
            }
        }
    }

    /// Connects, and has the server sleep for 50 ms.
    pub(crate) fn sleep(&self, address: &CStr) {
        /// `CONNECTION_OK` and `PGRES_TUPLES_OK`.
        const OK: (c_int, c_int) = (0, 2);
        // SAFETY: the functions get what they expect, and a connection belongs to one thread.
        unsafe {
            let connection = (self.connect)(address.as_ptr());
            assert_eq!((self.status)(connection), OK.0);
            let result = (self.execute)(connection, c"SELECT pg_sleep(0.05)".as_ptr());
            assert_eq!((self.result)(result), OK.1);
            (self.clear)(result);
            (self.finish)(connection);
        }
    }
}
