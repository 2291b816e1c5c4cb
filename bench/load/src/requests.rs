//! Requests on connections that stay.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use crate::Options;
use crate::conn::{Conn, Poller};
use crate::meter::Meter;

/// The longest wait before a look at the clock.
const A_WHILE: Duration = Duration::from_millis(10);

/// Opens connections. Each one has had an answer before the next one is opened, so that none waits
/// in the server's queue.
fn open(options: &Options, count: usize) -> io::Result<Vec<Conn>> {
    let (request, mut answer) = message(options);
    let open_one = |_| {
        let mut conn = Conn::open(options.server)?;
        conn.ask(&request)?;
        while !conn.receive(&mut answer)? {
            std::thread::yield_now();
        }
        assert_eq!(request, answer, "the server sends back what it gets");
        Ok(conn)
    };
    (0..count).map(open_one).collect()
}

/// A request, and room for the answer.
fn message(options: &Options) -> (Vec<u8>, Vec<u8>) {
    let request: Vec<u8> = (0..options.bytes).map(|i| i as u8).collect();
    let room = vec![0; request.len()];
    (request, room)
}

/// Each connection asks as soon as its last request has been answered.
pub fn one_after_another(options: &Options) -> io::Result<Meter> {
    let (request, mut answer) = message(options);
    let _idle = open(options, options.idle)?;
    let mut conns = open(options, options.connections)?;
    let mut poller = Poller::new()?;
    let mut asked = vec![Instant::now(); conns.len()];
    for (number, conn) in conns.iter_mut().enumerate() {
        poller.add(conn, number)?;
        conn.ask(&request)?;
    }
    let mut meter = Meter::start(options);
    while meter.go_on(Instant::now())? {
        for number in poller.wait(A_WHILE)? {
            let conn = &mut conns[number];
            if conn.receive(&mut answer)? {
                let now = Instant::now();
                conn.ask(&request)?;
                meter.answered(std::mem::replace(&mut asked[number], now), now);
            }
        }
    }
    Ok(meter)
}

/// Requests are due at even times, on one connection after the other. If the connection still waits
/// for an answer, the request is sent after that, and counts from the time when it was due.
pub fn at_rate(options: &Options, rate: f64) -> io::Result<Meter> {
    let (request, mut answer) = message(options);
    let _idle = open(options, options.idle)?;
    let mut conns = open(options, options.connections)?;
    let mut poller = Poller::new()?;
    for (number, conn) in conns.iter().enumerate() {
        poller.add(conn, number)?;
    }
    let mut waiting = vec![VecDeque::new(); conns.len()];
    let mut meter = Meter::start(options);
    let start = Instant::now();
    let mut count = 0;
    let mut due = start;
    let mut now = start;
    while meter.go_on(now)? {
        while due <= now {
            let number = count % conns.len();
            waiting[number].push_back(due);
            if waiting[number].len() == 1 {
                conns[number].ask(&request)?;
            }
            count += 1;
            due = start + Duration::from_secs_f64(count as f64 / rate);
        }
        let timeout =
            if options.asleep { due.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
        for number in poller.wait(timeout)? {
            if conns[number].receive(&mut answer)? {
                let due = waiting[number].pop_front().expect("it was asked");
                meter.answered(due, Instant::now());
                if !waiting[number].is_empty() {
                    conns[number].ask(&request)?;
                }
            }
        }
        now = Instant::now();
    }
    for due in waiting.into_iter().flatten() {
        meter.answered(due, now);
    }
    Ok(meter)
}
