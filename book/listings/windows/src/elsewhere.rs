//! The same names for other systems, so that all programs can be compiled there.
#![allow(missing_docs, non_snake_case, clippy::missing_safety_doc)]

use std::ffi::c_void;
use std::io;

fn only_under_windows() -> ! {
    println!("this program is for Windows: chapter 11 says how to run it");
    std::process::exit(1)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notes {
    pub exception_list: usize,
    pub base: usize,
    pub limit: usize,
    pub allocation: usize,
    pub guarantee: usize,
}

impl Notes {
    pub fn now() -> Self {
        only_under_windows()
    }

    pub unsafe fn write(self) {
        only_under_windows()
    }
}

pub fn block() -> *const usize {
    only_under_windows()
}

#[derive(Debug)]
pub struct Stack(());

impl Stack {
    pub fn new() -> io::Result<Self> {
        only_under_windows()
    }

    pub fn notes(&self) -> Notes {
        only_under_windows()
    }
}

pub unsafe fn call_on(_: &Stack, _: Notes, _: extern "C" fn()) -> Notes {
    only_under_windows()
}

pub fn on_overflow(_: fn()) {
    only_under_windows()
}

pub unsafe fn prepare(_: &Stack, _: extern "C" fn() -> !) -> *mut usize {
    only_under_windows()
}

pub unsafe extern "C" fn switch(_: *mut *mut usize) {
    only_under_windows()
}

pub unsafe extern "C" fn switch_that_keeps_half(_: *mut *mut usize) {
    only_under_windows()
}

pub extern "C" fn call_with_table(_: extern "C" fn()) -> u64 {
    only_under_windows()
}

pub extern "C" fn call_without_table(_: extern "C" fn()) -> u64 {
    only_under_windows()
}

#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub has_table: bool,
    pub rbx: u64,
}

pub fn walk(_: usize) -> Vec<Step> {
    only_under_windows()
}

pub unsafe extern "system" fn ConvertThreadToFiber(_: *mut c_void) -> *mut c_void {
    only_under_windows()
}

pub unsafe extern "system" fn CreateFiber(
    _: usize,
    _: extern "system" fn(*mut c_void),
    _: *mut c_void,
) -> *mut c_void {
    only_under_windows()
}

pub unsafe extern "system" fn SwitchToFiber(_: *mut c_void) {
    only_under_windows()
}

pub unsafe extern "system" fn DeleteFiber(_: *mut c_void) {
    only_under_windows()
}
