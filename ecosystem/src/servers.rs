//! The servers, which are started when an exam needs them, and ended with this program.

use std::{
    env, fs, io,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The servers that exams need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Redis,
    Postgres,
    Mysql,
    /// A server of this program, which answers after 50 ms.
    Http,
    /// The same behind TLS. The certificate is this program's.
    Tls,
}

/// A server's process, which is killed when this is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Postgres ends its children at SIGINT; the others end as well.
        // SAFETY: the call touches no memory, and the child has not been waited for.
        unsafe { libc::kill(self.0.id().cast_signed(), libc::SIGINT) };
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(5) && matches!(self.0.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(20));
        }
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// The servers that run. Their folder is removed at the end.
#[derive(Default)]
pub(crate) struct Servers {
    running: Vec<(Kind, String)>,
    processes: Vec<Process>,
    folder: Option<PathBuf>,
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.processes.clear();
        if let Some(folder) = &self.folder {
            _ = fs::remove_dir_all(folder);
        }
    }
}

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// An ordinary user, as some servers refuse to run as the superuser.
const NOBODY: u32 = 65534;

impl Servers {
    /// The address of a server, which is started first if it does not run.
    pub(crate) fn address(&mut self, kind: Kind) -> io::Result<String> {
        if let Some((_, address)) = self.running.iter().find(|(running, _)| *running == kind) {
            return Ok(address.clone());
        }
        let address = match kind {
            Kind::Redis => self.redis()?,
            Kind::Postgres => self.postgres()?,
            Kind::Mysql => self.mysql()?,
            Kind::Http => http()?,
            Kind::Tls => tls(self.folder()?)?,
        };
        self.running.push((kind, address.clone()));
        Ok(address)
    }

    fn folder(&mut self) -> io::Result<&Path> {
        if self.folder.is_none() {
            let folder = env::temp_dir().join(format!("greenthread-ecosystem-{}", std::process::id()));
            fs::create_dir_all(&folder)?;
            self.folder = Some(folder);
        }
        Ok(self.folder.as_deref().expect("it was just made"))
    }

    /// A folder for a server's data, which belongs to its user.
    fn data(&mut self, name: &str) -> io::Result<PathBuf> {
        let data = self.folder()?.join(name);
        fs::create_dir_all(&data)?;
        if is_root() {
            chown(&data, Some(NOBODY), Some(NOBODY))?;
        }
        Ok(data)
    }

    /// Starts a server, and waits until it accepts connections.
    fn start(&mut self, mut command: Command, port: u16) -> io::Result<()> {
        let log = fs::File::create(self.folder()?.join(format!("{port}.log")))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.processes.push(Process(command.spawn()?));
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begin.elapsed() > PATIENCE {
                return Err(io::Error::other("the server does not answer"));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn redis(&mut self) -> io::Result<String> {
        let (port, data) = (free_port()?, self.data("redis")?);
        let mut command = command("redis-server", &[])?;
        command.args(["--port", &port.to_string(), "--save", "", "--tcp-backlog", "4096"]).current_dir(data);
        self.start(command, port)?;
        Ok(format!("redis://127.0.0.1:{port}/"))
    }

    fn postgres(&mut self) -> io::Result<String> {
        let (port, data) = (free_port()?, self.data("postgres")?);
        let folders = postgres_folders();
        let mut make = command("initdb", &folders)?;
        make.arg("--pgdata").arg(&data).args(["--username=postgres", "--auth=trust", "--no-sync"]);
        run(make)?;
        let mut command = command("postgres", &folders)?;
        command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-k", ""]);
        command.args(["-c", "max_connections=1200", "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]);
        self.start(command, port)?;
        let address = format!("host=127.0.0.1 port={port} user=postgres");
        // It accepts connections before it serves them.
        await_success(|| postgres::Client::connect(&address, postgres::NoTls).map(drop))?;
        Ok(address)
    }

    fn mysql(&mut self) -> io::Result<String> {
        let (port, data) = (free_port()?, self.data("mysql")?);
        let mut make = command("mariadb-install-db", &[])?;
        make.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        make.arg(format!("--datadir={}", data.display()));
        run(make)?;
        let mut command = command("mariadbd", &[PathBuf::from("/usr/sbin")])?;
        command.args([
            "--no-defaults",
            "--skip-grant-tables",
            "--bind-address=127.0.0.1",
            "--max-connections=1200",
        ]);
        command.args(["--back-log=1200", &format!("--port={port}")]);
        command.arg(format!("--datadir={}", data.display()));
        command.arg(format!("--socket={}", data.join("socket").display()));
        command.arg(format!("--pid-file={}", data.join("pid").display()));
        self.start(command, port)?;
        let address = format!("mysql://root@127.0.0.1:{port}/");
        await_success(|| mysql::Conn::new(address.as_str()).map(drop))?;
        Ok(address)
    }
}

fn is_root() -> bool {
    // SAFETY: the call touches no memory.
    unsafe { libc::geteuid() == 0 }
}

/// Where Debian has the programs of its versions of Postgres.
fn postgres_folders() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin")).collect()
}

/// A command, from one of the folders or from the path. It is run by an ordinary user.
fn command(program: &str, folders: &[PathBuf]) -> io::Result<Command> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = folders.iter().cloned().chain(env::split_paths(&path));
    let found = folders.map(|folder| folder.join(program)).find(|path| path.is_file());
    let missing = || io::Error::other(format!("{program} is not installed"));
    let mut command = Command::new(found.ok_or_else(missing)?);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    Ok(command)
}

/// Runs a command to its end.
fn run(mut command: Command) -> io::Result<()> {
    let output = command.current_dir("/").output()?;
    if output.status.success() {
        return Ok(());
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{:?}: {}", command.get_program(), error.lines().next().unwrap_or(""))))
}

fn await_success<E: std::error::Error + Send + Sync + 'static>(
    mut attempt: impl FnMut() -> Result<(), E>,
) -> io::Result<()> {
    let begin = Instant::now();
    loop {
        match attempt() {
            Ok(()) => return Ok(()),
            Err(error) if begin.elapsed() > PATIENCE => return Err(io::Error::other(error)),
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Serves requests on green threads of the default runtime.
fn http() -> io::Result<String> {
    let listener = greenthread::net::TcpListener::bind("127.0.0.1:0")?;
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
    let mut make = Command::new("openssl");
    make.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]);
    make.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
    run(make)?;
    let identity = native_tls::Identity::from_pkcs8(&fs::read(certificate)?, &fs::read(key)?);
    let acceptor =
        native_tls::TlsAcceptor::new(identity.map_err(io::Error::other)?).map_err(io::Error::other)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
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
