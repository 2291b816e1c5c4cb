//! Options of sockets.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use super::{error::OsResult, fd::AsFd, socket::with};

/// Options that socket2 has under another name: the option, and the functions of socket2 that set
/// and ask for it.
macro_rules! options {
    ($($(#[$doc:meta])* $set:ident, $set_by:ident, $get:ident, $get_by:ident: $value:ty;)*) => { $(
        $(#[$doc])*
        pub(crate) fn $get(socket: impl AsFd) -> OsResult<$value> {
            with(socket, |socket| socket.$get_by())
        }

        $(#[$doc])*
        pub(crate) fn $set(socket: impl AsFd, value: $value) -> OsResult<()> {
            with(socket, |socket| socket.$set_by(value))
        }
    )* };
}

options! {
    set_ip_multicast_loop, set_multicast_loop_v4, ip_multicast_loop, multicast_loop_v4: bool;
    set_ip_multicast_ttl, set_multicast_ttl_v4, ip_multicast_ttl, multicast_ttl_v4: u32;
    set_ip_ttl, set_ttl_v4, ip_ttl, ttl_v4: u32;
    set_ipv6_multicast_loop, set_multicast_loop_v6, ipv6_multicast_loop, multicast_loop_v6: bool;
    set_ipv6_v6only, set_only_v6, ipv6_v6only, only_v6: bool;
    set_socket_broadcast, set_broadcast, socket_broadcast, broadcast: bool;
    set_socket_linger, set_linger, socket_linger, linger: Option<Duration>;
    set_tcp_nodelay, set_tcp_nodelay, tcp_nodelay, tcp_nodelay: bool;
}

/// Does nothing, as std: on Windows the option lets other processes take a listener's port, and an
/// address in `TIME_WAIT` can be bound without it.
pub(crate) fn set_socket_reuseaddr(_: impl AsFd, _: bool) -> OsResult<()> {
    Ok(())
}

pub(crate) fn set_ip_add_membership(
    socket: impl AsFd,
    group: &Ipv4Addr,
    interface: &Ipv4Addr,
) -> OsResult<()> {
    with(socket, |socket| socket.join_multicast_v4(group, interface))
}

pub(crate) fn set_ip_drop_membership(
    socket: impl AsFd,
    group: &Ipv4Addr,
    interface: &Ipv4Addr,
) -> OsResult<()> {
    with(socket, |socket| socket.leave_multicast_v4(group, interface))
}

pub(crate) fn set_ipv6_add_membership(socket: impl AsFd, group: &Ipv6Addr, interface: u32) -> OsResult<()> {
    with(socket, |socket| socket.join_multicast_v6(group, interface))
}

pub(crate) fn set_ipv6_drop_membership(socket: impl AsFd, group: &Ipv6Addr, interface: u32) -> OsResult<()> {
    with(socket, |socket| socket.leave_multicast_v6(group, interface))
}
