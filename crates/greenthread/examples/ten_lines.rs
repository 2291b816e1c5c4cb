//! The README's server: `cargo run --release --example ten_lines`, then `nc localhost 7777`.

use greenthread::{net::TcpListener, thread};

fn main() -> std::io::Result<()> {
    greenthread::run(|| {
        for stream in TcpListener::bind("127.0.0.1:7777")?.incoming() {
            let stream = stream?;
            thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
        }
        Ok(())
    })
}
