//! The thread of a request.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use greenthread::{
    cancel,
    channel::Sender,
    thread::{self, JoinFuture},
};
use hyper::{
    body::{Body as _, Incoming},
    service::Service,
};

use crate::{Body, Reader, Request, Response, StatusCode};

/// The service that runs a handler.
pub(crate) struct Handler<H> {
    pub(crate) handler: Arc<H>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) max_body: u64,
    pub(crate) running: Sender<Infallible>,
}

impl<H> Service<hyper::Request<Incoming>> for Handler<H>
where
    H: Fn(Request) -> Response + Send + Sync + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: hyper::Request<Incoming>) -> Answer {
        let max_body = self.max_body;
        if request.body().size_hint().lower() > max_body {
            return Answer { thread: None, otherwise: StatusCode::PAYLOAD_TOO_LARGE };
        }
        let (handler, timeout, running) = (self.handler.clone(), self.timeout, self.running.clone());
        let answer = move || {
            let _running = running;
            let answer = || handler(request.map(|body| Reader::new(body, max_body)));
            match timeout {
                None => answer(),
                Some(limit) => {
                    cancel::timeout(limit, answer).unwrap_or_else(|_| status(StatusCode::SERVICE_UNAVAILABLE))
                }
            }
        };
        let thread = thread::Builder::new().name("http request".into()).spawn(answer);
        Answer {
            thread: thread.ok().map(IntoFuture::into_future),
            otherwise: StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// The response of a handler. If it is dropped earlier, the handler is cancelled.
pub(crate) struct Answer {
    /// `None` if there is no thread for it, or when it has ended.
    thread: Option<JoinFuture<Response>>,
    /// The status if there is no thread.
    otherwise: StatusCode,
}

impl Future for Answer {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(thread) = &mut self.thread else {
            return Poll::Ready(Ok(status(self.otherwise)));
        };
        let end = ready!(Pin::new(thread).poll(context));
        self.thread = None;
        Poll::Ready(Ok(end.unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))))
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(thread) = &self.thread {
            thread.cancel();
        }
    }
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::from(()));
    *response.status_mut() = status;
    response
}
