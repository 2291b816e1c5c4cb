//! An HTTP/1.1 server with a thread for each connection, and ureq as its client, on a transport of
//! ours.

use std::{
    io::{self, BufReader, Read, Write},
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

use super::{
    lib::{
        net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs},
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    },
    limits::{Sessions, append, digits, line, linger},
};
use crate::Result;

/// The longest head of a request, and the longest part of a body that is no content: chunk lengths
/// and trailers.
const MOST_HEAD: usize = 16 << 10;
/// The most headers of a request.
const MOST_FIELDS: usize = 64;
/// The longest body.
const MOST_BODY: u64 = 1 << 20;
/// The most chunks of an answer.
const MOST_CHUNKS: usize = 1_000_000;
/// The time limit of each read and write.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Serves until it is told to stop and one more connection comes. Returns the number of
/// connections.
pub fn serve(listener: &TcpListener, stop: &AtomicUsize) -> usize {
    let mut sessions = Sessions::default();
    for stream in listener.incoming() {
        if stop.load(Ordering::Acquire) != 0 {
            break;
        }
        // The client has gone again, or there is no descriptor for it. Some descriptor is closed
        // some day.
        let Ok(stream) = stream else {
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        sessions.spawn(move || {
            // An error concerns this client only: it has vanished, or is too slow.
            _ = session(&stream);
            1
        });
    }
    sessions.join()
}

/// Answers one request after the other.
fn session(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut reader = BufReader::new(stream);
    loop {
        let request = match request(&mut reader, stream) {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            Err(Refused::Io(error)) => return Err(error),
            Err(Refused::Status(status)) => {
                respond(stream, status, status.as_bytes(), false, false)?;
                return linger(stream);
            }
        };
        let Head { method, path, keep_alive, .. } = &request.head;
        let path = path.trim_matches('/');
        let (name, number) = path.split_once('/').unwrap_or((path, ""));
        // A missing number counts as too large.
        let number = || digits(number.as_bytes()).and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
        let (status, body) = match (&**method, name) {
            ("GET" | "HEAD", "") => ("200 OK", b"hello".to_vec()),
            ("POST", "echo") => ("200 OK", request.body),
            ("GET", "count") if number() <= MOST_CHUNKS => {
                chunks(stream, number(), *keep_alive)?;
                if *keep_alive {
                    continue;
                }
                return linger(stream);
            }
            ("GET", "sleep") if number() <= 60_000 => {
                thread::sleep(Duration::from_millis(number() as u64));
                ("200 OK", b"slept".to_vec())
            }
            _ => ("404 Not Found", b"no such thing".to_vec()),
        };
        respond(stream, status, &body, method == "HEAD", *keep_alive)?;
        if !keep_alive {
            return linger(stream);
        }
    }
}

fn respond(
    mut stream: &TcpStream,
    status: &str,
    body: &[u8],
    head_only: bool,
    keep_alive: bool,
) -> io::Result<()> {
    let connection = if keep_alive { "keep-alive" } else { "close" };
    let length = body.len();
    let mut text =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: {connection}\r\n\r\n")
            .into_bytes();
    if !head_only {
        text.extend(body);
    }
    stream.write_all(&text)
}

/// The reason why there is no request.
enum Refused {
    /// The connection has ended.
    Io(io::Error),
    /// The input is no request, and this is the answer.
    Status(&'static str),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Refused::Io(error)
    }
}

const BAD: Refused = Refused::Status("400 Bad Request");
const TOO_LONG: Refused = Refused::Status("431 Request Header Fields Too Large");
const TOO_LARGE: Refused = Refused::Status("413 Content Too Large");

struct Request {
    head: Head,
    body: Vec<u8>,
}

struct Head {
    method: String,
    path: String,
    body: Body,
    keep_alive: bool,
    /// The client waits to be told to go on.
    waits: bool,
}

enum Body {
    Of(u64),
    Chunked,
}

/// The next request, or the end.
fn request(reader: &mut BufReader<&TcpStream>, mut stream: &TcpStream) -> Result<Option<Request>, Refused> {
    let Some(head) = head(reader)? else { return Ok(None) };
    let mut body = Vec::new();
    if head.waits && reader.buffer().is_empty() && !matches!(head.body, Body::Of(0)) {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    match head.body {
        Body::Of(length) => append(reader, length, &mut body)?,
        Body::Chunked => read_chunks(reader, &mut body)?,
    }
    Ok(Some(Request { head, body }))
}

/// A line without its end, which is CR and LF. RFC 9112 allows a bare LF as well. But if one reader
/// ends the line there and another one doesn't, a request can be smuggled. The line's length is
/// subtracted from `left`.
fn text_line(reader: &mut BufReader<&TcpStream>, left: &mut usize) -> Result<Option<Vec<u8>>, Refused> {
    let mut line = line(reader, *left)?.ok_or(TOO_LONG)?;
    *left -= line.len();
    if line.is_empty() {
        return if *left == 0 { Err(TOO_LONG) } else { Ok(None) };
    }
    if !line.ends_with(b"\r\n") {
        return Err(BAD);
    }
    line.truncate(line.len() - 2);
    let is_text = |&byte: &u8| byte == b'\t' || !byte.is_ascii_control();
    if line.iter().all(is_text) { Ok(Some(line)) } else { Err(BAD) }
}

/// Like [`text_line`], where the end of input is an error.
fn next_line(reader: &mut BufReader<&TcpStream>, left: &mut usize) -> Result<Vec<u8>, Refused> {
    text_line(reader, left)?.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof).into())
}

