//! `greenthread::net` behaves as `std::net` does, on green threads, on OS threads, and between the two.
//!
//! Loopback only, ports given by the system. `world` runs each test with its threads of either kind.

mod clones;
mod crowds;
mod descriptors;
mod endings;
mod load;
mod options;
mod streams;
mod udp;
mod workers;
mod world;
