//! hyper's own client and server over the library's streams.

use std::{
    convert::Infallible, future::poll_fn, mem::MaybeUninit, net::SocketAddr, pin::Pin, time::Duration,
};

use bytes::Bytes;
use greenthread::{
    block_on,
    net::{TcpListener, TcpStream},
    thread,
};
use greenthread_async::{Async, Threads};
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    client, header,
    rt::{Read, ReadBuf, Write},
    server,
    service::service_fn,
};

/// Answers with what it was sent, after a while if the path says so.
async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == "/slow" {
        // The handler blocks its green thread, and no other one.
        thread::sleep(Duration::from_millis(20));
    }
    let body = request.into_body().collect().await.unwrap().to_bytes();
    Ok(Response::new(Full::new(body)))
}

/// A green thread for each connection.
fn serve(http2: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let stream = Async::new(stream);
                _ = if http2 {
                    let server = server::conn::http2::Builder::new(Threads);
                    block_on(server.serve_connection(stream, service_fn(echo)))
                } else {
                    let mut server = server::conn::http1::Builder::new();
                    server.timer(Threads).header_read_timeout(Duration::from_secs(60));
                    block_on(server.serve_connection(stream, service_fn(echo)))
                };
            });
        }
    });
    address
}

fn request(path: &str, body: Bytes) -> Request<Full<Bytes>> {
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, "localhost")
        .body(Full::new(body))
        .unwrap()
}

/// One connection, with several requests one after the other.
async fn talk(address: SocketAddr, path: &str, http2: bool) {
    let stream = Async::new(TcpStream::connect(address).unwrap());
    let bodies = [0, 1, 1000, 500_000].map(|len| Bytes::from(vec![7; len]));
    if http2 {
        let (mut client, connection) = client::conn::http2::handshake(Threads, stream).await.unwrap();
        Threads.spawn(connection);
        for body in bodies {
            let answer = client.send_request(request(path, body.clone())).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), body);
        }
    } else {
        let (mut client, connection) = client::conn::http1::handshake(stream).await.unwrap();
        Threads.spawn(connection);
        for body in bodies {
            client.ready().await.unwrap();
            let answer = client.send_request(request(path, body.clone())).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), body);
        }
    }
}

#[test]
fn on_green_threads() {
    for workers in [1, 4] {
        let runtime = greenthread::Runtime::builder().workers(workers).build().unwrap();
        runtime.run(|| {
            for http2 in [false, true] {
                let address = serve(http2);
                let clients: Vec<_> =
                    (0..20).map(|_| thread::spawn(move || block_on(talk(address, "/", http2)))).collect();
                clients.into_iter().for_each(|client| client.join().unwrap());
            }
        });
        // The servers go on.
        std::mem::forget(runtime);
    }
}

/// Clients in tasks of tokio's, on its workers, where no green thread runs.
#[test]
fn clients_on_tokio() {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    for http2 in [false, true] {
        let address = serve(http2);
        let clients: Vec<_> =
            (0..10).map(|_| tokio.spawn(async move { talk(address, "/", http2).await })).collect();
        for client in clients {
            tokio.block_on(client).unwrap();
        }
    }
}

/// Handlers that block: as many at once as there are connections.
#[test]
fn slow_handlers() {
    greenthread::run(|| {
        let address = serve(false);
        let clients: Vec<_> =
            (0..50).map(|_| thread::spawn(move || block_on(talk(address, "/slow", false)))).collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
}

/// A client that sends no headers is disconnected by hyper's own timeout.
#[test]
fn timeouts() {
    use std::io::Read;
    greenthread::run(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let stream = Async::new(listener.accept().unwrap().0);
        let mut server = server::conn::http1::Builder::new();
        server.timer(Threads).header_read_timeout(Duration::from_millis(5));
        let served = block_on(server.serve_connection(stream, service_fn(echo)));
        assert!(served.unwrap_err().is_timeout());
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn a_timer_sleeps_for_as_long_as_there_is() {
    let mut sleep = hyper::rt::Timer::sleep(&Threads, Duration::MAX);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(sleep.as_mut().poll(&mut context).is_pending());
}

/// A read writes what it has read, and nothing else: hyper's buffers have much room behind it.
#[test]
fn room_is_left_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = Async::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
    let mut server = Async::new(listener.accept().unwrap().0);
    block_on(poll_fn(|context| Pin::new(&mut server).poll_write(context, b"hello"))).unwrap();

    let mut memory = [MaybeUninit::new(7); 100];
    let mut buffer = ReadBuf::uninit(&mut memory);
    block_on(poll_fn(|context| Pin::new(&mut client).poll_read(context, buffer.unfilled()))).unwrap();
    assert_eq!(buffer.filled(), b"hello");
    // SAFETY: all of it was initialised above.
    let after = memory.map(|byte| unsafe { byte.assume_init() });
    assert_eq!(after[5..], [7; 95]);
}
