//! The delay server. It hears a line with a number of milliseconds, waits that long, and answers.

pub mod by_hand;
pub mod client;
pub mod green;
pub mod in_order;
pub mod os_threads;
