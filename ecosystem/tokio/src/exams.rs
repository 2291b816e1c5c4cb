//! The exams: what green threads do with each crate. An exam returns the errors of its calls.

use std::{convert::Infallible, fmt::Display, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::Path, routing::get};
use bytes::Bytes;
use greenthread::{block_on, thread};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, client, server, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use redis::AsyncCommands;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, oneshot},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{Asked, servers::Kind};

pub(crate) struct Exam {
    /// The name of the crate, as in `Cargo.lock`, and after a blank what of it.
    pub(crate) name: &'static str,
    pub(crate) server: Option<Kind>,
    pub(crate) run: fn(Asked, &str) -> Vec<String>,
}

pub(crate) const EXAMS: &[Exam] = &[
    Exam { name: "hyper http1", server: None, run: hyper_http1 },
    Exam { name: "hyper http2", server: None, run: hyper_http2 },
    Exam { name: "axum", server: None, run: axum_and_reqwest },
    Exam { name: "tonic", server: None, run: tonic },
    Exam { name: "redis", server: Some(Kind::Redis), run: redis },
    Exam { name: "tokio-postgres", server: Some(Kind::Postgres), run: postgres },
];

/// How many connections are open at a time, where each thread has its own.
const CONNECTIONS: usize = 400;

/// Spawns the threads, each of which makes its calls by `call`, and returns their errors. A panic
/// is an error, too.
fn all<E: Display>(
    asked: Asked,
    call: impl Fn(usize, usize) -> Result<(), E> + Send + Sync + 'static,
) -> Vec<String> {
    let call = Arc::new(call);
    let threads: Vec<_> = (0..asked.threads)
        .map(|number| {
            let call = call.clone();
            thread::spawn(move || {
                (0..asked.calls).try_for_each(|n| call(number, n)).map_err(|error| error.to_string())
            })
        })
        .collect();
    threads
        .into_iter()
        .filter_map(|thread| thread.join().unwrap_or_else(|_| Err("a panic".into())).err())
        .collect()
}

fn expect(is_right: bool) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    if is_right { Ok(()) } else { Err("a wrong answer".into()) }
}

type AnyResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    Ok(Response::new(Full::new(request.into_body().collect().await?.to_bytes())))
}

fn listen() -> (TcpListener, SocketAddr) {
    let listener = block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// A green thread for each connection of the server, and each thread of the client has a connection
/// of its own for all of its calls.
fn hyper_http1(asked: Asked, _: &str) -> Vec<String> {
    let (listener, address) = listen();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = thread::spawn(move || {
        let mut stopped = stopped;
        loop {
            let accepted = block_on(async {
                tokio::select! {
                    accepted = listener.accept() => Some(accepted),
                    _ = &mut stopped => None,
                }
            });
            let Some(accepted) = accepted else { return };
            let Ok((stream, _)) = accepted else { continue };
            thread::spawn(move || {
                _ = block_on(
                    server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service_fn(echo)),
                );
            });
        }
    });
    let open = Arc::new(Semaphore::new(CONNECTIONS));
    let (threads, calls) = (asked.threads, asked.calls);
    let errors = all(Asked { threads, calls: 1, ..asked }, move |number, _| -> AnyResult {
        let _open = block_on(open.acquire())?;
        let stream = block_on(TcpStream::connect(address))?;
        let (mut client, connection) = block_on(client::conn::http1::handshake(TokioIo::new(stream)))?;
        let connection = thread::spawn(move || block_on(connection));
        for n in 0..calls {
            let text = Bytes::from(format!("{number} {n}"));
            block_on(client.ready())?;
            let answer = block_on(client.send_request(Request::new(Full::new(text.clone()))))?;
            expect(block_on(answer.into_body().collect())?.to_bytes() == text)?;
        }
        drop(client);
        connection.join().map_err(|_| "a panic of the connection")??;
        Ok(())
    });
    _ = stop.send(());
    _ = server.join();
    errors
}

/// All threads share a few connections.
fn hyper_http2(asked: Asked, _: &str) -> Vec<String> {
    let (listener, address) = listen();
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let builder = server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(builder.serve_connection(TokioIo::new(stream), service_fn(echo)));
        }
    });
    let connect = |_| {
        block_on(async {
            let stream = TokioIo::new(TcpStream::connect(address).await.expect("a connection"));
            let (client, connection) =
                client::conn::http2::handshake(TokioExecutor::new(), stream).await.expect("a handshake");
            tokio::spawn(connection);
            client
        })
    };
    let clients: Vec<_> = (0..8).map(connect).collect();
    let errors = all(asked, move |number, n| -> AnyResult {
        let mut client = clients[number % clients.len()].clone();
        let text = Bytes::from(format!("{number} {n}"));
        let answer = block_on(client.send_request(Request::new(Full::new(text.clone()))))?;
        expect(block_on(answer.into_body().collect())?.to_bytes() == text)
    });
    server.abort();
    errors
}

