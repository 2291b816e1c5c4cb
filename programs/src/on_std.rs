//! The programs on std's threads.

mod lib {
    pub(crate) use std::{net, process, sync, thread};
}

#[path = "chat.rs"]
pub mod chat;
#[path = "http.rs"]
pub mod http;
#[path = "redis.rs"]
pub mod redis;
#[path = "tls.rs"]
pub mod tls;
