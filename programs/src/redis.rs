//! A server that speaks Redis's protocol, with one lock around all its data, and a condition
//! variable for clients that wait for a list to have an element. Each connection has two threads:
//! one reads commands and one executes them. So the end of a connection is seen while one of its
//! commands waits.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    io::{self, BufReader, BufWriter, Write},
    time::{Duration, Instant},
};

use super::{
    lib::{
        net::{Shutdown, SocketAddr, TcpListener, TcpStream},
        process::{Command, Stdio},
        sync::{
            Arc, Condvar, Mutex,
            atomic::{AtomicBool, Ordering},
            mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
        },
        thread,
    },
    limits::{Sessions, append, digits, line, linger},
};
use crate::Result;

type Bytes = Vec<u8>;

// Redis's own limits.

/// The longest line: a count, a length, or a command that is a line of words.
const MOST_LINE: usize = 64 << 10;
/// The most strings that a command has.
const MOST_STRINGS: u64 = 1 << 20;
/// The longest string: `proto-max-bulk-len`.
const MOST_STRING: u64 = 512 << 20;
/// The longest command: `client-query-buffer-limit`.
const MOST_COMMAND: u64 = 1 << 30;

/// The number of commands that are read ahead. The end of a connection is not seen behind more than
/// these.
const AHEAD: usize = 256;

enum Value {
    Text(Bytes),
    List(VecDeque<Bytes>),
    Set(BTreeSet<Bytes>),
    Hash(HashMap<Bytes, Bytes>),
    Sorted(BTreeMap<Bytes, f64>),
}

impl Value {
    /// Whether it is a container with nothing in it, which Redis doesn't keep.
    fn is_empty(&self) -> bool {
        match self {
            Value::Text(_) => false,
            Value::List(list) => list.is_empty(),
            Value::Set(set) => set.is_empty(),
            Value::Hash(hash) => hash.is_empty(),
            Value::Sorted(sorted) => sorted.is_empty(),
        }
    }
}

#[derive(Default)]
struct Store {
    values: Mutex<HashMap<Bytes, Value>>,
    /// A list has got an element, or a client has gone.
    changed: Condvar,
}

/// The answer to a command.
enum Reply {
    Simple(&'static str),
    Error(String),
    Number(i64),
    Text(Bytes),
    Nothing,
    NoList,
    Array(Vec<Bytes>),
}

use Reply::{Array, Nothing, Number, Simple, Text};

/// Serves until a client sends SHUTDOWN. Returns the number of commands.
pub fn serve(listener: TcpListener) -> Result<u64> {
    let store = Arc::new(Store::default());
    let address = listener.local_addr()?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut sessions = Sessions::default();
    for stream in listener.incoming() {
        if stop.load(Ordering::Acquire) {
            break;
        }
        // The client has gone again, or there is no descriptor for it. Some descriptor is closed
        // some day.
        let Ok(stream) = stream else {
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        let (store, stop) = (store.clone(), stop.clone());
        sessions.spawn(move || {
            session(&stream, &store, || {
                stop.store(true, Ordering::Release);
                // The listener waits for a connection. This is one.
                TcpStream::connect(address).map(drop)
            })
        });
    }
    Ok(sessions.join())
}

/// Serves a connection, and returns the number of commands. An error ends this connection and
/// nothing else.
fn session(stream: &TcpStream, store: &Store, stop: impl Fn() -> io::Result<()>) -> u64 {
    let (sender, commands) = sync_channel(AHEAD);
    let gone = AtomicBool::new(false);
    let mut count = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            read_all(stream, sender);
            // The flag is set under the lock, so that no thread has just looked at it and begins to
            // wait.
            let _values = store.values.lock().unwrap();
            gone.store(true, Ordering::Relaxed);
            store.changed.notify_all();
        });
        let executed = execute(stream, store, &commands, &gone, &mut count, stop);
        // This ends a reader that waits for room, and one that waits for input.
        drop(commands);
        _ = if executed.is_ok() { linger(stream) } else { Ok(()) };
        _ = stream.shutdown(Shutdown::Both);
    });
    count
}

