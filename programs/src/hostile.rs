//! Clients that err or mean harm: their input, and the answer of each server. A server always goes
//! on.

use std::{
    io::{BufReader, Cursor, ErrorKind, Read, Write},
    sync::Arc,
    time::Duration,
};

use super::{
    chat, http,
    lib::{
        net::{Shutdown, SocketAddr, TcpListener, TcpStream},
        sync::{
            atomic::{AtomicUsize, Ordering},
            mpsc::channel,
        },
        thread,
    },
    limits::{Sessions, append, digits, line},
    redis, tls,
};
use crate::Result;

#[path = "../../crates/http/tests/corpus/mod.rs"]
mod corpus;

/// Sends the input and no more, and reads to the end.
fn ask(address: SocketAddr, sent: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    // The server closes the connection before an input that is too long has ended.
    _ = stream.write_all(sent).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answers = Vec::new();
    _ = stream.read_to_end(&mut answers);
    Ok(answers)
}

fn shown(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(200)].escape_ascii().to_string()
}

/// Closes the connection with a reset, as if the client had vanished.
fn vanish(stream: TcpStream, unread: usize) -> Result {
    // Unread input makes a close a reset.
    stream.peek(&mut vec![0; unread])?;
    Ok(())
}

pub fn http() -> Result {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let stop = Arc::new(AtomicUsize::new(0));
    let server = {
        let stop = stop.clone();
        thread::spawn(move || http::serve(&listener, &stop))
    };
    for corpus::Case { sent, program, .. } in corpus::cases() {
        let answers = corpus::statuses(&ask(address, &sent)?);
        assert_eq!(answers, program, "to {}", shown(&sent));
    }
    // The client is told to go on, once, before the body.
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(
        b"POST /echo HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n",
    )?;
    let mut told = [0; 25];
    stream.read_exact(&mut told)?;
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"5\r\nhello\r\n0\r\n\r\n")?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhello"), "{answer}");

    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")?;
    vanish(stream, 1)?;
    stop.store(1, Ordering::Release);
    drop(TcpStream::connect(address)?);
    server.join().expect("no panic");
    Ok(())
}

