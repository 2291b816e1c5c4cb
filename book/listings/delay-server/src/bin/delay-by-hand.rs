//! One OS thread, and conversations taken apart by hand.

use delay_server::{by_hand, client};
use std::net::TcpListener;

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind(client::address()?)?;
    client::start(listener.local_addr()?, 1_000, 500)?;
    by_hand::serve(&listener)
}
