//! What the operating system must give: one contract, and a folder for each system that keeps it.
//!
//! This file is the contract. Each module below names all that a *port* (`linux/` is one) has to
//! offer, and says what it must do, which errors count, and what a port without such a thing does.
//! Nothing above this room asks which system it runs on, and nothing above it uses `libc` or
//! `rustix`, except the tests.
//!
//! A new system is a folder beside `linux/` with the same items, and its line in `port` below.
//! Items that are the same for all systems are in files beside this one: they use std alone.
//!
//! Rules for all of a port:
//! 1. A call that this contract doesn't say to wait never blocks the OS thread, however little
//!    there is to be had.
//! 2. Nothing here retries, unless it says so: `INTERRUPTED` goes to the caller.
//! 3. No call leaves a descriptor that a child process would inherit, and none raises `SIGPIPE`.
//! 4. What runs in a signal handler, or between fork and exec, says so: it neither allocates nor
//!    locks.

pub(crate) mod clock;
mod fork;
#[cfg(target_os = "linux")]
mod linux;
pub(crate) mod parker;
mod readiness;

#[cfg(target_os = "linux")]
use linux as port;

#[cfg(not(target_os = "linux"))]
compile_error!("greenthread runs on Linux for now; macOS and Windows come with the ports");

/// Why a call of the system's has failed.
///
/// - `OsError`: a copyable error, no bigger than the system's own. `of` finds it in an
///   [`std::io::Error`], `number` is what `from_raw_os_error` takes, and it converts into an
///   `io::Error` with the system's number and text. Its constants are the errors that the library
///   tells apart. A system that has no such error never gives it, and a port translates those of
///   its errors that mean the same (`WSAEWOULDBLOCK` is `WOULD_BLOCK`).
/// - `OsResult`: what most calls below give.
pub(crate) mod error {
    pub(crate) use super::port::error::{OsError, OsResult};
}

/// Memory for stacks.
///
/// - `page_size`: the grain of everything here. One relaxed load.
/// - `Span`: a piece of address space.
/// - `reserve` takes address space whose pages read as zero, and cost memory only once touched.
/// - `guard` makes spans of it fault on every access, for good. If it fails, its error says how
///   many it has made.
/// - `decommit` gives the memory of spans back; it keeps their addresses and their guards, and
///   reads as zero. Where memory can't be given back it stays, and must read as zero all the same
///   or be left alone for good.
/// - `release` gives a whole reservation back. It may fail, and has then changed nothing.
/// - `exhausted`: an error that says what has run out, made with care where memory is short.
/// - `address_limit`, `addresses_used`: how much address space the process may have, and has. None,
///   if the system doesn't say or sets no limit.
/// - `guards_take_maps`, `guards_with_maps`, `map_limit`, `MORE_MAPS`: whether guards take
///   something that the system has few of, how many such guards there are and can be, and what to
///   do when it runs out. A port whose guards are free says `false`, 0 and None.
pub(crate) mod memory {
    pub(crate) use super::port::memory::{
        MORE_MAPS, Span, address_limit, addresses_used, decommit, exhausted, guard, guards_take_maps,
        guards_with_maps, map_limit, page_size, release, reserve,
    };
}

/// The C library's heap.
///
/// - `trim` has it give unused memory back, which may take milliseconds. A port without does
///   nothing.
pub(crate) mod heap {
    pub(crate) use super::port::heap::trim;
}

/// Readiness of descriptors: a worker's only place to sleep.
///
/// - `Interest`, `Readiness`: the words, the same for all systems.
/// - `Poller`: one wait point. `add` registers a descriptor once, for both directions,
///   *edge-triggered*: each change of its state after that, and each new arrival of data, is an
///   event until `delete`; what it is ready for already is one, too. `add` gives `NOT_POLLABLE` for
///   what the system can't wait for. `wait` sleeps until there are events or a wake-up, or the
///   timeout has passed, which is never cut short; a signal may end it early. `add`, `delete` and
///   the waker may be used from any OS thread while another waits, and a descriptor that is closed
///   after `delete` is closed at once.
/// - `Events`: room for what one wait brings; `iter` gives keys and what is so. Wake-ups are not
///   among them.
/// - `Waker`: ends a wait, or the next one, from any OS thread. Wake-ups before a wait are one.
/// - `poll_one`: blocks the OS thread until a descriptor is ready or has failed; `TimedOut` past
///   the deadline.
/// - `look_one`: the same, without waiting: `TimedOut` if it is not ready.
/// - `is_shut`: whether somebody has shut a socket down for reading. A port that can't ask says
///   `false`; its calls to receive must give 0 by themselves then.
///
/// A port on completions (IOCP) makes readiness of them, as by `AFD_POLL`.
pub(crate) mod poller {
    pub(crate) use super::{
        port::poller::{Events, Poller, Waker, is_shut, look_one, poll_one},
        readiness::{Interest, Readiness},
    };
}

