//! Examples, run as programs. The tests of several crates use it.

use std::{
    env,
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use socket2::SockRef;

/// A time that no step here should take.
pub(crate) const FOREVER: Duration = Duration::from_secs(60);
/// The five seconds for which a server drains, and three more for a busy machine.
pub(crate) const DRAINED: Duration = Duration::from_secs(8);

/// A command that runs an example of this package. `cargo test` builds all examples, but
/// `cargo test --test NAME` doesn't. Then this builds an example that is missing; one that is out
/// of date stays so.
pub(crate) fn example(name: &str) -> Command {
    static BUILD: Mutex<()> = Mutex::new(());
    // target/debug/deps/examples-0123 and target/debug/examples/http
    let profile = env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    let program = profile.join("examples").join(name);
    let build = BUILD.lock().unwrap_or_else(PoisonError::into_inner);
    if !program.exists() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--examples", "--target-dir"]).arg(profile.parent().unwrap());
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "the examples don't build");
    }
    drop(build);
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // stderr must be empty, but on a busy machine the watchdog would report a worker that waits for
    // a processor.
    command.env("GREENTHREAD_WATCHDOG", "0");
    command
}

/// A server that runs until it is interrupted or dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) stdout: BufReader<ChildStdout>,
    stderr: ChildStderr,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(name: &str) -> Self {
        let mut child = example(name).args(["--listen", "127.0.0.1:0", "--workers", "2"]).spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").expect("it says where it listens");
        Server { address: address.parse().unwrap(), child, stdout, stderr }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(FOREVER)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    pub(crate) fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    /// Presses Ctrl-C, and waits for an orderly end; returns what was printed meanwhile.
    pub(crate) fn stop(&mut self) -> (Duration, String) {
        let start = Instant::now();
        self.interrupt();
        let (mut said, mut complaints) = (String::new(), String::new());
        self.stdout.read_to_string(&mut said).unwrap();
        self.stderr.read_to_string(&mut complaints).unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(complaints, "", "the server's stderr");
        assert!(status.success(), "{status}");
        assert!(TcpStream::connect(self.address).is_err(), "nobody listens any more");
        (start.elapsed(), said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends a connection by a reset.
pub(crate) fn vanish(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}
