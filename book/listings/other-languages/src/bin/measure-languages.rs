//! Chapter 29: a thousand conversations with the delay server, in each language we find.
//!
//! `measure-languages Go Erlang` asks only these.

use std::fs;
use std::io::{BufRead, BufReader, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

// ANCHOR: client
/// What a crowd of conversations has come to.
struct Crowd {
    answered: usize,
    /// From the first connection to the last answer.
    took: Duration,
    /// What the server's memory was when all of them waited, in KiB.
    memory: usize,
}

/// Opens `count` conversations at once. All of them ask to wait as long.
fn crowd(count: usize, wait: Duration, port: u16, server: u32) -> Crowd {
    let start = Instant::now();
    let mut asked = Vec::new();
    for number in 1..=count {
        asked.push(ask(port, wait));
        // A listener of std has a queue for 128 callers. The next ones would be turned away, and
        // come again after a second.
        if number % 20 == 0 {
            sleep(Duration::from_millis(5));
        }
    }
    sleep(wait.saturating_sub(start.elapsed()) / 2);
    let memory = resident(server);
    let answered = asked.into_iter().filter_map(|it| answer(it.ok()?, wait).ok()).count();
    Crowd { answered, took: start.elapsed(), memory }
}

/// Opens a conversation.
fn ask(port: u16, wait: Duration) -> Result<TcpStream> {
    let mut conversation = TcpStream::connect(("127.0.0.1", port))?;
    writeln!(conversation, "{}", wait.as_millis())?;
    Ok(conversation)
}

/// Waits for its answer.
fn answer(conversation: TcpStream, wait: Duration) -> Result<()> {
    conversation.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut line = String::new();
    BufReader::new(conversation).read_line(&mut line)?;
    let expected = format!("done after {} ms\n", wait.as_millis());
    if line == expected { Ok(()) } else { Err(std::io::Error::other(line)) }
}

/// The memory of a process that is real, and not only addresses. Linux counts it for us.
fn resident(process: u32) -> usize {
    let status =
        fs::read_to_string(format!("/proc/{process}/status")).expect("it runs, on Linux");
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
// ANCHOR_END: client

// ANCHOR: languages
struct Language {
    name: &'static str,
    /// Prints the version, and other words.
    version: &'static str,
    /// The oldest that will do.
    least: u32,
    /// `SOURCES` and `OUT` are folders. Nothing if it needn't be compiled.
    compile: &'static str,
    run: &'static str,
}

const LANGUAGES: [Language; 5] = [
    Language {
        name: "Go",
        version: "go version",
        least: 1,
        compile: "go build -o OUT/delay SOURCES/delay.go",
        run: "OUT/delay",
    },
    Language {
        name: "Ruby",
        version: "ruby --version",
        least: 3,
        compile: "",
        run: "ruby SOURCES/delay.rb",
    },
    Language {
        name: "Julia",
        version: "julia --version",
        least: 1,
        compile: "",
        run: "julia SOURCES/delay.jl",
    },
    Language {
        name: "Java",
        version: "java --version",
        least: 21,
        compile: "javac -d OUT SOURCES/Delay.java",
        run: "java -cp OUT Delay",
    },
    Language {
        name: "Erlang",
        version: "erl -noshell -eval io:put_chars(erlang:system_info(otp_release)),halt().",
        least: 20,
        compile: "erlc -o OUT SOURCES/delay.erl",
        run: "erl -noshell -pa OUT -run delay main",
    },
];
// ANCHOR_END: languages

// ANCHOR: measure
const COUNT: usize = 1_000;
const WAIT: Duration = Duration::from_secs(2);

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|it| it == name);
    let out = std::env::temp_dir().join(format!("delay-servers-{}", std::process::id()));
    fs::create_dir_all(&out).expect("a folder for what is compiled");
    for rust in ["std", "greenthread"] {
        if is_wanted(rust) {
            let path = std::env::current_exe().expect("this program has a path");
            let mut server = Command::new(path.with_file_name(format!("delay-{rust}")));
            measure(rust, &mut server);
        }
    }
    for language in LANGUAGES.iter().filter(|it| is_wanted(it.name)) {
        match language.prepare(&out) {
            Ok((name, mut server)) => measure(&name, &mut server),
            Err(why) => eprintln!("{} is left out: {why}", language.name),
        }
    }
    fs::remove_dir_all(&out).expect("the folder is ours");
}

impl Language {
    /// The name with the version, and what starts the server.
    fn prepare(&self, out: &Path) -> std::result::Result<(String, Command), String> {
        let command = |line: &str| {
            let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/servers");
            let out = out.to_str().expect("a temporary folder with a usual name");
            let word = |word: &str| word.replace("SOURCES", sources).replace("OUT", out);
            let mut words = line.split(' ').map(word);
            let mut command = Command::new(words.next().expect("a line has a word"));
            command.args(words);
            command
        };
        let mut asked = command(self.version);
        let said = asked
            .output()
            .map_err(|_| format!("no `{}` here", asked.get_program().display()))?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let version = said.split(|it: char| !it.is_ascii_digit() && it != '.');
        let version = version.map(|it| it.trim_matches('.')).find(|it| !it.is_empty());
        let version = version.ok_or_else(|| format!("it says `{}`", said.trim()))?;
        let major: u32 = version.split('.').next().and_then(|it| it.parse().ok()).unwrap_or(0);
        if major < self.least {
            return Err(format!("it is {version}, and at least {} is needed", self.least));
        }
        if !self.compile.is_empty() {
            let compiled = command(self.compile).status();
            assert!(compiled.is_ok_and(|it| it.success()), "failed: {}", self.compile);
        }
        Ok((format!("{} {version}:", self.name), command(self.run)))
    }
}

/// Starts the server, and prints what the conversations came to.
fn measure(name: &str, server: &mut Command) {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let port = free.expect("the system has a free port").port();
    // Some systems allow a process 1024 sockets, if it doesn't ask for more.
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 4096; exec \"$@\"", "sh"]).arg(server.get_program());
    limited.args(server.get_args()).arg(port.to_string());
    let mut server = limited.spawn().map(Server).expect("there is a shell");
    server.wait_for(port);
    let pid = server.0.id();
    // Whatever is loaded or compiled for the first conversation isn't counted.
    crowd(10, Duration::from_millis(200), port, pid);
    let before = resident(pid);
    let Crowd { answered, took, memory } = crowd(COUNT, WAIT, port, pid);
    println!("{name} answered {answered} conversations");
    println!("{name} the last after {} ms", took.as_millis());
    println!("{name} each {:.1} KiB", memory.saturating_sub(before) as f64 / COUNT as f64);
    println!("{name} without them {:.1} MiB", before as f64 / 1024.0);
}

/// Ends when it is dropped.
struct Server(Child);

impl Server {
    fn wait_for(&mut self, port: u16) {
        let start = Instant::now();
        // A conversation of one line, as any other: the server hasn't got to deal with a caller
        // that says nothing.
        while ask(port, Duration::ZERO).and_then(|it| answer(it, Duration::ZERO)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "the server doesn't answer");
            let ended = self.0.try_wait().expect("it is our child");
            assert!(ended.is_none(), "the server has ended: {}", ended.unwrap_or_default());
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("it is our child");
    }
}
// ANCHOR_END: measure
