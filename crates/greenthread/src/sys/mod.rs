//! The contract with the operating system, and one folder for each system that implements it.
//!
//! This file is the contract. Each module below names all the items that a *port* (such as
//! `linux/`) must offer. It says what each item must do, which errors matter, and what a port does
//! whose system lacks the item. No code above this module asks which system it runs on, and none
//! uses `libc` or `rustix`, except the tests.
//!
//! The folders: `linux/` and `macos/` are ports. `unix/` has what these have in common: a port
//! re-exports from it what it uses, and has files of its own for the rest. To add a system, add a
//! folder with the same items, and a line in `port` below. Items that are the same for all systems
//! are in files beside this one. These files use only std.
//!
//! Rules for every item of a port:
//! 1. A call never blocks the OS thread, whatever is scarce, unless this contract says that it
//!    waits.
//! 2. A call does not retry, unless this contract says so: the caller gets `INTERRUPTED`.
//! 3. No call leaves a descriptor that a child process would inherit, and no call raises `SIGPIPE`.
//! 4. A function that may run in a signal handler, or between fork and exec, says so. It neither
//!    allocates nor locks.

use std::sync::{Condvar, Mutex};

pub(crate) mod clock;
mod fork;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
pub(crate) mod parker;
mod readiness;
mod shortage;
mod span;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
use linux as port;
#[cfg(target_os = "macos")]
use macos as port;
#[cfg(windows)]
use windows as port;

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
compile_error!("greenthread runs on Linux, macOS and Windows; another system needs a port beside these");

/// Errors of system calls.
///
/// - `OsError`: a copyable error, no larger than the system's own. `of` finds it in an
///   [`std::io::Error`], `number` is the argument of `from_raw_os_error`, and it converts into an
///   `io::Error` with the system's number and text. Its constants are the errors that the library
///   distinguishes. A port whose system lacks one of these errors never returns it. A port
///   translates errors of its system that mean the same (`WSAEWOULDBLOCK` is `WOULD_BLOCK`).
/// - `OsResult`: the result of most calls below.
pub(crate) mod error {
    pub(crate) use super::port::error::{OsError, OsResult};
}

/// Descriptors.
///
/// - `OwnedFd`, `BorrowedFd`, `AsFd`: std's types, or types with the same methods (`as_fd`,
///   `try_clone_to_owned`, `try_clone`) where std has none or several. `OwnedFd` converts from and
///   to the types of std that own a descriptor.
/// - `FIELD`, `number`: what std's debug output calls the number of a socket's descriptor, and that
///   number.
pub(crate) mod fd {
    pub(crate) use super::port::fd::{AsFd, BorrowedFd, FIELD, OwnedFd, number};
}

/// Memory for stacks.
///
/// - `page_size`: the unit of all sizes and addresses in this module. Costs one relaxed load.
/// - `Span`: a range of addresses.
/// - `reserve` reserves address space. Its pages read as zero, and take memory only once they are
///   touched. The first bytes, as many as the caller says, may be used at once, the others when
///   they are part of a stack that `commit` has made usable.
/// - `commit` makes stacks usable. If it fails, its error says how many stacks it has made usable.
///   `COMMITS`: whether that is necessary before the first use of a stack, and again after
///   `decommit`. A port whose memory is usable anyway says `false`, and `commit` does nothing.
/// - `bounds`: the bounds of a stack for the context of its next thread. `leave`: a thread calls it
///   at its end, on its stack, so that `bounds` is right for the next one. `RECORD`: the number of
///   bytes at the high end of each stack that the port keeps for these, a multiple of 128.
/// - `least_guard`: the size of the smallest guard that does its work.
/// - `guard` makes every access to spans of a reservation fault, permanently. If it fails, its
///   error says how many spans it has guarded.
/// - `decommit` returns the memory of spans to the system. The addresses and guards stay, and the
///   memory reads as zero. A port that cannot return memory keeps it; it must make it read as zero,
///   or never use it again.
/// - `shrink` returns the memory of stacks but for their highest bytes, or less of it. The stacks
///   stay usable.
/// - `release` returns a whole reservation to the system. If it fails it has changed nothing.
/// - `exhausted` makes an error that says which resource has run out. It takes care to work where
///   memory is short.
/// - `address_limit`, `addresses_used`: how many bytes of address space the process may have, and
///   has. `None` if the system does not say or sets no limit.
/// - `guards_take_maps`, `guards_with_maps`, `map_limit`, `MORE_MAPS`: whether guards take a
///   resource that the system has little of, how many such guards exist and can exist, and an
///   advice for the user when it runs out. A port whose guards are free returns `false`, 0 and
///   `None`.
/// - `MORE_MEMORY`, `MORE_ADDRESSES`: advices for the user when memory or addresses run out.
pub(crate) mod memory {
    pub(crate) use super::{
        port::memory::{
            COMMITS, MORE_ADDRESSES, MORE_MAPS, MORE_MEMORY, RECORD, address_limit, addresses_used, bounds,
            commit, decommit, guard, guards_take_maps, guards_with_maps, least_guard, leave, map_limit,
            page_size, release, reserve, shrink,
        },
        shortage::exhausted,
        span::Span,
    };
}

