//! The crawler, on a site with slow and broken pages.

use std::{
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{DRAINED, FOREVER, example};

/// A site whose first page has these links. Reports the path of each request, and `ended` when a
/// client has left the page `/hang`.
fn site(links: &[&str]) -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let first = Vec::from_iter(links.iter().map(|link| format!("<a href=\"{link}\">there</a>"))).concat();
    let first = first.replace("HERE", &address.to_string());
    let (reports, received) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, first, reports) = (stream.unwrap(), first.clone(), reports.clone());
            thread::spawn(move || serve_page(&stream, &first, &reports));
        }
    });
    (address, received)
}

/// Serves one request of a [`site`]. An error says that the client has gone.
fn serve_page(mut stream: &TcpStream, first: &str, reports: &mpsc::Sender<String>) -> io::Result<()> {
    // A crawler without timeouts fails the test, and does not hold it up.
    stream.set_read_timeout(Some(FOREVER))?;
    let mut request = String::new();
    let mut reader = BufReader::new(stream);
    while !request.ends_with("\r\n\r\n") {
        if reader.read_line(&mut request)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    let path = request.split(' ').nth(1).unwrap();
    let _ = reports.send(path.to_owned());
    let (status, body) = match path {
        "/" => ("200 OK", first),
        "/moved" => ("302 Found\r\nlocation: page/4", ""),
        "/closed" => return Ok(()),
        "/half" => return stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nnot a hundred"),
        "/hang" | "/hang/1" | "/hang/2" | "/hang/3" | "/hang/4" => {
            let _ = stream.read(&mut [0]);
            let _ = reports.send("ended".into());
            return Ok(());
        }
        "/drip" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            for _ in 0..FOREVER.as_millis() / 50 {
                stream.write_all(b".")?;
                thread::sleep(Duration::from_millis(50));
            }
            return Ok(());
        }
        path if path.starts_with("/page/") => ("200 OK", r#"<a href="../">up</a> <a href="1">one</a>"#),
        _ => ("404 Not Found", ""),
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

#[test]
fn the_crawler_tells_pages_from_failures_and_timeouts() {
    let (address, requests) = site(&[
        "page/1",
        "/page/1#top",
        "./page/../page/2?a=1&amp;b=2",
        "http://HERE/page/3",
        "http://HERE5/page/5",
        "http://elsewhere.invalid/",
        "//elsewhere.invalid/",
        "mailto:somebody",
        "a space",
        "#top",
        "",
        "moved",
        "closed",
        "half",
        "gone",
        "hang",
        "drip",
    ]);
    let mut crawler = example("crawler");
    // The pages that never end are the only ones that take this long.
    crawler.args([&format!("http://{address}"), "--connections", "3", "--timeout", "5"]);
    let output = crawler.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(output.stderr, b"", "the crawler's stderr");

    let mut lines = Vec::from_iter(said.lines());
    let summary = lines.pop().unwrap();
    assert!(
        summary.starts_with("6 pages, ") && summary.ends_with(" bytes, 3 failures, 2 timeouts, 0 cancelled"),
        "{said}"
    );
    lines.sort_unstable();
    let (root, lines) = lines.split_first().unwrap();
    assert!(root.starts_with("/: "), "{said}");
    assert_eq!(
        lines,
        [
            "/closed: unexpected end of file",
            "/drip: the deadline has passed",
            "/gone: status \"404\"",
            "/half: unexpected end of file",
            "/hang: the deadline has passed",
            "/moved: 0 bytes",
            "/page/1: 40 bytes",
            "/page/2?a=1&b=2: 40 bytes",
            "/page/3: 40 bytes",
            "/page/4: 40 bytes",
        ]
    );
    // It has asked for each page once.
    let asked = requests.try_iter().filter(|path| path.starts_with('/')).count();
    assert_eq!(asked, 11, "{said}");
}

#[test]
fn ctrl_c_cancels_the_requests_of_the_crawler() {
    let (address, requests) = site(&["hang/1", "hang/2", "page/1", "hang/3", "hang/4"]);
    let mut crawler = example("crawler");
    crawler.args([&format!("http://{address}"), "--connections", "3", "--timeout", "60"]);
    let mut child = crawler.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    // A page is printed while others keep their connections, and more pages wait for theirs.
    for path in ["/: ", "/page/1: "] {
        said.clear();
        stdout.read_line(&mut said).unwrap();
        assert!(said.starts_with(path), "{said}");
    }
    // Three requests hang, and the fourth is not made.
    let next = |_| requests.recv_timeout(FOREVER).unwrap();
    let mut asked = Vec::from_iter((0..5).map(next));
    asked.sort_unstable();
    assert_eq!(asked, ["/", "/hang/1", "/hang/2", "/hang/3", "/page/1"]);

    let start = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    said.clear();
    stdout.read_to_string(&mut said).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(start.elapsed() < DRAINED, "{:?}", start.elapsed());
    assert!(output.status.success(), "{said}");
    assert_eq!(output.stderr, b"", "the crawler's stderr");
    assert!(
        said.starts_with("2 pages, ") && said.ends_with(" bytes, 0 failures, 0 timeouts, 3 cancelled\n"),
        "{said}"
    );
    assert_eq!(Vec::from_iter((0..3).map(next)), ["ended"; 3]);
}
