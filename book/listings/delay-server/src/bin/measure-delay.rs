//! Chapter 0: what a thousand conversations cost the server that has them. Linux counts it for us.

use delay_server::{by_hand, client, green, os_threads};
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

const COUNT: usize = 1_000;
const MILLIS: u64 = 1_000;

fn main() -> io::Result<()> {
    if let Some(kind) = env::args().nth(1) {
        return be_server(&kind);
    }
    for (kind, source) in [
        ("os-threads", include_str!("../os_threads.rs")),
        ("by-hand", include_str!("../by_hand.rs")),
        ("green", include_str!("../green.rs")),
    ] {
        measure(kind)?;
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        println!("{kind}-source {} lines", source.lines().filter(is_code).count());
    }
    Ok(())
}

/// Starts a server in a process of its own, talks to it, and looks at it meanwhile.
fn measure(kind: &str) -> io::Result<()> {
    let mut server =
        Command::new(env::current_exe()?).arg(kind).stdout(Stdio::piped()).spawn()?;
    let mut address = String::new();
    BufReader::new(server.stdout.take().expect("it has a pipe")).read_line(&mut address)?;
    let address = address.trim();
    // The first conversation has it bring along what it needs for any.
    drop(client::call(address, 1)?);
    let before = (memory(server.id())?, kernel_stacks()?, processor(server.id())?);
    let streams = client::call(address, COUNT)?;
    let start = Instant::now();
    for mut stream in &streams {
        stream.write_all(format!("{MILLIS}\n").as_bytes())?;
    }
    thread::sleep(Duration::from_millis(MILLIS / 2).saturating_sub(start.elapsed()));
    let waiting = (memory(server.id())?, kernel_stacks()?);
    for stream in &streams {
        client::hear(stream, MILLIS)?;
    }
    let answered = start.elapsed();
    let busy = processor(server.id())?.saturating_sub(before.2) / COUNT as u32;
    server.kill()?;
    server.wait()?;

    println!("{kind}-memory {} bytes each", (waiting.0 - before.0) / COUNT);
    if kind == "os-threads" {
        println!("{kind}-kernel-stack {} bytes each", (waiting.1 - before.1) / COUNT);
    }
    println!("{kind}-processor {:.1} us each", busy.as_nanos() as f64 / 1e3);
    println!("{kind}-answered {} ms", answered.as_millis());
    Ok(())
}

/// The bytes of physical memory that belong to a process.
fn memory(process: u32) -> io::Result<usize> {
    amount(&fs::read_to_string(format!("/proc/{process}/status"))?, "VmRSS:")
}

/// The bytes of all stacks in the kernel, one for each OS thread of the machine.
fn kernel_stacks() -> io::Result<usize> {
    amount(&fs::read_to_string("/proc/meminfo")?, "KernelStack:")
}

fn amount(text: &str, name: &str) -> io::Result<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("Linux says it");
    Ok(line.trim().trim_end_matches(" kB").parse::<usize>().map_err(io::Error::other)? * 1024)
}

/// The processor's time that all OS threads of a process have had.
fn processor(process: u32) -> io::Result<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end while we look.
        let text = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        sum += Duration::from_nanos(
            text.split(' ').next().and_then(|it| it.parse().ok()).unwrap_or(0),
        );
    }
    Ok(sum)
}

/// Is the server, and prints where.
fn be_server(kind: &str) -> io::Result<()> {
    let announce = |address| writeln!(io::stdout(), "{address}");
    if kind == "green" {
        return greenthread::Runtime::builder().workers(1).build()?.run(|| {
            let listener = greenthread::net::TcpListener::bind("127.0.0.1:0")?;
            announce(listener.local_addr()?)?;
            green::serve(&listener)
        });
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    announce(listener.local_addr()?)?;
    match kind {
        "os-threads" => os_threads::serve(&listener),
        _ => by_hand::serve(&listener),
    }
}
