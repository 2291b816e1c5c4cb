//! Servers and clients in the blocking style.

use std::{
    convert::Infallible,
    io::{self, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use greenthread::{
    Runtime, cancel, channel,
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
    time::Duration,
};
use greenthread_http::{Body, Client, Reader, Request, Response, Server, StatusCode};

/// Runs `test` as a green thread on runtimes of 1 and 2 workers.
fn everywhere(test: impl Fn() + Sync) {
    for workers in [1, 2] {
        Runtime::builder().workers(workers).build().unwrap().run(&test);
    }
}

type Serving = JoinHandle<io::Result<Infallible>>;

/// Starts a server, and returns its address.
fn start(server: Server, handler: impl Fn(Request) -> Response + Send + Sync + 'static) -> (String, Serving) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (address, thread::spawn(move || server.serve(listener, handler)))
}

/// Cancels a server and waits for its end.
fn end(server: Serving) {
    server.cancel();
    assert!(server.join().unwrap_err().is::<cancel::Cancelled>());
}

fn hello(_: Request) -> Response {
    Response::new("hello".into())
}

fn get() -> Request<()> {
    Request::get("/").body(()).unwrap()
}

fn text(mut response: Response<Reader>) -> String {
    let mut text = String::new();
    response.body_mut().read_to_string(&mut text).unwrap();
    text
}

/// Says on a channel when it is dropped.
struct Tells(channel::Sender<()>);

impl Drop for Tells {
    fn drop(&mut self) {
        _ = self.0.send(());
    }
}

#[test]
fn many_requests_on_one_connection() {
    everywhere(|| {
        let (address, server) = start(Server::new(), |request| {
            Response::new(format!("{} {}", request.method(), request.uri().path()).into())
        });
        for connect in [Client::connect, Client::connect_http2] {
            let mut client = connect(&address).unwrap();
            for n in 0..100 {
                let request = Request::put(format!("/{n}")).body(()).unwrap();
                assert_eq!(text(client.send(request).unwrap()), format!("PUT /{n}"));
            }
        }
        end(server);
    });
}

/// Neither side has the whole body at a time.
#[test]
fn bodies_stream_in_both_directions() {
    const SIZE: usize = 3 << 20;
    everywhere(|| {
        let (address, server) = start(Server::new(), |mut request| {
            Response::new(Body::write(move |to| io::copy(request.body_mut(), to).map(drop)))
        });
        for connect in [Client::connect, Client::connect_http2] {
            let body =
                Body::write(|to| (0..SIZE / 4).try_for_each(|n| to.write_all(&(n as u32).to_le_bytes())));
            let request = Request::post("/").body(body).unwrap();
            let mut response = connect(&address).unwrap().send(request).unwrap();
            let mut all = Vec::new();
            response.body_mut().read_to_end(&mut all).unwrap();
            assert_eq!(all.len(), SIZE);
            let right = |(n, bytes): (usize, &[u8])| bytes == (n as u32).to_le_bytes();
            assert!(all.chunks(4).enumerate().all(right));
        }
        end(server);
    });
}

#[test]
fn a_thousand_clients_and_a_handler_that_waits() {
    everywhere(|| {
        let (address, server) = start(Server::new(), |_| {
            thread::sleep(Duration::from_millis(5));
            Response::new("late".into())
        });
        let clients: Vec<_> = (0..1000)
            .map(|_| {
                let address = address.clone();
                thread::spawn(move || {
                    let mut client = Client::connect(&address).unwrap();
                    (0..2).for_each(|_| assert_eq!(text(client.send(get()).unwrap()), "late"));
                })
            })
            .collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
        end(server);
    });
}

#[test]
fn requests_of_http2_are_under_way_at_the_same_time() {
    everywhere(|| {
        let together = Arc::new(greenthread::sync::Barrier::new(50));
        let (address, server) = start(Server::new(), move |_| {
            together.wait();
            Response::new("all here".into())
        });
        let client = Client::connect_http2(&address).unwrap();
        let threads: Vec<_> = (0..50)
            .map(|_| {
                let mut client = client.try_clone().unwrap();
                thread::spawn(move || assert_eq!(text(client.send(get()).unwrap()), "all here"))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(Client::connect(&address).unwrap().try_clone().is_none());
        end(server);
    });
}

#[test]
fn a_panic_is_status_500_and_the_connection_goes_on() {
    everywhere(|| {
        let (address, server) = start(Server::new(), |request| {
            if request.uri().path() == "/panic" {
                std::panic::resume_unwind(Box::new("of the handler"));
            }
            hello(request)
        });
        let mut client = Client::connect(&address).unwrap();
        let panics = client.send(Request::get("/panic").body(()).unwrap()).unwrap();
        assert_eq!(panics.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(text(client.send(get()).unwrap()), "hello");
        end(server);
    });
}

#[test]
fn a_handler_that_takes_too_long_is_cancelled() {
    everywhere(|| {
        let (told, dropped) = channel::unbounded();
        let server = Server::new().request_timeout(Duration::from_millis(5));
        let (address, server) = start(server, move |request| {
            let _tells = Tells(told.clone());
            thread::park();
            hello(request)
        });
        let late = Client::connect(&address).unwrap().send(get()).unwrap();
        assert_eq!(late.status(), StatusCode::SERVICE_UNAVAILABLE);
        dropped.recv().unwrap();
        end(server);
    });
}

#[test]
fn a_handler_whose_client_has_gone_is_cancelled() {
    everywhere(|| {
        let (told, dropped) = channel::unbounded();
        let (began, begun) = channel::unbounded();
        let (address, server) = start(Server::new(), move |request| {
            let _tells = Tells(told.clone());
            began.send(()).unwrap();
            thread::park();
            hello(request)
        });
        let mut stream = TcpStream::connect(&*address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").unwrap();
        begun.recv().unwrap();
        drop(stream);
        dropped.recv().unwrap();
        // A request that is given up, of HTTP/2.
        let mut client = Client::connect_http2(&address).unwrap();
        assert!(cancel::timeout(Duration::from_millis(5), || client.send(get())).is_err());
        begun.recv().unwrap();
        dropped.recv().unwrap();
        end(server);
    });
}

#[test]
fn what_is_under_way_at_the_end_is_answered() {
    everywhere(|| {
        let (began, begun) = channel::unbounded();
        let (go, gone) = channel::unbounded::<()>();
        let (address, server) = start(Server::new(), move |request| {
            began.send(()).unwrap();
            gone.recv().unwrap();
            hello(request)
        });
        let client = {
            let address = address.clone();
            thread::spawn(move || text(Client::connect(&address).unwrap().send(get()).unwrap()))
        };
        // It is idle, and does not keep the server.
        let mut idle = TcpStream::connect(&*address).unwrap();
        begun.recv().unwrap();
        server.cancel();
        assert_eq!(idle.read(&mut [0]).unwrap(), 0);
        assert!(!server.is_finished());
        go.send(()).unwrap();
        assert_eq!(client.join().unwrap(), "hello");
        end(server);
        assert!(TcpStream::connect(&*address).is_err());
    });
}

#[test]
fn what_takes_longer_than_the_grace_is_cancelled() {
    everywhere(|| {
        let (told, dropped) = channel::unbounded();
        let (began, begun) = channel::unbounded();
        let server = Server::new().grace(Duration::from_millis(5));
        let (address, server) = start(server, move |request| {
            let _tells = Tells(told.clone());
            began.send(()).unwrap();
            thread::park();
            hello(request)
        });
        let client = thread::spawn(move || Client::connect(&address).unwrap().send(get()).is_err());
        begun.recv().unwrap();
        end(server);
        dropped.try_recv().expect("the server waits for the handler's end");
        assert!(client.join().unwrap());
    });
}

#[test]
fn at_the_limit_no_connection_is_accepted() {
    everywhere(|| {
        let (address, server) = start(Server::new().connections(1), hello);
        let mut first = Client::connect(&address).unwrap();
        assert_eq!(text(first.send(get()).unwrap()), "hello");
        let mut second = Client::connect(&address).unwrap();
        assert!(cancel::timeout(Duration::from_millis(10), || second.send(get())).is_err());
        drop((first, second));
        assert_eq!(text(Client::connect(&address).unwrap().send(get()).unwrap()), "hello");
        end(server);
    });
}

#[test]
fn a_body_that_is_cut_off_is_an_error_for_its_reader() {
    everywhere(|| {
        let (address, server) = start(Server::new(), |request| {
            let fails = request.uri().path() == "/fails";
            Response::new(Body::write(move |to| {
                to.write_all(&[1; 100_000])?;
                if fails {
                    return Err(io::Error::other("no more"));
                }
                std::panic::resume_unwind(Box::new("of the body"));
            }))
        });
        for connect in [Client::connect, Client::connect_http2] {
            for path in ["/fails", "/panics"] {
                let request = Request::get(path).body(()).unwrap();
                // The head may not have left yet.
                if let Ok(mut response) = connect(&address).unwrap().send(request) {
                    assert!(response.body_mut().read_to_end(&mut Vec::new()).is_err());
                }
            }
        }
        end(server);
    });
}

#[test]
fn a_writer_for_whom_nobody_reads_is_cancelled() {
    everywhere(|| {
        let (told, dropped) = channel::unbounded();
        let (address, server) = start(Server::new(), move |request| {
            let tells = Tells(told.clone());
            let waits = request.uri().path() == "/waits";
            Response::new(Body::write(move |to| {
                let _tells = tells;
                loop {
                    to.write_all(&[1; 100_000])?;
                    if waits {
                        thread::park();
                    }
                }
            }))
        });
        for connect in [Client::connect, Client::connect_http2] {
            for path in ["/writes", "/waits"] {
                let request = Request::get(path).body(()).unwrap();
                drop(connect(&address).unwrap().send(request).unwrap());
                dropped.recv().unwrap();
            }
        }
        end(server);
    });
}

/// Says what went wrong with a body.
fn what_is_wrong(mut request: Request) -> Response {
    let read = request.body_mut().read_to_end(&mut Vec::new());
    Response::new(format!("{:?}", read.map_err(|error| error.kind())).into())
}

#[test]
fn bodies_that_are_too_long() {
    everywhere(|| {
        let (address, server) = start(Server::new().max_body(10), what_is_wrong);
        for connect in [Client::connect, Client::connect_http2] {
            let mut client = connect(&address).unwrap();
            let right = Request::post("/").body("0123456789").unwrap();
            assert_eq!(text(client.send(right).unwrap()), "Ok(10)");
            let announced = Request::post("/").body("0123456789a").unwrap();
            assert_eq!(client.send(announced).unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
            let written = Body::write(|to| to.write_all(b"0123456789a"));
            let written = Request::post("/").body(written).unwrap();
            assert_eq!(text(connect(&address).unwrap().send(written).unwrap()), "Err(FileTooLarge)");
        }
        end(server);
    });
}

#[test]
fn the_kinds_of_errors_of_bodies() {
    everywhere(|| {
        let (address, server) = start(Server::new(), what_is_wrong);
        let head = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n";
        for (rest, kind) in [
            ("transfer-encoding: chunked\r\n\r\n1\r\nab\r\n", "Err(InvalidData)"),
            ("transfer-encoding: chunked\r\n\r\nx\r\n", "Err(InvalidData)"),
            ("transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n", "Err(InvalidData)"),
            ("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "Ok(5)"),
        ] {
            let answer = ask(&address, format!("{head}{rest}").as_bytes());
            assert!(answer.ends_with(kind), "{rest:?}: {answer}");
        }
        end(server);
    });
}

/// Sends bytes, and reads to the end.
fn ask(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

#[test]
fn a_client_that_takes_nothing_is_let_go() {
    everywhere(|| {
        let (told, dropped) = channel::unbounded();
        let server = Server::new().write_timeout(Duration::from_millis(10));
        let (address, server) = start(server, move |_| {
            let tells = Tells(told.clone());
            Response::new(Body::write(move |to| {
                let _tells = tells;
                loop {
                    to.write_all(&[1; 100_000])?;
                }
            }))
        });
        let mut stream = TcpStream::connect(&*address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").unwrap();
        dropped.recv().unwrap();
        end(server);
    });
}

#[test]
fn idle_connections_end() {
    everywhere(|| {
        let server = Server::new().header_timeout(Duration::from_millis(10));
        let (address, server) = start(server, hello);
        // A client that says nothing, one that has got an answer, and one that stops in a head.
        for (bytes, ends) in [
            ("", ""),
            ("GET / HTTP/1.1\r\nhost: a\r\n\r\n", "\r\n\r\nhello"),
            ("GET / HTTP/1.1\r\nhost: slo", "connection: close\r\n\r\n"),
            ("PRI * HTTP/2.0\r\n", ""),
        ] {
            let answer = ask(&address, bytes.as_bytes());
            assert!(answer.ends_with(ends) && answer.is_empty() == ends.is_empty(), "{bytes}: {answer}");
        }
        assert!(ask(&address, b"GE").starts_with("HTTP/1.1 408 "));
        // Of HTTP/2: the preface, then an empty frame of settings.
        let mut stream = TcpStream::connect(&*address).unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
        _ = stream.read_to_end(&mut Vec::new());
        end(server);
    });
}

/// A connection looks at its limits all the time, and none is over.
#[test]
fn to_look_at_the_limits_disturbs_nothing() {
    everywhere(|| {
        // With much less, a busy machine may not come to a write in time.
        let server = Server::new().write_timeout(Duration::from_millis(100));
        let (address, server) = start(server, |mut request| {
            _ = request.body_mut().read_to_end(&mut Vec::new());
            hello(request)
        });
        for connect in [Client::connect, Client::connect_http2] {
            let mut client = connect(&address).unwrap();
            for _ in 0..500 {
                let request = Request::post("/").body(Body::write(|to| to.write_all(b"hello"))).unwrap();
                assert_eq!(text(client.send(request).unwrap()), "hello");
            }
        }
        end(server);
    });
}

/// What is slow lasts for longer than the limits of a connection.
#[test]
fn a_handler_may_take_longer_than_the_limits_of_its_connection() {
    everywhere(|| {
        let limit = Duration::from_millis(300);
        let (address, server) =
            start(Server::new().header_timeout(limit).write_timeout(limit), move |request| {
                thread::sleep(2 * limit);
                hello(request)
            });
        for connect in [Client::connect, Client::connect_http2] {
            assert_eq!(text(connect(&address).unwrap().send(get()).unwrap()), "hello");
        }
        end(server);
    });
}

#[test]
fn heads_that_are_wrong() {
    everywhere(|| {
        let called = Arc::new(AtomicUsize::new(0));
        let (address, server) = start(Server::new(), {
            let called = called.clone();
            move |request| {
                called.fetch_add(1, SeqCst);
                hello(request)
            }
        });
        let ask = |bytes: &[u8]| ask(&address, bytes);
        for wrong in [
            &b"GET / HTTP/9.9\r\n\r\n"[..],
            b"\0\0\0\0\r\n\r\n",
            b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        ] {
            assert!(ask(wrong).starts_with("HTTP/1.1 400"), "{:?}", String::from_utf8_lossy(wrong));
        }
        assert_eq!(called.load(SeqCst), 0);
        end(server);
    });
}
