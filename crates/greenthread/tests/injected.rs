//! If the kernel answers a system call with an error, the program succeeds or gets an `io::Error`.
//! It does not panic, abort or hang.
//!
//! A small program that uses most of the library runs under `strace`, which has the kernel answer a
//! call with an error (`--inject`). Without a `strace` that may trace, the test does nothing. Each
//! call is tried with one of the errors. `GREENTHREAD_TEST_INJECT` names a call that is tried with
//! all errors, or is `all`.

#![cfg(target_os = "linux")]

mod common;

use std::{
    env, fs as stdfs,
    io::{self, Read, Write},
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use greenthread::{
    fs,
    net::{TcpListener, TcpStream, UdpSocket},
    os::unix::net::{UnixDatagram, UnixListener, UnixStream},
    process, thread,
};

use common::{is_child, scratch};

const NAME: &str = "every_answer_is_an_end_or_an_error";

/// Calls that the library can do without. A filter may answer any of these errors, and the program
/// must succeed.
const OPTIONAL: [&str; 18] = [
    "epoll_pwait2",
    "preadv2",
    "pwritev2",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "process_madvise",
    "madvise",
    "pidfd_open",
    "sigaltstack",
    "prctl",
    "openat2",
    "statx",
    "fstatfs",
    "lseek",
    "uname",
    "prlimit64",
    "sched_getaffinity",
];
const REFUSALS: [&str; 5] = ["EPERM", "EACCES", "ENOSYS", "EOPNOTSUPP", "EINVAL"];

/// Calls that the library needs, each with the number of the first call that fails; earlier ones
/// are the loader's and the test's. They are tried without io_uring, so that files are read and
/// written by calls.
const NEEDED: [(&str, u32); 34] = [
    ("epoll_create1", 1),
    ("eventfd2", 1),
    ("epoll_ctl", 1),
    ("epoll_ctl", 8),
    ("epoll_pwait", 1),
    ("epoll_pwait", 3),
    ("epoll_pwait", 20),
    ("ppoll", 1),
    ("socket", 1),
    ("bind", 1),
    ("listen", 1),
    ("accept4", 1),
    ("accept4", 2),
    ("connect", 1),
    ("getsockname", 1),
    ("sendto", 2),
    ("sendmsg", 1),
    ("recvfrom", 2),
    ("setsockopt", 1),
    ("getsockopt", 1),
    ("shutdown", 1),
    ("ioctl", 1),
    ("fcntl", 3),
    ("pipe2", 2),
    ("pwrite64", 1),
    ("fdatasync", 1),
    ("fsync", 1),
    ("getdents64", 1),
    ("copy_file_range", 1),
    ("unlinkat", 1),
    ("mkdir", 1),
    ("wait4", 1),
    ("clone3", 2),
    ("clone3", 4),
];
const ERRORS: [&str; 7] = ["EPERM", "EACCES", "ENOSYS", "EINVAL", "ENOMEM", "EMFILE", "EIO"];

/// Errors that are injected from a certain call on.
const LATER: [(&str, &str); 6] = [
    ("io_uring_enter", "EAGAIN:when=1"),
    ("io_uring_enter", "EBUSY:when=3"),
    ("io_uring_enter", "ENOMEM:when=2+3"),
    ("io_uring_enter", "EPERM:when=6..20"),
    ("io_uring_setup", "EMFILE:when=1"),
    ("madvise", "ENOMEM:when=20+"),
];

/// How long one side of a connection waits for the other. It is long where the program must
/// succeed.
fn io_timeout() -> Duration {
    Duration::from_secs(if env::var_os("GREENTHREAD_IO").is_some() { 1 } else { 60 })
}

/// A child that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(120);

#[test]
fn every_answer_is_an_end_or_an_error() {
    if is_child() {
        return child();
    }
    let dry = traced("getppid:error=EPERM", true);
    if !dry.as_ref().is_ok_and(|said| said.contains("all is well")) {
        return eprintln!("nothing is injected: strace is not to be had ({dry:?})");
    }
    let asked = env::var("GREENTHREAD_TEST_INJECT").ok();
    let turn = std::process::id() as usize;
    let errors = |call: &str, errors: &'static [&'static str], at: usize| match &asked {
        Some(asked) if asked != "all" && asked != call => &[],
        Some(_) => errors,
        None => &errors[(turn + at) % errors.len()..][..1],
    };
    let mut jobs = Vec::new();
    for (at, call) in OPTIONAL.into_iter().enumerate() {
        let job = |error| (format!("{call}:error={error}"), true, true);
        jobs.extend(errors(call, &REFUSALS, at).iter().map(job));
    }
    for (call, error) in LATER {
        let job = |_| (format!("{call}:error={error}"), true, call != "madvise");
        jobs.extend(errors(call, &[""], 0).iter().map(job));
    }
    for (at, (call, from)) in NEEDED.into_iter().enumerate() {
        let job = |error| (format!("{call}:error={error}:when={from}+"), false, false);
        jobs.extend(errors(call, &ERRORS, at).iter().map(job));
    }
    // The children mostly wait.
    let (jobs, bad) = (Mutex::new(jobs.into_iter()), Mutex::new(Vec::new()));
    let run = || {
        while let Some((what, with_ring, must_go_well)) = { jobs.lock().unwrap().next() } {
            let said = traced(&what, with_ring);
            if asked.is_some() {
                println!("{what}: {}", said.as_deref().unwrap_or_else(|said| said).replace('\n', "; "));
            }
            if !said.as_ref().is_ok_and(|said| !must_go_well || said.contains("all is well")) {
                bad.lock().unwrap().push(format!("{what}: {said:?}"));
            }
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(run))));
    let bad = bad.into_inner().unwrap();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// The output of a child with this error injected, if it has succeeded. Otherwise, how it ended.
