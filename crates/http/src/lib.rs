//! HTTP/1.1 and HTTP/2 for green threads, in the blocking style: a handler is a plain function on a
//! green thread, a body is read by [`Read`](std::io::Read) and written by
//! [`Write`](std::io::Write). The protocol is hyper's.
//!
//! ```
//! use greenthread::{cancel, net::TcpListener, thread};
//! use greenthread_http::{Client, Request, Response, serve};
//! use std::io::{Read, Write};
//!
//! greenthread::run(|| {
//!     let listener = TcpListener::bind("127.0.0.1:0")?;
//!     let address = listener.local_addr()?.to_string();
//!     let server = thread::spawn(|| {
//!         serve(listener, |mut request| {
//!             let mut text = String::new();
//!             match request.body_mut().read_to_string(&mut text) {
//!                 Ok(_) => Response::new(text.to_uppercase().into()),
//!                 Err(error) => Response::new(error.to_string().into()),
//!             }
//!         })
//!     });
//!
//!     let mut client = Client::connect(&address)?;
//!     let mut text = String::new();
//!     let post = Request::post("/").body("hello").unwrap();
//!     client.send(post)?.body_mut().read_to_string(&mut text)?;
//!     assert_eq!(text, "HELLO");
//!     server.cancel();
//!     std::io::Result::Ok(())
//! })?;
//! # std::io::Result::Ok(())
//! ```
//!
//! Each connection has a green thread, and each request another one. So the connection goes on
//! while a handler waits, and a handler whose client has gone away is
//! [cancelled](greenthread::cancel). A service of tower's, such as a router of axum's, is served by
//! [`Server::serve_service`], on the threads of its connections.
//!
//! A request that two readers could take for different ones is refused, with the status 400 or 501,
//! and ends its connection. Of what the RFCs leave open: a bare LF ends a line of a head, and a
//! `content-length` beside a `transfer-encoding` is ignored, but ends the connection.
//!
//! There is no TLS, no redirection, and no pool of connections. The crates that have these run on
//! green threads as they are: see `greenthread-tokio`.

mod body;
mod client;
mod connection;
mod handler;
mod progress;
mod rules;
mod server;

pub use body::{Body, Reader};
pub use client::Client;
pub use hyper::{self, StatusCode, header};
pub use server::{Server, serve};

/// A request, with a body of the type `B`: what a handler gets has a [`Reader`].
pub type Request<B = Reader> = hyper::Request<B>;

/// A response, with a body of the type `B`: what a handler returns has a [`Body`].
pub type Response<B = Body> = hyper::Response<B>;
