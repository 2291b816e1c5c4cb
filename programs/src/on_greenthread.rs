//! The programs on green threads.

mod lib {
    pub(crate) use greenthread::{net, process, sync, thread};
}

#[path = "chat.rs"]
pub mod chat;
#[path = "hostile.rs"]
pub mod hostile;
#[path = "http.rs"]
pub mod http;
#[path = "limits.rs"]
pub mod limits;
#[path = "redis.rs"]
pub mod redis;
#[path = "tls.rs"]
pub mod tls;
