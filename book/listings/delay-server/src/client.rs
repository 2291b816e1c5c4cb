// ANCHOR: ask
//! The other side of the conversations: a process that starts many of them at once.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{self, Command};
use std::time::{Duration, Instant};
use std::{env, thread};

/// Opens conversations, then asks in all of them at once, and then waits for all the answers.
fn ask(server: &str, count: usize, millis: u64) -> io::Result<Duration> {
    let streams = call(server, count)?;
    let start = Instant::now();
    for mut stream in &streams {
        stream.write_all(format!("{millis}\n").as_bytes())?;
    }
    for stream in &streams {
        hear(stream, millis)?;
    }
    Ok(start.elapsed())
}

/// Opens conversations. In each of them one question has been answered.
pub fn call(server: &str, count: usize) -> io::Result<Vec<TcpStream>> {
    let mut streams = Vec::new();
    while streams.len() < count {
        // The kernel keeps 128 callers for a server that is busy, and turns away the others.
        let more = (count - streams.len()).min(100);
        let new =
            (0..more).map(|_| TcpStream::connect(server)).collect::<io::Result<Vec<_>>>()?;
        for mut stream in &new {
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"0\n")?;
        }
        for stream in new {
            let caller = streams.len() + 1;
            let nobody =
                |_| io::Error::other(format!("caller {caller} has had no answer for 5 s"));
            hear(&stream, 0).map_err(nobody)?;
            streams.push(stream);
        }
    }
    Ok(streams)
}

/// Waits for an answer.
pub fn hear(stream: &TcpStream, millis: u64) -> io::Result<()> {
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    assert_eq!(answer, format!("waited {millis} ms\n"));
    Ok(())
}
// ANCHOR_END: ask

// ANCHOR: start
/// The address at which a server is to listen: what stands behind `--` on the command line, or else
/// any that is free. A process that was started to be the client doesn't come back from here.
pub fn address() -> io::Result<String> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [server, count, millis] = &arguments[..] {
        let number = |text: &str| text.parse::<u32>().map_err(io::Error::other);
        let (count, millis) = (number(count)?, number(millis)?);
        match ask(server, count as usize, millis.into()) {
            Ok(time) => {
                println!("{count} waits of {millis} ms are over after {} ms", time.as_millis())
            }
            Err(error) => println!("{error}"),
        }
        process::exit(0);
    }
    Ok(arguments.into_iter().next().unwrap_or_else(|| "127.0.0.1:0".to_owned()))
}

/// Starts this program again, to be the client of a server at an address that nobody has asked for.
/// When the client has ended, so does the server.
pub fn start(server: SocketAddr, count: usize, millis: u64) -> io::Result<()> {
    if env::args().count() == 1 {
        let arguments = [server.to_string(), count.to_string(), millis.to_string()];
        let mut client = Command::new(env::current_exe()?).args(arguments).spawn()?;
        thread::spawn(move || {
            let status = client.wait().expect("it was started");
            process::exit(status.code().unwrap_or(1));
        });
    }
    Ok(())
}
// ANCHOR_END: start
