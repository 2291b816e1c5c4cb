//! What hyper leaves to its user: requests that two readers could take for different ones are
//! refused before a handler sees them (RFC 9110, RFC 9112, section 11, and RFC 9113, section 8).
//!
//! hyper itself refuses what is no request at all, differing lengths, a length that is no number, a
//! coding that does not end with `chunked`, and wrong chunks. Of a request with a length and a
//! coding it drops the length, and ends the connection after it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use hyper::{
    Method, Request, Response, StatusCode, Version,
    body::{Body, Frame, Incoming, SizeHint},
    header::{CONNECTION, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING},
    service::Service,
};
use pin_project_lite::pin_project;

use crate::progress::{Progress, Running};

/// Looks at the head of a request. Its `host` is set to what its target names, if that names one.
fn check<B>(request: &mut Request<B>) -> Result<(), StatusCode> {
    const BAD: StatusCode = StatusCode::BAD_REQUEST;

    let (version, headers, target) = (request.version(), request.headers(), request.uri());
    let host = single(headers, HOST).map_err(|Twice| BAD)?;
    if !host.map_or(version != Version::HTTP_11, is_host) {
        return Err(BAD);
    }
    let authority = target.authority().map(|authority| authority.as_str());
    let is_right = match (request.method(), target.scheme_str(), authority) {
        // The form of `host:port`, for which there is no scheme.
        (&Method::CONNECT, None, Some(_)) => true,
        (&Method::CONNECT, ..) | (_, None, Some(_)) => false,
        (_, Some(scheme), Some(_)) => matches!(scheme, "http" | "https"),
        (method, _, None) => {
            target.path().starts_with('/') || (method, target.path()) == (&Method::OPTIONS, "*")
        }
    };
    if !is_right || authority.is_some_and(|authority| authority.contains('@')) {
        return Err(BAD);
    }
    if version == Version::HTTP_2
        && let (Some(host), Some(authority)) = (host, authority)
        && !host.as_bytes().eq_ignore_ascii_case(authority.as_bytes())
    {
        return Err(BAD);
    }
    match single(headers, TRANSFER_ENCODING).map_err(|Twice| BAD)? {
        Some(coding) if !coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            return Err(StatusCode::NOT_IMPLEMENTED);
        }
        _ => {}
    }
    if headers.get_all(EXPECT).iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        return Err(StatusCode::EXPECTATION_FAILED);
    }
    if let Some(authority) = authority {
        let host = HeaderValue::from_str(authority).map_err(|_| BAD)?;
        request.headers_mut().insert(HOST, host);
    }
    Ok(())
}

/// A header that was given twice.
struct Twice;

fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<&HeaderValue>, Twice> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() { Err(Twice) } else { Ok(value) }
}

fn is_host(host: &HeaderValue) -> bool {
    host.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]%".contains(byte))
}

/// A service that gets good requests only, and whose responses are counted.
pub(crate) struct Checked<S> {
    service: S,
    progress: Arc<Progress>,
}

impl<S> Checked<S> {
    pub(crate) fn new(service: S, progress: Arc<Progress>) -> Self {
        Self { service, progress }
    }
}

impl<S, B> Service<Request<Incoming>> for Checked<S>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
{
    type Response = Response<Sent<B>>;
    type Error = S::Error;
    type Future = Answer<S::Future>;

    fn call(&self, mut request: Request<Incoming>) -> Answer<S::Future> {
        let running = Some(Progress::begin(&self.progress));
        let version = request.version();
        match check(&mut request) {
            Ok(()) => Answer::Running { answer: self.service.call(request), running },
            Err(status) => Answer::Refused { status, version, running },
        }
    }
}

pin_project! {
    #[project = Projected]
    pub(crate) enum Answer<F> {
        Refused { status: StatusCode, version: Version, running: Option<Running> },
        Running { #[pin] answer: F, running: Option<Running> },
    }
}

impl<F, B, E> Future for Answer<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<Sent<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(match self.project() {
            Projected::Refused { status, version, running } => {
                let mut response = Response::new(Sent { body: None, running: running.take() });
                *response.status_mut() = *status;
                if *version < Version::HTTP_2 {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                response
            }
            Projected::Running { answer, running } => {
                ready!(answer.poll(context))?.map(|body| Sent { body: Some(body), running: running.take() })
            }
        }))
    }
}

pin_project! {
    /// The body of a response. When it is dropped, the response has ended.
    pub(crate) struct Sent<B> {
        #[pin]
        body: Option<B>,
        running: Option<Running>,
    }
}

impl<B: Body> Body for Sent<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().body.as_pin_mut() {
            Some(body) => body.poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(B::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), B::size_hint)
    }
}
