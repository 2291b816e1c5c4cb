//! Panics: to which thread they belong, their texts, and what they leave behind.

#![cfg_attr(windows, allow(dead_code, unused_imports, reason = "some tests are for Unix"))]

#[path = "../common/mod.rs"]
mod common;
mod drops;
mod of_std;
mod texts;
mod unwinding;