fn is_token(text: &[u8]) -> bool {
    let in_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(in_token)
}

/// A header's name, in small letters, and its value.
fn field(line: &[u8]) -> Result<(String, &[u8]), Refused> {
    // The name is no token. That includes a space before the colon, and a line that continues the
    // previous one.
    let colon = line.iter().position(|&byte| byte == b':').filter(|&at| is_token(&line[..at])).ok_or(BAD)?;
    let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
    Ok((name, line[colon + 1..].trim_ascii()))
}

fn head(reader: &mut BufReader<&TcpStream>) -> Result<Option<Head>, Refused> {
    let mut left = MOST_HEAD;
    let Some(mut first) = text_line(reader, &mut left)? else { return Ok(None) };
    if first.is_empty() {
        // Some clients send one more line end behind a body.
        first = next_line(reader, &mut left)?;
    }
    let first = String::from_utf8(first).map_err(|_| BAD)?;
    let words: Vec<_> = first.split(' ').collect();
    let &[method, target, version @ ("HTTP/1.0" | "HTTP/1.1")] = &*words else { return Err(BAD) };
    if !is_token(method.as_bytes()) {
        return Err(BAD);
    }
    let path = path(method, target).ok_or(BAD)?.to_owned();
    let new = version == "HTTP/1.1";

    let (mut host, mut length, mut encoding) = (None, None, None);
    let (mut close, mut stay, mut waits) = (false, false, false);
    for count in 0.. {
        let line = next_line(reader, &mut left)?;
        if line.is_empty() {
            break;
        }
        if count == MOST_FIELDS {
            return Err(TOO_LONG);
        }
        let (name, value) = field(&line)?;
        match &*name {
            // If it is there twice, either could be meant.
            "host" if host.replace(value.to_vec()).is_some() => return Err(BAD),
            "content-length" if length.replace(value.to_vec()).is_some() => return Err(BAD),
            "transfer-encoding" if encoding.replace(value.to_ascii_lowercase()).is_some() => return Err(BAD),
            "connection" => {
                for word in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                    close |= word.eq_ignore_ascii_case(b"close");
                    stay |= word.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            "expect" if !value.eq_ignore_ascii_case(b"100-continue") => {
                return Err(Refused::Status("417 Expectation Failed"));
            }
            "expect" => waits = new,
            _ => {}
        }
    }
    let in_host = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]%".contains(byte);
    if host.map_or(new, |host| !host.iter().all(in_host)) {
        return Err(BAD);
    }
    let body = match (encoding.as_deref(), length) {
        (None, None) => Body::Of(0),
        // A number that doesn't fit is too large as well.
        (None, Some(length)) => match digits(&length) {
            Some(length) if length <= MOST_BODY => Body::Of(length),
            None if length.is_empty() || !length.iter().all(u8::is_ascii_digit) => return Err(BAD),
            _ => return Err(TOO_LARGE),
        },
        (Some(b"chunked"), None) if new => Body::Chunked,
        (Some(_), None) if new => return Err(Refused::Status("501 Not Implemented")),
        _ => return Err(BAD),
    };
    let keep_alive = !close && (stay || new);
    Ok(Some(Head { method: method.to_owned(), path, body, keep_alive, waits }))
}

