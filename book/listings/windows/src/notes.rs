//! The notes that Windows keeps on the stack of each of its threads.

use std::arch::asm;

/// The five of them that are about the stack. `gs` leads to the block that they lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notes {
    /// `gs:[0x00]`, `ExceptionList`: where the list of exception handlers begins.
    pub exception_list: usize,
    /// `gs:[0x08]`, `StackBase`: one past its highest address.
    pub base: usize,
    /// `gs:[0x10]`, `StackLimit`: the lowest address that can be used now.
    pub limit: usize,
    /// `gs:[0x1478]`, `DeallocationStack`: the lowest address that is its own.
    pub allocation: usize,
    /// `gs:[0x1748]`, `GuaranteedStackBytes`: how much is kept for handling an overflow.
    pub guarantee: usize,
}

// ANCHOR: read
impl Notes {
    /// What they say now.
    pub fn now() -> Self {
        let (exception_list, base, limit, allocation, guarantee);
        // SAFETY: Reads five words of the thread's own block.
        unsafe {
            asm!(
                "mov {}, gs:[0x00]",
                "mov {}, gs:[0x08]",
                "mov {}, gs:[0x10]",
                "mov {}, gs:[0x1478]",
                "mov {}, gs:[0x1748]",
                out(reg) exception_list, out(reg) base, out(reg) limit, out(reg) allocation,
                out(reg) guarantee, options(nostack, preserves_flags, readonly),
            );
        }
        Self { exception_list, base, limit, allocation, guarantee }
    }
    // ANCHOR_END: read

    // ANCHOR: write
    /// Writes them.
    ///
    /// # Safety
    /// Windows believes them. They have to be true of the stack that is used from here on.
    pub unsafe fn write(self) {
        let Self { exception_list, base, limit, allocation, guarantee } = self;
        // SAFETY: Writes five words that the caller answers for.
        unsafe {
            asm!(
                "mov gs:[0x00], {}",
                "mov gs:[0x08], {}",
                "mov gs:[0x10], {}",
                "mov gs:[0x1478], {}",
                "mov gs:[0x1748], {}",
                in(reg) exception_list, in(reg) base, in(reg) limit, in(reg) allocation,
                in(reg) guarantee, options(nostack, preserves_flags),
            );
        }
    }
}
// ANCHOR_END: write

// ANCHOR: block
/// The address of the block: it is one of the notes itself.
pub fn block() -> *const usize {
    let block;
    // SAFETY: Reads a word of the thread's own block.
    unsafe {
        asm!("mov {}, gs:[0x30]", out(reg) block, options(nostack, preserves_flags, readonly))
    };
    block
}
// ANCHOR_END: block
