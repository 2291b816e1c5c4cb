//! Bytes that two readers could take for different requests: RFC 9112, sections 2.2, 3, 5, 6, 7, 9
//! and 11. After each case comes a good request, which must be seen as one, or not at all. The
//! corpus of the example `http` has more of them.

use std::{
    io::{Read, Write},
    sync::{Arc, Mutex},
};

use greenthread::{
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};
use greenthread_http::{Request, Response, Server, StatusCode};

/// What comes after each case.
const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nhost: x\r\n\r\n";

/// What is sent, the statuses of the answers, and the requests that the handler has seen.
type Case = (&'static [u8], &'static [u16], &'static [&'static str]);

/// A request whose head has these lines, and the rest.
macro_rules! post {
    ($rest:literal) => {
        concat!("POST /read HTTP/1.1\r\nhost: x\r\n", $rest).as_bytes()
    };
}
macro_rules! chunked {
    ($rest:literal) => {
        concat!("POST /read HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", $rest).as_bytes()
    };
}
macro_rules! get {
    ($rest:literal) => {
        concat!("GET /get HTTP/1.1\r\nhost: x\r\n", $rest, "\r\n\r\n").as_bytes()
    };
}

/// Those that have one meaning.
#[rustfmt::skip]
const GOOD: &[Case] = &[
    (b"", &[200], &["/next"]),
    (b"\r\n", &[200], &["/next"]),
    (get!("a: b"), &[200, 200], &["/get", "/next"]),
    (post!("content-length: 5\r\n\r\nhello"), &[200, 200], &["/read hello", "/next"]),
    (post!("content-length: 0\r\n\r\n"), &[200, 200], &["/read ", "/next"]),
    (post!("\r\n"), &[200, 200], &["/read ", "/next"]),
    (post!("content-length: 0000000000000000005\r\n\r\nhello"), &[200, 200], &["/read hello", "/next"]),
    (post!("content-length: 5\r\ncontent-length: 5\r\n\r\nhello"), &[200, 200], &["/read hello", "/next"]),
    (post!("Transfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), &[200, 200], &["/read hello", "/next"]),
    (chunked!("0\r\n\r\n"), &[200, 200], &["/read ", "/next"]),
    (chunked!("000000\r\n\r\n"), &[200, 200], &["/read ", "/next"]),
    (chunked!("5\r\nhello\r\n00000000000000000000\r\n\r\n"), &[200, 200], &["/read hello", "/next"]),
    (chunked!("A\r\nhellohello\r\na\r\nhellohello\r\n0\r\n\r\n"), &[200, 200], &["/read hellohellohellohello", "/next"]),
    (chunked!("5;a=b\r\nhello\r\n0;c\r\n\r\n"), &[200, 200], &["/read hello", "/next"]),
    (chunked!("5;a=\"GET / HTTP/1.1\"\r\nhello\r\n0\r\n\r\n"), &[200, 200], &["/read hello", "/next"]),
    (chunked!("5\r\nhello\r\n0\r\nx: y\r\ncontent-length: 9\r\n\r\n"), &[200, 200], &["/read hello", "/next"]),
    (chunked!("5\r\n0\r\n\r\n\r\n0\r\n\r\n"), &[200, 200], &["/read 0\r\n\r\n", "/next"]),
    // Space after a chunk's size was allowed once. It can't be anything else.
    (chunked!("5 \r\nhello\r\n0\r\n\r\n"), &[200, 200], &["/read hello", "/next"]),
    // A body that nobody reads is no request.
    (b"GET /get HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello", &[200, 200], &["/get", "/next"]),
    (b"GET /get HTTP/1.1\r\nhost: x\r\ncontent-length: 40\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: smuggle\r\n\r\n", &[200, 200], &["/get", "/next"]),
    (b"HEAD /get HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello", &[200, 200], &["/get", "/next"]),
    // A length beside a coding does not count, and the connection ends.
    (post!("content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"), &[200], &["/read "]),
    (post!("transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n"), &[200], &["/read "]),
    (post!("content-length: 0\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), &[200], &["/read hello"]),
    (post!("content-length: 5\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"), &[200], &["/read "]),
    // The target names the host, whatever the header says.
    (b"GET http://a/get HTTP/1.1\r\nhost: x\r\n\r\n", &[200, 200], &["/get at a", "/next"]),
    (b"GET http://a:80/get HTTP/1.1\r\nhost: a\r\n\r\n", &[200, 200], &["/get at a:80", "/next"]),
    (b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n", &[200, 200], &["*", "/next"]),
    (b"GET //a/get HTTP/1.1\r\nhost: x\r\n\r\n", &[200, 200], &["//a/get", "/next"]),
    // A bare LF ends a line (2.2).
    (b"GET /get HTTP/1.1\nhost: x\n\n", &[200, 200], &["/get", "/next"]),
    (b"GET /get HTTP/1.1\r\nhost: x\na: b\r\n\r\n", &[200, 200], &["/get", "/next"]),
    (b"\n\nGET /get HTTP/1.1\r\nhost: x\r\n\r\n", &[200, 200], &["/get", "/next"]),
    // The connection ends.
    (get!("connection: close"), &[200], &["/get"]),
    (get!("connection: close, keep-alive"), &[200], &["/get"]),
    (get!("connection: close\r\nconnection: keep-alive"), &[200], &["/get"]),
    (b"GET /get HTTP/1.0\r\n\r\n", &[200], &["/get"]),
    (b"GET /get HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", &[200, 200], &["/get", "/next"]),
    // Nobody takes the offer, so what follows is a request.
    (get!("connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__"), &[200, 200], &["/get", "/next"]),
    (get!("connection: upgrade\r\nupgrade: websocket"), &[200, 200], &["/get", "/next"]),
    // A bare LF does not end trailers. What follows is taken for more of them, not for a request.
    (chunked!("5\r\nhello\r\n0\r\n\n"), &[200], &["/read hello"]),
    (chunked!("5\r\nhello\r\n0\r\nx: y\n\n"), &[200], &["/read hello"]),
    // Headers that only look like the ones that count.
    (post!("content_length: 5\r\n\r\n"), &[200, 200], &["/read ", "/next"]),
    (post!("x-transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\nhello"), &[200, 200], &["/read hello", "/next"]),
    (post!("a: content-length: 50\r\n\r\n"), &[200, 200], &["/read ", "/next"]),
];

/// Those that are refused, and end the connection.
#[rustfmt::skip]
const BAD: &[&[u8]] = &[
    // Two lengths.
    post!("content-length: 5\r\ncontent-length: 6\r\n\r\nhello"),
    post!("content-length: 0\r\ncontent-length: 44\r\n\r\n"),
    post!("content-length: 5\r\nContent-Length: 05, 6\r\n\r\nhello"),
    post!("content-length: 5, 6\r\n\r\nhello"),
    post!("content-length: 5,5\r\n\r\nhello"),
    post!("content-length: 5\r\na: b\r\ncontent-length: \r\n\r\nhello"),
    // Lengths that are none.
    post!("content-length: -5\r\n\r\nhello"),
    post!("content-length: +5\r\n\r\nhello"),
    post!("content-length: 5;\r\n\r\nhello"),
    post!("content-length: 5 0\r\n\r\nhello"),
    post!("content-length: 1e1\r\n\r\nhello"),
    post!("content-length: 0x5\r\n\r\nhello"),
    post!("content-length: \"5\"\r\n\r\nhello"),
    post!("content-length: 5_0\r\n\r\nhello"),
    post!("content-length: \u{665}\r\n\r\nhello"),
    post!("content-length: 184467440737095516160\r\n\r\nhello"),
    // Codings that only look like chunked.
    post!("transfer-encoding: chunke\r\n\r\n0\r\n\r\n"),
    post!("transfer-encoding: chunkedx\r\n\r\n0\r\n\r\n"),
    post!("transfer-encoding: xchunked\r\n\r\n0\r\n\r\n"),
    post!("transfer-encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
    post!("transfer-encoding: 'chunked'\r\n\r\n0\r\n\r\n"),
    post!("transfer-encoding: chunked;q=1\r\n\r\n0\r\n\r\n"),
    post!("transfer-encoding: chunked identity\r\n\r\n0\r\n\r\n"),
    post!("transfer-encoding: identity\r\n\r\n"),
    post!("transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    post!("transfer-encoding: identity\r\ncontent-length: 5\r\n\r\nhello"),
    post!("transfer-encoding: \r\ncontent-length: 5\r\n\r\nhello"),
    post!("transfer-encoding: \u{b}chunked\r\n\r\n0\r\n\r\n"),
    post!("transfer-encoding: chunked\u{c}\r\n\r\n0\r\n\r\n"),
    post!("transfer-encoding: chunked\u{0}\r\n\r\n0\r\n\r\n"),
    post!("transfer-encoding: \u{a0}chunked\r\n\r\n0\r\n\r\n"),
    post!("transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n"),
    post!("transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    post!("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    b"POST /read HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /read HTTP/1.0\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    // Names of headers.
    post!("transfer-encoding : chunked\r\n\r\n0\r\n\r\n"),
    post!("content-length : 5\r\n\r\nhello"),
    post!("content-length\t: 5\r\n\r\nhello"),
    post!(" content-length: 5\r\n\r\nhello"),
    post!("content length: 5\r\n\r\nhello"),
    post!("content-length\r\n\r\nhello"),
    post!("\u{0}content-length: 5\r\n\r\nhello"),
    post!("content-length\u{0}: 5\r\n\r\nhello"),
    post!(": content-length: 5\r\n\r\nhello"),
    post!("(a): b\r\n\r\n"),
    // Lines that go on, and lines that end with something else.
    post!("a: b\r\n content-length: 5\r\n\r\nhello"),
    post!("transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    post!("a: b\r\n\tc\r\n\r\n"),
    post!("a: b\rcontent-length: 5\r\n\r\nhello"),
    post!("a: b\r\rcontent-length: 5\r\n\r\nhello"),
    post!("a: b\r\n\rcontent-length: 5\r\n\r\nhello"),
    post!("a: b\u{0}\r\n\r\n"),
    post!("a: \u{7f}\r\n\r\n"),
    b"GET /get HTTP/1.1\rhost: x\r\n\r\n",
    b"GET /get\0 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /get HTTP/1.1\0\r\nhost: x\r\n\r\n",
    b"GET /get HTTP/1.1\r\n\r\nhost: x\r\n\r\n",
    // The first line.
    b"GET /get\r\nhost: x\r\n\r\n",
    b"GET\r\n\r\n",
    b"/get HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /get HTTP/1.1 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /get  HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET  /get HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET\x0b/get HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /get HTTP/1.2\r\nhost: x\r\n\r\n",
    b"GET /get HTTP/2.0\r\nhost: x\r\n\r\n",
    b"GET /get HTTP/0.9\r\nhost: x\r\n\r\n",
    b"GET /get HTTP/01.1\r\nhost: x\r\n\r\n",
    b"GET /get HTTP/1.1x\r\nhost: x\r\n\r\n",
    b"GET /get HTTPS/1.1\r\nhost: x\r\n\r\n",
    b"GE\x01T /get HTTP/1.1\r\nhost: x\r\n\r\n",
    b"\xef\xbb\xbfGET /get HTTP/1.1\r\nhost: x\r\n\r\n",
    b"\0GET /get HTTP/1.1\r\nhost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
    // Whose request it is.
    b"GET /get HTTP/1.1\r\n\r\n",
    b"GET http://x/get HTTP/1.1\r\n\r\n",
    b"GET /get HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
    b"GET /get HTTP/1.1\r\nhost: x\r\nHost: x\r\n\r\n",
    b"GET /get HTTP/1.0\r\nhost: x\r\nhost: y\r\n\r\n",
    b"GET /get HTTP/1.1\r\nhost: x, y\r\n\r\n",
    b"GET /get HTTP/1.1\r\nhost: x/get\r\n\r\n",
    b"GET /get HTTP/1.1\r\nhost: a@x\r\n\r\n",
    b"GET /get HTTP/1.1\r\nhost: x?y\r\n\r\n",
    b"GET /get HTTP/1.1\r\nhost: x#y\r\n\r\n",
    b"GET /get HTTP/1.1\r\nhost: \xe9\r\n\r\n",
    b"GET http://a@x/get HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET file:///get HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET gopher://x/get HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET x:80 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET get HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET * HTTP/1.1\r\nhost: x\r\n\r\n",
    b"CONNECT / HTTP/1.1\r\nhost: x\r\n\r\n",
    b"CONNECT http://x:80/ HTTP/1.1\r\nhost: x\r\n\r\n",
];

/// Bodies in wrong chunks: the handler learns that from reading, and the connection ends.
#[rustfmt::skip]
const BAD_CHUNKS: &[&[u8]] = &[
    chunked!("\r\nhello\r\n0\r\n\r\n"),
    chunked!("-5\r\nhello\r\n0\r\n\r\n"),
    chunked!("+5\r\nhello\r\n0\r\n\r\n"),
    chunked!("0x5\r\nhello\r\n0\r\n\r\n"),
    chunked!("5_0\r\nhello\r\n0\r\n\r\n"),
    chunked!("5g\r\nhello\r\n0\r\n\r\n"),
    chunked!(" 5\r\nhello\r\n0\r\n\r\n"),
    chunked!("5 5\r\nhello\r\n0\r\n\r\n"),
    chunked!("5\u{b}\r\nhello\r\n0\r\n\r\n"),
    chunked!("5\u{0}\r\nhello\r\n0\r\n\r\n"),
    chunked!(";5\r\nhello\r\n0\r\n\r\n"),
    chunked!("5\nhello\r\n0\r\n\r\n"),
    chunked!("5\rhello\r\n0\r\n\r\n"),
    chunked!("5\r\r\nhello\r\n0\r\n\r\n"),
    chunked!("5;a\nhello\r\n0\r\n\r\n"),
    chunked!("5;a\rb\r\nhello\r\n0\r\n\r\n"),
    chunked!("5;\n\r\nhello\r\n0\r\n\r\n"),
    chunked!("5\r\nhello0\r\n\r\n"),
    chunked!("5\r\nhello\n0\r\n\r\n"),
    chunked!("5\r\nhello\r0\r\n\r\n"),
    chunked!("5\r\nhello!\r\n0\r\n\r\n"),
    chunked!("4\r\nhello\r\n0\r\n\r\n"),
    chunked!("6\r\nhello\r\n0\r\n\r\n"),
    chunked!("5\r\nhello\r\n0\n\r\n"),
    chunked!("5\r\nhello\r\n0\r\nx y\r\n\r\n"),
    chunked!("5\r\nhello\r\n0\r\nx : y\r\n\r\n"),
    chunked!("5\r\nhello\r\n0\r\n x: y\r\n\r\n"),
    // 2^64 and a bit.
    chunked!("10000000000000005\r\nhello\r\n0\r\n\r\n"),
    chunked!("ffffffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
];

/// Other statuses.
#[rustfmt::skip]
const OTHERS: &[Case] = &[
    (post!("transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), &[501], &[]),
    (post!("transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), &[501], &[]),
    (post!("transfer-encoding: ,chunked\r\n\r\n0\r\n\r\n"), &[501], &[]),
    (post!("transfer-encoding: identity, chunked\r\n\r\n0\r\n\r\n"), &[501], &[]),
    (post!("expect: miracles\r\ncontent-length: 5\r\n\r\nhello"), &[417], &[]),
    (post!("expect: 100-continue\r\nexpect: 200-ok\r\ncontent-length: 5\r\n\r\nhello"), &[417], &[]),
    // After what was refused nothing is read, as good as it may be.
    (b"GET /get HTTP/1.1\r\nhost: x\r\n\r\nGET /bad HTTP/1.1\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n", &[200, 400], &["/get"]),
    (b"GET /get HTTP/1.1\r\nhost: x\r\n\r\ngarbage\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n", &[200, 400], &["/get"]),
    (b"POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nhell ", &[200, 400], &["/read hell"]),
    // A body that nobody reads, and that is not as it should be.
    (b"GET /get HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n", &[200], &["/get"]),
];

/// Remembers the requests that it gets.
fn handler(seen: Arc<Mutex<Vec<String>>>) -> impl Fn(Request) -> Response + Send + Sync + 'static {
    move |mut request| {
        let mut what = request.uri().path().to_owned();
        if let Some(host) = request.uri().host() {
            assert!(request.headers()["host"].to_str().unwrap().starts_with(host));
            what = format!("{what} at {}", request.uri().authority().unwrap());
        }
        let mut status = StatusCode::OK;
        if what == "/read" {
            let mut body = String::new();
            match request.body_mut().read_to_string(&mut body) {
                Ok(_) => what = format!("{what} {body}"),
                Err(_) => {
                    status = StatusCode::BAD_REQUEST;
                    what = format!("{what} in vain");
                }
            }
        }
        seen.lock().unwrap().push(what);
        Response::builder().status(status).body("".into()).unwrap()
    }
}

/// Sends bytes to a server of its own, and returns the statuses and what the handler has seen.
fn ask(sent: &[u8]) -> (Vec<u16>, Vec<String>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::new().header_timeout(Duration::from_millis(300));
    let server = {
        let handler = handler(seen.clone());
        thread::spawn(move || server.serve(listener, handler))
    };
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(sent).unwrap();
    let mut answers = Vec::new();
    stream.read_to_end(&mut answers).unwrap();
    drop(stream);
    server.cancel();
    assert!(server.join().is_err());
    let answers = String::from_utf8(answers).unwrap();
    // `HTTP/1.1 200 OK`
    let statuses = answers.split("HTTP/1.").skip(1).map(|answer| answer[2..5].parse().unwrap()).collect();
    (statuses, Arc::into_inner(seen).unwrap().into_inner().unwrap())
}

#[test]
fn no_request_is_smuggled() {
    let others = GOOD.iter().chain(OTHERS).copied();
    let bad = BAD.iter().map(|sent| (*sent, &[400][..], &[][..]));
    let bad_chunks = BAD_CHUNKS.iter().map(|sent| (*sent, &[400][..], &["/read in vain"][..]));
    let threads: Vec<_> = others
        .chain(bad)
        .chain(bad_chunks)
        .map(|(sent, statuses, requests)| {
            thread::spawn(move || {
                let (got, seen) = ask(&[sent, NEXT].concat());
                if got == statuses && seen == requests {
                    return None;
                }
                let sent = sent.escape_ascii();
                Some(format!("{got:?} {seen:?} instead of {statuses:?} {requests:?}: {sent:.200}"))
            })
        })
        .collect();
    let count = threads.len();
    let wrong: Vec<_> = threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect();
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
