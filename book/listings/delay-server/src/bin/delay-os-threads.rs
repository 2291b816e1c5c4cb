//! An OS thread for each conversation.

use delay_server::{client, os_threads};
use std::net::TcpListener;

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind(client::address()?)?;
    client::start(listener.local_addr()?, 1_000, 500)?;
    os_threads::serve(&listener)
}
