//! What Linux knows about files: [`std::os::linux::fs`]. It is std's own, as nothing here waits.

pub use std::os::linux::fs::MetadataExt;
