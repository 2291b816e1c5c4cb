//! Windows's own green threads.

use std::ffi::c_void;

unsafe extern "system" {
    /// Makes the stack that the system gave us a fiber, so that there is one to come back to.
    pub fn ConvertThreadToFiber(data: *mut c_void) -> *mut c_void;
    /// Makes a fiber with a stack of its own.
    pub fn CreateFiber(
        size: usize,
        start: extern "system" fn(*mut c_void),
        data: *mut c_void,
    ) -> *mut c_void;
    /// Leaves this fiber for that one.
    pub fn SwitchToFiber(fiber: *mut c_void);
    /// Takes a fiber's stack back.
    pub fn DeleteFiber(fiber: *mut c_void);
}
