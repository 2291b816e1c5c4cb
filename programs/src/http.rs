//! An HTTP/1.1 server with a thread for each connection, and ureq as its client, on a transport of ours.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    sync::Arc,
    time::Duration,
};

use ureq::{
    Agent,
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport},
    },
};

use super::lib::{
    net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};
use crate::Result;

/// Serves until it is told to stop and one more connection comes; how many connections there were.
pub fn serve(listener: &TcpListener, stop: &AtomicUsize) -> Result<usize> {
    let mut sessions = Vec::new();
    for stream in listener.incoming() {
        let stream = stream?;
        if stop.load(Ordering::Acquire) != 0 {
            break;
        }
        sessions.push(thread::spawn(move || session(&stream)));
    }
    let connections = sessions.len();
    for session in sessions {
        session.join().expect("no panic")?;
    }
    Ok(connections)
}

/// Answers one request after the other.
fn session(stream: &TcpStream) -> Result {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        let [method, path, _] = &*words else { return Err(format!("what is {line:?}?").into()) };
        let body = body(&mut reader)?;
        let (status, answer) = match (&**method, path.trim_start_matches('/').split_once('/')) {
            ("POST", Some(("echo", ""))) => ("200 OK", body),
            ("GET", Some(("count", number))) => {
                chunks(stream, number.parse()?)?;
                line.clear();
                continue;
            }
            ("GET", Some(("sleep", millis))) => {
                thread::sleep(Duration::from_millis(millis.parse()?));
                ("200 OK", b"slept".to_vec())
            }
            _ => ("404 Not Found", b"no such thing".to_vec()),
        };
        let mut text = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", answer.len()).into_bytes();
        text.extend(answer);
        // A client that has lost its patience has gone.
        if let Err(error) = (&*stream).write_all(&text) {
            return match error.kind() {
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Ok(()),
                _ => Err(error.into()),
            };
        }
        line.clear();
    }
    Ok(())
}

/// Reads the rest of a request.
fn body(reader: &mut BufReader<&TcpStream>) -> Result<Vec<u8>> {
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse()?,
            Some((name, "chunked")) if name.eq_ignore_ascii_case("transfer-encoding") => chunked = true,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = Vec::new();
    loop {
        if chunked {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            length = u64::from_str_radix(line.trim_end(), 16)?;
        }
        reader.by_ref().take(length).read_to_end(&mut body)?;
        if chunked {
            reader.read_line(&mut String::new())?;
        }
        if !chunked || length == 0 {
            return Ok(body);
        }
    }
}

/// Answers with the numbers below `n`, each in a chunk of its own.
fn chunks(mut stream: &TcpStream, n: usize) -> Result {
    stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
    for number in 0..n {
        let line = format!("{number}\n");
        write!(stream, "{:x}\r\n{line}\r\n", line.len())?;
    }
    stream.write_all(b"0\r\n\r\n")?;
    Ok(())
}

/// Makes connections for ureq.
#[derive(Debug)]
struct Dial;

impl<In: Transport> Connector<In> for Dial {
    type Out = Connection;

    fn connect(&self, details: &ConnectionDetails, _: Option<In>) -> Result<Option<Connection>, ureq::Error> {
        let mut last = ureq::Error::HostNotFound;
        for address in &details.addrs {
            let attempt = match details.timeout.not_zero() {
                Some(timeout) => TcpStream::connect_timeout(address, *timeout),
                None => TcpStream::connect(address),
            };
            match attempt {
                Ok(stream) => {
                    stream.set_nodelay(details.config.no_delay())?;
                    let config = details.config;
                    let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
                    return Ok(Some(Connection { stream, buffers }));
                }
                Err(error) => last = failure(error, &details.timeout),
            }
        }
        Err(last)
    }
}

