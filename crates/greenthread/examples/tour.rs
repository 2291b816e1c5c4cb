//! Greenthread in three acts: `cargo run --release --example tour`.
//!
//! The acts are two threads that take turns, a million threads alive at once, and an HTTP server
//! with its clients, all in plain blocking code. `--threads N` and `--seconds N` change the second
//! and the third act.

use std::{
    error::Error,
    fs,
    io::{self, ErrorKind, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

use console::style;
use greenthread::{
    Runtime,
    net::{TcpListener, TcpStream},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> Result<()> {
    use lexopt::prelude::*;

    let (mut threads, mut seconds) = (1_000_000, 5);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("threads") => threads = arguments.value()?.parse()?,
            Long("seconds") => seconds = arguments.value()?.parse()?,
            Short('h') | Long("help") => {
                println!("usage: tour [--threads N] [--seconds N]");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }

    println!("{}", style("Greenthread: threads that cost a page, and plain blocking code").bold());
    if cfg!(debug_assertions) {
        println!("(a debug build: the figures mean little, add --release)");
    }
    heading(1, "Two threads take turns");
    two_threads()?;
    heading(2, "A million threads, alive at once");
    greenthread::run(|| a_million_threads(threads))?;
    heading(3, "An HTTP server and its clients");
    greenthread::run(|| a_server(Duration::from_secs(seconds)))?;
    Ok(())
}

fn heading(act: u8, title: &str) {
    println!("\n{}  {}\n", style(act).bold().green(), style(title).bold());
}

// ---- the first act

/// Runs two threads on one worker. A thread that yields lets the other go on.
fn two_threads() -> Result<()> {
    let turns = Arc::new(Mutex::new(Vec::new()));
    let ready = Arc::new(AtomicUsize::new(0));
    let runtime = Runtime::builder().workers(1).build()?;
    runtime.run(|| {
        let threads = [("one", 10), ("two", 15)].map(|(name, last)| {
            let (turns, ready) = (turns.clone(), ready.clone());
            thread::spawn(move || {
                // The thread that starts first waits for the other.
                ready.fetch_add(1, Relaxed);
                while ready.load(Relaxed) < 2 {
                    thread::yield_now();
                }
                for number in 1..=last {
                    turns.lock().unwrap().push((name, number));
                    thread::yield_now();
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
    });

    // Time runs from left to right, and each thread has its line.
    for name in ["one", "two"] {
        print!("   {}", style(name).green());
        for &(who, number) in &*turns.lock().unwrap() {
            if who == name { print!("{number:3}") } else { print!("   ") }
        }
        println!();
    }
    Ok(())
}

// ---- the second act

/// The stack size of the many threads, in bytes. A thread that only parks touches one page of its
/// stack. A larger size takes more address space, but no more memory.
const STACK_SIZE: usize = 64 * 1024;
/// The memory that a thread is expected to need, in bytes: that page, its page table, its block and
/// its handle, rounded up. With less, the system may run out of memory. With more, the example
/// starts fewer threads than fit.
const BYTES_PER_THREAD: u64 = 5_000;

/// How many threads have started, how many have been woken, and whether they may end.
static STARTED: AtomicUsize = AtomicUsize::new(0);
static WOKEN: AtomicUsize = AtomicUsize::new(0);
static OPEN: AtomicBool = AtomicBool::new(false);

/// Spawns threads that wait, counts them and measures their memory, then wakes them all.
fn a_million_threads(wanted: usize) -> Result<()> {
    let fit = available_memory().map_or(wanted, |bytes| (bytes / BYTES_PER_THREAD * 9 / 10) as usize);
    if fit < wanted {
        println!(
            "   There is memory for about {} of {}.\n",
            HumanCount(fit as u64),
            HumanCount(wanted as u64)
        );
    }
    let wanted = wanted.min(fit);
    let mut threads = Vec::with_capacity(wanted);

    let before = memory_in_use()?;
    let bar = bar(wanted as u64, "start {wide_bar:.green} {human_pos} of {human_len}");
    let start = Instant::now();
    let mut moved = start;
    let mut stuck = false;
    while threads.len() < wanted {
        let spawned = thread::Builder::new().stack_size(STACK_SIZE).spawn(|| {
            STARTED.fetch_add(1, Relaxed);
            while !OPEN.load(Relaxed) {
                thread::park();
            }
            WOKEN.fetch_add(1, Relaxed);
        });
        match spawned {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                bar.suspend(|| println!("   No more: {error}.\n"));
                break;
            }
        }
        // A thread gets its stack when it starts, so spawning must not run far ahead of that. When
        // no stack is left, the next spawn returns the reason.
        if threads.len() % 1024 == 0 && !stuck {
            stuck = !wait_for(threads.len().saturating_sub(4096), &bar, &mut moved);
        }
    }
    wait_for(threads.len(), &bar, &mut moved);
    let count = STARTED.load(Relaxed);
    bar.finish_and_clear();
    let after = memory_in_use()?;

    let wake = Instant::now();
    OPEN.store(true, Relaxed);
    for thread in &threads {
        thread.thread().unpark();
    }
    let all = threads.len();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(WOKEN.load(Relaxed), all);

    println!(
        "   {} threads were alive at once, each parked on a guarded stack of its own.\n",
        style(HumanCount(count as u64)).bold().green(),
    );
    let bytes = [0, 1].map(|i| after[i].saturating_sub(before[i]));
    let sum = bytes[0] + bytes[1];
    line(
        "memory",
        format!("{} bytes", HumanCount(sum / count.max(1) as u64)),
        format!("in all {}: {} resident, {} page tables", mib(sum), mib(bytes[0]), mib(bytes[1])),
    );
    let (start, wake) = (moved - start, wake.elapsed());
    line("start", each(start, count), format!("in all {start:.1?}, from the first spawn to the last park"));
    line("wake", each(wake, all), format!("in all {wake:.1?}, from the first unpark to the last end"));
    Ok(())
}

/// Sleeps until `goal` threads have started, or until none has started for a second. Sets `moved`
/// to the time of the last start. Returns whether the goal was reached.
fn wait_for(goal: usize, bar: &ProgressBar, moved: &mut Instant) -> bool {
    loop {
        let started = STARTED.load(Relaxed);
        if started as u64 != bar.position() {
            bar.set_position(started as u64);
            *moved = Instant::now();
        }
        if started >= goal || moved.elapsed() > Duration::from_secs(1) {
            return started >= goal;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Returns this process's resident memory and the size of its page tables, in bytes.
fn memory_in_use() -> io::Result<[u64; 2]> {
    let status = fs::read_to_string("/proc/self/status")?;
    Ok(["VmRSS:", "VmPTE:"].map(|name| kib(&status, name).unwrap_or(0) * 1024))
}

/// Returns the memory that the system and the process's control groups still grant, in bytes.
fn available_memory() -> Option<u64> {
    let mut available = kib(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")? * 1024;
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut group = groups.lines().find_map(|line| line.strip_prefix("0::/"));
    while let Some(path) = group {
        let read =
            |file| fs::read_to_string(format!("/sys/fs/cgroup/{path}/{file}")).ok()?.trim().parse().ok();
        if let (Some(max), Some(current)) = (read("memory.max"), read("memory.current")) {
            available = available.min(u64::saturating_sub(max, current));
        }
        group = if path.is_empty() { None } else { Some(path.rsplit_once('/').map_or("", |(up, _)| up)) };
    }
    Some(available)
}

/// Returns the number of KiB after `name` in one of /proc's tables.
fn kib(table: &str, name: &str) -> Option<u64> {
    let value = table.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().strip_suffix("kB")?.trim().parse().ok()
}

// ---- the third act

const CLIENTS: usize = 64;
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nuser-agent: tour\r\naccept: */*\r\n\r\n";
const RESPONSE: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 13\r\n\r\nHello, world!";

/// The number of requests that have been answered.
static ANSWERED: AtomicU64 = AtomicU64::new(0);

/// Runs a thread that accepts, and one thread for each end of each connection.
fn a_server(time: Duration) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().take(CLIENTS) {
            thread::spawn(|| serve(stream?));
        }
    });

    let start = Instant::now();
    let clients = Vec::from_iter((0..CLIENTS).map(|_| {
        thread::spawn(move || -> io::Result<Vec<Duration>> {
            let stream = TcpStream::connect(address)?;
            let mut times = Vec::new();
            while start.elapsed() < time {
                times.push(request(&stream)?);
            }
            Ok(times)
        })
    }));

    let bar = bar(time.as_millis() as u64, "serve {wide_bar:.green} {msg}");
    while start.elapsed() < time {
        thread::sleep(Duration::from_millis(50));
        bar.set_position(start.elapsed().as_millis() as u64);
        let rate = ANSWERED.load(Relaxed) as f64 / start.elapsed().as_secs_f64();
        bar.set_message(format!("{} requests per second", HumanCount(rate as u64)));
    }
    let mut times = Vec::new();
    for client in clients {
        times.append(&mut client.join().unwrap()?);
    }
    let elapsed = start.elapsed();
    bar.finish_and_clear();

    times.sort_unstable();
    println!(
        "   {} requests per second, {CLIENTS} connections, both ends in this process.\n",
        style(HumanCount((times.len() as f64 / elapsed.as_secs_f64()) as u64)).bold().green(),
    );
    line("in all", HumanCount(times.len() as u64).to_string(), format!("in {elapsed:.1?}"));
    for (name, part) in [("median", 0.5), ("99 %", 0.99), ("slowest", 1.0)] {
        let time = times[((times.len() - 1) as f64 * part) as usize];
        line(name, format!("{} µs", HumanCount(time.as_micros() as u64)), "from request to answer".into());
    }
    Ok(())
}

/// Serves the server's end of a connection.
fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut buffer, mut filled) = ([0; 1024], 0);
    loop {
        match stream.read(&mut buffer[filled..])? {
            0 => return Ok(()),
            n => filled += n,
        }
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let parsed = httparse::Request::new(&mut headers).parse(&buffer[..filled]);
        if let httparse::Status::Complete(length) =
            parsed.map_err(|e| io::Error::new(ErrorKind::InvalidData, e))?
        {
            stream.write_all(RESPONSE)?;
            buffer.copy_within(length..filled, 0);
            filled -= length;
        }
    }
}

/// Sends a client's request and reads the response. Returns how long that took.
fn request(mut stream: &TcpStream) -> io::Result<Duration> {
    let start = Instant::now();
    stream.write_all(REQUEST)?;
    let mut response = [0; RESPONSE.len()];
    stream.read_exact(&mut response)?;
    assert!(response == *RESPONSE, "not our server?");
    ANSWERED.fetch_add(1, Relaxed);
    Ok(start.elapsed())
}

// ---- how it looks

/// Returns a progress bar, which is shown on a terminal only.
fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(&format!("   {template}")).expect("the template is valid");
    ProgressBar::new(length).with_style(style)
}

/// Prints a row of a table: a name, a figure, and a note on it.
fn line(name: &str, figure: String, note: String) {
    println!("   {name:9}{}   {}", style(format!("{figure:>14}")).bold(), style(note).dim());
}

fn each(time: Duration, count: usize) -> String {
    format!("{} ns", HumanCount((time / count.max(1) as u32).as_nanos() as u64))
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", HumanCount(bytes >> 20))
}