/// The path that a request's target names: in origin-form, in absolute-form, or `*` where that may
/// be.
fn path<'a>(method: &str, target: &'a str) -> Option<&'a str> {
    const SCHEME: &str = "http://";
    if !target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        return None;
    }
    if target.starts_with('/') || (method, target) == ("OPTIONS", "*") {
        return Some(target);
    }
    let (scheme, rest) = target.split_at_checked(SCHEME.len())?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let path = if rest[end..].starts_with('/') { &rest[end..] } else { "/" };
    (scheme.eq_ignore_ascii_case(SCHEME) && end > 0).then_some(path)
}

/// Reads a body that comes in chunks, and the trailers.
fn read_chunks(reader: &mut BufReader<&TcpStream>, body: &mut Vec<u8>) -> Result<(), Refused> {
    let mut left = MOST_HEAD;
    loop {
        let line = next_line(reader, &mut left)?;
        // Extensions are ignored.
        let size = line.split(|&byte| byte == b';').next().unwrap_or_default();
        let hex = !size.is_empty() && size.iter().all(u8::is_ascii_hexdigit);
        let size = str::from_utf8(size).ok().filter(|_| hex).ok_or(BAD)?;
        let size = u64::from_str_radix(size, 16).map_err(|_| TOO_LARGE)?;
        if size == 0 {
            break;
        }
        if size > MOST_BODY - body.len() as u64 {
            return Err(TOO_LARGE);
        }
        append(reader, size, body)?;
        let mut end = Vec::new();
        append(reader, 2, &mut end)?;
        if end != b"\r\n" {
            return Err(BAD);
        }
    }
    loop {
        let line = next_line(reader, &mut left)?;
        if line.is_empty() {
            return Ok(());
        }
        field(&line)?;
    }
}

/// Answers with the numbers below `n`, each in a chunk of its own.
fn chunks(mut stream: &TcpStream, n: usize, keep_alive: bool) -> io::Result<()> {
    let connection = if keep_alive { "keep-alive" } else { "close" };
    write!(stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: {connection}\r\n\r\n")?;
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
        // Nothing is due, so only the end or an error can be read now.
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

/// Eight threads share one client, and make requests of every kind.
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

    // A client with a short time-out, and one with a long one.
    let sleepy = |millis: u64, timeout| {
        let request = agent.get(format!("{base}/sleep/{millis}"));
        request.config().timeout_global(Some(Duration::from_millis(timeout))).build().call()
    };
    match sleepy(500, 50) {
        Err(ureq::Error::Timeout(_)) => {}
        other => panic!("{other:?} in no time"),
    }
    assert_eq!(sleepy(50, 60_000)?.body_mut().read_to_string()?, "slept");

    // The idle connections end with the client. One more connection lets the server see that it is
    // to stop.
    drop(agent);
    stop.store(1, Ordering::Release);
    TcpStream::connect(address)?.shutdown(Shutdown::Both)?;
    let connections = server.join().expect("no panic");
    assert!((1..=2 * CLIENTS).contains(&connections), "{connections} connections for {CLIENTS} clients");
    Ok(())
}
