//! A web crawler: `cargo run --release --example crawler http://localhost:8080/`.
//!
//! It follows the links of one host, in plain blocking code with a green thread for each request.
//! `--connections N` limits the requests under way, and `--timeout SECONDS` limits each of them as
//! a whole, from connecting to the last byte. A page that fails does not disturb the others. Ctrl-C
//! cancels what is under way, and the summary is printed.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::io::{self, ErrorKind, Read, Write};

use greenthread::{
    cancel::{self, Done, Token},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    println,
    time::Duration,
};

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    use lexopt::prelude::*;
    let usage = "usage: crawler http://HOST[:PORT]/PATH [--connections N] [--timeout SECONDS]";
    let (mut url, mut connections, mut timeout) = (String::new(), 10, Duration::from_secs(10));
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("connections") => connections = arguments.value()?.parse::<usize>()?.max(1),
            Long("timeout") => timeout = Duration::try_from_secs_f64(arguments.value()?.parse()?)?,
            Value(value) if url.is_empty() => url = value.string()?,
            _ => return Err(usage.into()),
        }
    }
    let url = url.split('#').next().and_then(|url| url.strip_prefix("http://")).ok_or(usage)?;
    let (host, path) = url.split_once('/').unwrap_or((url, ""));

    greenthread::run(|| {
        // The lookup of a name can't be cancelled, so the requests make none.
        let addresses = host.to_socket_addrs().or_else(|_| (host, 80).to_socket_addrs())?;
        let site = Site { host, addresses: addresses.collect() };
        let (token, mut sum) = (Token::new(), Summary::default());
        // From here on Ctrl-C cancels. On Windows, without signals, it ends the process at once.
        #[cfg(unix)]
        {
            use greenthread::{signal, thread};
            let (mut interrupts, token) = (signal::Signals::new([signal::SIGINT])?, token.clone());
            thread::spawn(move || interrupts.next().map(|_| token.cancel()));
        }
        _ = token.run(|| site.crawl(format!("/{path}"), connections, timeout, &mut sum));
        let Summary { pages, bytes, failures, timeouts, live } = sum;
        println!("{pages} pages, {bytes} bytes, {failures} failures, {timeouts} timeouts, {live} cancelled");
        Ok(())
    })
}

#[derive(Default)]
struct Summary {
    pages: usize,
    bytes: usize,
    failures: usize,
    timeouts: usize,
    /// How many requests are under way.
    live: usize,
}

struct Site<'a> {
    host: &'a str,
    addresses: Vec<SocketAddr>,
}

impl Site<'_> {
    /// Fetches the first page, and all pages to which it leads.
    fn crawl(&self, first: String, connections: usize, timeout: Duration, sum: &mut Summary) {
        let (mut seen, mut waiting) = (HashSet::from([first.clone()]), VecDeque::from([first]));
        let Ok(()) = cancel::scope(|s| {
            let mut requests = s.group();
            loop {
                // At a limit of the scope, this thread would wait in `spawn`, and not print.
                while sum.live < connections {
                    let Some(path) = waiting.pop_front() else { break };
                    requests.spawn(move || {
                        let page = cancel::timeout(timeout, || self.fetch(&path));
                        // A failure is a result as well. An `Err` would end the other requests.
                        Ok::<_, Infallible>((path, page))
                    });
                    sum.live += 1;
                }
                let Some(Done { value: (path, page), .. }) = requests.next() else { return Ok(()) };
                sum.live -= 1;
                let (count, outcome) = match page {
                    Ok(Ok((bytes, links))) => {
                        waiting.extend(links.into_iter().filter(|link| seen.insert(link.clone())));
                        sum.bytes += bytes;
                        (&mut sum.pages, format!("{bytes} bytes"))
                    }
                    Ok(Err(error)) => (&mut sum.failures, error.to_string()),
                    Err(elapsed) => (&mut sum.timeouts, elapsed.to_string()),
                };
                *count += 1;
                println!("{path}: {outcome}");
            }
        });
    }

    /// Makes one request, and returns the size of the page and its links to pages of this site.
    fn fetch(&self, path: &str) -> io::Result<(usize, Vec<String>)> {
        let mut stream = TcpStream::connect(&*self.addresses)?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.host);
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        // At most 16 MiB of an answer are read, whatever the server sends.
        stream.take(16 << 20).read_to_end(&mut answer)?;
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
        let (head, body) = answer.split_at(end.ok_or(ErrorKind::UnexpectedEof)? + 4);
        let (head, text) = (String::from_utf8_lossy(head), String::from_utf8_lossy(body));
        let header = |wanted: &str| {
            let mut fields = head.lines().filter_map(|line| line.split_once(':'));
            fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
        };
        let status = head.split(' ').nth(1).unwrap_or_default();
        if !status.starts_with(['2', '3']) {
            return Err(io::Error::other(format!("status {status:?}")));
        }
        if header("content-length").is_some_and(|length| length.parse() != Ok(body.len())) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let hrefs = text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let links = hrefs.chain(header("location")).filter_map(|link| self.resolve(path, link));
        Ok((body.len(), links.collect()))
    }

    /// Returns the path of a link in the page `base`, if it leads to a page of this site.
    fn resolve(&self, base: &str, link: &str) -> Option<String> {
        let link = link.split('#').next()?.replace("&amp;", "&");
        let path = match link.strip_prefix("http://") {
            Some(rest) => rest.strip_prefix(self.host)?.to_owned(),
            None if link.is_empty() || link.starts_with("//") || link.contains(':') => return None,
            None if link.starts_with('/') => link,
            None => base[..=base.split('?').next()?.rfind('/')?].to_owned() + &link,
        };
        let mut segments = Vec::new();
        for segment in path.strip_prefix('/')?.split('/') {
            match segment {
                "." => {}
                ".." => _ = segments.pop(),
                _ => segments.push(segment),
            }
        }
        // Other characters have to be escaped, or belong to the protocol.
        path.bytes().all(|byte| byte.is_ascii_graphic()).then(|| format!("/{}", segments.join("/")))
    }
}
