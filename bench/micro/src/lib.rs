//! Small works of the library alone, each written once: `cargo bench -p micro` times them, and
//! `instructions` counts their instructions.
//!
//! A work prepares, passes the [`Meter`] a closure that is one *round* of a few operations, and
//! cleans up. All works run on a green thread of a runtime with one worker. Other threads that take
//! part have begun before the first round.

mod background;
mod locks;
mod messages;
mod net;
mod switches;
mod threads;
mod timers;

/// Measures a closure.
pub trait Meter {
    /// Runs `round` as often as it likes. A round is this many operations.
    fn measure(self, operations: usize, round: impl FnMut());
}

/// One work.
#[derive(Clone, Copy, Debug)]
pub struct Work<M> {
    pub name: &'static str,
    /// The meaning of one operation.
    pub operation: &'static str,
    pub run: fn(M),
}

/// All works, from the bottom up.
pub fn works<M: Meter>() -> Vec<Work<M>> {
    macro_rules! works {
        ($($name:literal, $operation:literal, $run:expr;)*) => {
            vec![$(Work { name: $name, operation: $operation, run: $run }),*]
        };
    }
    works! {
        "switch", "a switch by hand, one way", switches::by_hand;
        "coroutine", "half a resume and suspend", switches::coroutine;
        "yield-2", "a yield between two threads", |m| threads::yields(m, 2);
        "yield-1000", "a yield among a thousand", |m| threads::yields(m, 1000);
        "park", "an unpark and a park, of two in turn", threads::park;
        "spawn-join", "a thread, spawned and joined", threads::spawn_join;
        "spawn-all", "one of a thousand, spawned, then joined", threads::spawn_all;
        "scope", "one of ten in a scope", threads::scope;
        "tree", "a thread of a tree of 2047 by joins", threads::tree;
        "current", "thread::current().id()", threads::current;
        "thread-local", "one more in a Cell of thread_local!", threads::thread_local;
        "mutex", "lock and unlock, nobody else there", locks::mutex;
        "mutex-held", "lock, yield, unlock; two threads", locks::mutex_held;
        "rwlock-read", "read lock and unlock, nobody else there", locks::read;
        "rwlock-write", "write lock and unlock, nobody else there", locks::write;
        "condvar", "a notify_one and a wait, of two in turn", locks::condvar;
        "semaphore", "acquire and release, nobody else there", locks::semaphore;
        "mpsc", "send and receive, room for both", messages::mpsc;
        "channel", "the same with a bounded channel", messages::channel;
        "unbounded", "the same with an unbounded one", messages::unbounded_channel;
        "oneshot", "a channel for one message, made and used", messages::one;
        "pingpong", "a round trip through two channels of 1", |m| messages::pingpong(m, 1);
        "rendezvous", "the same with channels of 0", |m| messages::pingpong(m, 0);
        "many-to-one", "a message of four senders, room for 128", messages::many_to_one;
        "select-ready", "a receive by select! of 8, one ready", messages::select_ready;
        "select-wait", "a round trip, answers by select! of 8", messages::select_wait;
        "sleep", "a sleep of a nanosecond, alone", timers::sleep;
        "timeout", "a round trip under a timeout that never comes", |m| timers::timeouts(m, 0);
        "timeouts-1000", "the same beside a thousand sleepers", |m| timers::timeouts(m, 1000);
        "tcp-echo", "a round trip of 64 bytes, both ends here", net::echo;
        "connect", "connect, accept, close; a Unix socket", net::connect;
        "udp-echo", "a round trip of 64 bytes, both ends here", net::datagrams;
        "file-read", "4 KiB of a cached file at an offset", net::file;
    }
}