/// The C library's heap.
///
/// - `trim` makes the heap return unused memory to the system, which may take milliseconds. A port
///   without such a call does nothing.
pub(crate) mod heap {
    pub(crate) use super::port::heap::trim;
}

/// Readiness of descriptors. A worker sleeps only here.
///
/// - `Interest`, `Readiness`: the types for readiness, which are the same for all systems.
/// - `Poller`: waits for many descriptors at once. `add` registers a descriptor once, for both
///   directions, *edge-triggered*: until `delete`, each change of its state and each new arrival of
///   data is an event. Readiness that exists at the time of `add` is an event too. `add` fails with
///   `NOT_POLLABLE` if the system cannot wait for the descriptor. `arm` is called for a direction
///   before a thread waits for it, after its call would have blocked. A port that has no
///   edge-triggered events reports one event after each `arm`, also for readiness that exists then.
///   Others do nothing there. `wait` sleeps until there are
///   events or a wake-up, or until the timeout has passed; a timeout never ends early. A signal may
///   end the wait early. If `wait` fails, it can be called again, and directions are armed again.
///   Any OS thread may use `add`, `delete` and the waker while another waits. A descriptor that is
///   closed after `delete` is closed at once. On Unix its own descriptor (`AsFd`) is readable while
///   there are events. `close` is called before the poller is dropped, while
///   no thread waits and the descriptors that were not deleted are open.
/// - `Events`: the buffer for the events of one wait. `iter` yields keys with their readiness.
///   Wake-ups are not among them.
/// - `Waker`: ends the current wait, or the next one, from any OS thread. Several wake-ups before a
///   wait count as one.
/// - `poll_one`: blocks the OS thread until a descriptor is ready or has failed, and returns
///   `true`. Past the deadline it fails with `TimedOut`. With an alarm that another OS thread has
///   rung, or rings meanwhile, it returns `false`.
/// - `Alarm`: `ring` ends the `poll_one` of another OS thread. Once: for the next one the thread
///   has a new alarm. A port that cannot wait for both looks now and then.
/// - `look_one`: as `poll_one`, without waiting: it fails with `TimedOut` if the descriptor is not
///   ready.
/// - `is_shut`: whether a socket was shut down for reading. A port that cannot tell returns
///   `false`; its receiving calls must then return 0 by themselves.
///
/// A port that is based on completions (IOCP) derives readiness from them, for example by
/// `AFD_POLL`.
pub(crate) mod poller {
    pub(crate) use super::{
        port::poller::{Alarm, Events, Poller, Waker, is_shut, look_one, poll_one},
        readiness::{Interest, Readiness},
    };
}