/// An input to the Redis server, and its whole answer.
const REDIS: &[(&str, &str)] = &[
    ("", ""),
    ("\r\n\r\nPING\r\n", "+PONG\r\n"),
    ("PING\n", "+PONG\r\n"),
    ("*0\r\n*-1\r\nPING\r\n", "+PONG\r\n"),
    ("*1\r\n$4\r\nPING\r\n", "+PONG\r\n"),
    // Half of one.
    ("PIN", ""),
    ("*2\r\n$4\r\nECHO\r\n", ""),
    ("*1\r\n$4\r\nPI", ""),
    ("*2\r\n$4\r\nECHO\r\n$536870912\r\nsoon", ""),
    ("*1048576\r\n$4\r\nPING\r\n", ""),
    // The number of strings.
    ("*1048577\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
    ("*99999999999999999999999\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
    ("*many\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
    ("*+1\r\n$4\r\nPING\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
    ("* 1\r\n$4\r\nPING\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
    ("*1\u{a0}\r\n$4\r\nPING\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
    ("*\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
    ("*1\n$4\nPING\n", "-ERR Protocol error: invalid multibulk length\r\n"),
    // The length of a string.
    ("*1\r\n$536870913\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    ("*1\r\n$9223372036854775807\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    ("*1\r\n$18446744073709551615\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    ("*1\r\n$99999999999999999999999\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    ("*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    ("*1\r\n$+4\r\nPING\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    ("*1\r\n$4\u{a0}\r\nPING\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    ("*1\r\n$\r\n\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    ("*1\r\n$4\nPING\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    ("*1\r\nPING\r\n", "-ERR Protocol error: expected '$', got 'P'\r\n"),
    ("*2\r\n$4\r\nECHO\r\n*1\r\n$1\r\na\r\n", "-ERR Protocol error: expected '$', got '*'\r\n"),
    ("*1\r\n$3\r\nPING\r\n", "-ERR Protocol error: a string has another end than its length says\r\n"),
    // Commands before the error are answered, and those behind it are not.
    ("PING\r\n*x\r\nPING\r\n", "+PONG\r\n-ERR Protocol error: invalid multibulk length\r\n"),
    // Numbers.
    ("BLPOP z nan\r\n", "-ERR timeout is not a float or out of range\r\n"),
    ("BLPOP z soon\r\n", "-ERR timeout is not a float or out of range\r\n"),
    ("BLPOP z -1\r\n", "-ERR timeout is negative\r\n"),
    ("BLPOP z -0.001\r\n", "-ERR timeout is negative\r\n"),
    ("BLPOP z inf\r\n", "-ERR timeout is out of range\r\n"),
    ("BLPOP z 1e300\r\n", "-ERR timeout is out of range\r\n"),
    ("BLPOP z 0.001\r\nDBSIZE\r\n", "*-1\r\n:0\r\n"),
    ("ZADD z nan a\r\nLPOP z\r\nDBSIZE\r\n", "-ERR value is not a valid float\r\n$-1\r\n:0\r\n"),
    (
        "SET n 9223372036854775807\r\nINCR n\r\nDEL n\r\n",
        "+OK\r\n-ERR increment or decrement would overflow\r\n:1\r\n",
    ),
    (
        "RPUSH l a b\r\nLRANGE l -9223372036854775808 9223372036854775807\r\nLRANGE l 0 -3\r\nDEL l\r\n",
        ":2\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n*0\r\n:1\r\n",
    ),
    ("NOSUCH\r\n", "-ERR unknown command, or wrong arguments: NOSUCH\r\n"),
    // The client sends no more. For Redis that means that it has gone.
    ("BLPOP z 0\r\n", "*-1\r\n"),
    ("RPUSH l a\r\nBLPOP l 0\r\nDBSIZE\r\n", ":1\r\n*2\r\n$1\r\nl\r\n$1\r\na\r\n:0\r\n"),
];

pub fn redis() -> Result {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || redis::serve(listener));
    let check = |sent: &[u8], expected: &str| -> Result {
        let answers = ask(address, sent)?;
        assert_eq!(String::from_utf8_lossy(&answers), expected, "to {}", shown(sent));
        Ok(())
    };
    for (sent, expected) in REDIS {
        check(sent.as_bytes(), expected)?;
    }
    check(&[b'x'; 1 << 20], "-ERR Protocol error: too big inline request\r\n")?;
    let long = format!("*1\r\n${}", "1".repeat(1 << 20));
    check(long.as_bytes(), "-ERR Protocol error: too big bulk count string\r\n")?;
    check(
        b"\x16\x03\x01\xff\xfe\r\n",
        "-ERR unknown command, or wrong arguments: \u{16}\u{3}\u{1}\u{fffd}\u{fffd}\r\n",
    )?;

    // Many clients that announce much and send nothing.
    let greedy = (0..200).map(|_| {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"*1048576\r\n$536870912\r\n")?;
        Ok(stream)
    });
    let greedy = greedy.collect::<Result<Vec<_>>>()?;
    check(b"PING\r\n", "+PONG\r\n")?;
    drop(greedy);
    // Clients that wait without end and go, in good order or not. The server's end waits for all of
    // them.
    for vanishes in [false, true] {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"PING\r\nBLPOP parcels 0\r\n")?;
        if vanishes {
            vanish(stream, 1)?;
        } else {
            let mut pong = [0; 7];
            stream.read_exact(&mut pong)?;
        }
    }
    check(b"SHUTDOWN\r\n", "")?;
    server.join().expect("no panic")?;
    Ok(())
}

pub fn chat() -> Result {
    let upgrade = "GET /chat HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    // Frames from clients are masked; here with zeros.
    let part = |kind: u8| [&[kind, 0xfe, 0xff, 0xff, 0, 0, 0, 0], &[b'x'; 0xffff][..]].concat();
    let frames: [&[u8]; 9] = [
        // Headers of messages of 2^63 bytes, of 1 GiB and of 65 KiB, without the messages.
        b"\x81\xff\x80\0\0\0\0\0\0\0\0\0\0\0",
        b"\x81\xff\0\0\0\0\x40\0\0\0\0\0\0\0",
        b"\x81\xff\0\0\0\0\0\x01\x04\0\0\0\0\0hello",
        // Parts without end.
        &[part(1), part(0)].concat(),
        // Frames that are unmasked, of an unknown kind, a ping that is too long, not UTF-8; and no
        // frame at all.
        b"\x81\x05hello",
        b"\x83\x80\0\0\0\0",
        b"\x89\xfe\x01\0\0\0\0\0",
        b"\x81\x81\0\0\0\0\xff",
        b"",
    ];
    let heads = [
        "garbage\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\na: {}", "b".repeat(1 << 20)),
        // A client that doesn't wait for the answer.
        format!("{upgrade}\u{1}"),
    ];
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let connections = heads.len() + frames.len() + 2;
    let server = thread::spawn(move || chat::serve(&listener, connections));
    let mut guest = chat::Guest::join(address)?;
    for head in &heads {
        let answers = ask(address, head.as_bytes())?;
        assert!(!answers.starts_with(b"HTTP/1.1 101 "), "to {}", shown(head.as_bytes()));
    }
    for frame in frames {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(upgrade.as_bytes())?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            append(&mut BufReader::with_capacity(1, &stream), 1, &mut answer)?;
        }
        _ = stream.write_all(frame).and_then(|()| stream.shutdown(Shutdown::Write));
        _ = stream.read_to_end(&mut Vec::new());
    }
    // Another client comes and goes. The first one is still served.
    drop(TcpStream::connect(address)?);
    guest.say("still there?".to_owned())?;
    while !guest.hear()?.ends_with(": still there?") {}
    guest.leave()?;
    assert_eq!(server.join().expect("no panic")?, 1, "one has left in good order");
    Ok(())
}

pub fn tls() -> Result {
    let bad: [&[u8]; 7] = [
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01",
        // Records of 0, of 2^14 + 2049, and of 65535 bytes.
        b"\x16\x03\x01\0\0",
        b"\x16\x03\x01\x48\x01\x01",
        b"\x16\x03\x01\xff\xff\x01",
        // A handshake message of 2^24 - 1 bytes.
        b"\x16\x03\x01\0\x05\x01\xff\xff\xff\x03",
    ];
    tls::check_refuses(&bad)
}

/// The functions that all of these tests use.
pub fn limits() -> Result {
    let mut reader = Cursor::new(&b"ab\ncdefgh"[..]);
    assert_eq!(line(&mut reader, 3)?, Some(b"ab\n".to_vec()));
    assert_eq!(line(&mut reader, 4)?, None);
    assert_eq!(line(&mut reader, 4).map_err(|error| error.kind()), Err(ErrorKind::UnexpectedEof));
    let mut bytes = Vec::new();
    let cut = append(&mut Cursor::new(b"soon"), 512 << 20, &mut bytes);
    assert_eq!(cut.map_err(|error| error.kind()), Err(ErrorKind::UnexpectedEof));
    assert!(bytes.capacity() < 1 << 16, "{} bytes for 4", bytes.capacity());
    assert_eq!(
        ["", "+1", "-1", "1 ", "1\u{a0}", "18446744073709551616"].map(|text| digits(text.as_bytes())),
        [None; 6]
    );
    assert_eq!(digits(b"0018446744073709551615"), Some(u64::MAX));

    // With one connection after the other, the server forgets those that have ended.
    let mut sessions = Sessions::default();
    for _ in 0..1000 {
        let (done, ended) = channel::<()>();
        sessions.spawn(move || {
            drop(done);
            1_u64
        });
        assert!(ended.recv().is_err());
        if sessions.known() > 100 {
            thread::sleep(Duration::from_millis(10));
        }
    }
    assert!(sessions.known() < 500, "{} connections that have ended", sessions.known());
    assert_eq!(sessions.join(), 1000);
    Ok(())
}
