//! The server: a thread that accepts, one for each connection, one for each request.
//!
//! How it ends: the accepting thread is cancelled, and unwinds through [`Connections`]. Its drop
//! closes one channel, by which each connection learns that it shall end after the requests that
//! are under way. Connections and handlers hold an end of another channel, which is closed when the
//! last of them has ended. If that takes too long, a token cancels the connections, and each of
//! these its handlers.

use std::{convert::Infallible, error::Error, future::poll_fn, io, pin::Pin, sync::Arc, time::Duration};

use greenthread::{
    cancel::Token,
    channel::{self, Receiver, Sender},
    net::TcpListener,
    sync::Semaphore,
    thread,
};
use hyper::{
    body::{Body as HyperBody, Incoming},
    service::Service as HyperService,
};
use tower_service::Service;

use crate::{Request, Response, connection, handler::Handler, progress::Limits};

/// Serves HTTP/1.1 and HTTP/2 on a listener, as [`Server::serve`] does with the default limits.
///
/// # Errors
///
/// Those of [`Server::serve`].
///
/// # Examples
///
/// See [the crate](crate).
pub fn serve<H>(listener: TcpListener, handler: H) -> io::Result<Infallible>
where
    H: Fn(Request) -> Response + Send + Sync + 'static,
{
    Server::new().serve(listener, handler)
}

/// A server's limits.
///
/// # Examples
///
/// ```ignore-windows,no_run
/// use greenthread::{cancel::Token, net::TcpListener, signal, thread, time::Duration};
/// use greenthread_http::{Response, Server};
///
/// greenthread::run(|| {
///     let listener = TcpListener::bind("127.0.0.1:8080")?;
///     let server = Server::new().connections(1000).request_timeout(Duration::from_secs(10));
///     let token = Token::new();
///     let stop = token.clone();
///     thread::spawn(move || signal::ctrl_c().map(|()| stop.cancel()));
///     // After Ctrl-C, requests that are under way have 30 seconds.
///     _ = token.run(|| server.serve(listener, |_| Response::new("hello".into())));
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "call serve"]
pub struct Server {
    connections: usize,
    limits: Limits,
    request_timeout: Option<Duration>,
    max_body: u64,
    grace: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            connections: usize::MAX >> 4,
            limits: Limits {
                header_timeout: Duration::from_secs(30),
                write_timeout: Duration::from_secs(30),
                max_header: 16 << 10,
            },
            request_timeout: None,
            max_body: u64::MAX,
            grace: Duration::from_secs(30),
        }
    }
}

