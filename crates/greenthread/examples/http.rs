//! An HTTP/1.1 server: `cargo run --release --example http`, then `curl -i localhost:8080`.
//!
//! Plain blocking code; each client has a green thread of its own. It keeps connections alive, answers
//! pipelined requests in one write, and is not moved by garbage, by half a request, or by a client that
//! vanishes. What two readers could take for different requests (RFC 9112, section 11) it refuses. Ctrl-C ends
//! it in good order.

mod serve;

use std::{
    io::{self, ErrorKind, Read, Write},
    process::ExitCode,
};

use greenthread::{
    net::{Shutdown, TcpStream},
    thread,
    time::{Duration, Instant},
};
use httparse::Status;

/// The longest head of a request that we read.
const MAX_HEAD: usize = 16 * 1024;
/// The longest body.
const MAX_BODY: usize = 64 * 1024;
/// From a request's first byte to its last, and for each write.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between requests.
const IDLE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    serve::main("http", "127.0.0.1:8080", http)
}

/// What the server does: a method, a path and a body in, a status and a body out.
fn answer(request: &Request<'_>) -> (&'static str, Vec<u8>) {
    match (request.method, request.path) {
        ("GET" | "HEAD", "/") => ("200 OK", b"Hello from a green thread!\n".into()),
        ("POST", "/echo") => ("200 OK", request.body.into()),
        ("GET" | "HEAD", path) if path.starts_with("/sleep/") => match path["/sleep/".len()..].parse() {
            Ok(milliseconds @ 0..=60_000) => {
                // Blocks this connection's green thread; the others go on.
                thread::sleep(Duration::from_millis(milliseconds));
                ("200 OK", b"That was refreshing.\n".into())
            }
            _ => ("400 Bad Request", b"Sleep for 0 to 60000 milliseconds.\n".into()),
        },
        _ => ("404 Not Found", b"There are /, /sleep/250, and /echo for a POST.\n".into()),
    }
}

/// One connection, from its first request to its last.
fn http(mut stream: &TcpStream, server: &serve::Server) -> io::Result<()> {
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
                    let keep_alive = request.keep_alive && !server.stopping();
                    respond(&mut output, status, &body, request.method == "HEAD", keep_alive)?;
                    used += length;
                    continued = false;
                    if !keep_alive {
                        stream.write_all(&output)?;
                        return linger(stream);
                    }
                    if deadline.take().is_some() {
                        stream.set_read_timeout(Some(IDLE))?;
                    }
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

        // Keep what there is of the next one, and wait for more of it.
        input.copy_within(used..filled, 0);
        filled -= used;
        if filled == input.len() {
            input.resize(2 * filled, 0);
        }
        if filled > 0 {
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return refuse(stream, output, "408 Request Timeout");
            }
            stream.set_read_timeout(Some(left))?;
        }
        match stream.read(&mut input[filled..]) {
            Ok(0) => return Ok(()),
            Ok(n) => filled += n,
            // Which of the two it is depends on the system. An idle client is let go without a word.
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) && filled > 0 => {}
            Err(e) => return Err(e),
        }
    }
}

/// A request that has arrived whole.
struct Request<'a> {
    method: &'a str,
    path: &'a str,
    body: &'a [u8],
    keep_alive: bool,
}

/// What some bytes begin with.
enum Parsed<'a> {
    /// A request, and its length.
    Whole(Request<'a>, usize),
    /// Part of a request, whose client may wait to be told to go on.
    Part { waits: bool },
}

const BAD: &str = "400 Bad Request";

impl<'a> Request<'a> {
    /// What `bytes` begin with, or the status with which it is refused.
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
        // A line may end with a bare LF, says the RFC. Where one reader ends it there and another one doesn't, a request hides.
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
                // Said twice, it could be either.
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
            // More digits than fit are too many bytes, too.
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

/// The path that a request's target names: in origin-form, in absolute-form, or `*` where that may be.
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

/// Writes an answer down, to be sent later.
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

/// Sends what is owed, then says no.
fn refuse(mut stream: &TcpStream, mut output: Vec<u8>, status: &str) -> io::Result<()> {
    respond(&mut output, status, format!("{status}\n").as_bytes(), false, false)?;
    stream.write_all(&output)?;
    linger(stream)
}

/// Ends a connection so that the last answer arrives: closing a socket with unread input would reset the
/// connection, and the client might never see it.
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