/// The handlers are tasks; some of them wait for green threads. The callers share a client.
fn axum_and_reqwest(asked: Asked, _: &str) -> Vec<String> {
    let (listener, address) = listen();
    let router =
        Router::new().route("/double/{n}", get(async |Path(n): Path<u64>| (2 * n).to_string())).route(
            "/green/{n}",
            get(async |Path(n): Path<u64>| {
                let blocking = move || {
                    thread::sleep(Duration::from_millis(1));
                    2 * n
                };
                thread::spawn(blocking).await.expect("no panic").to_string()
            }),
        );
    let (stop, stopped) = oneshot::channel::<()>();
    let server = thread::spawn(move || {
        block_on(axum::serve(listener, router).with_graceful_shutdown(async { _ = stopped.await }))
    });
    let client = reqwest::Client::builder().pool_max_idle_per_host(CONNECTIONS).build().expect("a client");
    let open = Arc::new(Semaphore::new(CONNECTIONS));
    let shared = client.clone();
    let errors = all(asked, move |number, n| -> AnyResult {
        let path = if n % 2 == 0 { "double" } else { "green" };
        let _open = block_on(open.acquire())?;
        let answer = block_on(shared.get(format!("http://{address}/{path}/{number}")).send())?;
        expect(block_on(answer.text())?.parse() == Ok(2 * number))
    });
    drop(client);
    _ = stop.send(());
    if !matches!(server.join(), Ok(Ok(()))) {
        return vec!["the server has failed".into()];
    }
    errors
}

fn tonic(asked: Asked, _: &str) -> Vec<String> {
    let (listener, address) = listen();
    drop(listener);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = thread::spawn(move || {
        let (reporter, service) = tonic_health::server::health_reporter();
        block_on(reporter.set_service_status("green", tonic_health::ServingStatus::Serving));
        block_on(
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_shutdown(address, async { _ = stopped.await }),
        )
    });
    let connect = |_| {
        let endpoint =
            tonic::transport::Endpoint::from_shared(format!("http://{address}")).expect("an address");
        loop {
            match block_on(endpoint.connect()) {
                Ok(channel) => return HealthClient::new(channel),
                Err(_) => thread::sleep(Duration::from_millis(5)),
            }
        }
    };
    let clients: Vec<_> = (0..8).map(connect).collect();
    let errors = all(asked, move |number, _| -> AnyResult {
        let mut client = clients[number % clients.len()].clone();
        let answer = block_on(client.check(HealthCheckRequest { service: "green".into() }))?;
        expect(answer.into_inner().status == 1)
    });
    _ = stop.send(());
    if !matches!(server.join(), Ok(Ok(()))) {
        return vec!["the server has failed".into()];
    }
    errors
}

fn redis(asked: Asked, address: &str) -> Vec<String> {
    let client = redis::Client::open(address).expect("an address");
    let connection = match block_on(client.get_multiplexed_async_connection()) {
        Ok(connection) => connection,
        Err(error) => return vec![error.to_string()],
    };
    all(asked, move |number, n| -> AnyResult {
        let mut connection = connection.clone();
        let key = format!("{number} {n}");
        block_on(connection.set::<_, _, ()>(&key, n))?;
        expect(block_on(connection.get::<_, usize>(&key))? == n)
    })
}

fn postgres(asked: Asked, address: &str) -> Vec<String> {
    let connect = |_| {
        let (client, connection) = block_on(tokio_postgres::connect(address, tokio_postgres::NoTls))?;
        tokio::spawn(connection);
        Ok::<_, tokio_postgres::Error>(client)
    };
    let clients: Vec<_> = match (0..8).map(connect).collect() {
        Ok(clients) => clients,
        Err(error) => return vec![error.to_string()],
    };
    all(asked, move |number, n| -> AnyResult {
        let client = &clients[number % clients.len()];
        let row = block_on(client.query_one("SELECT $1::INT8 * 2", &[&((number + n) as i64)]))?;
        expect(row.get::<_, i64>(0) == 2 * (number + n) as i64)
    })
}

/// The service that is measured.
pub(crate) async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"Hello, world!"))))
}
