//! A thread asks for a stack that is too small for anything.

use a_safe_face::{Builder, run};

fn main() {
    run(|| {
        let tiny = Builder::new().stack_size(1024).spawn(|| println!("there is room enough"));
        tiny.expect("memory for a stack").join();
    });
}