/// Reads commands to the end of the connection, or to the first error.
fn read_all(stream: &TcpStream, commands: SyncSender<Result<Vec<Bytes>, String>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let command = match read(&mut reader) {
            Ok(Some(command)) => Ok(command),
            Err(Refused::Error(error)) => Err(error),
            // The end, in good order or not.
            Ok(None) | Err(Refused::Io) => return,
        };
        let last = command.is_err();
        if commands.send(command).is_err() || last {
            return;
        }
    }
}

/// Executes commands until there are no more, and answers them.
fn execute(
    stream: &TcpStream,
    store: &Store,
    commands: &Receiver<Result<Vec<Bytes>, String>>,
    gone: &AtomicBool,
    count: &mut u64,
    stop: impl Fn() -> io::Result<()>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = BufWriter::new(stream);
    loop {
        let command = match commands.try_recv() {
            Ok(command) => command,
            Err(TryRecvError::Disconnected) => break,
            // Commands that came together are answered together.
            Err(TryRecvError::Empty) => {
                writer.flush()?;
                let Ok(command) = commands.recv() else { break };
                command
            }
        };
        let command = match command {
            Ok(command) => command,
            Err(error) => {
                write(&mut writer, Reply::Error(format!("Protocol error: {error}")))?;
                break;
            }
        };
        let Some((name, arguments)) = command.split_first() else { continue };
        *count += 1;
        let name = String::from_utf8_lossy(name).to_uppercase();
        if name == "SHUTDOWN" {
            stop()?;
            break;
        }
        if name == "BLPOP" {
            writer.flush()?;
        }
        write(&mut writer, store.command(&name, arguments, gone))?;
    }
    writer.flush()
}

/// The reason why there is no command.
enum Refused {
    /// The connection has ended.
    Io,
    /// The input is no command.
    Error(String),
}

impl From<io::Error> for Refused {
    fn from(_: io::Error) -> Self {
        Refused::Io
    }
}

impl From<&str> for Refused {
    fn from(error: &str) -> Self {
        Refused::Error(error.to_owned())
    }
}

/// A command: an array of strings, or a line of words.
fn read(reader: &mut BufReader<&TcpStream>) -> Result<Option<Vec<Bytes>>, Refused> {
    let first = line(reader, MOST_LINE)?.ok_or("too big inline request")?;
    if first.is_empty() {
        return Ok(None);
    }
    let Some(count) = first.strip_prefix(b"*") else {
        let words = first.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        return Ok(Some(words.map(<[u8]>::to_vec).collect()));
    };
    let count = match count.strip_suffix(b"\r\n") {
        // Redis takes a negative count for 0.
        Some([b'-', count @ ..]) => digits(count).map(|_| 0),
        Some(count) => digits(count).filter(|&count| count <= MOST_STRINGS),
        None => None,
    };
    let mut command = Vec::new();
    let mut left = MOST_COMMAND;
    for _ in 0..count.ok_or("invalid multibulk length")? {
        let length = line(reader, MOST_LINE)?.ok_or("too big bulk count string")?;
        let Some(length) = length.strip_prefix(b"$") else {
            let found = length.first().map_or(Err(Refused::Io), |&byte| Ok(byte.escape_ascii()))?;
            return Err(Refused::Error(format!("expected '$', got '{found}'")));
        };
        let length = length.strip_suffix(b"\r\n").and_then(digits).filter(|&length| length <= MOST_STRING);
        let length = length.ok_or("invalid bulk length")?;
        left = left.checked_sub(length).ok_or("too big a command")?;
        let mut string = Vec::new();
        append(reader, length, &mut string)?;
        let mut end = Vec::new();
        append(reader, 2, &mut end)?;
        if end != b"\r\n" {
            return Err("a string has another end than its length says".into());
        }
        command.push(string);
    }
    Ok(Some(command))
}

