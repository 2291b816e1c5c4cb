//! The process's heaps. Rust's allocator uses one of them.

use core::{mem, ptr};

use windows_sys::Win32::System::Memory::{HeapOptimizeResources, HeapSetInformation};

/// `HEAP_OPTIMIZE_RESOURCES_INFORMATION`.
#[repr(C)]
struct Optimize {
    version: u32,
    flags: u32,
}

/// Makes the heaps decommit the memory that their caches keep. A system that does not know the
/// request (before Windows 8.1) refuses it, and nothing happens.
pub(crate) fn trim() {
    let what = Optimize { version: 1, flags: 0 };
    // SAFETY: a null heap stands for all heaps, and the call reads `what`, which has the layout of
    // the system's structure.
    unsafe {
        HeapSetInformation(
            ptr::null_mut(),
            HeapOptimizeResources,
            (&raw const what).cast(),
            mem::size_of::<Optimize>(),
        );
    }
}
