//! A server of HTTP/1.1 and HTTP/2: `cargo run --release --example http`, then
//! `curl -i localhost:8080`.
//!
//! It is plain blocking code in which each request has a green thread of its own. Garbage, half a
//! request, or a client that vanishes does not disturb other clients. Ctrl-C ends it in good order.

#[path = "../../greenthread/examples/serve/mod.rs"]
mod serve;

use std::{
    io::{ErrorKind, Read},
    process::ExitCode,
};

use greenthread::{cancel, thread, time::Duration};
use greenthread_http::{Request, Response, Server, StatusCode, header};

/// The longest body of a request, in bytes. A client can take this much memory.
const MAX_BODY: u64 = 64 * 1024;
/// The most time between two requests, for each body, and for each write. A shorter time cuts off
/// slow clients. A longer one lets stuck clients keep their connections.
const PATIENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    serve::main("http", "127.0.0.1:8080", |listener, stop, live| {
        let server = Server::new()
            .header_timeout(PATIENCE)
            .write_timeout(PATIENCE)
            .max_body(MAX_BODY)
            // A moment longer, so that what is cut off has been counted.
            .grace(serve::DRAIN + Duration::from_millis(100));
        match stop.run(|| {
            server.serve(listener, move |request| {
                let _live = live.clone();
                answer(request)
            })
        }) {
            Ok(Err(error)) => Err(error),
            Err(_) => Ok(()),
        }
    })
}

/// Answers a request. What it does blocks a green thread of its own.
fn answer(mut request: Request) -> Response {
    match (request.method().as_str(), request.uri().path()) {
        ("GET" | "HEAD", "/") => text(StatusCode::OK, "Hello from a green thread!\n"),
        ("POST", "/echo") => {
            let mut body = Vec::new();
            match cancel::timeout(PATIENCE, || request.body_mut().read_to_end(&mut body)) {
                Ok(Ok(_)) => text(StatusCode::OK, body),
                Ok(Err(error)) if error.kind() == ErrorKind::FileTooLarge => {
                    text(StatusCode::PAYLOAD_TOO_LARGE, "That is too much.\n")
                }
                Ok(Err(_)) => text(StatusCode::BAD_REQUEST, "That is no body.\n"),
                Err(_) => text(StatusCode::REQUEST_TIMEOUT, "That takes too long.\n"),
            }
        }
        ("GET" | "HEAD", path) if path.starts_with("/sleep/") => match path["/sleep/".len()..].parse() {
            Ok(milliseconds @ 0..=60_000) => {
                thread::sleep(Duration::from_millis(milliseconds));
                text(StatusCode::OK, "That was refreshing.\n")
            }
            _ => text(StatusCode::BAD_REQUEST, "Sleep for 0 to 60000 milliseconds.\n"),
        },
        _ => text(StatusCode::NOT_FOUND, "There are /, /sleep/250, and /echo for a POST.\n"),
    }
}

fn text(status: StatusCode, body: impl Into<Vec<u8>>) -> Response {
    let response = Response::builder().status(status).header(header::CONTENT_TYPE, "text/plain");
    response.body(body.into().into()).expect("a status and a header")
}
