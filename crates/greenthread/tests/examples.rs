//! The examples, run as programs. Good and bad clients talk to them from outside.

#![cfg(target_os = "linux")]

use std::{
    env,
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

#[path = "corpus/http.rs"]
mod corpus;
#[path = "examples/crawler.rs"]
mod crawler;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use socket2::SockRef;

/// A time that no step here should take.
const FOREVER: Duration = Duration::from_secs(60);
/// The five seconds for which a server drains, and three more for a busy machine.
const DRAINED: Duration = Duration::from_secs(8);

// ---- the programs

/// A command that runs an example. `cargo test` builds all examples, but
/// `cargo test --test examples` doesn't. Then this builds an example that is missing; one that is
/// out of date stays so.
fn example(name: &str) -> Command {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        // target/debug/deps/examples-0123 and target/debug/examples/http
        let profile = env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
        let folder = profile.join("examples");
        if !["crawler", "echo", "http", "ten_lines", "tour"].iter().all(|name| folder.join(name).exists()) {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["build", "--examples", "--target-dir"]).arg(profile.parent().unwrap());
            cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
            if profile.ends_with("release") {
                cargo.arg("--release");
            }
            assert!(cargo.status().unwrap().success(), "the examples don't build");
        }
        folder
    });
    let mut command = Command::new(folder.join(name));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // stderr must be empty, but on a busy machine the watchdog would report a worker that waits for
    // a processor.
    command.env("GREENTHREAD_WATCHDOG", "0");
    command
}

/// A server that runs until it is interrupted or dropped.
struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: ChildStderr,
    address: SocketAddr,
}

