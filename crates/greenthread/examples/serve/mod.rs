//! The common part of the server examples: arguments, the accept loop with a green thread per
//! connection, and an orderly end. Each example has its own protocol.

use std::{
    collections::HashMap,
    error::Error,
    io,
    process::{self, ExitCode},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use greenthread::{
    Runtime,
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};
use socket2::SockRef;

use system::{Stops, raise_file_limit};

/// How long a stopping server waits for its connections to end. A shorter time cuts off more of
/// them. A longer one delays the end of the process.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves one client. An error ends its connection, and nothing else.
type Handler = fn(&TcpStream, &Server) -> io::Result<()>;

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
    let served = runtime.run(|| serve(&address, handler));
    // A handler that is still at work now has had its five seconds.
    runtime.shutdown_timeout(Duration::ZERO);
    served.map_err(|error| format!("{address}: {error}").into())
}

/// Serves until it is told to stop, then waits for the connections to end.
fn serve(address: &str, handler: Handler) -> io::Result<()> {
    let server = Arc::new(Server {
        listener: TcpListener::bind(address)?,
        stopping: AtomicBool::new(false),
        live: Mutex::default(),
        ended: Condvar::new(),
    });

    let mut stops = Stops::new()?;
    let accepting = {
        let server = server.clone();
        thread::Builder::new().name("accept".into()).spawn(move || server.accept(handler))?
    };
    println!("listening on {}", server.listener.local_addr()?);

    stops.wait();
    // The second time ends the process at once.
    thread::Builder::new().name("signals".into()).spawn(move || {
        stops.wait();
        process::exit(130);
    })?;
    server.stop();
    let _ = accepting.join();
    match server.drain() {
        0 => println!("every connection has ended"),
        cut => println!("cut off {cut} connections after {} s", DRAIN.as_secs()),
    }
    Ok(())
}

/// A listener and its live connections.
pub(crate) struct Server {
    listener: TcpListener,
    stopping: AtomicBool,
    live: Mutex<HashMap<u64, Arc<TcpStream>>>,
    /// Notified when a connection leaves `live` while the server is stopping.
    ended: Condvar,
}

impl Server {
    /// Returns whether the server was told to stop. A handler then answers what it has begun to
    /// read, and returns.
    pub(crate) fn stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }

    fn accept(self: &Arc<Self>, handler: Handler) {
        for id in 0.. {
            let taken = self.accept_one(id, handler);
            if self.stopping() {
                return;
            }
            if let Err(error) = taken {
                // There may be too many open files. Existing connections go on, and the new client
                // waits in the kernel.
                eprintln!("cannot take a new connection: {error}");
                thread::sleep(Duration::from_millis(100));
            }
        }
    }

    fn accept_one(self: &Arc<Self>, id: u64, handler: Handler) -> io::Result<()> {
        let (stream, peer) = self.listener.accept()?;
        let connection = Connection::new(self.clone(), id, stream);
        thread::Builder::new().name(format!("client {peer}")).spawn(move || {
            // An error concerns this client only: it has vanished, or is too slow.
            let _ = handler(&connection.stream, &connection.server);
        })?;
        Ok(())
    }

    /// Stops accepting. Clients from which a request is awaited see the end of the connection.
    fn stop(&self) {
        self.stopping.store(true, Relaxed);
        // On Linux, shutting the listener down wakes a blocked `accept`. Elsewhere that is an
        // error, and a connection to the own address wakes it.
        if SockRef::from(&self.listener).shutdown(Shutdown::Both).is_err()
            && let Ok(address) = self.listener.local_addr()
        {
            let _ = TcpStream::connect(address);
        }
        let live = self.live.lock().unwrap();
        println!("\nstopping, with {} connections open", live.len());
        for stream in live.values() {
            let _ = stream.shutdown(Shutdown::Read);
        }
    }

    /// Waits for the connections to end, then cuts off the rest and returns how many those were.
    fn drain(&self) -> usize {
        let deadline = Instant::now() + DRAIN;
        let mut live = self.live.lock().unwrap();
        while !live.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            live = self.ended.wait_timeout(live, left).unwrap().0;
        }
        for stream in live.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        live.len()
    }
}

/// One client. It is in the server's `live` until it is dropped, also by a panic.
struct Connection {
    server: Arc<Server>,
    id: u64,
    stream: Arc<TcpStream>,
}

impl Connection {
    fn new(server: Arc<Server>, id: u64, stream: TcpStream) -> Self {
        let stream = Arc::new(stream);
        server.live.lock().unwrap().insert(id, stream.clone());
        if server.stopping() {
            // `stop` may have gone through `live` before this connection was in it.
            let _ = stream.shutdown(Shutdown::Read);
        }
        Connection { server, id, stream }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.server.live.lock().unwrap().remove(&self.id);
        if self.server.stopping() {
            self.server.ended.notify_one();
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
