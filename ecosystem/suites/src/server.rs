//! The servers that tests need, from Debian's packages. They are started when the first such crate
//! has its turn, and ended with this program.

use std::{
    env, fs, io,
    net::TcpStream,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::source::work;

/// The servers that tests need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// On port 5433, where the tests look for it.
    Postgres,
}

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// An ordinary user, as some servers refuse to run as the superuser.
const NOBODY: u32 = 65534;

/// The servers that run.
#[derive(Default)]
pub(crate) struct Servers(Vec<(Server, Child)>);

impl Drop for Servers {
    fn drop(&mut self) {
        for (server, child) in &mut self.0 {
            // Postgres ends its children at SIGINT.
            // SAFETY: the call touches no memory, and the child has not been waited for.
            unsafe { libc::kill(child.id().cast_signed(), libc::SIGINT) };
            _ = child.wait();
            _ = fs::remove_dir_all(data(*server));
        }
    }
}

/// The folder of a server's data.
fn data(server: Server) -> PathBuf {
    env::temp_dir().join(format!("greenthread-{server:?}-{}", std::process::id()))
}

impl Servers {
    /// Starts a server, if it does not run yet.
    pub(crate) fn start(&mut self, server: Server) -> io::Result<()> {
        if self.0.iter().any(|(running, _)| *running == server) {
            return Ok(());
        }
        let data = data(server);
        fs::create_dir_all(&data)?;
        if is_root() {
            chown(&data, Some(NOBODY), Some(NOBODY))?;
        }
        let (mut command, port) = match server {
            Server::Postgres => (postgres(&data)?, 5433),
        };
        let log = fs::File::create(work().join(format!("{server:?}.log")))?;
        command.current_dir("/").stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.0.push((server, command.spawn()?));
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begin.elapsed() > PATIENCE {
                return Err(io::Error::other("the server does not answer"));
            }
            thread::sleep(Duration::from_millis(50));
        }
        // It accepts connections before it serves them.
        thread::sleep(Duration::from_secs(2));
        Ok(())
    }
}

fn postgres(data: &Path) -> io::Result<Command> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    let mut make = command("initdb", &folders)?;
    run(make.arg("--pgdata").arg(data).args(["--username=postgres", "--auth=trust", "--no-sync"]))?;
    let mut server = command("postgres", &folders)?;
    server.arg("-D").arg(data).args(["-p", "5433", "-k", "/tmp", "-c", "fsync=off"]);
    server.args(["-c", "listen_addresses=localhost"]);
    Ok(server)
}

fn is_root() -> bool {
    // SAFETY: the call touches no memory.
    unsafe { libc::geteuid() == 0 }
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
fn run(command: &mut Command) -> io::Result<()> {
    let output = command.current_dir("/").output()?;
    if output.status.success() {
        return Ok(());
    }
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(format!("{:?}: {}", command.get_program(), error.lines().next().unwrap_or(""))))
}
