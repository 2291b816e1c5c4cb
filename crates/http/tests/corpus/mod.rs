//! Requests of faulty or hostile clients, and the statuses with which two servers answer: the
//! example `http`, on `greenthread-http`, and the server in `programs`, which has a parser of its
//! own. After each request its client sends no more, and reads to the end. To the second server it
//! says so; the first one would take that for a client that has gone.
//!
//! Most are ways to make two readers of the same bytes see different requests: RFC 9112, sections
//! 2.2, 3, 5, 6, 7 and 11.

/// The bytes of a request, and the statuses of the two servers' answers.
pub(crate) struct Case {
    pub(crate) sent: Vec<u8>,
    #[allow(dead_code, reason = "each test has one server")]
    pub(crate) example: Vec<u16>,
    #[allow(dead_code, reason = "each test has one server")]
    pub(crate) program: Vec<u16>,
}

fn case(sent: impl AsRef<[u8]>, example: &[u16], program: &[u16]) -> Case {
    Case { sent: sent.as_ref().to_vec(), example: example.to_vec(), program: program.to_vec() }
}

/// A good request, to follow another one.
const NEXT: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// Requests that both servers answer alike.
#[rustfmt::skip]
const SAME: &[(&[u8], &[u16])] = &[
    // Unusual, but good.
    (b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n", &[200, 200]),
    (b"\r\nGET / HTTP/1.1\r\nhost:\r\n\r\n", &[200]),
    (b"GET http://x/ HTTP/1.1\r\nhost: y\r\n\r\n", &[200]),
    (b"GET HTTP://x HTTP/1.1\r\nhost: y\r\n\r\n", &[200]),
    (b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n", &[404]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: \t005 \r\n\r\nhello", &[200]),
    (b"HEAD / HTTP/1.1\r\nhost: [::1]:80\r\n\r\n", &[200]),
    // How long the connection lasts.
    (b"GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n", &[200]),
    (b"GET / HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\nGET / HTTP/1.0\r\n\r\n", &[200, 200]),
    (b"GET / HTTP/1.0\r\nconnection: keep-alive, close\r\n\r\nGET / HTTP/1.0\r\n\r\n", &[200]),
    (b"GET / HTTP/1.1\r\nhost: x\r\nconnection: keep-alive , Close\r\n\r\nGET / HTTP/1.0\r\n\r\n", &[200]),
    (b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nconnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n", &[200]),
    (b"GET / HTTP/1.1\r\nhost: x\r\nconnection: closed, foreclose\r\n\r\nGET / HTTP/1.0\r\n\r\n", &[200, 200]),
    // The client waits for the status 100.
    (b"GET / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\r\n", &[200]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 99999999\r\n\r\n", &[413]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\nexpect: miracles\r\ncontent-length: 5\r\n\r\nhello", &[417]),
    // Half a request.
    (b"", &[]),
    // The first line.
    (b"\0\0\0\0\r\n\r\n", &[400]),
    (b"garbage\r\n\r\n", &[400]),
    (b"GET /\r\n\r\n", &[400]),
    (b"GET / HTTP/1.1 \r\nhost: x\r\n\r\n", &[400]),
    (b"GET  / HTTP/1.1\r\nhost: x\r\n\r\n", &[400]),
    (b"GET /  HTTP/1.1\r\nhost: x\r\n\r\n", &[400]),
    (b"GET\t/ HTTP/1.1\r\nhost: x\r\n\r\n", &[400]),
    (b" GET / HTTP/1.1\r\nhost: x\r\n\r\n", &[400]),
    (b"GET /a b HTTP/1.1\r\nhost: x\r\n\r\n", &[400]),
    (b"G(T / HTTP/1.1\r\nhost: x\r\n\r\n", &[400]),
    (b"GET / http/1.1\r\nhost: x\r\n\r\n", &[400]),
    (b"GET / HTTP/1.10\r\nhost: x\r\n\r\n", &[400]),
    (b"GET / HTTP/9.9\r\nhost: x\r\n\r\n", &[400]),
    (b"GET x HTTP/1.1\r\nhost: x\r\n\r\n", &[400]),
    (b"GET * HTTP/1.1\r\nhost: x\r\n\r\n", &[400]),
    (b"GET /\xe9 HTTP/1.1\r\nhost: x\r\n\r\n", &[400]),
    (b"GET /\x7f HTTP/1.1\r\nhost: x\r\n\r\n", &[400]),
    (b"GET http:///a HTTP/1.1\r\nhost: x\r\n\r\n", &[400]),
    (b"GET ftp://x/ HTTP/1.1\r\nhost: x\r\n\r\n", &[400]),
    // Line ends.
    (b"GET / HTTP/1.1\r\nhost: x\r\na: b\rc: d\r\n\r\n", &[400]),
    (b"GET / HTTP/1.1\r\nhost: x\r\na: b\0c\r\n\r\n", &[400]),
    (b"GET / HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n", &[400]),
    (b"GET / HTTP/1.1\r\n host: x\r\n\r\n", &[400]),
    // Header names.
    (b"GET / HTTP/1.1\r\nhost : x\r\n\r\n", &[400]),
    (b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length : 5\r\n\r\nhello", &[400]),
    (b"GET / HTTP/1.1\r\nhost: x\r\nno colon\r\n\r\n", &[400]),
    (b"GET / HTTP/1.1\r\nhost: x\r\n: nameless\r\n\r\n", &[400]),
    (b"GET / HTTP/1.1\r\nhost: x\r\n\xc2\xa0a: b\r\n\r\n", &[400]),
    // The host header.
    (b"GET / HTTP/1.1\r\n\r\n", &[400]),
    (b"GET / HTTP/1.1\r\nhost: x\r\nhost: x\r\n\r\n", &[400]),
    (b"GET / HTTP/1.0\r\nhost: x\r\nhost: y\r\n\r\n", &[400]),
    (b"GET / HTTP/1.1\r\nhost: x y\r\n\r\n", &[400]),
    (b"GET / HTTP/1.1\r\nhost: x/y\r\n\r\n", &[400]),
    (b"GET / HTTP/1.1\r\nhost: x@y\r\n\r\n", &[400]),
    // The content length.
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5, 5\r\n\r\nhello", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5 5\r\n\r\nhello", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length:\r\n\r\nhello", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\nhello", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: +5\r\n\r\nhello", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\nhello", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5.0\r\n\r\nhello", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 0x5\r\n\r\nhello", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\xc2\xa0\r\n\r\nhello", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: \xc2\xa05\r\n\r\nhello", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\xa0\r\n\r\nhello", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: \xd9\xa5\r\n\r\nhello", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 4294967301\r\n\r\nhello", &[413]),
    // The transfer coding.
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ntransfer-encoding: x\r\n\r\n0\r\n\r\n", &[400]),
    (b"POST /echo HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n", &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", &[501]),
];

/// Requests that they answer differently.
#[rustfmt::skip]
const DIFFERENT: &[(&[u8], &[u16], &[u16])] = &[
    // Half a request. The example waits for the rest, and has no end of the client's input to see.
    (b"POST /echo HTTP/1.1\r\nhost: x\r\nexpect: 100-Continue\r\ncontent-length: 5\r\n\r\n", &[100, 408], &[100]),
    (b"POST /echo HTTP/1.0\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n", &[408], &[]),
    (b"GET / HTT", &[408], &[]),
    (b"GET / HTTP/1.1\r\nhost: x\r\n", &[408], &[]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhell", &[408], &[]),
    // The example speaks HTTP/2.
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[], &[400]),
    // hyper takes off what no request should have there.
    (b"GET /#top HTTP/1.1\r\nhost: x\r\n\r\n", &[200], &[400]),
    // The example leaves it to its handler.
    (b"CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n", &[404], &[400]),
    // A bare LF may end a line, says the RFC.
    (b"GET / HTTP/1.1\nhost: x\r\n\r\n", &[200], &[400]),
    (b"GET / HTTP/1.1\r\nhost: x\n\r\n", &[200], &[400]),
    (b"GET / HTTP/1.1\r\nhost: x\r\n\n", &[200], &[400]),
    (b"GET / HTTP/1.1\nhost: x\n\n", &[200], &[400]),
    (b"\nGET / HTTP/1.1\r\nhost: x\r\n\r\n", &[200], &[400]),
    // So may a length be given twice, if it is the same.
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello", &[200], &[400]),
    // Too large in any case.
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n", &[400], &[413]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 18446744073709551615\r\n\r\n", &[431], &[413]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 18446744073709551621\r\n\r\nhello", &[400], &[413]),
    // The length does not count, and the connection ends.
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", &[200], &[400]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n", &[200], &[400]),
    // A body of a coding that does not end with `chunked` has no end.
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: \xc2\xa0chunked\r\n\r\n0\r\n\r\n", &[400], &[501]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n", &[400], &[501]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: identity\r\n\r\n", &[400], &[501]),
    (b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding:\r\n\r\n", &[400], &[501]),
];

/// Chunked bodies. A good request follows each.
#[rustfmt::skip]
const CHUNKED: &[(&str, &[u16], &[u16])] = &[
    ("5\r\nhello\r\n0\r\n\r\n", &[200, 200], &[200, 200]),
    ("5;a=b\r\nhello\r\n000\r\nx: y\r\n\r\n", &[200, 200], &[200, 200]),
    ("5\r\nhello\r\n0\r\nx y\r\n\r\n", &[400], &[400]),
    ("5\r\nhello\r\n0\r\n x: y\r\n\r\n", &[400], &[400]),
    ("5\nhello\r\n0\r\n\r\n", &[400], &[400]),
    ("5\r\nhello\n0\r\n\r\n", &[400], &[400]),
    ("5\r\nhello0\r\n\r\n", &[400], &[400]),
    ("5\r\nhello!\r\n0\r\n\r\n", &[400], &[400]),
    ("5 \r\nhello\r\n0\r\n\r\n", &[200, 200], &[400]),
    (" 5\r\nhello\r\n0\r\n\r\n", &[400], &[400]),
    ("+5\r\nhello\r\n0\r\n\r\n", &[400], &[400]),
    ("-5\r\nhello\r\n0\r\n\r\n", &[400], &[400]),
    ("0x5\r\nhello\r\n0\r\n\r\n", &[400], &[400]),
    ("5g\r\nhello\r\n0\r\n\r\n", &[400], &[400]),
    (";5\r\nhello\r\n0\r\n\r\n", &[400], &[400]),
    ("\r\nhello\r\n0\r\n\r\n", &[400], &[400]),
    ("ffffffffffffffff\r\nhello\r\n0\r\n\r\n", &[408], &[413]),
    ("10000000000000005\r\nhello\r\n0\r\n\r\n", &[400], &[413]),
    ("7fffffff\r\nhello\r\n0\r\n\r\n", &[408], &[413]),
];

/// All cases.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = SAME.iter().map(|(sent, answers)| case(sent, answers, answers)).collect();
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: Chunked\r\n\r\n";
    cases.extend(DIFFERENT.iter().map(|(sent, example, program)| case(sent, example, program)));
    let chunked = |body: &str| format!("{head}{body}{NEXT}");
    cases.extend(CHUNKED.iter().map(|(body, example, program)| case(chunked(body), example, program)));

    // Too much of one thing.
    let with = |fields: String| format!("GET / HTTP/1.1\r\nhost: x\r\n{fields}\r\n\r\n");
    cases.extend([
        case(with(format!("a: {}", "b".repeat(20_000))), &[431], &[431]),
        case(with(format!("a: {}", "b".repeat(1 << 20))), &[431], &[431]),
        case(with(["a: b"; 1000].join("\r\n")), &[431], &[431]),
        case(format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(1 << 20)), &[431], &[431]),
        case("G".repeat(1 << 20), &[431], &[431]),
        case("\r\n".repeat(10_000), &[431], &[400]),
        case(format!("{head}1;{}\r\n", "a".repeat(20_000)), &[400], &[431]),
        // TLS. The second server waits for the end of a line, which does not come.
        case(b"\x16\x03\x01\x02\x00\x01\x00\x01", &[400], &[]),
    ]);
    cases
}

/// The statuses of the answers in what a server has sent. (No body looks like an answer.)
pub(crate) fn statuses(sent: &[u8]) -> Vec<u16> {
    let sent = String::from_utf8_lossy(sent);
    sent.split("HTTP/1.").skip(1).map(|answer| answer[2..5].parse().expect("a status")).collect()
}
