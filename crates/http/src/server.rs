//! The server: a thread that accepts, one for each connection, one for each request.
//!
//! How it ends: the accepting thread is cancelled, and unwinds through [`Connections`]. Its drop
//! closes one channel, by which each connection learns that it shall end after the requests that
//! are under way. Connections and handlers hold an end of another channel, which is closed when the
//! last of them has ended. If that takes too long, a token cancels the connections, and each of
//! these its handlers.

use std::{
    convert::Infallible,
    error::Error,
    fmt,
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use greenthread::{
    block_on,
    cancel::{self, Token},
    channel::{self, Receiver, Sender},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    thread::{self, JoinFuture},
};
use greenthread_async::{Async, Threads};
use hyper::{
    body::{Body as HyperBody, Incoming},
    service::Service,
};
use hyper_util::server::conn::auto;

use crate::{Body, Reader, Request, Response, StatusCode};

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
    header_timeout: Duration,
    request_timeout: Option<Duration>,
    grace: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            connections: usize::MAX >> 4,
            header_timeout: Duration::from_secs(30),
            request_timeout: None,
            grace: Duration::from_secs(30),
        }
    }
}

impl Server {
    /// A server with the default limits: 30 seconds for the head of a request and for the end of
    /// the server, and none else.
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

    /// Limits the time until the whole head of an HTTP/1.1 request has come. After that the
    /// connection is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use greenthread::time::Duration;
    /// let server = greenthread_http::Server::new().header_timeout(Duration::from_secs(5));
    /// ```
    pub fn header_timeout(mut self, limit: Duration) -> Self {
        self.header_timeout = limit;
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
        let (handler, limit) = (Arc::new(handler), self.request_timeout);
        self.accept(listener, move |running| Handler {
            handler: handler.clone(),
            limit,
            running: running.clone(),
        })
    }

    /// As [`serve`](Self::serve), with a service of hyper's. It runs on the threads of its
    /// connections, so it must not block. The limit of a request's time is the service's own
    /// matter.
    ///
    /// # Errors
    ///
    /// Those of [`serve`](Self::serve).
    ///
    /// # Examples
    ///
    /// A router of axum's. A handler that blocks does so on a green thread:
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use greenthread::{net::TcpListener, thread, time::Duration};
    /// use greenthread_http::{Client, Request, Server};
    /// use hyper_util::service::TowerToHyperService;
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
    ///     let server = thread::spawn(|| {
    ///         Server::new().serve_service(listener, TowerToHyperService::new(router))
    ///     });
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
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: HyperBody<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        self.accept(listener, move |_| service.clone())
    }

    fn accept<S, B>(
        &self,
        listener: TcpListener,
        service: impl Fn(&Sender<Infallible>) -> S,
    ) -> io::Result<Infallible>
    where
        S: Service<hyper::Request<Incoming>, Response = hyper::Response<B>> + Send + 'static,
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
                    let (stop, service, timeout) =
                        (connections.stop.clone(), service(&running), self.header_timeout);
                    // Without a thread for it, the connection is closed.
                    _ = thread::Builder::new().name("http".into()).spawn(move || {
                        _ = stop.run(|| connection(stream, service, timeout, &ends));
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

/// Serves one connection, until the other side closes it or the server ends.
fn connection<S, B>(stream: TcpStream, service: S, timeout: Duration, ends: &Receiver<Infallible>)
where
    S: Service<hyper::Request<Incoming>, Response = hyper::Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: HyperBody<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    _ = stream.set_nodelay(true);
    let mut builder = auto::Builder::new(Threads);
    builder.http1().timer(Threads).header_read_timeout(timeout);
    builder.http2().timer(Threads);
    let mut connection = pin!(builder.serve_connection(Async::new(stream), service));
    let mut end = Some(ends.recv_async());
    // What is wrong with a connection, its client has to know.
    _ = block_on(poll_fn(|context| {
        if end.as_mut().is_some_and(|end| Pin::new(end).poll(context).is_ready()) {
            end = None;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(context)
    }));
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

/// The service that runs a handler.
struct Handler<H> {
    handler: Arc<H>,
    limit: Option<Duration>,
    running: Sender<Infallible>,
}

impl<H> Service<hyper::Request<Incoming>> for Handler<H>
where
    H: Fn(Request) -> Response + Send + Sync + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: hyper::Request<Incoming>) -> Answer {
        let (handler, limit, running) = (self.handler.clone(), self.limit, self.running.clone());
        let answer = move || {
            let _running = running;
            let answer = || handler(request.map(Reader::new));
            match limit {
                None => answer(),
                Some(limit) => {
                    cancel::timeout(limit, answer).unwrap_or_else(|_| status(StatusCode::SERVICE_UNAVAILABLE))
                }
            }
        };
        Answer(
            thread::Builder::new()
                .name("http request".into())
                .spawn(answer)
                .ok()
                .map(IntoFuture::into_future),
        )
    }
}

/// The response of a handler. If it is dropped earlier, the handler is cancelled. `None` if there
/// is no thread for it, or when it has ended.
struct Answer(Option<JoinFuture<Response>>);

impl Future for Answer {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(thread) = &mut self.0 else {
            return Poll::Ready(Ok(status(StatusCode::SERVICE_UNAVAILABLE)));
        };
        let end = ready!(Pin::new(thread).poll(context));
        self.0 = None;
        Poll::Ready(Ok(end.unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))))
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(thread) = &self.0 {
            thread.cancel();
        }
    }
}

impl<H> fmt::Debug for Handler<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").finish_non_exhaustive()
    }
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::from(()));
    *response.status_mut() = status;
    response
}