/// A connection for ureq.
struct Connection {
    stream: TcpStream,
    buffers: LazyBuffers,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.stream.fmt(f)
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.set_write_timeout(timeout.not_zero().map(|timeout| *timeout))?;
        let output = &self.buffers.output()[..amount];
        self.stream.write_all(output).map_err(|error| failure(error, &timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.set_read_timeout(timeout.not_zero().map(|timeout| *timeout))?;
        let n =
            self.stream.read(self.buffers.input_append_buf()).map_err(|error| failure(error, &timeout))?;
        self.buffers.input_appended(n);
        Ok(n > 0)
    }

    fn is_open(&mut self) -> bool {
        // Nothing is due: what can be read now is the end, or an error.
        let quiet = || {
            self.stream.set_nonblocking(true)?;
            let peeked = self.stream.peek(&mut [0]);
            self.stream.set_nonblocking(false)?;
            peeked
        };
        quiet().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

fn failure(error: io::Error, timeout: &NextTimeout) -> ureq::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ureq::Error::Timeout(timeout.reason),
        _ => error.into(),
    }
}

/// Looks names up for ureq.
#[derive(Debug)]
struct Names;

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(ureq::Error::HostNotFound);
        };
        let name = DefaultResolver::host_and_port(scheme, authority).ok_or(ureq::Error::HostNotFound)?;
        let mut found = self.empty();
        name.to_socket_addrs()?.take(16).for_each(|address| found.push(address));
        Ok(found)
    }
}

/// Eight threads that share one client, with everything that a request may be.
pub fn check() -> Result {
    const CLIENTS: usize = 8;
    const ROUNDS: usize = 10;

    let listener = TcpListener::bind("localhost:0")?;
    let address = listener.local_addr()?;
    let stop = Arc::new(AtomicUsize::new(0));
    let server = {
        let stop = stop.clone();
        thread::spawn(move || serve(&listener, &stop))
    };

    let base = format!("http://localhost:{}", address.port());
    let config =
        Agent::config_builder().http_status_as_error(false).max_idle_connections_per_host(CLIENTS).build();
    let agent = Agent::with_parts(config, Dial, Names);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (agent, base) = (agent.clone(), base.clone());
            thread::spawn(move || -> Result {
                for round in 0..ROUNDS {
                    let text = format!("client {client}, round {round}: {}", "x".repeat(10_000 * round));
                    let mut answer = agent.post(format!("{base}/echo/")).send(&text)?;
                    assert_eq!(answer.status(), 200);
                    assert_eq!(answer.body_mut().read_to_string()?, text);

                    let mut body = io::Cursor::new(text.as_bytes());
                    let body = ureq::SendBody::from_reader(&mut body);
                    let mut answer = agent.post(format!("{base}/echo/")).send(body)?;
                    assert_eq!(answer.body_mut().read_to_string()?, text, "sent in chunks");

                    let n = 100 * client + round;
                    let mut answer = agent.get(format!("{base}/count/{n}")).call()?;
                    let expected: String = (0..n).map(|number| format!("{number}\n")).collect();
                    assert_eq!(answer.body_mut().read_to_string()?, expected);

                    let mut answer = agent.get(format!("{base}/nothing")).call()?;
                    assert_eq!(answer.status(), 404);
                    assert_eq!(answer.body_mut().read_to_string()?, "no such thing");
                }
                Ok(())
            })
        })
        .collect();
    for client in clients {
        client.join().expect("no panic")?;
    }

    // A client that has no patience, and one that has.
    let sleepy = |millis: u64, patience| {
        let request = agent.get(format!("{base}/sleep/{millis}"));
        request.config().timeout_global(Some(Duration::from_millis(patience))).build().call()
    };
    match sleepy(500, 50) {
        Err(ureq::Error::Timeout(_)) => {}
        other => panic!("{other:?} in no time"),
    }
    assert_eq!(sleepy(50, 60_000)?.body_mut().read_to_string()?, "slept");

    // The idle connections end with the client; one more lets the server look whether it is to stop.
    drop(agent);
    stop.store(1, Ordering::Release);
    TcpStream::connect(address)?.shutdown(Shutdown::Both)?;
    let connections = server.join().expect("no panic")?;
    assert!((1..=2 * CLIENTS).contains(&connections), "{connections} connections for {CLIENTS} clients");
    Ok(())
}
