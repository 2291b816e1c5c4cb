//! An HTTP/1.1 server: `cargo run --release --example http`, then `curl -i localhost:8080`.
//!
//! It is plain blocking code in which each client has a green thread of its own. The server keeps
//! connections alive and answers pipelined requests in one write. Garbage, half a request, or a
//! client that vanishes does not disturb other clients. The server refuses a request that two
//! readers could take for different ones (RFC 9112, section 11). Ctrl-C ends it in good order.

mod serve;

use std::{
    io::{self, Read, Write},
    process::ExitCode,
};

use greenthread::{
    cancel::{self, Token},
    net::{Shutdown, TcpStream},
    thread,
    time::{Duration, Instant},
};
use httparse::Status;

/// The longest head of a request that the server reads, in bytes. A lower limit refuses requests
/// with large cookies. A higher one lets each client take more memory.
const MAX_HEAD: usize = 16 * 1024;
/// The longest body of a request, in bytes. A client can take this much memory.
const MAX_BODY: usize = 64 * 1024;
/// The most time from a request's first byte to its last, and for each write. A shorter time cuts
/// off slow clients. A longer one lets stuck clients keep their connections.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most time between two requests of a connection. A shorter time makes clients connect anew. A
/// longer one keeps more idle connections open.
const IDLE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    serve::main("http", "127.0.0.1:8080", http)
}

/// Answers a request: takes a method, a path and a body, and returns a status and a body.
fn answer(request: &Request<'_>) -> (&'static str, Vec<u8>) {
    match (request.method, request.path) {
        ("GET" | "HEAD", "/") => ("200 OK", b"Hello from a green thread!\n".into()),
        ("POST", "/echo") => ("200 OK", request.body.into()),
        ("GET" | "HEAD", path) if path.starts_with("/sleep/") => match path["/sleep/".len()..].parse() {
            Ok(milliseconds @ 0..=60_000) => {
                // This blocks the connection's own green thread. The others go on.
                thread::sleep(Duration::from_millis(milliseconds));
                ("200 OK", b"That was refreshing.\n".into())
            }
            _ => ("400 Bad Request", b"Sleep for 0 to 60000 milliseconds.\n".into()),
        },
        _ => ("404 Not Found", b"There are /, /sleep/250, and /echo for a POST.\n".into()),
    }
}

/// Serves one connection, from its first request to its last.
fn http(mut stream: &TcpStream, stop: &Token) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_write_timeout(Some(PATIENCE))?;

    let mut input = vec![0; 1024];
    let mut filled = 0;
    let mut output = Vec::new();
    let mut deadline = None;
    let mut continued = false;
    loop {
        // Answer every request that has arrived whole.
        let mut used = 0;
        let refused = loop {
            match Request::parse(&input[used..filled]) {
                Ok(Parsed::Whole(request, length)) => {
                    let (status, body) = answer(&request);
                    let keep_alive = request.keep_alive && !stop.is_cancelled();
                    respond(&mut output, status, &body, request.method == "HEAD", keep_alive)?;
                    used += length;
                    continued = false;
                    if !keep_alive {
                        stream.write_all(&output)?;
                        return linger(stream);
                    }
                    deadline = None;
                    if output.len() > MAX_BODY {
                        stream.write_all(&output)?;
                        output.clear();
                    }
                }
                Ok(Parsed::Part { waits }) => {
                    if waits && !continued {
                        output.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                        continued = true;
                    }
                    break None;
                }
                Err(status) => break Some(status),
            }
        };
        if let Some(status) = refused {
            return refuse(stream, output, status);
        }
        if !output.is_empty() {
            stream.write_all(&output)?;
            output.clear();
        }

        // Keep the bytes of the next request that are there, and wait for more.
        input.copy_within(used..filled, 0);
        filled -= used;
        if filled == input.len() {
            input.resize(2 * filled, 0);
        }
        let rest = &mut input[filled..];
        let read = if filled == 0 {
            // Between two requests the server may stop. A request that has come by then is
            // answered.
            stop.run(|| stream.read(rest)).unwrap_or_else(|_| read_now(stream, rest))
        } else {
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
            match cancel::deadline(deadline, || stream.read(rest)) {
                Ok(read) => read,
                Err(_) => return refuse(stream, output, "408 Request Timeout"),
            }
        };
        match read? {
            0 => return Ok(()),
            n => filled += n,
        }
    }
}

/// Reads what has arrived.
fn read_now(mut stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    stream.set_nonblocking(true)?;
    let read = stream.read(buffer);
    stream.set_nonblocking(false)?;
    read
}

