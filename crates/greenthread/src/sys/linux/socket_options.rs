//! Options of sockets. Each needs only one call.

pub(crate) use rustix::net::sockopt::{set_tcp_quickack, tcp_quickack};

pub(crate) use super::super::unix::socket_options::*;