fn write(writer: &mut impl Write, reply: Reply) -> io::Result<()> {
    let text = |writer: &mut dyn Write, text: &Bytes| {
        write!(writer, "${}\r\n", text.len())?;
        writer.write_all(text)?;
        writer.write_all(b"\r\n")
    };
    match reply {
        Simple(word) => write!(writer, "+{word}\r\n"),
        Reply::Error(error) => write!(writer, "-ERR {error}\r\n"),
        Number(number) => write!(writer, ":{number}\r\n"),
        Text(string) => text(writer, &string),
        Nothing => writer.write_all(b"$-1\r\n"),
        Reply::NoList => writer.write_all(b"*-1\r\n"),
        Array(strings) => {
            write!(writer, "*{}\r\n", strings.len())?;
            strings.iter().try_for_each(|string| text(writer, string))
        }
    }
}

fn number<T: std::str::FromStr>(bytes: &[u8]) -> Result<T, String> {
    let parsed = str::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| "value is not a number or out of range".to_owned())
}

/// The value of this kind under a key. It is made if there is none.
macro_rules! value {
    ($values:ident, $key:expr, $kind:ident) => {
        match $values.entry($key.clone()).or_insert_with(|| Value::$kind(Default::default())) {
            Value::$kind(value) => value,
            _ => return Err("the key holds another kind of value".into()),
        }
    };
}

/// The deadline of a wait that a client gives this many seconds. 0 seconds are for ever.
fn deadline(seconds: &[u8]) -> Result<Option<Instant>, String> {
    let seconds: f64 = number(seconds).ok().filter(|seconds: &f64| !seconds.is_nan()).ok_or(NO_TIMEOUT)?;
    if seconds < 0.0 {
        return Err("timeout is negative".into());
    }
    let deadline =
        Duration::try_from_secs_f64(seconds).ok().and_then(|wait| Instant::now().checked_add(wait));
    let deadline = deadline.ok_or("timeout is out of range")?;
    Ok((seconds > 0.0).then_some(deadline))
}

const OVERFLOW: &str = "increment or decrement would overflow";
const NO_TIMEOUT: &str = "timeout is not a float or out of range";

type Values = HashMap<Bytes, Value>;

impl Store {
    fn command(&self, name: &str, arguments: &[Bytes], gone: &AtomicBool) -> Reply {
        let answer = if let ("BLPOP", [key, seconds]) = (name, arguments) {
            deadline(seconds).and_then(|deadline| self.wait_for(key, deadline, gone))
        } else {
            let mut values = self.values.lock().unwrap();
            let answer = self.answer(&mut values, name, arguments);
            if let Some(key) = arguments.first()
                && values.get(key).is_some_and(Value::is_empty)
            {
                values.remove(key);
            }
            answer
        };
        answer.unwrap_or_else(Reply::Error)
    }