/// A request that has arrived whole.
struct Request<'a> {
    method: &'a str,
    path: &'a str,
    body: &'a [u8],
    keep_alive: bool,
}

/// The result of parsing the bytes that have arrived.
enum Parsed<'a> {
    /// A whole request, and its length in bytes.
    Whole(Request<'a>, usize),
    /// Part of a request. `waits` says whether the client waits for a `100 Continue`.
    Part { waits: bool },
}

const BAD: &str = "400 Bad Request";

impl<'a> Request<'a> {
    /// Parses the request that `bytes` begin with. Returns the status to refuse it with if it is
    /// bad.
    fn parse(bytes: &'a [u8]) -> Result<Parsed<'a>, &'static str> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        let head = match request.parse(bytes) {
            Ok(Status::Complete(head)) if head <= MAX_HEAD => head,
            Ok(Status::Partial) if bytes.len() < MAX_HEAD => return Ok(Parsed::Part { waits: false }),
            Ok(_) | Err(httparse::Error::TooManyHeaders) => {
                return Err("431 Request Header Fields Too Large");
            }
            Err(_) => return Err(BAD),
        };
        // The RFC lets a line end with a bare LF. If one reader takes that for the line's end and
        // another doesn't, a second request can hide in the first.
        let mut lines = bytes[..head].split_inclusive(|&byte| byte == b'\n');
        if !lines.all(|line| line.ends_with(b"\r\n")) {
            return Err(BAD);
        }
        let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version)
        else {
            return Err(BAD);
        };
        let path = path(method, target).ok_or(BAD)?;

        let (mut host, mut length, mut encoding) = (None, None, None);
        let (mut close, mut stay, mut waits) = (false, false, false);
        for header in &*request.headers {
            let value = header.value.trim_ascii();
            match &*header.name.to_ascii_lowercase() {
                // A field that is given twice is ambiguous.
                "host" if host.replace(value).is_some() => return Err(BAD),
                "content-length" if length.replace(value).is_some() => return Err(BAD),
                "transfer-encoding" if encoding.replace(value).is_some() => return Err(BAD),
                "connection" => {
                    for word in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                        close |= word.eq_ignore_ascii_case(b"close");
                        stay |= word.eq_ignore_ascii_case(b"keep-alive");
                    }
                }
                "expect" if !value.eq_ignore_ascii_case(b"100-continue") => {
                    return Err("417 Expectation Failed");
                }
                "expect" => waits = version == 1,
                _ => {}
            }
        }
        let in_host = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]%".contains(byte);
        if host.map_or(version == 1, |host| !host.iter().all(in_host)) {
            return Err(BAD);
        }
        match encoding {
            None => {}
            Some(_) if length.is_some() || version == 0 => return Err(BAD),
            Some(coding) if coding.eq_ignore_ascii_case(b"chunked") => return Err("411 Length Required"),
            Some(_) => return Err("501 Not Implemented"),
        }
        let length = match length {
            None => 0,
            Some(digits) if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) => return Err(BAD),
            // A number with more digits than fit is too large anyway.
            Some(digits) => {
                str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(usize::MAX)
            }
        };
        if length > MAX_BODY {
            return Err("413 Content Too Large");
        }
        let Some(body) = bytes.get(head..head + length) else { return Ok(Parsed::Part { waits }) };
        let keep_alive = !close && (stay || version == 1);
        Ok(Parsed::Whole(Request { method, path, body, keep_alive }, head + length))
    }
}

/// Returns the path that a request's target names: in origin-form, in absolute-form, or `*` where
/// that is allowed.
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

/// Appends a response to `output`, to be sent later.
fn respond(
    output: &mut Vec<u8>,
    status: &str,
    body: &[u8],
    head_only: bool,
    keep_alive: bool,
) -> io::Result<()> {
    write!(
        output,
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: {}\r\n\r\n",
        body.len(),
        if keep_alive { "keep-alive" } else { "close" },
    )?;
    if !head_only {
        output.extend_from_slice(body);
    }
    Ok(())
}

/// Sends the responses that are due, then one with `status`, and ends the connection.
fn refuse(mut stream: &TcpStream, mut output: Vec<u8>, status: &str) -> io::Result<()> {
    respond(&mut output, status, format!("{status}\n").as_bytes(), false, false)?;
    stream.write_all(&output)?;
    linger(stream)
}

/// Ends a connection so that the last response arrives. Closing a socket with unread input would
/// reset the connection, and the client might never see the response.
fn linger(mut stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut rest = [0; 4096];
    for _ in 0..64 {
        if stream.read(&mut rest)? == 0 {
            break;
        }
    }
    Ok(())
}
