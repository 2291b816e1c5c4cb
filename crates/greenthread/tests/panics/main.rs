//! Panics: to which thread they belong, their texts, and what they leave behind.

#[path = "../common/mod.rs"]
mod common;
mod drops;
mod of_std;
mod texts;
mod unwinding;
