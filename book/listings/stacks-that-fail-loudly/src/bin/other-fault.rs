//! A bad access that is no overflow. It isn't ours, so it ends as it always did.

use stacks_that_fail_loudly::{run, spawn};

fn main() {
    run(|| {
        spawn(|| {
            println!("about to read address 16");
            // SAFETY: None.
            let byte = unsafe {
                std::hint::black_box(std::ptr::without_provenance::<u8>(16)).read_volatile()
            };
            println!("it is {byte}");
        });
    });
}
