//! The common part of the server examples: arguments, and an orderly end. Each example has its own
//! protocol, and its own crate may be another one.

use std::{
    error::Error,
    io,
    process::{self, ExitCode},
    sync::{Arc, Weak},
};

use greenthread::{
    Runtime,
    cancel::{self, Token},
    net::TcpListener,
    time::Duration,
};

use system::{Stops, raise_file_limit};

/// How long a stopping server waits for its clients. A shorter time cuts off more of them. A longer
/// one delays the end of the process.
pub(crate) const DRAIN: Duration = Duration::from_secs(5);

/// Serves until the token is cancelled, and then what is under way.
type Serve = fn(TcpListener, &Token, Live) -> io::Result<()>;

/// Counts what is under way: each piece has a clone of the pointer, and the server has one.
pub(crate) type Live = Arc<()>;

/// Runs a whole server program: `name [--listen ADDR] [--workers N]`.
pub(crate) fn main(name: &str, address: &str, serve: Serve) -> ExitCode {
    match parse_and_run(name, address, serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse_and_run(name: &str, address: &str, serve: Serve) -> Result<(), Box<dyn Error + Send + Sync>> {
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
    runtime.run(|| run(&address, serve)).map_err(|error| format!("{address}: {error}").into())
}

/// Serves until it is told to stop, then waits for what is under way.
fn run(address: &str, serve: Serve) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    let mut stops = Stops::new()?;
    println!("listening on {}", listener.local_addr()?);
    let (stop, live) = (Token::new(), Live::default());
    let weak = Arc::downgrade(&live);
    let count = || Weak::strong_count(&weak).saturating_sub(1);
    cancel::scope(|server| {
        let serving = server.spawn(|| serve(listener, &stop, live));

        stops.wait();
        println!("\nstopping, with {} under way", count());
        // The second time ends the process at once.
        server.spawn(move || -> io::Result<()> {
            stops.wait();
            process::exit(130)
        });
        stop.cancel();
        match cancel::timeout(DRAIN, || serving.join()) {
            Ok(_) => println!("every connection has ended"),
            Err(_) => println!("cut off {} after {} s", count(), DRAIN.as_secs()),
        }
        // Whatever is still there ends now.
        server.cancel();
        Ok(())
    })
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