/// Operations that the system carries out on the memory of a waiting thread.
///
/// - `Operation`: `send`, `read`, `write`, `sync`. A send does not wait. `read` and `write` return
///   `None` for an operation that the system cannot be asked for in this way.
/// - `Ring`: takes a batch of operations at once, and gives one answer for each, with the tag that
///   it was pushed with. Only the OS thread that made a ring uses it. See the type for details.
/// - `is_shortage`: whether an error of `new` or `submit` may be temporary, so that it pays to try
///   again later.
///
/// A port without such operations offers a `Ring` whose `new` fails. Then each send is a system
/// call, and file operations go to the pool.
pub(crate) mod uring {
    pub(crate) use super::port::uring::{Operation, Ring, is_shortage};
}

/// OS threads.
///
/// - `OsThread`: `spawn` and `spawn_with_stack` run a closure on a new OS thread. The thread gets
///   the name, as far as the system keeps it. `join` waits until the thread has ended. Dropping the
///   handle detaches the thread. A panic in the closure aborts the process. Errors are the
///   system's.
/// - `ThreadId`, `id`, `is_blocked`: whether an OS thread of this process waits in the kernel. A
///   port that cannot tell returns `false`; the watchdog's reports of stalls then differ slightly.
pub(crate) mod thread {
    pub(crate) use super::port::thread::{OsThread, ThreadId, id, is_blocked};
}

/// Memory faults, and signals.
///
/// - `on_fault` registers a function that is called with the address of each bad memory access, on
///   the OS thread that made the access, before any handler that was installed earlier. If the
///   function returns, the fault is handled as if the function did not exist. The function runs
///   under rule 4. A port without such a mechanism returns an error; then there are no reports of
///   stack overflows.
/// - `AlternateStack` provides a stack for that function, until it is dropped, because the thread's
///   own stack may be used up. A port whose handlers have a stack of their own offers an empty
///   type.
/// - `pause`, `abort`: calls that such a function may make.
/// - `SIGHUP` and the other constants, `last`: numbers of signals, for `crate::signal`. They are
///   public. A port without signals omits them and that module.
pub(crate) mod signal {
    #[cfg(unix)]
    pub(crate) use super::port::signal::last;
    pub(crate) use super::port::signal::{AlternateStack, abort, on_fault, pause};
    #[cfg(unix)]
    pub use super::port::signal::{
        SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN,
        SIGTTOU, SIGUSR1, SIGUSR2, SIGWINCH,
    };
}

/// Blocks of thread-locals for green threads, beside those of the OS threads.
///
/// - `available`: whether there are such blocks. The error says why not, and what to do.
/// - `Block`: the thread-locals of one green thread, with their initial values. `new` fails without
///   memory. `call` calls a function with the thread-locals of the block. `bases`: the `Base` of
///   the block, and that of the calling thread; `None` only where there are no blocks.
/// - `Base`: where the running code finds its thread-locals. `set` changes that. Costs one
///   instruction or so.
/// - `destroy` destroys the calling thread's values, as the end of an OS thread does. Destructors
///   may wait.
/// - `before_fork`, `after_fork`: called around a fork, for the port's lock, if it has one.
///
/// A port without such blocks offers empty types.
pub(crate) mod tls {
    pub(crate) use super::port::tls::{Base, Block, after_fork, available, before_fork, destroy};
}

/// The process.
///
/// - `at_exit` registers a function that is called when the process exits. The system may fail to
///   call it.
/// - `leave` ends the process as returning from `main` does.
/// - `AtFork`, `at_fork`: functions that run around each fork. They are registered once.
///   Registering them fails if there is no memory for it. A port without forks never calls them.
/// - `generation`: a number that differs between a process and the processes that it forks. Costs
///   one relaxed load. Without forks, 0.
/// - `ForkMutex`: a lock that no other thread holds while the process forks.
/// - `open_child`: a descriptor that becomes readable when a child process has ended. A port
///   without such a descriptor returns an error; then a thread of the pool waits for the child.
pub(crate) mod process {
    pub(crate) use super::{
        fork::{AtFork, ForkMutex},
        port::process::{at_exit, at_fork, generation, leave, open_child},
    };
}

