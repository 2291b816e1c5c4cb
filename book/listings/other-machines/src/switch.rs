//! The switch of chapter 10 on other machines. Each has a file of its own, with the same three
//! names in it.

#[cfg(all(target_arch = "aarch64", unix))]
#[path = "aarch64.rs"]
mod machine;
#[cfg(all(target_arch = "x86_64", windows))]
#[path = "windows.rs"]
mod machine;

#[cfg(not(any(all(target_arch = "aarch64", unix), all(target_arch = "x86_64", windows))))]
compile_error!("nobody has written the switch for this machine: see chapter 12");

pub(crate) use machine::{Context, prepare, switch};