impl Server {
    fn start(name: &str) -> Self {
        let mut child = example(name).args(["--listen", "127.0.0.1:0", "--workers", "2"]).spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").expect("it says where it listens");
        Server { address: address.parse().unwrap(), child, stdout, stderr }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(FOREVER)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    /// Presses Ctrl-C, and waits for an orderly end; returns what was printed meanwhile.
    fn stop(&mut self) -> (Duration, String) {
        let start = Instant::now();
        self.interrupt();
        let (mut said, mut complaints) = (String::new(), String::new());
        self.stdout.read_to_string(&mut said).unwrap();
        self.stderr.read_to_string(&mut complaints).unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(complaints, "", "the server's stderr");
        assert!(status.success(), "{status}");
        assert!(TcpStream::connect(self.address).is_err(), "nobody listens any more");
        (start.elapsed(), said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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

/// Ends a connection by a reset.
fn vanish(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
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

// ---- echo

#[test]
fn echo_gives_back_what_it_gets() {
    let mut server = Server::start("echo");
    thread::scope(|scope| {
        for client in 0..20_u8 {
            let stream = server.connect();
            scope.spawn(move || {
                let sent = vec![client; 100_000];
                let mut got = Vec::new();
                thread::scope(|scope| {
                    scope.spawn(|| {
                        (&stream).write_all(&sent).unwrap();
                        stream.shutdown(std::net::Shutdown::Write).unwrap();
                    });
                    (&stream).read_to_end(&mut got).unwrap();
                });
                assert!(got == sent);
            });
        }
    });
    server.stop();
}

#[test]
fn echo_survives_clients_that_vanish_or_do_not_read() {
    let mut server = Server::start("echo");
    for _ in 0..50 {
        let mut stream = server.connect();
        stream.write_all(b"half of what I wanted to s").unwrap();
        vanish(stream);
    }
    // A client that writes until nothing more goes in, and never reads.
    let unread = server.connect();
    unread.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    while (&unread).write(&[b'x'; 65536]).is_ok() {}

    let mut stream = server.connect();
    stream.write_all(b"still there?").unwrap();
    let mut got = [0; 12];
    stream.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"still there?");

    // The server waits for the client that does not read, but not for long.
    let (time, said) = server.stop();
    assert!(time < DRAINED, "{time:?}: {said}");
    assert!(said.contains("stopping, with 2 connections open"), "{said}");
}

// ---- http

#[test]
fn http_answers() {
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
    let answer = ask(&stream, "GET / HTTP/1.0\r\n\r\n").unwrap();
    assert!(answer.closes());
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
fn http_answers_pipelined_requests_in_their_order() {
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
fn http_refuses_garbage() {
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
        ("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n", 413),
        ("POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 411),
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

#[test]
fn http_answers_the_corpus() {
    let mut server = Server::start("http");
    let mut wrong = Vec::new();
    for corpus::Case { sent, example, .. } in corpus::cases() {
        let mut stream = server.connect();
        // The server closes the connection before a long request has ended.
        let _ = stream.write_all(&sent).and_then(|()| stream.shutdown(std::net::Shutdown::Write));
        let mut answers = Vec::new();
        let _ = stream.read_to_end(&mut answers);
        let answers = corpus::statuses(&answers);
        if answers != example {
            wrong.push(format!(
                "{answers:?} instead of {example:?}: {:.200}",
                sent.escape_ascii().to_string()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_serves(&server);
    server.stop();
}

#[test]
fn http_tells_a_waiting_client_to_go_on() {
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
fn http_times_out_on_half_a_request() {
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
fn http_survives_clients_that_vanish() {
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
    assert!(said.contains(&format!("stopping, with {} connections open", clients.len())), "{said}");
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
    assert!(said.contains("stopping, with 2 connections open"), "{said}");
    // Half a request is awaited for five seconds as well. It may be cut off, or just answered.
    assert!(said.contains("cut off ") && said.contains(" connections after 5 s"), "{said}");
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

// ---- bad arguments

fn fails(command: &mut Command) -> String {
    let mut child = command.spawn().unwrap();
    // If it serves instead of failing, the end of its stdout does not come.
    let pid = Pid::from_child(&child);
    let mut said = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    if stdout.read_line(&mut said).unwrap() > 0 {
        kill_process(pid, Signal::KILL).unwrap();
    }
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    String::from_utf8(stderr).unwrap()
}

#[test]
fn bad_arguments_are_named() {
    let said = fails(example("http").args(["--workers", "0"]));
    assert!(said.starts_with("http: ") && said.contains("worker"), "{said}");
    let said = fails(example("http").args(["--workers", "many"]));
    assert!(said.contains("many"), "{said}");
    let said = fails(example("http").arg("--listne"));
    assert!(said.contains("--listne"), "{said}");
    let said = fails(example("echo").args(["--listen", "nowhere"]));
    assert!(said.starts_with("echo: nowhere: "), "{said}");
    let said = fails(example("http").env("GREENTHREAD_WORKERS", "many"));
    assert!(said.contains("GREENTHREAD_WORKERS"), "{said}");

    for arguments in [&[] as &[&str], &["localhost"], &["http://localhost/", "--connexions", "3"]] {
        let said = fails(example("crawler").args(arguments));
        assert!(said.contains("usage: crawler "), "{said}");
    }

    let server = Server::start("http");
    let address = server.address.to_string();
    let said = fails(example("http").args(["--listen", &address]));
    assert!(said.contains(&address) && said.to_lowercase().contains("in use"), "{said}");
}

// ---- the tour

#[test]
fn the_tour_has_three_acts() {
    let output = example("tour").args(["--threads", "20000", "--seconds", "1"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}\n{complaints}");
    assert_eq!(complaints, "", "the tour's stderr");
    println!("{said}");

    // The two threads take turns until one has ended. Either may begin.
    let turns = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(&format!("   {name}"))).unwrap();
        let columns = line.as_bytes().chunks(3).map(|column| !column.trim_ascii().is_empty());
        columns.map(|turn| if turn { '#' } else { '.' }).collect::<String>()
    };
    let (odd, even) = ("#.".repeat(10), ".#".repeat(10));
    assert!(
        (turns("one"), turns("two")) == (format!("{odd}....."), format!("{even}#####"))
            || (turns("one"), turns("two")) == (format!("{even}....."), format!("{odd}#####")),
        "{said}"
    );
    assert!(said.contains("20,000 threads were alive at once"), "{said}");
    assert!(said.contains("requests per second, 64 connections"), "{said}");
}

#[test]
fn the_tour_says_why_there_are_fewer_threads() {
    let mut tour = example("tour");
    tour.args(["--threads", "100000", "--seconds", "1"]).env("GREENTHREAD_STACK_GUARD", "mprotect");
    let output = tour.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}\n{complaints}");
    // The system's limit may have been raised.
    assert!(said.contains("vm.max_map_count") || said.contains("100,000 threads were alive"), "{said}");
    assert!(said.contains("requests per second, 64 connections"), "{said}");
}

// ---- the README

#[test]
fn the_readme_shows_the_ten_lines() {
    let file = |path| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (readme, example) = (file("../../README.md"), file("examples/ten_lines.rs"));
    let (_, code) = example.split_once("\n\n").unwrap();
    assert!(readme.contains(&format!("```rust\n{code}```\n")), "README.md and examples/ten_lines.rs differ");
}