/// The limit on the number of open descriptors of the process.
///
/// - `most`, `limit`: the number of descriptors if the limit is raised as far as possible, and the
///   number now; `u64::MAX` without a limit.
/// - `make_room` raises the limit for a number of additional descriptors, as far as possible.
///   `is_raised` says whether the limit was raised. `restore_for` makes the children of a command
///   start with the original limit. Without limits these do nothing.
pub(crate) mod descriptors {
    pub(crate) use super::port::descriptors::{is_raised, limit, make_room, most, restore_for};
}

/// The standard error, for messages of the library itself.
///
/// - `write_now` writes as much as is possible without blocking, and returns the number of bytes,
///   or 0. It does not change the descriptor's mode.
/// - `write_all` blocks until everything is written.
/// - `write_last_words` is for a process that is about to abort. Rule 4 applies to it, and it waits
///   at most a second for space.
/// - `ATOMIC`: the number of bytes up to which a write to a pipe is written whole or not at all.
pub(crate) mod stderr {
    pub(crate) use super::port::stderr::{ATOMIC, write_all, write_last_words, write_now};
}

/// Operations on any descriptor: reading, writing, and its mode.
///
/// - `read`, `write`: the plain calls, which block if the descriptor is in blocking mode.
/// - `read_now`, `write_now` never wait, and do not change the mode. They work at an offset, or at
///   the file's position, which then moves. They fail with `WOULD_BLOCK` if they would have to
///   wait, and with `UNSUPPORTED` if only the plain call can tell. A port without such calls always
///   returns `UNSUPPORTED`; then the library makes the plain call on an OS thread that may block.
/// - `write_part` makes the plain call on a descriptor that is ready, with no more bytes than it
///   has room for, as far as the system tells.
/// - `MAX_BUFFERS`: the number of buffers that these calls accept.
/// - `nonblocking_mode`, `is_nonblocking`, `set_nonblocking`, `ensure_nonblocking`: the mode of the
///   descriptor, which all processes that have it open share. A port that cannot ask for the mode
///   remembers the value that was set.
/// - `waits_until_readable`: whether a read returns as soon as there is data. `true`, except for
///   terminals with other settings.
/// - `close_may_wait`: whether closing a descriptor may wait without limit.
/// - `duplicate`: another descriptor for the same open file. An error if no descriptor is left.
/// - `stdin`, `stdout`, `stderr`: the descriptors of the standard streams. They may be closed;
///   calls on them then fail with `BAD_DESCRIPTOR`.
pub(crate) mod io {
    pub(crate) use super::port::io::{
        MAX_BUFFERS, close_may_wait, duplicate, ensure_nonblocking, is_nonblocking, nonblocking_mode, read,
        read_now, set_nonblocking, stderr, stdin, stdout, waits_until_readable, write, write_now, write_part,
    };
}

/// Calls that wait, and that another OS thread can interrupt.
///
/// - `Interruptible`: such calls of one thread. `read` is `io::read`, `wait` waits for a child.
///   `interrupt` makes the call that the thread makes at this moment fail with `CANCELED`, unless
///   it has an effect already. A call that is about to begin may be missed, so `interrupt` is
///   repeated until the call has ended. `POSSIBLE`: whether it has an effect.
pub(crate) mod interrupt {
    pub(crate) use super::port::interrupt::Interruptible;
}

