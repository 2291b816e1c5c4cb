//! Green threads with std's names: plain blocking code, a million threads.
//!
//! Replace `use std::{fs, io, net, process, sync, thread}` by `use greenthread::{..}`, and a
//! program with a thread per connection runs on a few OS threads. A call that blocks a green thread
//! lets the other green threads run. There is no `async`, no `Pin` and no `Send` bound on values
//! that live across a blocking call. A backtrace shows the frames of its own thread.
//!
//! ```
//! use greenthread::{net::{TcpListener, TcpStream}, thread};
//! use std::io::{Read, Write};
//!
//! greenthread::run(|| -> std::io::Result<()> {
//!     let listener = TcpListener::bind("127.0.0.1:0")?;
//!     let address = listener.local_addr()?;
//!
//!     let server = thread::spawn(move || -> std::io::Result<()> {
//!         let (mut stream, _) = listener.accept()?;
//!         let mut bytes = [0; 5];
//!         stream.read_exact(&mut bytes)?;
//!         stream.write_all(&bytes)
//!     });
//!
//!     let mut client = TcpStream::connect(address)?;
//!     client.write_all(b"hello")?;
//!     let mut answer = String::new();
//!     client.read_to_string(&mut answer)?;
//!     assert_eq!(answer, "hello");
//!     server.join().unwrap()
//! })?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # How it works
//!
//! A [`Runtime`] has a few *workers*, which are OS threads of its own. A green thread that has been
//! spawned is a closure in a queue, and any worker may take it. Once it has started, it has a stack
//! and stays on its worker until it ends. When it waits, it switches straight to the next ready
//! thread, which takes a few instructions. A worker without ready threads sleeps in the kernel
//! until a socket, a timer or another OS thread has something for it. No worker polls.
//!
//! Everything in this crate also works on ordinary OS threads, and blocks them. A green thread and
//! an OS thread may meet at the same lock or channel.
//!
//! # Soundness
//!
//! [`thread::spawn`] is a safe function with std's signature. That rests on one *axiom*:
//!
//! > Code that is sound on one OS thread stays sound when any call into this crate may run sibling
//! > threads on the same OS thread, in an order that is not last-in-first-out.
//!
//! Rust does not promise this today (see unsafe-code-guidelines, issue 602). The following code
//! breaks the axiom:
//!
//! * A `std::thread_local!` whose lazy *initialiser* blocks, or polls. A sibling may initialise the
//!   same key before the first initialiser returns. Use `const { .. }` initialisers or
//!   [`greenthread::thread_local!`](thread_local!).
//! * A crate that keeps a stack discipline in a thread-local across a blocking call (`scoped-tls`,
//!   for example).
//! * A call of `process::exit` on a green thread, if a thread-local destructor of that worker
//!   blocks.
//! * A global allocator that blocks through this crate, for example at a [`sync::Mutex`]. A worker
//!   also allocates where it runs no green thread that could be suspended. If one of its own
//!   threads holds the mutex then, the worker waits for ever. Use a lock that spins, or std's.
//!
//! Wrap such code in [`thread::without_yield`]: no sibling runs inside it. Or run it on a thread
//! with [thread-locals of its own](thread::Builder::own_tls), to which the first three exceptions
//! do not apply: to all code that uses thread-locals it is an OS thread, and what is not `Send`
//! neither comes to it from a sibling nor goes to one.
//!
//! *Guaranteed:* a started thread never changes its OS thread. A value on a green thread's stack
//! that is not `Send` is therefore never reached from another OS thread, and the address of a
//! thread-local does not change.
//!
//! *Sound, but surprising:*
//!
//! * Green threads of one worker share the values of `std::thread_local!`. With
//!   [`greenthread::thread_local!`](thread_local!) each thread has its own value. So has a thread
//!   with [thread-locals of its own](thread::Builder::own_tls).
//! * A guard of `std::sync::Mutex` that is held across a blocking call can deadlock the worker. A
//!   sibling that locks the mutex blocks the OS thread, and the holder of the guard never runs
//!   again. Use [`sync::Mutex`].
//! * A call that waits by other means blocks the whole worker. That goes for std's blocking calls,
//!   and for crates with channels or locks of their own (`crossbeam-channel`, `parking_lot`). Use
//!   [`channel`] and [`sync`] in their place, also in a crate that you port.
//! * std's reentrant locks (`stdout().lock()`) do not exclude siblings on the same worker. Those of
//!   [`io`] do.
//! * `std::println!` can block the worker if nobody reads the standard output. [`println!`] blocks
//!   only the green thread that calls it.
//! * A long computation keeps the other threads of its worker waiting. The watchdog names such a
//!   thread on standard error. See [`thread::unblock`] and [`thread::yield_now`].
//!
//! Most of these points have a test in `tests/known_holes.rs` that shows the present behaviour.
//!
//! A panic on a green thread is reported with the thread's name and the place of its spawn, as one
//! piece of text. It is written to the standard error itself, so a test harness does not capture
//! it. A panic hook that the program set before its first green thread is still called, after a
//! line with the same name and places. A hook that is set later replaces the library's report.
//!
//! With `panic = "abort"`, a panic on a green thread ends the process, as on any thread.
//!
//! # Overflow
//!
//! Every stack has a guard below it. When a thread runs into its guard, the library reports the
//! thread's name, its stack size and the place of its spawn, and the process aborts, as with std. C
//! code without stack probes can jump over a guard of a single page. Stacks of 256 KiB and more
//! therefore have a guard of at least 64 KiB.
//!
//! # Fork
//!
//! Use [`process::Command`] to start other programs. After a bare `fork`, the child has one thread,
//! the one that called `fork`, and no workers:
//!
//! * The default runtime is made anew when the child first needs it. The child can also make new
//!   runtimes.
//! * A [`Runtime`] of the parent refuses to spawn in the child, and dropping it there does not
//!   wait. Joining a thread of the parent that had not ended at the fork panics. So does the end of
//!   a scope that has such threads.
//! * A green thread that forks is an ordinary OS thread in the child. Its calls block, and its
//!   siblings do not run. When its closure returns, the child exits.
//! * A wait that only a thread of the parent could end never ends, for example a wait for a lock
//!   that such a thread held. It is best to fork before the first green thread, or to do little in
//!   the child.
//! * Sockets may be used and closed on both sides. A [`signal::Signals`] must be made anew.
//! * In a child of `vfork`, `clone` or `_Fork` the library does not notice that it is in a child.
//!
//! # Systems
//!
//! Linux, macOS and Windows. The library is developed and tested on x86-64 Linux. Its repository
//! has a file `PLATFORMS.md`, which says for each machine which tests ran there, natively or under
//! an emulator or Wine. The port to macOS was linked, and never ran.
//!
//! Only Linux has io_uring. On Linux before 6.13 each guard takes two of the process's memory maps,
//! whose number is limited. On Windows there is no `signal` and, as in std, there are no Unix
//! sockets and no `os::unix`. Files, pipes and child processes use OS threads of the blocking pool
//! there.
//!
//! # What std has that this hasn't
//!
//! The modules of std 1.95 that have a namesake here are complete in their stable parts, except for
//! these items:
//!
//! * `os::unix::thread::JoinHandleExt`, `os::unix::thread::RawPthread`: a green thread has no
//!   pthread of its own.
//!
//! Some unstable parts of std are here too: `sync::mpmc`, `sync::oneshot`, `sync::nonpoison`,
//! `ReentrantLock`, the `map` of guards and `thread::sleep_until`. One item is missing:
//!
//! * `sync::ReentrantLock::data_ptr`: locking gives the same access.

// One place for the time: see `clippy.toml`.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

mod block_on;
mod blocking;
pub mod cancel;
pub mod channel;
mod descriptor;
mod driver;
pub mod fs;
pub mod io;
#[cfg(test)]
#[path = "../tests/common/machine.rs"]
mod machine;
pub mod net;
mod opaque_debug;
pub mod os;
pub mod process;
mod runtime;
mod scheduler;
#[cfg(unix)]
pub mod signal;
mod stack;
pub mod sync;
mod sys;
mod task;
pub mod thread;
pub mod time;

pub use block_on::block_on;
pub use runtime::{LaneMetrics, Runtime, RuntimeBuilder, RuntimeMetrics, run};
