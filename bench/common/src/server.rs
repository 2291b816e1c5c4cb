//! What all servers do alike.

use std::{io, process, thread};

/// The size of the buffer that an echo server reads into.
pub const BUFFER: usize = 8192;

/// Tells the runner that the server takes connections. When the runner has had enough it ends the server's input, and so the
/// process.
pub fn listening(port: u16) {
    listening_until(port, || {});
}

/// The same; at the end the server reports what it has measured itself.
pub fn listening_until(port: u16, at_end: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        io::copy(&mut io::stdin(), &mut io::sink()).expect("an input that ends");
        at_end();
        process::exit(0);
    });
    println!("listening\t{port}");
}
