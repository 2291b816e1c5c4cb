//! A server that speaks Redis's protocol, with a thread for each connection, one lock around all that it knows, and a
//! condition variable for those who wait for a list to have something.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    time::{Duration, Instant},
};

use super::lib::{
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
};
use crate::Result;

type Bytes = Vec<u8>;

enum Value {
    Text(Bytes),
    List(VecDeque<Bytes>),
    Set(BTreeSet<Bytes>),
    Hash(HashMap<Bytes, Bytes>),
    Sorted(BTreeMap<Bytes, f64>),
}

#[derive(Default)]
struct Store {
    values: Mutex<HashMap<Bytes, Value>>,
    /// A list has got something.
    pushed: Condvar,
}

/// What a command is answered with.
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

/// Serves until a client says SHUTDOWN; how many commands there were.
pub fn serve(listener: TcpListener) -> Result<u64> {
    let store = Arc::new(Store::default());
    let address = listener.local_addr()?;
    let stop = Arc::new(Mutex::new(false));
    let mut sessions = Vec::new();
    for stream in listener.incoming() {
        let stream = stream?;
        if *stop.lock().unwrap() {
            break;
        }
        let (store, stop) = (store.clone(), stop.clone());
        sessions.push(thread::spawn(move || {
            session(&stream, &store, || {
                *stop.lock().unwrap() = true;
                // The listener waits for a connection: here is one.
                TcpStream::connect(address).map(drop)
            })
        }));
    }
    sessions.into_iter().map(|session| session.join().expect("no panic")).sum()
}

/// Serves a connection; how many commands there were.
fn session(stream: &TcpStream, store: &Store, stop: impl Fn() -> io::Result<()>) -> Result<u64> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut writer = BufWriter::new(stream);
    let mut commands = 0;
    while let Some(command) = read(&mut reader)? {
        let Some((name, arguments)) = command.split_first() else { continue };
        commands += 1;
        let name = String::from_utf8_lossy(name).to_uppercase();
        if name == "SHUTDOWN" {
            stop()?;
            break;
        }
        write(&mut writer, store.command(&name, arguments))?;
        // Those that came together are answered together.
        if reader.buffer().is_empty() {
            writer.flush()?;
        }
    }
    Ok(commands)
}

/// A command: an array of strings, or a line of words.
fn read(reader: &mut BufReader<&TcpStream>) -> Result<Option<Vec<Bytes>>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let Some(count) = line.trim_end().strip_prefix('*') else {
        return Ok(Some(line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect()));
    };
    let mut command = Vec::new();
    for _ in 0..count.parse()? {
        line.clear();
        reader.read_line(&mut line)?;
        let length = line.trim_end().strip_prefix('$').ok_or("a string should come")?.parse()?;
        let mut string = vec![0; length];
        reader.read_exact(&mut string)?;
        reader.read_exact(&mut [0; 2])?;
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

/// The value of this kind under a key, which is made if there is none.
macro_rules! value {
    ($values:ident, $key:expr, $kind:ident) => {
        match $values.entry($key.clone()).or_insert_with(|| Value::$kind(Default::default())) {
            Value::$kind(value) => value,
            _ => return Err("the key holds another kind of value".into()),
        }
    };
}

impl Store {
    fn command(&self, name: &str, arguments: &[Bytes]) -> Reply {
        self.answer(name, arguments).unwrap_or_else(Reply::Error)
    }

    fn answer(&self, name: &str, arguments: &[Bytes]) -> Result<Reply, String> {
        if let ("BLPOP", [key, timeout]) = (name, arguments) {
            return self.wait_for(key, number(timeout)?);
        }
        let mut values = self.values.lock().unwrap();
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
                let sum = if text.is_empty() { 1 } else { number::<i64>(text)? + 1 };
                *text = sum.to_string().into_bytes();
                Number(sum)
            }
            ("LPUSH" | "RPUSH", [key, items @ ..]) => {
                let list = value!(values, key, List);
                for item in items.iter().cloned() {
                    if name == "LPUSH" { list.push_front(item) } else { list.push_back(item) }
                }
                self.pushed.notify_all();
                Number(list.len() as i64)
            }
            ("LPOP" | "RPOP", [key]) => {
                let list = value!(values, key, List);
                let item = if name == "LPOP" { list.pop_front() } else { list.pop_back() };
                item.map_or(Nothing, Text)
            }
            ("LRANGE", [key, from, to]) => {
                let list = value!(values, key, List);
                let at = |i: i64| if i < 0 { (list.len() as i64 + i).max(0) as usize } else { i as usize };
                let (from, to) = (at(number(from)?), at(number(to)?));
                Array(list.iter().take(to + 1).skip(from).cloned().collect())
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
                let new = value!(values, key, Sorted).insert(item.clone(), number(score)?).is_none();
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

    /// The first of a list, as soon as there is one; 0 seconds are for ever.
    fn wait_for(&self, key: &Bytes, seconds: f64) -> Result<Reply, String> {
        let deadline = (seconds > 0.0).then(|| Instant::now() + Duration::from_secs_f64(seconds));
        let mut values = self.values.lock().unwrap();
        loop {
            if let Some(item) = value!(values, key, List).pop_front() {
                return Ok(Array(vec![key.clone(), item]));
            }
            let Some(deadline) = deadline else {
                values = self.pushed.wait(values).unwrap();
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Reply::NoList);
            }
            values = self.pushed.wait_timeout(values, left).unwrap().0;
        }
    }
}

/// Runs a program to its end; what it has written, if it has succeeded and complained of nothing.
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

    // One that waits for what another one brings, and one for whom nothing comes.
    let waiting = thread::spawn(move || cli(&["BLPOP", "parcels", "0"]));
    assert_eq!(cli(&["BLPOP", "nothing", "0.05"])?, "\n");
    cli(&["RPUSH", "parcels", "a parcel"])?;
    assert_eq!(waiting.join().expect("no panic")?, "parcels\na parcel\n");

    // All the works that the benchmark knows, from fifty connections, one by one and in batches.
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
