//! The common parts of all servers.

use std::{io, process, thread};

/// The size of the buffer that an echo server reads into.
pub const BUFFER: usize = 8192;

/// Tells the runner that the server takes connections. At the end the runner closes the server's
/// input, which ends the process.
pub fn listening(port: u16) {
    listening_until(port, || {});
}

/// The same. At the end the server reports its own measurements.
pub fn listening_until(port: u16, at_end: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        io::copy(&mut io::stdin(), &mut io::sink()).expect("an input that ends");
        at_end();
        process::exit(0);
    });
    println!("listening\t{port}");
}