fn traced(inject: &str, with_ring: bool) -> Result<String, String> {
    // A child whose calls fail can't remove its files.
    let place = scratch("place");
    stdfs::create_dir_all(&place).map_err(|error| error.to_string())?;
    let said = traced_in(&place, inject, with_ring);
    let _ = stdfs::remove_dir_all(&place);
    said
}

fn traced_in(place: &Path, inject: &str, with_ring: bool) -> Result<String, String> {
    let call = inject.split(':').next().expect("a call");
    let mut command = Command::new("strace");
    command.env("TMPDIR", place);
    command.args(["-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    command.args(["-e", &format!("inject={inject}")]);
    command.arg(env::current_exe().expect("this program"));
    command.args(["--exact", NAME, "--nocapture", "--test-threads=1"]);
    command.env("GREENTHREAD_TEST_CHILD", NAME).env("GREENTHREAD_IO_BATCH", "1").env("RUST_BACKTRACE", "0");
    if !with_ring {
        command.env("GREENTHREAD_IO", "poll");
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut tracer = command.spawn().map_err(|error| error.to_string())?;
    let start = Instant::now();
    let (mut out, mut err) = (tracer.stdout.take().expect("piped"), tracer.stderr.take().expect("piped"));
    let said = std::thread::spawn(move || {
        let mut said = Vec::new();
        let _ = out.read_to_end(&mut said);
        let _ = err.read_to_end(&mut said);
        String::from_utf8_lossy(&said).into_owned()
    });
    let status = loop {
        match tracer.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if start.elapsed() > LIMIT => {
                let _ = Command::new("kill").arg(tracer.id().to_string()).status();
                let _ = tracer.kill();
                return Err("it hangs".into());
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let said = said.join().expect("it reads");
    if status.success() && !said.contains("panicked") { Ok(said) } else { Err(format!("{status}: {said}")) }
}

type Work = fn() -> io::Result<()>;

/// Uses most of the library, and says what did not work.
fn child() {
    let runtime = match greenthread::Runtime::builder().workers(2).build() {
        Ok(runtime) => runtime,
        Err(error) => return println!("no runtime: {error}"),
    };
    let works: [(&str, Work); 8] = [
        ("threads", threads),
        ("tcp", tcp),
        ("udp", udp),
        ("unix", unix),
        ("pipes", pipes),
        ("files", files),
        ("children", children),
        ("options", options),
    ];
    let mut well = true;
    for (name, work) in works {
        if let Err(error) = runtime.spawn(work).join().expect("no panic") {
            println!("{name}: {error}");
            well = false;
        }
    }
    if well {
        println!("all is well");
    }
}

/// Joins the threads. Returns the first error: of a spawn, or of a thread.
fn all_of<T>(handles: Vec<io::Result<thread::JoinHandle<io::Result<T>>>>) -> io::Result<()> {
    let mut first = Ok(());
    for handle in handles {
        if let Err(error) = handle.and_then(|handle| handle.join().expect("no panic")) {
            first = first.and(Err(error));
        }
    }
    first
}

fn threads() -> io::Result<()> {
    all_of(
        (0..200)
            .map(|n| {
                thread::Builder::new().spawn(move || {
                    thread::sleep(Duration::from_millis(n % 5));
                    let spread = [n; 4096];
                    thread::yield_now();
                    assert_eq!(spread.iter().sum::<u64>(), n * 4096);
                    Ok(())
                })
            })
            .collect(),
    )
}

fn echo(mut stream: impl Read + Write) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => stream.write_all(&buffer[..count])?,
        }
    }
}

fn asks(mut stream: impl Read + Write) -> io::Result<()> {
    for size in [1, 100, 4096] {
        let sent = vec![size as u8; size];
        stream.write_all(&sent)?;
        let mut back = vec![0; size];
        stream.read_exact(&mut back)?;
        assert_eq!(back, sent);
    }
    Ok(())
}

fn tcp() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    // A timeout, since the client may fail to come.
    socket2::SockRef::from(&listener).set_read_timeout(Some(io_timeout()))?;
    let server = thread::Builder::new().spawn(move || {
        let mut servers = Vec::new();
        for _ in 0..8 {
            match listener.accept() {
                Ok((stream, _)) => servers.push(thread::Builder::new().spawn(|| echo(stream))),
                Err(error) => {
                    servers.push(Err(error));
                    break;
                }
            }
        }
        drop(listener);
        all_of(servers)
    });
    let clients = (0..8).map(|_| {
        thread::Builder::new().spawn(move || {
            let stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(io_timeout()))?;
            asks(stream)
        })
    });
    let clients = clients.collect();
    all_of(clients).and(all_of(vec![server]))
}