impl Server {
    /// A server with the default limits: 30 seconds for the head of a request, for a client that
    /// takes nothing of a response, and for the end of the server; 16 KiB for the head of a
    /// request; and none else.
    ///
    /// # Examples
    ///
    /// See [`Server`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the connections that are open at a time. At the limit no more are accepted until one
    /// is closed.
    ///
    /// # Examples
    ///
    /// See [`Server`].
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most;
        self
    }

    /// Limits the time until the whole head of the next request has come, from the end of the
    /// response before or from the beginning of the connection. After that the connection is
    /// closed. If half a head has come, in HTTP/1.1, the client gets the status 408.
    ///
    /// The time in which a body comes is the handler's own matter: see
    /// [`request_timeout`](Self::request_timeout), and [`timeout`](greenthread::cancel::timeout).
    ///
    /// # Examples
    ///
    /// ```
    /// # use greenthread::time::Duration;
    /// let server = greenthread_http::Server::new().header_timeout(Duration::from_secs(5));
    /// ```
    pub fn header_timeout(mut self, limit: Duration) -> Self {
        self.limits.header_timeout = limit;
        self
    }

    /// Limits the time in which a client takes nothing of what is sent to it. After that the
    /// connection is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use greenthread::time::Duration;
    /// let server = greenthread_http::Server::new().write_timeout(Duration::from_secs(5));
    /// ```
    pub fn write_timeout(mut self, limit: Duration) -> Self {
        self.limits.write_timeout = limit;
        self
    }

    /// Limits the head of a request, in bytes. A client that sends a longer one gets the status
    /// 431.
    ///
    /// # Examples
    ///
    /// ```
    /// let server = greenthread_http::Server::new().max_header(64 << 10);
    /// ```
    pub fn max_header(mut self, bytes: usize) -> Self {
        self.limits.max_header = bytes;
        self
    }

    /// Limits the body of a request, in bytes. If it says that it is longer, the client gets the
    /// status 413, and the handler is not called. If it turns out to be longer, reading it fails
    /// with [`FileTooLarge`](io::ErrorKind::FileTooLarge). For [services](Self::serve_service) this
    /// is their own matter.
    ///
    /// # Examples
    ///
    /// ```
    /// let server = greenthread_http::Server::new().max_body(10 << 20);
    /// ```
    pub fn max_body(mut self, bytes: u64) -> Self {
        self.max_body = bytes;
        self
    }

    /// Limits the time of a handler, until it returns. After that it is
    /// [cancelled](greenthread::cancel), and the client gets the status 503.
    ///
    /// # Examples
    ///
    /// See [`Server`].
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.request_timeout = Some(limit);
        self
    }

    /// Limits the time for requests that are under way when the server is cancelled. After that
    /// they are cancelled too.
    ///
    /// # Examples
    ///
    /// ```
    /// # use greenthread::time::Duration;
    /// let server = greenthread_http::Server::new().grace(Duration::from_secs(5));
    /// ```
    pub fn grace(mut self, limit: Duration) -> Self {
        self.grace = limit;
        self
    }

    /// Serves until it is [cancelled](greenthread::cancel). Then it accepts no more connections,
    /// ends those that are idle, and waits for the others.
    ///
    /// Each request is handled on a green thread of its own. If the handler panics, the client gets
    /// the status 500. If the client goes away, the handler is cancelled.
    ///
    /// # Errors
    ///
    /// If no connection can be accepted any more. Errors of a while, as too many open files, are
    /// waited for.
    ///
    /// # Examples
    ///
    /// See [the crate](crate).
    pub fn serve<H>(&self, listener: TcpListener, handler: H) -> io::Result<Infallible>
    where
        H: Fn(Request) -> Response + Send + Sync + 'static,
    {
        let handler = Arc::new(handler);
        self.accept(listener, |running| Handler {
            handler: handler.clone(),
            timeout: self.request_timeout,
            max_body: self.max_body,
            running: running.clone(),
        })
    }

    /// As [`serve`](Self::serve), with a service of tower's, such as a router of axum's. It runs on
    /// the threads of its connections, so it must not block. The limits of a request's time and of
    /// its body are the service's own matter.
    ///
    /// # Errors
    ///
    /// Those of [`serve`](Self::serve).
    ///
    /// # Examples
    ///
    /// A handler of axum's that blocks does so on a green thread:
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use greenthread::{net::TcpListener, thread, time::Duration};
    /// use greenthread_http::{Client, Request, Server};
    /// use std::io::Read;
    ///
    /// greenthread::run(|| {
    ///     let blocks = || thread::sleep(Duration::from_millis(1));
    ///     let router = Router::new().route("/", get(async move || {
    ///         thread::spawn(blocks).await.unwrap();
    ///         "hello"
    ///     }));
    ///     let listener = TcpListener::bind("127.0.0.1:0")?;
    ///     let address = listener.local_addr()?.to_string();
    ///     let server = thread::spawn(|| Server::new().serve_service(listener, router));
    ///
    ///     let mut text = String::new();
    ///     let get = Request::get("/").body(()).unwrap();
    ///     Client::connect(&address)?.send(get)?.body_mut().read_to_string(&mut text)?;
    ///     assert_eq!(text, "hello");
    ///     server.cancel();
    ///     std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn serve_service<S, B>(&self, listener: TcpListener, service: S) -> io::Result<Infallible>
    where
        S: Service<hyper::Request<Incoming>, Response = hyper::Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: HyperBody<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        self.accept(listener, move |_| Tower(service.clone()))
    }

    fn accept<S, B>(
        &self,
        listener: TcpListener,
        service: impl Fn(&Sender<Infallible>) -> S,
    ) -> io::Result<Infallible>
    where
        S: HyperService<hyper::Request<Incoming>, Response = hyper::Response<B>> + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: HyperBody<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        /// How many calls in a row may fail, with a pause of `PAUSE` after each.
        const FAILURES: u32 = 100;
        const PAUSE: Duration = Duration::from_millis(50);

        let connections = Connections::new(self.grace);
        let places = Arc::new(Semaphore::new(self.connections));
        let mut failures = 0;
        loop {
            let place = places.clone().acquire_owned();
            match listener.accept() {
                Ok((stream, _)) => {
                    failures = 0;
                    let (ends, running) = (connections.ends.clone(), connections.running().clone());
                    let (stop, service, limits) = (connections.stop.clone(), service(&running), self.limits);
                    // Without a thread for it, the connection is closed.
                    _ = thread::Builder::new().name("http".into()).spawn(move || {
                        _ = stop.run(|| connection::serve(stream, service, &limits, &ends));
                        drop((place, running));
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    failures += 1;
                    if failures == FAILURES {
                        return Err(error);
                    }
                    thread::sleep(PAUSE);
                }
            }
        }
    }
}

/// All connections of a server. When this is dropped they end.
struct Connections {
    grace: Duration,
    /// Closed when the server ends.
    ending: Option<Sender<Infallible>>,
    ends: Receiver<Infallible>,
    /// Each connection and each handler has a clone. So the receiver learns when all have ended.
    running: Option<Sender<Infallible>>,
    ended: Receiver<Infallible>,
    stop: Token,
}

impl Connections {
    fn new(grace: Duration) -> Self {
        let (ending, ends) = channel::bounded(0);
        let (running, ended) = channel::bounded(0);
        Self { grace, ending: Some(ending), ends, running: Some(running), ended, stop: Token::new() }
    }

    fn running(&self) -> &Sender<Infallible> {
        self.running.as_ref().expect("only the drop takes it")
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.ending = None;
        self.running = None;
        let Err(left) = self.ended.recv_timeout(self.grace);
        if left.is_timeout() {
            self.stop.cancel();
            let Err(_) = self.ended.recv();
        }
    }
}

/// A service of tower's as one of hyper's. For each request it has a clone.
struct Tower<S>(S);

impl<S, R> HyperService<R> for Tower<S>
where
    S: Service<R, Future: Send> + Clone + Send + 'static,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn call(&self, request: R) -> Self::Future {
        let mut service = self.0.clone();
        Box::pin(async move {
            poll_fn(|context| service.poll_ready(context)).await?;
            service.call(request).await
        })
    }
}
