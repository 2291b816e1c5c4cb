//! The example `http`, run as a program. Good and bad clients talk to it from outside.

#![cfg(target_os = "linux")]

use std::{
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

mod corpus;
#[path = "../../greenthread/tests/examples/programs.rs"]
mod programs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use programs::{DRAINED, Server, vanish};

// ---- the clients

/// An answer: its status, its head, its body.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn read(stream: &mut impl BufRead) -> io::Result<Self> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body)?;
        Ok(Answer { status, head, body })
    }

    fn closes(&self) -> bool {
        self.head.contains("\r\nconnection: close\r\n")
    }
}

/// Sends bytes, and reads one answer.
fn ask(stream: &TcpStream, request: impl AsRef<[u8]>) -> io::Result<Answer> {
    (&*stream).write_all(request.as_ref())?;
    Answer::read(&mut BufReader::new(stream))
}

/// Makes one exchange with a server, to see that it still serves.
fn assert_serves(server: &Server) {
    let answer = ask(&server.connect(), "GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert_eq!((answer.status, &*answer.body), (200, &b"Hello from a green thread!\n"[..]));
}

fn assert_ended(mut stream: &TcpStream) {
    match stream.read(&mut [0; 64]) {
        Ok(0) => {}
        Err(e) if e.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("the connection should have ended: {other:?}"),
    }
}

/// The number of connections that a test makes: a thousand (200 in a debug build), or as many as
/// the limit of descriptors allows.
fn many() -> usize {
    let wanted = if cfg!(debug_assertions) { 200 } else { 1000 };
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let allowed = limit.maximum.map_or(wanted, |maximum| maximum.saturating_sub(200) as usize);
    if allowed < wanted {
        println!("only {allowed} connections: so says the limit of open files");
    }
    wanted.min(allowed)
}

// ---- requests

#[test]
fn it_answers() {
    let mut server = Server::start("http");
    let stream = server.connect();
    for _ in 0..3 {
        let answer = ask(&stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        assert_eq!(answer.status, 200);
        assert!(!answer.closes());
    }
    let answer = ask(&stream, "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello").unwrap();
    assert_eq!((answer.status, &*answer.body), (200, &b"hello"[..]));
    let answer = ask(&stream, "GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert_eq!(answer.status, 404);
    let answer = ask(&stream, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    assert!(answer.closes());
    assert_ended(&stream);

    let stream = server.connect();
    let answer = ask(&stream, "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").unwrap();
    assert!(!answer.closes());
    ask(&stream, "GET / HTTP/1.0\r\n\r\n").unwrap();
    assert_ended(&stream);

    // A head without its body: the next bytes are the next answer's.
    let mut stream = server.connect();
    stream.write_all(b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\nGET /sleep/1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert_eq!(all.matches("HTTP/1.1 200 OK").count(), 2, "{all}");
    assert!(!all.contains("Hello"), "{all}");
    server.stop();
}

#[test]
fn it_answers_pipelined_requests_in_their_order() {
    let mut server = Server::start("http");
    let stream = server.connect();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut requests = Vec::new();
            for number in 0..5000 {
                let body = format!("number {number}");
                write!(
                    requests,
                    "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )
                .unwrap();
            }
            (&stream).write_all(&requests).unwrap();
        });
        let mut answers = BufReader::new(&stream);
        for number in 0..5000 {
            let answer = Answer::read(&mut answers).unwrap();
            assert_eq!(String::from_utf8(answer.body).unwrap(), format!("number {number}"));
        }
    });
    server.stop();
}

#[test]
fn it_refuses_garbage() {
    let mut server = Server::start("http");
    let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}", "y".repeat(1 << 20));
    let lines = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(1000));
    for (request, status) in [
        ("\0\0\0\0\r\n\r\n", 400),
        ("\x16\x03\x01\x02\x00\x01\x00\x01", 400), // TLS
        ("GET / HTTP/9.9\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: x\r\ncontent-length: +1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 99999999\r\n\r\n", 413),
        ("GET /sleep/forever HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 400),
        (&*long, 431),
        (&*lines, 431),
    ] {
        let stream = server.connect();
        // The server closes the connection before a long request has ended.
        let _ = (&stream).write_all(request.as_bytes());
        let answer = Answer::read(&mut BufReader::new(&stream)).unwrap();
        assert_eq!(answer.status, status, "{:.60}", request);
        assert!(answer.closes(), "{:.60}", request);
        assert_ended(&stream);
    }
    // The server answers the requests before the garbage.
    let mut stream = server.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\ngarbage\r\n\r\n").unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert!(all.contains("200 OK") && all.contains("400 Bad Request"), "{all}");

    assert_serves(&server);
    server.stop();
}

/// Some of them are half a request, for which the server waits until its patience is over. So all
/// are sent at the same time.
#[test]
fn it_answers_the_corpus() {
    let mut server = Server::start("http");
    let ask = |corpus::Case { sent, example, .. }| {
        let mut stream = server.connect();
        // The server closes the connection before a long request has ended.
        let _ = stream.write_all(&sent);
        let mut answers = Vec::new();
        let _ = stream.read_to_end(&mut answers);
        let answers = corpus::statuses(&answers);
        let sent = sent.escape_ascii();
        (answers != example).then(|| format!("{answers:?} instead of {example:?}: {sent:.200}"))
    };
    let wrong = thread::scope(|scope| {
        let threads = Vec::from_iter(corpus::cases().into_iter().map(|case| scope.spawn(|| ask(case))));
        Vec::from_iter(threads.into_iter().filter_map(|thread| thread.join().unwrap()))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_serves(&server);
    server.stop();
}

#[test]
fn it_tells_a_waiting_client_to_go_on() {
    let mut server = Server::start("http");
    let stream = server.connect();
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
    for _ in 0..2 {
        (&stream).write_all(head.as_bytes()).unwrap();
        let mut go_on = [0; 25];
        (&stream).read_exact(&mut go_on).unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        // It is said once, however the body comes.
        (&stream).write_all(b"hel").unwrap();
        thread::sleep(Duration::from_millis(20));
        assert_eq!(ask(&stream, "lo").unwrap().body, b"hello");
    }
    server.stop();
}

#[test]
fn it_times_out_on_half_a_request() {
    let mut server = Server::start("http");
    let start = Instant::now();
    let mut half = BufReader::new(server.connect());
    half.get_mut().write_all(b"GET / HTTP/1.1\r\nhost: exam").unwrap();
    let mut slow = BufReader::new(server.connect());
    for byte in b"GET / HTTP/1.1\r\nhost: x\r\nx-very-slow: ".iter().chain(&[b'y'; 1000]) {
        if slow.get_mut().write_all(&[*byte]).is_err() || start.elapsed() > Duration::from_secs(7) {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    for stream in [&mut half, &mut slow] {
        let answer = Answer::read(stream).unwrap();
        assert_eq!(answer.status, 408);
        assert_ended(stream.get_ref());
    }
    assert_serves(&server);
    server.stop();
}

#[test]
fn it_survives_clients_that_vanish() {
    let mut server = Server::start("http");
    for request in
        ["", "GE", "GET / HTTP/1.1\r\nhost: x\r\n\r\n", "GET /sleep/50 HTTP/1.1\r\nhost: x\r\n\r\n"]
    {
        for _ in 0..25 {
            let mut stream = server.connect();
            stream.write_all(request.as_bytes()).unwrap();
            vanish(stream);
        }
    }
    assert_serves(&server);
    let (time, said) = server.stop();
    assert!(time < Duration::from_secs(4), "{time:?}: {said}");
}

// ---- Ctrl-C

#[test]
fn ctrl_c_lets_a_thousand_idle_clients_go() {
    let mut server = Server::start("http");
    let clients = Vec::from_iter((0..many()).map(|_| server.connect()));
    for client in &clients {
        assert_eq!(ask(client, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap().status, 200);
    }
    let (time, said) = server.stop();
    assert!(time < DRAINED, "{time:?}: {said}");
    assert!(said.contains("stopping, with 0 under way"), "{said}");
    assert!(said.contains("every connection has ended"), "{said}");
    for client in &clients {
        assert_ended(client);
    }
}

#[test]
fn ctrl_c_lets_a_thousand_busy_clients_have_their_answers() {
    let mut server = Server::start("http");
    let clients = Vec::from_iter((0..many()).map(|_| server.connect()));
    for mut client in &clients {
        client.write_all(b"GET /sleep/1500 HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    }
    thread::sleep(Duration::from_millis(500));
    let (time, said) = server.stop();
    assert!(time < DRAINED, "{time:?}: {said}");
    assert!(said.contains("every connection has ended"), "{said}");
    for client in &clients {
        let answer = Answer::read(&mut BufReader::new(client)).unwrap();
        assert_eq!(answer.status, 200);
        assert!(answer.closes());
        assert_ended(client);
    }
}

#[test]
fn ctrl_c_waits_five_seconds_for_a_client_that_does_not_end() {
    let mut server = Server::start("http");
    let mut sleeper = server.connect();
    sleeper.write_all(b"GET /sleep/60000 HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut half = server.connect();
    half.write_all(b"GET / HT").unwrap();
    thread::sleep(Duration::from_millis(200));
    let (time, said) = server.stop();
    assert!((Duration::from_secs(5)..DRAINED).contains(&time), "{time:?}: {said}");
    assert!(said.contains("stopping, with 1 under way"), "{said}");
    assert!(said.contains("cut off 1 after 5 s"), "{said}");
    assert_ended(&sleeper);
    let mut answer = String::new();
    half.read_to_string(&mut answer).unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let mut server = Server::start("http");
    let mut sleeper = server.connect();
    sleeper.write_all(b"GET /sleep/60000 HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    thread::sleep(Duration::from_millis(200));
    server.interrupt();
    let mut line = String::new();
    while !line.contains("stopping") {
        assert_ne!(server.stdout.read_line(&mut line).unwrap(), 0);
    }
    let start = Instant::now();
    server.interrupt();
    assert_eq!(server.child.wait().unwrap().code(), Some(130));
    assert!(start.elapsed() < Duration::from_secs(1));
}