    fn answer(&self, values: &mut Values, name: &str, arguments: &[Bytes]) -> Result<Reply, String> {
        Ok(match (name, arguments) {
            ("PING", []) => Simple("PONG"),
            ("PING" | "ECHO", [text]) => Text(text.clone()),
            ("COMMAND", _) => Array(Vec::new()),
            ("CONFIG", [_, name]) => Array(vec![name.clone(), Bytes::new()]),
            ("FLUSHALL", []) => {
                values.clear();
                Simple("OK")
            }
            ("DBSIZE", []) => Number(values.len() as i64),
            ("DEL", keys) => Number(keys.iter().filter(|key| values.remove(*key).is_some()).count() as i64),
            ("SET", [key, text]) => {
                values.insert(key.clone(), Value::Text(text.clone()));
                Simple("OK")
            }
            ("MSET", pairs) if pairs.len() % 2 == 0 => {
                for pair in pairs.chunks(2) {
                    values.insert(pair[0].clone(), Value::Text(pair[1].clone()));
                }
                Simple("OK")
            }
            ("GET", [key]) => match values.get(key) {
                Some(Value::Text(text)) => Text(text.clone()),
                Some(_) => return Err("the key holds another kind of value".into()),
                None => Nothing,
            },
            ("INCR", [key]) => {
                let text = value!(values, key, Text);
                let sum =
                    if text.is_empty() { 1 } else { number::<i64>(text)?.checked_add(1).ok_or(OVERFLOW)? };
                *text = sum.to_string().into_bytes();
                Number(sum)
            }
            ("LPUSH" | "RPUSH", [key, items @ ..]) => {
                let list = value!(values, key, List);
                for item in items.iter().cloned() {
                    if name == "LPUSH" { list.push_front(item) } else { list.push_back(item) }
                }
                self.changed.notify_all();
                Number(list.len() as i64)
            }
            ("LPOP" | "RPOP", [key]) => {
                let list = value!(values, key, List);
                let item = if name == "LPOP" { list.pop_front() } else { list.pop_back() };
                item.map_or(Nothing, Text)
            }
            ("LRANGE", [key, from, to]) => {
                let list = value!(values, key, List);
                let at = |i: i64| if i < 0 { list.len() as i64 + i } else { i };
                let (from, end) = (at(number(from)?).max(0), at(number(to)?).saturating_add(1).max(0));
                Array(list.iter().take(end as usize).skip(from as usize).cloned().collect())
            }
            ("SADD", [key, items @ ..]) => {
                let set = value!(values, key, Set);
                Number(items.iter().filter(|item| set.insert((*item).clone())).count() as i64)
            }
            ("SPOP", [key]) => value!(values, key, Set).pop_first().map_or(Nothing, Text),
            ("HSET", [key, fields @ ..]) if fields.len() % 2 == 0 => {
                let hash = value!(values, key, Hash);
                let new = |pair: &&[Bytes]| hash.insert(pair[0].clone(), pair[1].clone()).is_none();
                Number(fields.chunks(2).filter(new).count() as i64)
            }
            ("HGET", [key, field]) => value!(values, key, Hash).get(field).cloned().map_or(Nothing, Text),
            ("ZADD", [key, score, item]) => {
                let score: f64 = number(score)?;
                if score.is_nan() {
                    return Err("value is not a valid float".into());
                }
                let new = value!(values, key, Sorted).insert(item.clone(), score).is_none();
                Number(new.into())
            }
            ("ZPOPMIN", [key]) => {
                let sorted = value!(values, key, Sorted);
                let least = sorted.iter().min_by(|a, b| a.1.total_cmp(b.1)).map(|(item, _)| item.clone());
                let popped = least.and_then(|item| sorted.remove_entry(&item));
                Array(popped.map_or(Vec::new(), |(item, score)| vec![item, score.to_string().into_bytes()]))
            }
            _ => return Err(format!("unknown command, or wrong arguments: {name}")),
        })
    }

    /// The first element of a list, as soon as there is one. An element that comes when the client
    /// has gone is left for others.
    fn wait_for(&self, key: &Bytes, deadline: Option<Instant>, gone: &AtomicBool) -> Result<Reply, String> {
        let mut values = self.values.lock().unwrap();
        let mut waited = false;
        loop {
            if waited && gone.load(Ordering::Relaxed) {
                return Ok(Reply::NoList);
            }
            match values.get_mut(key) {
                None => {}
                Some(Value::List(list)) => {
                    let item = list.pop_front().expect("no list is empty");
                    if list.is_empty() {
                        values.remove(key);
                    }
                    return Ok(Array(vec![key.clone(), item]));
                }
                Some(_) => return Err("the key holds another kind of value".into()),
            }
            if !std::mem::replace(&mut waited, true) {
                continue;
            }
            let Some(deadline) = deadline else {
                values = self.changed.wait(values).unwrap();
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Reply::NoList);
            }
            values = self.changed.wait_timeout(values, left).unwrap().0;
        }
    }
}

