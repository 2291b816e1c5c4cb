//! A client's connection.

use std::{fmt, io};

use greenthread::{block_on, net::TcpStream};
use greenthread_async::{Async, Threads};
use hyper::{
    Uri,
    client::conn::{http1, http2},
    header::{HOST, HeaderValue},
};

use crate::{Body, Reader, Request, Response};

/// A connection to a server, over which requests are sent.
///
/// It has a green thread of its own, which ends with the connection. A request has a time limit by
/// [`cancel::timeout`](greenthread::cancel::timeout).
///
/// # Examples
///
/// See [the crate](crate).
pub struct Client {
    sender: Sender,
    authority: String,
}

enum Sender {
    One(http1::SendRequest<Body>),
    Two(http2::SendRequest<Body>),
}

impl Client {
    /// Connects to a server that speaks HTTP/1.1, at a name or an address with a port.
    ///
    /// # Errors
    ///
    /// Those of [`TcpStream::connect`].
    ///
    /// # Examples
    ///
    /// See [the crate](crate).
    pub fn connect(authority: &str) -> io::Result<Self> {
        let (sender, connection) =
            block_on(http1::handshake(stream(authority)?)).map_err(io::Error::other)?;
        drop(Threads.spawn(connection));
        Ok(Self { sender: Sender::One(sender), authority: authority.into() })
    }

    /// Connects to a server that is known to speak HTTP/2 without TLS. Clones share the connection,
    /// and their requests are under way at the same time.
    ///
    /// # Errors
    ///
    /// Those of [`TcpStream::connect`], and if the server refuses.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use greenthread_http::{Client, Request};
    ///
    /// let mut client = Client::connect_http2("localhost:8080")?;
    /// let answer = client.send(Request::get("/").body(()).unwrap())?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn connect_http2(authority: &str) -> io::Result<Self> {
        let handshake = http2::handshake(Threads, stream(authority)?);
        let (sender, connection) = block_on(handshake).map_err(io::Error::other)?;
        drop(Threads.spawn(connection));
        Ok(Self { sender: Sender::Two(sender), authority: authority.into() })
    }

    /// Another handle of an HTTP/2 connection. `None` for HTTP/1.1, where one request is under way
    /// at a time.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn of(client: &greenthread_http::Client) {
    /// let another = client.try_clone();
    /// # }
    /// ```
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        match &self.sender {
            Sender::One(_) => None,
            Sender::Two(sender) => {
                Some(Self { sender: Sender::Two(sender.clone()), authority: self.authority.clone() })
            }
        }
    }

    /// Sends a request, and waits for the head of the response. Its body can be read then. With
    /// HTTP/1.1 it must be read to its end before the next request can be sent.
    ///
    /// Adds the header `host` if it is not there.
    ///
    /// # Errors
    ///
    /// If the connection has failed or was closed, or the server breaks the protocol.
    ///
    /// # Examples
    ///
    /// See [the crate](crate).
    pub fn send<B: Into<Body>>(&mut self, request: Request<B>) -> io::Result<Response<Reader>> {
        let mut request = request.map(Into::into);
        let answer = match &mut self.sender {
            Sender::One(sender) => {
                if !request.headers().contains_key(HOST) {
                    let host = HeaderValue::from_str(&self.authority).map_err(io::Error::other)?;
                    request.headers_mut().insert(HOST, host);
                }
                block_on(async {
                    sender.ready().await?;
                    sender.send_request(request).await
                })
            }
            Sender::Two(sender) => {
                if request.uri().authority().is_none() {
                    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
                    let uri = Uri::builder().scheme("http").authority(self.authority.as_str());
                    *request.uri_mut() = uri.path_and_query(path).build().map_err(io::Error::other)?;
                }
                block_on(async {
                    sender.ready().await?;
                    sender.send_request(request).await
                })
            }
        };
        Ok(answer.map_err(io::Error::other)?.map(|body| Reader::new(body, u64::MAX)))
    }
}

fn stream(authority: &str) -> io::Result<Async<TcpStream>> {
    let stream = TcpStream::connect(authority)?;
    stream.set_nodelay(true)?;
    Ok(Async::new(stream))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("authority", &self.authority).finish_non_exhaustive()
    }
}
