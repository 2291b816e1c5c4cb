//! Green threads with std's names: plain blocking code, a million threads.
//!
//! Replace `use std::{fs, io, net, process, sync, thread}` by `use greenthread::{..}`, and a program with a thread per
//! connection runs on a few OS threads: what blocks a green thread lets the others go on. There is no `async`, no
//! `Pin`, no `Send` bound on what lives across a blocking call; and backtraces are those of the thread.
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
//! A [`Runtime`] has a few *workers*, OS threads of its own. A green thread that has been spawned is a closure in a
//! queue, and any worker may take it. Once it has started it has a stack, and stays with its worker for life. When
//! it waits, it switches straight to the next ready thread: a few instructions. A worker without ready threads sleeps in
//! the kernel until a socket, a timer or another OS thread has something for it; nothing polls.
//!
//! Everything works on ordinary OS threads too, by blocking them. A green thread and an OS thread may meet
//! at the same lock or channel.
//!
//! # Soundness
//!
//! [`thread::spawn`] is a safe function with std's signature. That rests on one *axiom*:
//!
//! > Code that is sound on one OS thread stays sound when any call into this crate may run sibling threads on the
//! > same OS thread, in an order that is not last-in-first-out.
//!
//! Rust does not promise this today (see unsafe-code-guidelines, issue 602). What breaks it:
//!
//! * A `std::thread_local!` whose lazy *initialiser* blocks, or polls: a sibling may initialise the same key in between. Use
//!   `const { .. }` initialisers, or [`greenthread::thread_local!`](thread_local!).
//! * Crates that keep a stack discipline in a thread-local across a blocking call (`scoped-tls` and its like).
//! * A `process::exit` on a green thread, if a thread-local destructor of that worker blocks.
//! * A global allocator that blocks by this crate (at a [`sync::Mutex`], say): workers allocate where no green thread runs that
//!   could be suspended, and then wait for ever for a holder of their own. Use a lock that spins, or std's.
//!
//! [`thread::without_yield`] is the tool for such code: inside it, no sibling runs.
//!
//! *What you may rely on:* a started thread never changes its OS thread. So a value that is not `Send`, on a green
//! thread's stack, is never reached from another OS thread, and the address of a thread-local stays what it was.
//!
//! *What is sound, but may surprise:*
//!
//! * Green threads of one worker share the values of `std::thread_local!`. With
//!   [`greenthread::thread_local!`](thread_local!) each has its own.
//! * A `std::sync::Mutex` guard held across a blocking call can deadlock the worker: its siblings block the OS thread,
//!   and with it the holder. Use [`sync::Mutex`].
//! * What waits in its own way keeps the whole worker waiting: std's calls, and those of crates that have channels or locks of
//!   their own (`crossbeam-channel`, `parking_lot`). Use [`channel`] and [`sync`] in their place, also in a crate that you
//!   port.
//! * std's reentrant locks (`stdout().lock()`) don't exclude siblings on the same worker; those of [`io`] do.
//! * What `std::println!` prints may block the worker, if nobody reads it; what [`println!`] prints does not.
//! * A long computation keeps the other threads of its worker waiting; the watchdog names it on standard error. See
//!   [`thread::unblock`] and [`thread::yield_now`].
//!
//! Each of these has a small program among the crate's tests (`tests/known_holes.rs`) that shows what happens today.
//!
//! A panic on a green thread is reported with its name and the place of its spawn, in one piece, on
//! the standard error itself: a test harness doesn't capture it. A panic hook that the program sets
//! before its first green thread is called after a line with these; one that is set later is alone.
//!
//! With `panic = "abort"` a panic on a green thread ends the process, as everywhere.
//!
//! # Overflow
//!
//! Every stack has a guard below it. A thread that runs into it is named, with its stack size and the place of its spawn, and
//! the process aborts, as with std. C code without stack probes can jump over a single guard page; stacks of 256 KiB and
//! more have a guard of 16 pages.
//!
//! # Fork
//!
//! [`process::Command`] is for other programs. After a bare `fork` the child has one thread, the one that has called it, and
//! no workers:
//!
//! * The default runtime is made anew, when the child first needs it; new runtimes work.
//! * A [`Runtime`] of the parent's refuses to spawn, and dropping it waits for nobody. To join a thread of the parent's that had
//!   not ended panics, and so does the end of a scope that has such threads.
//! * A green thread that forks is an ordinary OS thread in the child: what it calls blocks, and its siblings don't run. When
//!   its closure returns, the child exits.
//! * Waits that only a thread of the parent's could end, such as for a lock that it held, don't end. It is best to fork
//!   before the first green thread, or to do little in the child.
//! * Sockets may be used, and closed, on both sides. [`signal::Signals`] is to be made anew.
//! * Children of `vfork`, `clone` and `_Fork` don't notice that they are children.
//!
//! # What std has that this hasn't
//!
//! Of what is stable in the modules of std 1.95 that have a namesake here, this is missing:
//!
//! * `os::unix::thread::JoinHandleExt`, `os::unix::thread::RawPthread`: a green thread has no pthread of its own.
//!
//! Of what std keeps unstable, `sync::mpmc`, `sync::oneshot`, `sync::nonpoison`, `ReentrantLock`, the `map` of guards and
//! `thread::sleep_until` are here, except for this:
//!
//! * `sync::ReentrantLock::data_ptr`: what it is for, `lock` does.

mod blocking;
pub mod channel;
mod descriptor;
mod driver;
pub mod fs;
pub mod io;
pub mod net;
pub mod os;
pub mod process;
mod runtime;
mod scheduler;
pub mod signal;
mod stack;
pub mod sync;
mod sys;
mod task;
pub mod thread;
pub mod time;

pub use runtime::{LaneMetrics, Runtime, RuntimeBuilder, RuntimeMetrics, run};
