//! The processor time of a request: hyper on tokio alone, and under greenthread-tokio, each server
//! in a process of its own, in turn.

use std::{
    env, fs,
    io::{self, BufRead, BufReader},
    process::{Child, Command, ExitCode, Stdio},
};

use greenthread::{Runtime, block_on, thread};
use greenthread_tokio::{RuntimeExt, background};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::exams::hello;

/// The ways to serve. The first one is what the others are compared with.
const WAYS: [&str; 5] = ["tokio", "threads", "tasks", "tokio again", "background"];

async fn serve_one(stream: TcpStream) {
    _ = stream.set_nodelay(true);
    _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(hello)).await;
}

async fn bind() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    listener
}

/// Prints its address, and serves until it is killed.
pub(crate) fn serve(way: &str) -> ExitCode {
    let tasks = async {
        let listener = bind().await;
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve_one(stream));
        }
    };
    let green = |runtime: Runtime| {
        runtime.run(|| {
            let listener = block_on(bind());
            while let Ok((stream, _)) = block_on(listener.accept()) {
                thread::spawn(move || block_on(serve_one(stream)));
            }
        });
    };
    let with_tokio = || Runtime::builder().workers(1).tokio().build().expect("a runtime");
    match way {
        // tokio alone.
        "tokio" | "tokio again" => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(tasks);
        }
        // A green thread for each connection.
        "threads" => green(with_tokio()),
        // As on tokio alone, with green threads beside them.
        "tasks" => with_tokio().run(|| block_on(tasks)),
        // A green thread for each connection, with tokio on an OS thread of its own.
        "background" => {
            let runtime = Runtime::builder().workers(1).build().expect("a runtime");
            runtime.run(|| {
                let listener = background::block_on(bind());
                while let Ok((stream, _)) = background::block_on(listener.accept()) {
                    thread::spawn(move || background::block_on(serve_one(stream)));
                }
            });
        }
        _ => return crate::refuse(),
    }
    ExitCode::SUCCESS
}

/// A server's process.
struct Server {
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

impl Server {
    fn start(way: &str) -> io::Result<Self> {
        let mut process =
            Command::new(env::current_exe()?).args(["--serve", way]).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        BufReader::new(process.stdout.take().expect("it is piped")).read_line(&mut address)?;
        Ok(Self { process, address: address.trim().into() })
    }

    /// The processor time that it has used, in ticks of 10 ms.
    fn ticks(&self) -> io::Result<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        Ok(fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum())
    }

    /// The processor time of a request, in microseconds.
    fn measure(&self, connections: usize) -> io::Result<f64> {
        let wrk = |seconds: usize| -> io::Result<f64> {
            let output = Command::new("wrk")
                .args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s")])
                .arg(format!("http://{}/", self.address))
                .output()?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            if text.contains("Socket errors") || text.contains("Non-2xx") {
                return Err(io::Error::other(text));
            }
            let (before, _) =
                text.split_once(" requests in").ok_or_else(|| io::Error::other(text.clone()))?;
            let count = before.split_whitespace().last().and_then(|count| count.parse().ok());
            count.ok_or_else(|| io::Error::other(text))
        };
        wrk(1)?;
        let before = self.ticks()?;
        let requests = wrk(4)?;
        Ok((self.ticks()? - before) as f64 * 10_000.0 / requests)
    }
}

/// Measures all ways in turn, so many times, and prints the medians.
pub(crate) fn table(rounds: usize) -> ExitCode {
    println!(
        "{:>11} {:<12} {:>10} {:>7}   us of processor time, each round",
        "connections", "way", "us/request", "ratio"
    );
    for connections in [1, 64, 512] {
        let mut figures = [const { Vec::new() }; WAYS.len()];
        for _ in 0..rounds {
            for (way, figures) in WAYS.iter().zip(&mut figures) {
                match Server::start(way).and_then(|server| server.measure(connections)) {
                    Ok(figure) => figures.push(figure),
                    Err(error) => println!("{way}: {error}"),
                }
            }
        }
        let median = |figures: &[f64]| {
            let mut sorted = figures.to_vec();
            sorted.sort_by(f64::total_cmp);
            sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
        };
        let first = median(&figures[0]);
        for (way, figures) in WAYS.iter().zip(&figures) {
            let all: Vec<_> = figures.iter().map(|figure| format!("{figure:.2}")).collect();
            let median = median(figures);
            println!(
                "{connections:>11} {way:<12} {median:>10.2} {:>7.3}   {}",
                median / first,
                all.join(" ")
            );
        }
    }
    ExitCode::SUCCESS
}
