//! Chapter 5: what one switch takes, from one stack to the other.

#[allow(dead_code)]
mod program {
    include!(concat!(env!("OUT_DIR"), "/there-and-back.rs"));

    pub(crate) fn measure() {
        let mut stack = Stack::new();
        CURRENT.set(&raw mut stack);
        // SAFETY: `sp` is at the address of `start`, and is set to that of `silent_start`.
        unsafe { *stack.sp = silent_start as *const () as usize };
        measures::measure("switch", 1_000_000, |count| {
            for _ in 0..count / 2 {
                // SAFETY: As in `main`.
                unsafe { switch(&raw mut stack.sp) };
            }
        });
    }

    extern "C" fn silent_start() -> ! {
        let current = CURRENT.get();
        loop {
            // SAFETY: As in `start`.
            unsafe { switch(&raw mut (*current).sp) };
        }
    }
}

fn main() {
    program::measure();
}
