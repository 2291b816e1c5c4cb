//! A green thread for each conversation, all of them on one OS thread.

use delay_server::{client, green};
use greenthread::Runtime;
use greenthread::net::TcpListener;

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind(client::address()?)?;
    client::start(listener.local_addr()?, 1_000, 500)?;
    Runtime::builder().workers(1).build()?.run(|| green::serve(&listener))
}
