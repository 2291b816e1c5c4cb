//! One conversation after the other.

use delay_server::{client, in_order};
use std::net::TcpListener;

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind(client::address()?)?;
    client::start(listener.local_addr()?, 10, 100)?;
    in_order::serve(&listener)
}
