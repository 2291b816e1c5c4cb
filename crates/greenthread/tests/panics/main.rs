//! Panics: whose they are, what they say, and what they leave.

#[path = "../common/mod.rs"]
mod common;
mod drops;
mod of_std;
mod texts;
mod unwinding;
