//! Servers of Debian's packages. They are started when an exam needs them, and ended with this
//! program.

use std::{
    env, fs, io,
    net::{TcpListener, TcpStream},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Redis,
    Postgres,
    Mysql,
    /// `aiosmtpd`, which takes 50 ms for a mail.
    Smtp,
    /// `mosquitto`.
    Mqtt,
}

/// A server's process, which is ended when this is dropped.
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
pub struct Servers {
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

/// Users of Postgres who need a password, if an exam makes them. Others need none.
const PASSWORDS: &str = "\
host all pass_user all password
host all md5_user all md5
host all scram_user all scram-sha-256
";

/// An ordinary user, as some servers refuse to run as the superuser.
const NOBODY: u32 = 65534;

impl Servers {
    /// The address of a server, which is started first if it does not run.
    pub fn address(&mut self, kind: Kind) -> io::Result<String> {
        if let Some((_, address)) = self.running.iter().find(|(running, _)| *running == kind) {
            return Ok(address.clone());
        }
        self.start_on(kind, free_port()?)
    }

    /// Starts a server on a port that its clients insist on. Returns its address.
    pub fn start_on(&mut self, kind: Kind, port: u16) -> io::Result<String> {
        let data = self.data(&format!("{kind:?}-{port}"))?;
        let address = match kind {
            Kind::Redis => self.redis(port, &data)?,
            Kind::Postgres => self.postgres(port, &data)?,
            Kind::Mysql => self.mysql(port, &data)?,
            Kind::Smtp => self.smtp(port)?,
            Kind::Mqtt => self.mqtt(port, &data)?,
        };
        self.running.push((kind, address.clone()));
        Ok(address)
    }

    /// A folder of this program's own.
    pub fn folder(&mut self) -> io::Result<&Path> {
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
        until(|| TcpStream::connect(("127.0.0.1", port)).map(drop))
    }

    fn redis(&mut self, port: u16, data: &Path) -> io::Result<String> {
        let mut command = command("redis-server")?;
        command.args(["--port", &port.to_string(), "--save", "", "--tcp-backlog", "4096"]).current_dir(data);
        self.start(command, port)?;
        Ok(format!("redis://127.0.0.1:{port}/"))
    }

    fn postgres(&mut self, port: u16, data: &Path) -> io::Result<String> {
        let mut make = command("initdb")?;
        make.arg("--pgdata").arg(data).args(["--username=postgres", "--auth=trust", "--no-sync"]);
        run(make)?;
        let rules = data.join("pg_hba.conf");
        fs::write(&rules, format!("{PASSWORDS}{}", fs::read_to_string(&rules)?))?;
        let port_text = port.to_string();
        let mut server = command("postgres")?;
        server.arg("-D").arg(data).args(["-p", &port_text, "-k", ""]);
        server.args(["-c", "max_connections=1200", "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]);
        self.start(server, port)?;
        // It accepts connections before it serves them.
        until(|| {
            let mut asks = command("pg_isready")?;
            asks.args(["-h", "127.0.0.1", "-p", &port_text]);
            run(asks)
        })?;
        Ok(format!("postgres://postgres@127.0.0.1:{port}/postgres"))
    }

    fn mysql(&mut self, port: u16, data: &Path) -> io::Result<String> {
        let mut make = command("mariadb-install-db")?;
        make.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        make.arg(format!("--datadir={}", data.display()));
        run(make)?;
        let port_option = format!("--port={port}");
        let mut server = command("mariadbd")?;
        server.args(["--no-defaults", "--bind-address=127.0.0.1"]);
        server.args(["--max-connections=1200", "--back-log=1200", &port_option]);
        // What the tests of the crate `mysql` want.
        server.args(["--max-allowed-packet=64M", "--performance-schema=ON", "--secure-auth=OFF"]);
        server.arg("--plugin-load-add=auth_ed25519");
        server.arg(format!("--datadir={}", data.display()));
        server.arg(format!("--socket={}", data.join("socket").display()));
        server.arg(format!("--pid-file={}", data.join("pid").display()));
        self.start(server, port)?;
        until(|| {
            let mut asks = command("mariadb-admin")?;
            asks.args(["--no-defaults", "--host=127.0.0.1", &port_option, "ping"]);
            run(asks)
        })?;
        // The database is the one that every server has.
        Ok(format!("mysql://root@127.0.0.1:{port}/mysql"))
    }

    fn smtp(&mut self, port: u16) -> io::Result<String> {
        // Debian's own, which has the package.
        let mut command = command("/usr/bin/python3")?;
        command.args(["-c", include_str!("smtp.py"), &port.to_string()]);
        self.start(command, port)?;
        Ok(port.to_string())
    }

    fn mqtt(&mut self, port: u16, data: &Path) -> io::Result<String> {
        let settings = data.join("settings");
        fs::write(&settings, format!("listener {port} 127.0.0.1\nallow_anonymous true\n"))?;
        let mut command = command("mosquitto")?;
        command.arg("-c").arg(settings);
        self.start(command, port)?;
        Ok(port.to_string())
    }
}

fn is_root() -> bool {
    // SAFETY: the call touches no memory.
    unsafe { libc::geteuid() == 0 }
}

/// A command, from the path or from where Debian has some. It is run by an ordinary user.
fn command(program: &str) -> io::Result<Command> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = versions.map(|version| version.path().join("bin")).chain([PathBuf::from("/usr/sbin")]);
    let path = env::var_os("PATH").unwrap_or_default();
    let found = folders.chain(env::split_paths(&path)).map(|folder| folder.join(program));
    let found = found.into_iter().find(|path| path.is_file());
    let mut command =
        Command::new(found.ok_or_else(|| io::Error::other(format!("{program} is not installed")))?);
    command.current_dir("/");
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    Ok(command)
}

/// Has the server of Postgres at an address run statements.
pub fn psql(address: &str, statements: &str) -> io::Result<()> {
    let mut psql = command("psql")?;
    psql.args(["--quiet", "--set=ON_ERROR_STOP=1", "--command", statements, address]);
    run(psql)
}

/// Runs a command to its end.
pub fn run(mut command: Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{:?}: {}", command.get_program(), error.lines().next().unwrap_or(""))))
}

/// Tries until it succeeds.
fn until(mut attempt: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let begin = Instant::now();
    loop {
        match attempt() {
            Err(_) if begin.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(50)),
            result => return result,
        }
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
