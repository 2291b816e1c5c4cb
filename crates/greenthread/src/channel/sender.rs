//! The sender.

use super::err::{SendError, SendTimeoutError, TrySendError};
use crate::sync::chan::ends::sender;

sender!("channel", "unbounded", "bounded");