/// Runs a program to its end. Returns its output, if it has succeeded without complaints.
fn run(program: &str, address: SocketAddr, arguments: &[&str], input: &str) -> Result<String> {
    let mut child = Command::new(program)
        .args(["-h", &address.ip().to_string(), "-p", &address.port().to_string()])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    child.stdin.take().expect("a pipe").write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    let said = String::from_utf8(output.stdout)?;
    let complained = String::from_utf8(output.stderr)?;
    if !output.status.success() || !complained.is_empty() {
        return Err(format!("{program} {arguments:?}: {}: {said}{complained}", output.status).into());
    }
    Ok(said)
}

/// `redis-cli` and `redis-benchmark` against the server.
pub fn check() -> Result {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || serve(listener));
    let cli = move |arguments: &[&str]| run("redis-cli", address, arguments, "");

    assert_eq!(cli(&["PING"])?, "PONG\n");
    assert_eq!(cli(&["SET", "greeting", "hello, world"])?, "OK\n");
    assert_eq!(cli(&["GET", "greeting"])?, "hello, world\n");
    assert_eq!(cli(&["GET", "nobody"])?, "\n");
    assert_eq!(cli(&["RPUSH", "list", "a", "b", "c"])?, "3\n");
    assert_eq!(cli(&["LRANGE", "list", "0", "-1"])?, "a\nb\nc\n");
    assert!(cli(&["INCR", "greeting"])?.starts_with("ERR value is not a number"));
    assert!(cli(&["LPOP", "greeting"])?.starts_with("ERR the key holds another kind"));
    // A thousand commands through one connection, each answered before the next is asked.
    let script = "INCR count\n".repeat(1000);
    let answers: String = (1..=1000).map(|n| format!("{n}\n")).collect();
    assert_eq!(run("redis-cli", address, &[], &script)?, answers);
    // The same, in bulk.
    let bulk = "*2\r\n$4\r\nINCR\r\n$5\r\ncount\r\n".repeat(1000);
    assert!(run("redis-cli", address, &["--pipe"], &bulk)?.contains("errors: 0, replies: 1000"));
    assert_eq!(cli(&["GET", "count"])?, "2000\n");

    // One client waits for an element that another one brings, and one waits in vain.
    let waiting = thread::spawn(move || cli(&["BLPOP", "parcels", "0"]));
    assert_eq!(cli(&["BLPOP", "nothing", "0.05"])?, "\n");
    cli(&["RPUSH", "parcels", "a parcel"])?;
    assert_eq!(waiting.join().expect("no panic")?, "parcels\na parcel\n");

    // All tests that the benchmark knows, from fifty connections, one by one and in batches.
    for pipeline in ["1", "10"] {
        let report =
            run("redis-benchmark", address, &["-n", "1000", "-c", "50", "-P", pipeline, "--csv"], "")?;
        let works: Vec<_> = report.lines().skip(1).filter_map(|line| line.split('"').nth(1)).collect();
        let expected =
            ["PING_INLINE", "SET", "GET", "INCR", "LPUSH", "RPUSH", "LPOP", "RPOP", "SADD", "HSET", "SPOP"];
        for work in expected.into_iter().chain(["ZADD", "ZPOPMIN", "MSET (10 keys)"]) {
            assert!(works.contains(&work), "{work} in {works:?}");
        }
    }
    assert_eq!(cli(&["GET", "counter:__rand_int__"])?, "2000\n", "not one INCR of the benchmarks is lost");

    assert_eq!(cli(&["SHUTDOWN"])?, "");
    let commands = server.join().expect("no panic")?;
    assert!(commands > 2 * 14 * 1000, "{commands} commands");
    Ok(())
}
