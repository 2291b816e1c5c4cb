//! monoio: a runtime on io_uring, on one OS thread. Each call takes ownership of its buffer and
//! returns it with the answer.

use std::io;
use std::rc::Rc;

use bench_common::files::{BLOCK, Offsets, check, data_path, prepare};
use bench_common::{Args, BUFFER, Mark, Rounds};
use monoio::fs::File;
use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};
use monoio::{IoUringDriver, RuntimeBuilder};

fn main() {
    let args = Args::from_env();
    let mut runtime = RuntimeBuilder::<IoUringDriver>::new().with_entries(1024).build().expect("a runtime");
    runtime.block_on(work(args));
}

async fn work(args: Args) {
    match args.work.as_str() {
        "echo" | "echo-at-rate" | "idle-active" | "churn" => echo().await.expect("a server"),
        "files-cached" => files(&args, false).await,
        "files-cold" => files(&args, true).await,
        _ => args.unknown(),
    }
}

async fn echo() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    bench_common::listening(listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept().await?;
        monoio::spawn(send_back(stream));
    }
}

async fn send_back(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(BUFFER);
    loop {
        let (result, filled) = stream.read(buffer).await;
        if result? == 0 {
            return Ok(());
        }
        let (result, sent) = stream.write_all(filled).await;
        result?;
        buffer = sent;
        buffer.clear();
    }
}

async fn files(args: &Args, cold: bool) {
    let n = args.n;
    let file = Rc::new(File::open(data_path()).await.expect("the runner has made it"));
    let mut rounds = Rounds::new(args);
    for round in 0.. {
        if !rounds.go_on() {
            break;
        }
        prepare(cold, round);
        let start = Mark::now();
        let spawn_one = |thread| {
            let file = file.clone();
            monoio::spawn(async move {
                let mut block = vec![0; BLOCK];
                for offset in Offsets::new(thread, round).take(n) {
                    let (result, filled) = file.read_exact_at(block, offset).await;
                    result.expect("a file that can be read");
                    check(&filled, offset);
                    block = filled;
                }
            })
        };
        for task in (0..args.threads).map(spawn_one).collect::<Vec<_>>() {
            task.await;
        }
        rounds.add(args.threads * n, start.elapsed());
    }
    rounds.report("");
}