/// Operations that the system carries out on a waiting thread's own memory.
///
/// - `Operation`: `send`, `read`, `write`, `sync`. A send doesn't wait. `read` and `write` give
///   None for what can't be asked so.
/// - `Ring`: takes a batch of them at once, and gives one answer for each, with the tag that it was
///   pushed with. Used by the OS thread that made it, and by no other. See there.
/// - `is_shortage`: whether an error of `new` or `submit` may pass, so that it pays to try again
///   later.
///
/// A port without offers a `Ring` whose `new` fails: sends are calls of their own then, and files
/// go through the pool.
pub(crate) mod uring {
    pub(crate) use super::port::uring::{Operation, Ring, is_shortage};
}

/// OS threads.
///
/// - `OsThread`: `spawn` and `spawn_with_stack` run a closure on a new one, with a name as far as
///   the system keeps it; `join` waits for its end; dropped, it is left alone. A panic in the
///   closure aborts the process. Errors are the system's.
/// - `ThreadId`, `id`, `is_blocked`: whether an OS thread of this process waits in the kernel. A
///   port that can't tell says `false`, and the watchdog reports stalls a little differently.
pub(crate) mod thread {
    pub(crate) use super::port::thread::{OsThread, ThreadId, id, is_blocked};
}

/// Bad accesses to memory, and signals.
///
/// - `on_fault` has a function called with the address of each bad access, on the OS thread that
///   has made it, before whoever was there before; if it returns, all is as if it had not been
///   called. The function is called where little is allowed (rule 4). A port without gives an
///   error: there are no reports of overflows then.
/// - `AlternateStack` gives that function a stack, where the thread's own is used up, until it is
///   dropped. A port whose handlers have a stack of their own offers an empty type.
/// - `pause`, `abort`: what such a function may do.
/// - `SIGHUP` and the rest, `last`: numbers of signals, for `crate::signal`. They are public: a
///   port without leaves them, and that module, out.
pub(crate) mod signal {
    pub(crate) use super::port::signal::{AlternateStack, abort, last, on_fault, pause};
    pub use super::port::signal::{
        SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN,
        SIGTTOU, SIGUSR1, SIGUSR2, SIGWINCH,
    };
}

/// The process.
///
/// - `at_exit` calls a function when the process exits. It may be left out.
/// - `leave` ends the process as a `main` that returns does.
/// - `AtFork`, `at_fork`: what is done around each fork. Registered once; an error if there is no
///   memory for it. A port without forks never calls it.
/// - `generation`: a number that differs between a process and those that it forks. One relaxed
///   load. Without forks, 0.
/// - `ForkMutex`: a lock that no other thread has while the process forks.
/// - `open_child`: a descriptor that becomes readable when a child has ended. A port without gives
///   an error: a thread of the pool waits then.
pub(crate) mod process {
    pub(crate) use super::{
        fork::{AtFork, ForkMutex},
        port::process::{at_exit, at_fork, generation, leave, open_child},
    };
}

/// How many descriptors the process may have open.
///
/// - `most`, `limit`: if the limit is raised, and now; `u64::MAX` without one.
/// - `make_room` raises it for so many more, as far as may be. `is_raised` says whether it has, and
///   `restore_for` has the children of a command begin with the limit as it was. Without limits
///   these do nothing.
pub(crate) mod descriptors {
    pub(crate) use super::port::descriptors::{is_raised, limit, make_room, most, restore_for};
}

/// The standard error, for what the library itself has to say.
///
/// - `write_now` writes what can be written without blocking; how much, or 0. It leaves the
///   descriptor's mode alone.
/// - `write_all` blocks as long as it takes.
/// - `write_last_words` is for a process that is about to abort: rule 4, and waits a second at
///   most.
/// - `ATOMIC`: a pipe takes so many bytes in one piece or not at all.
pub(crate) mod stderr {
    pub(crate) use super::port::stderr::{ATOMIC, write_all, write_last_words, write_now};
}

