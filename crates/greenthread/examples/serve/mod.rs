//! The common part of the server examples: arguments, the accept loop with a green thread per
//! connection, and an orderly end. Each example has its own protocol.

use std::{
    convert::Infallible,
    error::Error,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    process::{self, ExitCode},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use greenthread::{
    Runtime,
    cancel::{self, Scope, Token},
    net::{TcpListener, TcpStream},
    thread::{self, Builder},
    time::Duration,
};

use system::{Stops, raise_file_limit};

/// How long a stopping server waits for its connections to end. A shorter time cuts off more of
/// them. A longer one delays the end of the process.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves one client. An error ends its connection, and nothing else. It waits for a request under
/// the token, which is cancelled when the server stops, and finishes what it has begun to read.
type Handler = fn(&TcpStream, &Token) -> io::Result<()>;

/// Runs a whole server program: `name [--listen ADDR] [--workers N]`.
pub(crate) fn main(name: &str, address: &str, handler: Handler) -> ExitCode {
    match parse_and_run(name, address, handler) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse_and_run(name: &str, address: &str, handler: Handler) -> Result<(), Box<dyn Error + Send + Sync>> {
    use lexopt::prelude::*;

    let mut address = address.to_owned();
    let mut runtime = Runtime::builder();
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("listen") => address = arguments.value()?.string()?,
            Long("workers") => runtime = runtime.workers(arguments.value()?.parse()?),
            Short('h') | Long("help") => {
                println!(
                    "usage: {name} [--listen ADDR] [--workers N]\n\nListens on {address} unless told otherwise."
                );
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }

    raise_file_limit();
    let runtime = runtime.build()?;
    runtime.run(|| serve(&address, handler)).map_err(|error| format!("{address}: {error}").into())
}

/// Serves until it is told to stop, then waits for the connections to end.
fn serve(address: &str, handler: Handler) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    let mut stops = Stops::new()?;
    println!("listening on {}", listener.local_addr()?);
    let (stop, live) = (Token::new(), AtomicUsize::new(0));
    cancel::scope(|server| {
        let serving = server.spawn(|| {
            cancel::scope(|connections| {
                let Err(_) = stop.run(|| accept(&listener, connections, handler, &stop, &live));
                Ok(())
            })
        });

        stops.wait();
        println!("\nstopping, with {} connections open", live.load(Relaxed));
        // The second time ends the process at once.
        server.spawn(move || -> io::Result<()> {
            stops.wait();
            process::exit(130)
        });
        stop.cancel();
        match cancel::timeout(DRAIN, || serving.join()) {
            Ok(_) => println!("every connection has ended"),
            Err(_) => println!("cut off {} connections after {} s", live.load(Relaxed), DRAIN.as_secs()),
        }
        // Whatever is still there ends now.
        server.cancel();
        Ok(())
    })
}

/// Takes connections for ever, each into a thread of its own.
fn accept<'scope>(
    listener: &TcpListener,
    connections: Scope<'scope, '_, io::Error>,
    handler: Handler,
    stop: &'scope Token,
    live: &'scope AtomicUsize,
) -> Infallible {
    loop {
        let taken = listener.accept().and_then(|(stream, peer)| {
            let name = Builder::new().name(format!("client {peer}"));
            connections.spawn_with(name, move || {
                live.fetch_add(1, Relaxed);
                // An error or a panic concerns this client only: it has vanished, or is too slow.
                let _ = catch_unwind(AssertUnwindSafe(|| handler(&stream, stop)));
                live.fetch_sub(1, Relaxed);
                Ok(())
            })
        });
        if let Err(error) = taken {
            // There may be too many open files. Existing connections go on, and the new client
            // waits in the kernel.
            eprintln!("cannot take a new connection: {error}");
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// What tells the server to stop, and the limit of open files.
#[cfg(unix)]
mod system {
    use std::io;

    use greenthread::signal::{SIGINT, SIGTERM, Signals};
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// Ctrl-C, or `kill`.
    pub(super) struct Stops(Signals);

    impl Stops {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self(Signals::new([SIGINT, SIGTERM])?))
        }

        pub(super) fn wait(&mut self) {
            self.0.next();
        }
    }

    /// Raises the soft limit of file descriptors to the hard one. Every connection is a descriptor,
    /// and the soft limit is often 1024.
    pub(super) fn raise_file_limit() {
        let limit = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    }
}

/// As above. Windows has no signals, and no such limit.
#[cfg(windows)]
mod system {
    use std::io;

    use greenthread::thread;

    /// The Enter key. Ctrl-C ends the process at once.
    pub(super) struct Stops(());

    impl Stops {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self(()))
        }

        pub(super) fn wait(&mut self) {
            // At the end of the input nobody can press the key.
            if !greenthread::io::stdin().read_line(&mut String::new()).is_ok_and(|count| count > 0) {
                loop {
                    thread::park();
                }
            }
        }
    }

    pub(super) fn raise_file_limit() {}
}