fn udp() -> io::Result<()> {
    let (one, two) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    let address = two.local_addr()?;
    two.set_read_timeout(Some(io_timeout()))?;
    let receiver = thread::Builder::new().spawn(move || two.recv_from(&mut [0; 8]).map(drop));
    let sent = one.send_to(b"datagram", address).map(drop);
    sent.and(all_of(vec![receiver]))
}

fn unix() -> io::Result<()> {
    let place = scratch("injected");
    let _ = stdfs::remove_file(&place);
    let listener = UnixListener::bind(&place)?;
    let client = {
        let place = place.clone();
        thread::Builder::new().spawn(move || {
            let stream = UnixStream::connect(place)?;
            stream.set_read_timeout(Some(io_timeout()))?;
            asks(stream)
        })
    };
    socket2::SockRef::from(&listener).set_read_timeout(Some(io_timeout()))?;
    let served = listener.accept().and_then(|(stream, _)| echo(stream));
    let _ = stdfs::remove_file(&place);
    all_of(vec![client]).and(served)?;

    // A receiver that is full until a thread receives.
    let receiver = Arc::new(UnixDatagram::bind(&place)?);
    let sender = UnixDatagram::unbound()?;
    sender.set_write_timeout(Some(io_timeout()))?;
    receiver.set_read_timeout(Some(io_timeout()))?;
    let receives = {
        let receiver = receiver.clone();
        thread::Builder::new().spawn(move || {
            thread::sleep(Duration::from_millis(20));
            (0..50).try_for_each(|_| receiver.recv(&mut [0; 8]).map(drop))
        })
    };
    let sent = (0..50).try_for_each(|_| sender.send_to(b"x", &place).map(drop));
    let _ = stdfs::remove_file(&place);
    sent.and(all_of(vec![receives]))
}

fn pipes() -> io::Result<()> {
    let (mut reader, mut writer) = greenthread::io::pipe()?;
    let writes = thread::Builder::new().spawn(move || {
        thread::sleep(Duration::from_millis(5));
        writer.write_all(&[7; 200_000])
    });
    let mut all = Vec::new();
    let read = reader.read_to_end(&mut all).map(drop);
    // A thread that goes on writing would wait for the reader.
    drop(reader);
    read.and(all_of(vec![writes]))
}

fn files() -> io::Result<()> {
    use greenthread::os::unix::fs::FileExt;

    let place = scratch("dir");
    let done = (|| {
        fs::create_dir_all(&place)?;
        let path = place.join("file");
        fs::write(&path, [7; 100_000])?;
        let file = Arc::new(fs::OpenOptions::new().read(true).write(true).open(&path)?);
        let work = |n: u64| {
            let file = file.clone();
            thread::Builder::new().spawn(move || {
                file.write_all_at(&[n as u8; 1000], n * 1000)?;
                let mut back = [0; 1000];
                file.read_exact_at(&mut back, n * 1000)?;
                assert!(back.iter().all(|byte| *byte == n as u8));
                file.sync_data()
            })
        };
        all_of((0..16).map(work).collect())?;
        file.sync_all()?;
        assert_eq!(fs::read(&path)?.len(), 100_000);
        for entry in fs::read_dir(&place)? {
            assert_eq!(entry?.file_name(), "file");
        }
        fs::copy(&path, place.join("copy"))?;
        fs::metadata(&path).map(drop)
    })();
    let _ = stdfs::remove_dir_all(&place);
    done
}

fn children() -> io::Result<()> {
    let output = process::Command::new("/bin/echo").arg("words").output()?;
    // If its `execve` fails there is no output. If a later call of it fails, it may end with an
    // error.
    if output.status.success() {
        assert_eq!(output.stdout, b"words\n");
    }
    Ok(())
}

fn options() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let stream = TcpStream::connect(listener.local_addr()?)?;
    let (peer, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    stream.set_nonblocking(false)?;
    stream.try_clone()?.write_all(b"x")?;
    socket2::SockRef::from(&stream).set_linger(Some(Duration::from_secs(1)))?;
    peer.set_read_timeout(Some(io_timeout()))?;
    { &peer }.read_exact(&mut [0])?;
    let buffers = [io::IoSlice::new(b"a"), io::IoSlice::new(b"b")];
    assert_eq!({ &peer }.write_vectored(&buffers)?, 2);
    stream.set_read_timeout(Some(io_timeout()))?;
    { &stream }.read_exact(&mut [0; 2])?;
    stream.shutdown(std::net::Shutdown::Write)?;
    assert_eq!({ &peer }.read(&mut [0])?, 0);
    Ok(())
}
