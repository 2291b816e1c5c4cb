//! The traits and types of this module that are used most, as in `std::os::windows::prelude`.
//!
//! # Examples
//!
//! ```
//! use greenthread::os::windows::prelude::*;
//!
//! assert_eq!(std::ffi::OsStr::new("a").encode_wide().count(), 1);
//! ```

pub use super::{
    ffi::{OsStrExt, OsStringExt},
    fs::{FileExt, MetadataExt, OpenOptionsExt},
    io::{
        AsHandle, AsRawHandle, AsRawSocket, AsSocket, BorrowedHandle, BorrowedSocket, FromRawHandle,
        FromRawSocket, HandleOrInvalid, IntoRawHandle, IntoRawSocket, OwnedHandle, OwnedSocket, RawHandle,
        RawSocket,
    },
};
