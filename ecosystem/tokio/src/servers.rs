//! The servers that exams need. They are started when one needs them, and ended with this program.

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
pub(crate) enum Kind {
    Redis,
    Postgres,
}

/// The servers that run, and the folder of their data, which is removed at the end.
#[derive(Default)]
pub(crate) struct Servers {
    running: Vec<(Kind, String, Child)>,
    folder: Option<PathBuf>,
}

impl Drop for Servers {
    fn drop(&mut self) {
        for (_, _, server) in &mut self.running {
            // SAFETY: the call touches no memory, and the child has not been waited for.
            unsafe { libc::kill(server.id().cast_signed(), libc::SIGINT) };
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_secs(5) && matches!(server.try_wait(), Ok(None)) {
                thread::sleep(Duration::from_millis(20));
            }
            _ = server.kill();
            _ = server.wait();
        }
        if let Some(folder) = &self.folder {
            _ = fs::remove_dir_all(folder);
        }
    }
}

/// An ordinary user, as postgres refuses to run as the superuser.
const NOBODY: u32 = 65534;

/// A command of the system, which runs as an ordinary user. Debian has postgres in a folder of its
/// own.
fn command(name: &str, folder: &Path) -> io::Result<Command> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = versions.map(|version| version.path().join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let program =
        folders.chain(env::split_paths(&path)).map(|folder| folder.join(name)).find(|path| path.exists());
    let program = program.ok_or_else(|| io::Error::other(format!("{name} is not installed")))?;
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: the call has no preconditions.
    if unsafe { libc::geteuid() } == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    Ok(command)
}

impl Servers {
    /// The address of a server, which is started first if it does not run.
    pub(crate) fn address(&mut self, kind: Kind) -> io::Result<String> {
        if let Some((_, address, _)) = self.running.iter().find(|(running, ..)| *running == kind) {
            return Ok(address.clone());
        }
        let folder = self.folder(kind)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let number = port.to_string();
        let (child, address) = match kind {
            Kind::Redis => {
                let mut server = command("redis-server", &folder)?;
                server.args(["--port", &number, "--save", ""]);
                (server.spawn()?, format!("redis://127.0.0.1:{port}/"))
            }
            Kind::Postgres => {
                let data = folder.join("data");
                let mut make = command("initdb", &folder)?;
                make.arg("--pgdata").arg(&data).args(["--username=postgres", "--auth=trust", "--no-sync"]);
                if !make.status()?.success() {
                    return Err(io::Error::other("initdb has failed"));
                }
                let mut server = command("postgres", &folder)?;
                server.arg("-D").arg(&data).args(["-p", &number, "-k", "", "-c", "fsync=off"]);
                (server.spawn()?, format!("postgres://postgres@127.0.0.1:{port}/postgres"))
            }
        };
        self.running.push((kind, address.clone(), child));
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begin.elapsed() > Duration::from_secs(60) {
                return Err(io::Error::other("the server does not answer"));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(address)
    }

    /// A folder for a server's data, which belongs to its user.
    fn folder(&mut self, kind: Kind) -> io::Result<PathBuf> {
        let root = self
            .folder
            .get_or_insert_with(|| env::temp_dir().join(format!("ecosystem-tokio-{}", std::process::id())));
        let folder = root.join(format!("{kind:?}"));
        fs::create_dir_all(&folder)?;
        // SAFETY: the call has no preconditions.
        if unsafe { libc::geteuid() } == 0 {
            chown(&folder, Some(NOBODY), Some(NOBODY))?;
        }
        Ok(folder)
    }
}
