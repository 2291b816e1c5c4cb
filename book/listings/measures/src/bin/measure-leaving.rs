//! Chapter 5: the switch, left by `ret` or by `pop` and `jmp`; each where it is used, and in a
//! function that is called.

#[cfg(target_arch = "x86_64")]
mod switches {
    use std::arch::asm;

    /// A function with the switch of chapter 5, which leaves by these instructions.
    macro_rules! switch {
        ($name:ident, $inline:ident, $($leave:literal),+) => {
            /// # Safety
            /// As in chapter 5.
            #[inline($inline)]
            unsafe fn $name(other: *mut *mut usize) {
                // SAFETY: As in chapter 5.
                unsafe {
                    asm!(
                        "push rbx", "push rbp",
                        "lea rax, [rip + 2f]", "push rax",
                        "mov rax, [rdi]", "mov [rdi], rsp", "mov rsp, rax",
                        $($leave,)+
                        "2:", "pop rbp", "pop rbx",
                        inout("rdi") other => _, out("r12") _, out("r13") _, out("r14") _,
                        out("r15") _, clobber_abi("sysv64"),
                    );
                }
            }
        };
    }
    switch!(ret_in_place, always, "ret");
    switch!(jmp_in_place, always, "pop rax", "jmp rax");
    switch!(ret_in_a_function, never, "ret");
    switch!(jmp_in_a_function, never, "pop rax", "jmp rax");

    /// The stack pointer of the side that waits. There is only one OS thread.
    static mut SP: *mut usize = std::ptr::null_mut();

    /// Measures a switch to and fro. The other side gives each turn back at once.
    macro_rules! measure {
        ($name:literal, $switch:ident) => {
            extern "sysv64" fn start() -> ! {
                loop {
                    // SAFETY: The other side waits where it left its stack pointer.
                    unsafe { $switch(&raw mut SP) };
                }
            }
            let mut memory = Vec::<u128>::with_capacity(4096);
            let end = memory.as_mut_ptr().wrapping_add(memory.capacity()).cast::<usize>();
            let words = [start as *const () as usize, 0];
            // SAFETY: Below the end is room for two words. Of the last stack nothing is needed.
            unsafe {
                SP = end.wrapping_sub(2);
                SP.copy_from_nonoverlapping(words.as_ptr(), 2);
            }
            measures::measure($name, 1_000_000, |count| {
                for _ in 0..count / 2 {
                    // SAFETY: The new stack, or what `start` has left.
                    unsafe { $switch(&raw mut SP) };
                }
            });
        };
    }

    pub(crate) fn by_ret() {
        measure!("`ret`, in place", ret_in_place);
    }

    pub(crate) fn by_jmp() {
        measure!("`jmp`, in place", jmp_in_place);
    }

    pub(crate) fn by_ret_in_a_function() {
        measure!("`ret`, in a function", ret_in_a_function);
    }

    pub(crate) fn by_jmp_in_a_function() {
        measure!("`jmp`, in a function", jmp_in_a_function);
    }
}

#[cfg(target_arch = "x86_64")]
fn main() {
    switches::by_ret();
    switches::by_jmp();
    switches::by_ret_in_a_function();
    switches::by_jmp_in_a_function();
}

#[cfg(not(target_arch = "x86_64"))]
fn main() {
    println!("this compares two ways that x86-64 has");
}
