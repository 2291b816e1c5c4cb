//! Options of sockets. Each needs only one call.

pub(crate) use rustix::net::sockopt::{
    ip_multicast_loop, ip_multicast_ttl, ip_ttl, ipv6_multicast_loop, ipv6_v6only, set_ip_add_membership,
    set_ip_drop_membership, set_ip_multicast_loop, set_ip_multicast_ttl, set_ip_ttl, set_ipv6_add_membership,
    set_ipv6_drop_membership, set_ipv6_multicast_loop, set_ipv6_v6only, set_socket_broadcast,
    set_socket_linger, set_socket_reuseaddr, set_tcp_nodelay, socket_broadcast, socket_linger, tcp_nodelay,
};
