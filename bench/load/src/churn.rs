//! A connection for each request.

use std::io;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use crate::Options;
use crate::conn::{Conn, Poller};
use crate::meter::Meter;

/// `options.connections` connections are open at a time. Each one ends with the answer to its one
/// request, and is followed by the next.
pub fn churn(options: &Options) -> io::Result<Meter> {
    let request = vec![b'x'; options.bytes];
    let mut answer = request.clone();
    let mut poller = Poller::new()?;
    let mut opened = 0;
    let mut open = |poller: &Poller, number| {
        let asked = Instant::now();
        let mut conn = Conn::open_from(client(opened), options.server)?;
        opened += 1;
        conn.ask(&request)?;
        poller.add(&conn, number)?;
        io::Result::Ok((conn, asked))
    };
    let mut conns: Vec<_> =
        (0..options.connections).map(|number| open(&poller, number)).collect::<Result<_, _>>()?;
    let mut meter = Meter::start(options);
    let mut answered = Vec::new();
    while meter.go_on(Instant::now())? {
        for number in poller.wait(Duration::from_millis(10))? {
            let (conn, asked) = &mut conns[number];
            if conn.receive(&mut answer)? {
                meter.answered(*asked, Instant::now());
                answered.push(number);
            }
        }
        for number in answered.drain(..) {
            conns[number] = open(&poller, number)?;
        }
    }
    Ok(meter)
}

/// One of 64,000 addresses of this machine.
fn client(number: u32) -> Ipv4Addr {
    let [.., high, low] = (number % 64_000).to_be_bytes();
    Ipv4Addr::new(127, 1, high, low)
}
