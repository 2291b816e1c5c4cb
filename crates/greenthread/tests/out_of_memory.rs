//! Where there is no memory for a thread, nor for a text that says so, there is an error still. (The only test here: the
//! allocator is the process's.)

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    io::ErrorKind,
};

use greenthread::{Runtime, thread};

thread_local! {
    static REFUSES: Cell<bool> = const { Cell::new(false) };
}

struct Refusing;

// SAFETY: the system's allocator, or none.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if REFUSES.get() {
            return std::ptr::null_mut();
        }
        // SAFETY: passed on from the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: passed on from the caller; all that was ever given is the system's.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

#[test]
fn an_error_needs_no_memory() {
    let runtime = Runtime::builder().workers(1).build().unwrap();
    runtime.run(|| {
        // Larger than the blocks that a worker keeps.
        let large = [7_u8; 100_000];
        let (spawned, refused) = (thread::Builder::new(), thread::Builder::new());
        // On the worker's OS thread, where nobody else runs meanwhile.
        REFUSES.set(true);
        let error = refused.spawn(move || large[0]).map(drop);
        REFUSES.set(false);
        assert_eq!(error.unwrap_err().kind(), ErrorKind::OutOfMemory);
        assert_eq!(spawned.spawn(move || large[1]).unwrap().join().unwrap(), 7);
    });
}
