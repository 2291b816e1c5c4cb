//! Servers of this program, on green threads of the default runtime. Each answers after 50 ms.

use std::{
    fs, io,
    io::{Read, Write},
    net::TcpListener,
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
    process::Stdio,
    time::Duration,
};

use ecosystem_common::servers::{Kind, Servers, run};
use greenthread::process::Command;

/// What an exam needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Server {
    /// A server of one of Debian's packages.
    Process(Kind),
    Http,
    /// The same behind TLS. The certificate is this program's.
    Tls,
    /// A repository, served by `git daemon`, a process for each connection.
    Git,
}

impl Server {
    /// The server's address. It is started, if need be.
    pub(crate) fn address(self, servers: &mut Servers) -> io::Result<String> {
        match self {
            Self::Process(kind) => servers.address(kind),
            Self::Http => http(),
            Self::Tls => tls(servers.folder()?),
            Self::Git => git(servers.folder()?),
        }
    }
}

/// Listens, and has the system keep as many connections as a thousand clients make at once.
fn listen() -> io::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // SAFETY: the call touches no memory.
    if unsafe { libc::listen(listener.as_raw_fd(), 4096) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(listener)
}

/// As `listen`, for ordinary green threads.
fn listen_green() -> io::Result<greenthread::net::TcpListener> {
    Ok(OwnedFd::from(listen()?).into())
}

/// Answers any request with "hello".
fn http() -> io::Result<String> {
    let listener = listen_green()?;
    let address = listener.local_addr()?;
    greenthread::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            greenthread::thread::spawn(move || serve(stream));
        }
    });
    Ok(format!("http://{address}/"))
}

/// Answers one request.
fn serve(mut stream: impl Read + Write) -> io::Result<()> {
    let (mut request, mut bytes) = (Vec::new(), [0; 1024]);
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut bytes)? {
            0 => return Ok(()),
            count => request.extend_from_slice(&bytes[..count]),
        }
    }
    greenthread::thread::sleep(Duration::from_millis(50));
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")?;
    stream.flush()
}

/// As `http`, with OpenSSL on threads with thread-locals of their own.
fn tls(folder: &Path) -> io::Result<String> {
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let mut make = std::process::Command::new("openssl");
    make.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]);
    make.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
    run(make)?;
    let identity = native_tls::Identity::from_pkcs8(&fs::read(certificate)?, &fs::read(key)?);
    let acceptor =
        native_tls::TlsAcceptor::new(identity.map_err(io::Error::other)?).map_err(io::Error::other)?;
    let listener = listen()?;
    let address = listener.local_addr()?;
    let own = || greenthread::thread::Builder::new().stack_size(1 << 20).own_tls(true);
    own().spawn(move || {
        for stream in listener.incoming().flatten() {
            let acceptor = acceptor.clone();
            own().spawn(move || serve(acceptor.accept(stream).map_err(io::Error::other)?)).expect("a thread");
        }
    })?;
    Ok(address.to_string())
}

/// Serves a repository of one commit, whose file `hello` says so.
fn git(folder: &Path) -> io::Result<String> {
    let repository = folder.join("repository");
    fs::create_dir_all(&repository)?;
    fs::write(repository.join("hello"), "hello")?;
    let identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"];
    for words in [&["init", "--quiet"][..], &["add", "hello"], &["commit", "--quiet", "--message=hello"]] {
        let mut command = std::process::Command::new("git");
        command.arg("-C").arg(&repository).args(identity).args(words);
        run(command)?;
    }
    let listener = listen_green()?;
    let address = format!("git://{}/repository", listener.local_addr()?);
    let base = format!("--base-path={}", folder.display());
    greenthread::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let base = base.clone();
            greenthread::thread::spawn(move || -> io::Result<()> {
                greenthread::thread::sleep(Duration::from_millis(50));
                let stream = OwnedFd::from(stream);
                let mut daemon = Command::new("git");
                daemon.args(["daemon", "--inetd", "--export-all", &base]);
                daemon.stdin(stream.try_clone()?).stdout(Stdio::from(stream)).stderr(Stdio::null());
                daemon.status().map(drop)
            });
        }
    });
    Ok(address)
}
