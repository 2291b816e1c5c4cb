//! Asks an echo server from one OS thread on epoll, and reports as a peer does: metric, value,
//! unit, the server's CPU nanoseconds per request, note.
//!
//! * By default each connection asks, waits for the answer, and asks again, as fast as both sides
//!   can.
//! * With `--rate` requests are due at fixed times, whether or not the last one has been answered.
//!   A latency counts from the time when the request was due: a stall of the server counts for all
//!   requests that it has delayed.
//! * `--churn` makes a new connection for each request.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

mod churn;
mod conn;
mod meter;
mod requests;

const USAGE: &str = "\
usage: load --port PORT --server PID [OPTIONS]
  --port PORT        where the server listens, on the loopback interface
  --server PID       the server's process, whose CPU time is read
  --connections N    how many ask (1)
  --idle N           how many more are open and say nothing (0)
  --bytes N          the size of a request and its answer (64)
  --rate N           requests per second, all connections together (as many as can be)
  --asleep           with --rate, sleep between requests and go before others; for a processor that is shared
  --churn            each request has a connection of its own
  --warm-up S        seconds that are not counted (1)
  --seconds S        seconds that are (3)
";

/// The command line.
#[derive(Debug)]
pub struct Options {
    server: SocketAddrV4,
    process: libc::pid_t,
    connections: usize,
    idle: usize,
    bytes: usize,
    rate: Option<f64>,
    asleep: bool,
    churn: bool,
    warm_up: Duration,
    seconds: Duration,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    if options.asleep {
        go_first();
    }
    let meter = match options.rate {
        _ if options.churn => churn::churn(&options)?,
        Some(rate) => requests::at_rate(&options, rate)?,
        None => requests::one_after_another(&options)?,
    };
    meter.report();
    Ok(())
}

/// A program that measures latencies on a shared processor must get it as soon as it wakes. Without
/// the privilege for that it goes on without.
fn go_first() {
    // SAFETY: a parameter to read.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &libc::sched_param { sched_priority: 1 }) };
}

fn options() -> Result<Options, Box<dyn Error>> {
    use lexopt::prelude::*;
    let mut options = Options {
        server: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0),
        process: 0,
        connections: 1,
        idle: 0,
        bytes: 64,
        rate: None,
        asleep: false,
        churn: false,
        warm_up: Duration::from_secs(1),
        seconds: Duration::from_secs(3),
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("port") => options.server.set_port(parser.value()?.parse()?),
            Long("server") => options.process = parser.value()?.parse()?,
            Long("connections") => options.connections = parser.value()?.parse()?,
            Long("idle") => options.idle = parser.value()?.parse()?,
            Long("bytes") => options.bytes = parser.value()?.parse()?,
            Long("rate") => options.rate = Some(parser.value()?.parse()?),
            Long("asleep") => options.asleep = true,
            Long("churn") => options.churn = true,
            Long("warm-up") => options.warm_up = Duration::from_secs_f64(parser.value()?.parse()?),
            Long("seconds") => options.seconds = Duration::from_secs_f64(parser.value()?.parse()?),
            Long("help") | Short('h') => {
                print!("{USAGE}");
                std::process::exit(0);
            }
            _ => return Err(arg.unexpected().into()),
        }
    }
    if options.server.port() == 0 || options.process == 0 || options.connections == 0 || options.bytes == 0 {
        return Err(USAGE.into());
    }
    Ok(options)
}
