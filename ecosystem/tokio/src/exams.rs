//! The exams: what green threads do with each crate. An exam returns the errors of its calls.

use std::{
    convert::Infallible,
    fmt::Display,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use axum::{Router, extract::Path, routing::get};
use bytes::Bytes;
use ecosystem_common::servers::Kind;
use futures_util::{SinkExt, StreamExt, TryStreamExt, future};
use greenthread::{block_on, thread};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, client, server, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use redis::{AsyncCommands, AsyncConnectionConfig};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, oneshot},
};
use tokio_tungstenite::tungstenite::Message;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::{
    BoxError, ServiceBuilder, ServiceExt, service_fn as service_fn_of_tower, timeout::error::Elapsed,
};

use crate::{Asked, databases};

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
    Exam { name: "sqlx postgres", server: Some(Kind::Postgres), run: databases::postgres },
    Exam { name: "sqlx sqlite", server: None, run: databases::sqlite },
    Exam { name: "tokio-tungstenite", server: None, run: tungstenite },
    Exam { name: "tower", server: None, run: tower },
];

/// How many connections are open at a time, where each thread has its own.
const CONNECTIONS: usize = 400;

/// Spawns the threads, each of which makes its calls by `call`, in a soak again and again, and
/// returns their errors. A panic is an error, too.
pub(crate) fn all<E: Display>(
    asked: Asked,
    call: impl Fn(usize, usize) -> Result<(), E> + Send + Sync + 'static,
) -> Vec<String> {
    let call = Arc::new(call);
    let threads: Vec<_> = (0..asked.threads)
        .map(|number| {
            let call = call.clone();
            thread::spawn(move || {
                loop {
                    for n in 0..asked.calls {
                        call(number, n).map_err(|error| error.to_string())?;
                        asked.made.fetch_add(1, Relaxed);
                    }
                    if asked.until.is_none_or(|until| Instant::now() >= until) {
                        return Ok(());
                    }
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .filter_map(|thread| thread.join().unwrap_or_else(|_| Err("a panic".into())).err())
        .collect()
}

pub(crate) fn expect(is_right: bool) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    if is_right { Ok(()) } else { Err("a wrong answer".into()) }
}

pub(crate) type AnyResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    Ok(Response::new(Full::new(request.into_body().collect().await?.to_bytes())))
}

fn listen() -> (TcpListener, SocketAddr) {
    let listener = block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// A server with a green thread for each connection. It ends when the value is dropped.
struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    acceptor: Option<thread::JoinHandle<()>>,
}

impl Server {
    fn new(serve: impl Fn(TcpStream) + Copy + Send + 'static) -> Self {
        let (listener, address) = listen();
        let (stop, mut stopped) = oneshot::channel();
        let acceptor = thread::spawn(move || {
            loop {
                let accepted = block_on(async {
                    tokio::select! {
                        accepted = listener.accept() => Some(accepted),
                        _ = &mut stopped => None,
                    }
                });
                match accepted {
                    Some(Ok((stream, _))) => drop(thread::spawn(move || serve(stream))),
                    Some(Err(_)) => {}
                    None => return,
                }
            }
        });
        Self { address, stop: Some(stop), acceptor: Some(acceptor) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.stop.take().map(|stop| stop.send(()));
        _ = self.acceptor.take().map(thread::JoinHandle::join);
    }
}

/// As [`all`], where each thread opens a connection for all its calls, and closes it.
fn all_connected(
    asked: Asked,
    connected: impl Fn(&mut dyn Iterator<Item = String>) -> AnyResult + Send + Sync + 'static,
) -> Vec<String> {
    let open = Semaphore::new(CONNECTIONS);
    let calls = asked.calls;
    all(Asked { calls: 1, ..asked }, move |number, _| -> AnyResult {
        let _open = block_on(open.acquire())?;
        connected(&mut (0..calls).map(|n| format!("{number} {n}")))?;
        asked.made.fetch_add(calls - 1, Relaxed);
        Ok(())
    })
}

fn hyper_http1(asked: Asked, _: &str) -> Vec<String> {
    let server = Server::new(|stream| {
        let builder = server::conn::http1::Builder::new();
        _ = block_on(builder.serve_connection(TokioIo::new(stream), service_fn(echo)));
    });
    let address = server.address;
    all_connected(asked, move |texts| {
        let stream = block_on(TcpStream::connect(address))?;
        let (mut client, connection) = block_on(client::conn::http1::handshake(TokioIo::new(stream)))?;
        let connection = thread::spawn(move || block_on(connection));
        for text in texts.map(Bytes::from) {
            block_on(client.ready())?;
            let answer = block_on(client.send_request(Request::new(Full::new(text.clone()))))?;
            expect(block_on(answer.into_body().collect())?.to_bytes() == text)?;
        }
        drop(client);
        connection.join().map_err(|_| "a panic of the connection")??;
        Ok(())
    })
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
    // All threads share a connection. With ten thousand of them the default is too short.
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_mins(10)));
    let connection = match block_on(client.get_multiplexed_async_connection_with_config(&config)) {
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

/// Each call is a message and its echo.
fn tungstenite(asked: Asked, _: &str) -> Vec<String> {
    let server = Server::new(|stream| {
        let echo = || -> AnyResult {
            let (mut sink, stream) = block_on(tokio_tungstenite::accept_async(stream))?.split();
            let is_data = |message: &Message| future::ready(message.is_text() || message.is_binary());
            block_on(stream.try_filter(is_data).forward(&mut sink))?;
            Ok(())
        };
        _ = echo();
    });
    let address = server.address;
    all_connected(asked, move |texts| {
        let stream = block_on(TcpStream::connect(address))?;
        let (mut socket, _) = block_on(tokio_tungstenite::client_async(format!("ws://{address}/"), stream))?;
        for text in texts {
            block_on(socket.send(Message::text(text.clone())))?;
            let answer = block_on(socket.next()).ok_or("the connection is closed")??;
            expect(answer == Message::text(text))?;
        }
        block_on(socket.close(None))?;
        while let Some(message) = block_on(socket.next()) {
            expect(message?.is_close())?;
        }
        Ok(())
    })
}

/// A queue before a limit before a service that awaits green threads, and a timeout that fires.
fn tower(asked: Asked, _: &str) -> Vec<String> {
    let double = service_fn_of_tower(async |n: usize| {
        let blocking = move || {
            thread::sleep(Duration::from_millis(1));
            2 * n
        };
        thread::spawn(blocking).await.map_err(|_| "a panic")
    });
    let minutes = Duration::from_mins(10);
    let stack = ServiceBuilder::new().buffer(64).concurrency_limit(256).timeout(minutes).service(double);
    let never = ServiceBuilder::new()
        .timeout(Duration::from_millis(5))
        .service(service_fn_of_tower(async |()| future::pending::<Result<(), BoxError>>().await));
    all(asked, move |number, n| -> AnyResult {
        if (number + n).is_multiple_of(10) {
            let error = block_on(never.clone().oneshot(())).expect_err("it takes too long");
            return expect(error.is::<Elapsed>());
        }
        expect(block_on(stack.clone().oneshot(number))? == 2 * number)
    })
}

/// The service that is measured.
pub(crate) async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"Hello, world!"))))
}
