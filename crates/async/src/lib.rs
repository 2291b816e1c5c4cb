//! Async crates on green threads: [`greenthread`]'s streams, threads and timers behind the traits
//! that these crates ask for.
//!
//! Each trait is behind a cargo feature of the same name as its crate, off by default:
//!
//! | feature | what it has |
//! | --- | --- |
//! | `futures-io` | `AsyncRead` and `AsyncWrite` for [`Async`] |
//! | `tokio` | `tokio::io::{AsyncRead, AsyncWrite}` for [`Async`]; not tokio's runtime |
//! | `hyper` | `hyper::rt::{Read, Write}` for [`Async`], `Executor` and `Timer` for [`Threads`] |
//!
//! It is a crate of its own so that `greenthread` has none of these crates in its tree, and need
//! not follow their versions.
//!
//! # Examples
//!
//! A server of hyper's, with a green thread for each connection, and a client on another thread:
//!
//! ```
//! # #[cfg(feature = "hyper")] {
//! use greenthread::{block_on, net::{TcpListener, TcpStream}, thread};
//! use greenthread_async::{Async, Threads};
//! use http_body_util::{BodyExt, Empty, Full};
//! use hyper::{Request, Response, body::Bytes, client, server, service::service_fn};
//! use std::convert::Infallible;
//!
//! greenthread::run(|| {
//!     let listener = TcpListener::bind("127.0.0.1:0")?;
//!     let address = listener.local_addr()?;
//!     thread::spawn(move || {
//!         for stream in listener.incoming().flatten() {
//!             thread::spawn(move || {
//!                 let hello = service_fn(async |_| {
//!                     Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("hello"))))
//!                 });
//!                 let connection = server::conn::http1::Builder::new()
//!                     .timer(Threads)
//!                     .serve_connection(Async::new(stream), hello);
//!                 block_on(connection)
//!             });
//!         }
//!     });
//!
//!     let stream = Async::new(TcpStream::connect(address)?);
//!     let text = block_on(async {
//!         let (mut client, connection) = client::conn::http1::handshake(stream).await?;
//!         thread::spawn(move || block_on(connection));
//!         let answer = client.send_request(Request::new(Empty::<Bytes>::new())).await?;
//!         Ok::<_, hyper::Error>(answer.into_body().collect().await?.to_bytes())
//!     });
//!     assert_eq!(text.unwrap(), "hello");
//!     std::io::Result::Ok(())
//! }).unwrap();
//! # }
//! ```

#[cfg(feature = "futures-io")]
mod futures_io;
#[cfg(feature = "hyper")]
mod hyper;
mod stream;
mod threads;
#[cfg(feature = "tokio")]
mod tokio;

pub use stream::Async;
pub use threads::{Sleep, Threads};
