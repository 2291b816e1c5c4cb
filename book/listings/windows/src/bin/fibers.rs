//! The two loops of chapter 1, on Windows's own green threads.

use std::ffi::c_void;
use std::ptr::null_mut;

use windows::{ConvertThreadToFiber, CreateFiber, DeleteFiber, Notes, SwitchToFiber};

struct Loop {
    name: &'static str,
    main: *mut c_void,
    base: usize,
}

fn main() {
    // SAFETY: Each fiber gets a `Loop` that stays until it is deleted. `main` is a fiber, and is
    // waited for by nobody but them.
    unsafe {
        let main = ConvertThreadToFiber(null_mut());
        let mut loops = ["one", "two"].map(|name| Loop { name, main, base: 0 });
        let fibers =
            loops.each_mut().map(|it| CreateFiber(64 * 1024, count, (&raw mut *it).cast()));
        for _ in 0..3 {
            fibers.iter().for_each(|fiber| SwitchToFiber(*fiber));
        }
        fibers.iter().for_each(|fiber| DeleteFiber(*fiber));
        let bases = [Notes::now().base, loops[0].base, loops[1].base];
        println!(
            "three stacks, three bases: {}",
            bases[0] != bases[1] && bases[1] != bases[2]
        );
    }
}

extern "system" fn count(data: *mut c_void) {
    let this = data.cast::<Loop>();
    for number in 1.. {
        // SAFETY: As in `main`.
        unsafe {
            (*this).base = Notes::now().base;
            println!("fiber {}: {number}", (*this).name);
            SwitchToFiber((*this).main);
        }
    }
}
