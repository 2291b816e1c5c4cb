//! Works that are servers: their load generators, and the questions.

use std::error::Error;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::line::{Line, parse};
use crate::process::{on_processor, wait};
use crate::works::Row;

/// A load generator. It runs on processor 1.
#[derive(Debug)]
pub enum Asker {
    Wrk,
    /// Our own, `load`, with these arguments.
    Load(String),
}

/// The load generator, if the work is a server. The README explains the row's numbers.
pub fn asker(row: &Row) -> Option<Asker> {
    let Row { threads, n, .. } = row;
    Some(Asker::Load(match row.work.as_str() {
        "http" => return Some(Asker::Wrk),
        "echo" => format!("--connections {threads} --bytes {n}"),
        "echo-at-rate" => format!("--connections {threads} --rate {n}"),
        "idle-active" => format!("--connections {threads} --idle {n}"),
        "churn" => format!("--churn --connections {threads} --bytes {n}"),
        "unbalanced" => format!("--connections 50 --rate {n} --asleep"),
        _ => return None,
    }))
}

/// Asks a server that has just been started. Returns the measurements, and the generator's CPU
/// time.
pub fn ask(
    server: &mut Child,
    bin: &Path,
    row: &Row,
    asker: &Asker,
    seconds: u32,
) -> Result<(Vec<Line>, Duration), Box<dyn Error>> {
    let mut first = String::new();
    BufReader::new(server.stdout.as_mut().expect("piped")).read_line(&mut first)?;
    let port = first.trim().strip_prefix("listening\t").ok_or("the server doesn't listen")?;
    match asker {
        Asker::Wrk => ask_by_wrk(server, port, row.threads, seconds),
        Asker::Load(arguments) => {
            let mut load = Command::new(bin.join("load"));
            load.args(["--port", port, "--server", &server.id().to_string()]);
            load.args(["--seconds", &seconds.to_string()]).args(arguments.split(' '));
            let (text, cpu) = run(load)?;
            Ok((parse(&text)?, cpu))
        }
    }
}

fn ask_by_wrk(
    server: &Child,
    port: &str,
    connections: usize,
    seconds: u32,
) -> Result<(Vec<Line>, Duration), Box<dyn Error>> {
    let (_, warm_up) = wrk(port, connections, 1)?;
    let cpu_of_server = || bench_common::cpu_of(server.id() as libc::pid_t);
    let before = cpu_of_server()?;
    let (requests, generator) = wrk(port, connections, seconds)?;
    let cpu = cpu_of_server()? - before;

    let per_request = cpu.as_nanos() as f64 / requests as f64;
    let busy = format!("server busy {:.0}%", 100.0 * cpu.as_secs_f64() / seconds as f64);
    let line = |metric: &str, value, unit: &str, note| Line {
        metric: metric.to_owned(),
        value,
        unit: unit.to_owned(),
        cpu: per_request,
        note,
        distribution: String::new(),
    };
    let rate = requests as f64 / seconds as f64;
    let lines = vec![line("cpu", per_request, "ns", busy), line("rate", rate, "per s", String::new())];
    Ok((lines, warm_up + generator))
}

/// Asks for some seconds. Returns the number of answered requests, and the generator's CPU time.
fn wrk(port: &str, connections: usize, seconds: u32) -> Result<(u64, Duration), Box<dyn Error>> {
    let mut wrk = Command::new("wrk");
    wrk.arg("-t1").arg(format!("-c{connections}")).arg(format!("-d{seconds}s"));
    wrk.arg(format!("http://127.0.0.1:{port}/plaintext"));
    let (text, cpu) = run(wrk)?;
    if text.contains("Socket errors") || text.contains("Non-2xx") {
        return Err(format!("wrk saw errors:\n{text}").into());
    }
    let requests = text.lines().find_map(|line| line.split_once(" requests in "));
    let (requests, _) = requests.ok_or_else(|| format!("wrk said:\n{text}"))?;
    Ok((requests.trim().parse()?, cpu))
}

/// The output of a generator, and its CPU time.
fn run(mut generator: Command) -> Result<(String, Duration), Box<dyn Error>> {
    on_processor(1, &mut generator);
    let name = generator.get_program().display().to_string();
    let mut child = generator.stdout(Stdio::piped()).spawn().map_err(|error| format!("{name}: {error}"))?;
    let mut text = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut text)?;
    match wait(child)? {
        (status, usage) if status.success() => Ok((text, usage.cpu)),
        (status, _) => Err(format!("{name}: {status}").into()),
    }
}