/// Sockets.
///
/// - `Family`, `Type`; `open`, `open_nonblocking`, `pair` make sockets. They fail if the process
///   has run out of a resource.
/// - `Address` is the trait of the addresses that a socket can be bound or connected to: std's
///   addresses and `UnixAddress`. `AnyAddress` is an address that the system returns. `to_ip`,
///   `to_unix`, `from_unix` convert.
/// - `bind`, `shutdown`, `local_address`, `peer_address`, `take_error`: as in std. `listen` takes
///   the number of connections that may wait to be accepted.
/// - `connect` connects a socket. `connect_on` is for a TCP socket in non-blocking mode. It fails
///   with `WOULD_BLOCK` while the connection is being made; the caller repeats it after each event
///   for writing.
/// - `accept` returns a connection in blocking mode. It waits as the listener's mode says.
/// - `receive`, `receive_uninit`, `receive_vectored`, `receive_from`, `send`, `send_vectored`,
///   `send_to` take a `Blocking`: whether this one call may wait, whatever the mode is. A port
///   without such a flag keeps its sockets in non-blocking mode, and waits by itself for `AsSet`.
/// - `timeout`, `set_timeout`: how long a call with `AsSet` waits.
/// - `NO_SHUTDOWN_EVENT`: whether shutting down a socket gives no event to threads of this process
///   that wait for it. The library then wakes them by itself.
/// - `NO_WRITE_SHUTDOWN_EVENT`: whether shutting down a Unix socket gives no event to threads that
///   wait to write, and a non-blocking `accept` on such a socket says that it would block. The
///   library then wakes these threads by itself.
pub(crate) mod socket {
    pub(crate) use super::port::socket::{
        Address, AnyAddress, Blocking, Family, NO_SHUTDOWN_EVENT, Type, accept, bind, connect, connect_on,
        listen, local_address, open, open_nonblocking, peer_address, receive, receive_from, receive_uninit,
        receive_vectored, send, send_to, send_vectored, set_timeout, shutdown, take_error, timeout, to_ip,
    };
    #[cfg(unix)]
    pub(crate) use super::port::socket::{NO_WRITE_SHUTDOWN_EVENT, UnixAddress, from_unix, pair, to_unix};
}

/// Options of sockets. Each is one call, whose error converts into an `io::Error` by `?`.
/// `socket_linger` fails for a descriptor that is not a socket. Only Linux has `tcp_quickack`: a
/// port without it omits `os::linux`.
pub(crate) mod socket_options {
    pub(crate) use super::port::socket_options::{
        ip_multicast_loop, ip_multicast_ttl, ip_ttl, ipv6_multicast_loop, ipv6_v6only, set_ip_add_membership,
        set_ip_drop_membership, set_ip_multicast_loop, set_ip_multicast_ttl, set_ip_ttl,
        set_ipv6_add_membership, set_ipv6_drop_membership, set_ipv6_multicast_loop, set_ipv6_v6only,
        set_socket_broadcast, set_socket_linger, set_socket_reuseaddr, set_tcp_nodelay, socket_broadcast,
        socket_linger, tcp_nodelay,
    };
    #[cfg(target_os = "linux")]
    pub(crate) use super::port::socket_options::{set_tcp_quickack, tcp_quickack};
}

/// Operations on files that std lacks.
///
/// - `View`: std's file for a borrowed descriptor, which it does not close.
/// - `Kind`, `Nature`: how a file is read and written, and whether it is known to be on a local
///   file system. A port that cannot tell says that it is not known; calls on the file then go to
///   the pool.
/// - `open_waits_for_others`: whether opening such a file may wait for another party, as for a
///   FIFO.
pub(crate) mod file {
    pub(crate) use super::port::file::{Kind, Nature, View, open_waits_for_others};
}

/// Lookups of paths in the system's cache.
///
/// - `look_up` looks up a path without waiting for a disk. It finds a file on a local file system
///   (`Found`), or that there is no file, or that only a call that may wait can tell. A port
///   without such a lookup always returns `Lookup::Unknown(None)`.
/// - `open_found` opens the file that was found, with an `Access`. `None` if opening it may wait.
/// - `About`: metadata that is available without waiting.
/// - `Mount`: a mount about which `learn` asks the system, where waiting does no harm, so that the
///   next lookup knows the answer.
pub(crate) mod lookup {
    pub(crate) use super::port::lookup::{About, Access, Lookup, Mount, look_up, open_found};
}
