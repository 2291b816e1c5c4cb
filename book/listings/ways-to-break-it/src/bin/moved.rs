//! Everybody has the address of the runtime; and then the runtime moves.

static mut RUNTIME: *mut Runtime = std::ptr::null_mut();

struct Runtime {
    spawned: u32,
}

impl Runtime {
    /// Makes a runtime and tells everybody where it is.
    #[inline(never)]
    fn new() -> Box<Self> {
        let mut runtime = Self { spawned: 0 };
        // SAFETY: None. The address is that of a local variable.
        unsafe { RUNTIME = &raw mut runtime };
        Box::new(runtime)
    }
}

/// Counts a thread.
#[inline(never)]
fn spawn() {
    // SAFETY: None. Nobody has looked whether the runtime is still there.
    unsafe { (*RUNTIME).spawned += 1 };
}

fn main() {
    let runtime = Runtime::new();
    spawn();
    spawn();
    println!("two threads were spawned, and the runtime knows of {}", runtime.spawned);
}