/// Any descriptor: reading, writing, and its mode.
///
/// - `read`, `write`: the plain calls, which block if the descriptor does.
/// - `read_now`, `write_now` never wait, and leave the mode alone: at an offset, or at the
///   position, which moves on. `WOULD_BLOCK` if they would have to wait, `UNSUPPORTED` if only the
///   plain call can tell. A port without always gives the latter, and the plain call is made where
///   it may block.
/// - `MAX_BUFFERS`: how many buffers these calls take.
/// - `nonblocking_mode`, `is_nonblocking`, `set_nonblocking`, `ensure_nonblocking`: the
///   descriptor's own mode, which all who have it open share. A port that can't ask for it
///   remembers what was set.
/// - `waits_until_readable`: whether a read comes back as soon as there is something to be read.
///   `true`, but for terminals that are set otherwise.
/// - `close_may_wait`: whether to close a descriptor may take as long as somebody else likes.
/// - `duplicate`: another descriptor for what is open. An error if none is left.
/// - `stdin`, `stdout`, `stderr`: the standard streams' descriptors. They may be closed: calls give
///   `BAD_DESCRIPTOR` then.
pub(crate) mod io {
    pub(crate) use super::port::io::{
        MAX_BUFFERS, close_may_wait, duplicate, ensure_nonblocking, is_nonblocking, nonblocking_mode, read,
        read_now, set_nonblocking, stderr, stdin, stdout, waits_until_readable, write, write_now,
    };
}

/// Sockets.
///
/// - `Family`, `Type`; `open`, `open_nonblocking`, `pair` make some. Errors: what the process has
///   run out of.
/// - `Address` is what a socket can be bound or connected to: std's addresses and `UnixAddress`.
///   `AnyAddress` is what the system gives back. `to_ip`, `to_unix`, `from_unix` translate.
/// - `bind`, `listen`, `shutdown`, `local_address`, `peer_address`, `take_error`: as in std.
/// - `connect` names the peer. `connect_on` is for TCP in non-blocking mode: `WOULD_BLOCK` as long
///   as it is under way; it is called again after each event for writing.
/// - `accept` gives a connection that blocks. It waits as the listener's mode says.
/// - `receive`, `receive_vectored`, `receive_from`, `send`, `send_vectored`, `send_to`, with
///   `Blocking`: whether one call may wait, whatever the mode says. A port without such a flag
///   keeps its sockets in non-blocking mode, and waits itself for `AsSet`.
/// - `timeout`, `set_timeout`: how long `AsSet` waits.
/// - `NO_WRITE_SHUTDOWN_EVENT`: whether to shut down a Unix socket gives no event to those who wait
///   to write, and a non-blocking `accept` on one says that it would block. The library wakes them
///   itself then.
pub(crate) mod socket {
    pub(crate) use super::port::socket::{
        Address, AnyAddress, Blocking, Family, NO_WRITE_SHUTDOWN_EVENT, Type, UnixAddress, accept, bind,
        connect, connect_on, from_unix, listen, local_address, open, open_nonblocking, pair, peer_address,
        receive, receive_from, receive_vectored, send, send_to, send_vectored, set_timeout, shutdown,
        take_error, timeout, to_ip, to_unix,
    };
}

/// Options of sockets: a call each, whose error becomes an `io::Error` by `?`. `socket_linger`
/// fails for what is no socket. `tcp_quickack` is Linux's alone: a port without leaves `os::linux`
/// out.
pub(crate) mod socket_options {
    pub(crate) use super::port::socket_options::{
        ip_multicast_loop, ip_multicast_ttl, ip_ttl, ipv6_multicast_loop, ipv6_v6only, set_ip_add_membership,
        set_ip_drop_membership, set_ip_multicast_loop, set_ip_multicast_ttl, set_ip_ttl,
        set_ipv6_add_membership, set_ipv6_drop_membership, set_ipv6_multicast_loop, set_ipv6_v6only,
        set_socket_broadcast, set_socket_linger, set_socket_reuseaddr, set_tcp_nodelay, set_tcp_quickack,
        socket_broadcast, socket_linger, tcp_nodelay, tcp_quickack,
    };
}

/// Files, beyond what std has.
///
/// - `View`: std's file for a descriptor that somebody else closes.
/// - `Kind`, `Nature`: how a file is read and written, and whether it is known to be local. A port
///   that can't tell says that it isn't, and its calls go through the pool.
/// - `open_waits_for_others`: whether a call that opens such a file may wait for others, as for a
///   FIFO.
pub(crate) mod file {
    pub(crate) use super::port::file::{Kind, Nature, View, open_waits_for_others};
}

/// Paths that the system has in its cache.
///
/// - `look_up` finds what is at a path without waiting for a disk: something on a local file system
///   (`Found`), nothing, or that only a call that may wait can tell. A port without always gives
///   `Lookup::Unknown(None)`.
/// - `open_found` opens what was found, with an `Access`; None if that may wait.
/// - `About`: what a file says about itself without waiting.
/// - `Mount`: what `learn` asks, where waiting is no harm, so that the next lookup knows.
pub(crate) mod lookup {
    pub(crate) use super::port::lookup::{About, Access, Lookup, Mount, look_up, open_found};
}
