//! What a handler left unread of a request: read to its end, or announced as the end of the connection.
//!
//! A refusal is often decided by the head alone. A connection that closes with bytes unread can destroy the answer on its way, and a caller that keeps connections
//! would send its next webhook into one that closes.
//! Source: RFC 9112 §9.3 and §9.6, <https://www.rfc-editor.org/rfc/rfc9112#section-9.6>.

use axum::{
    body::{Body, HttpBody},
    extract::Request,
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::sync::oneshot;

/// The most that is read for nothing.
const MOST_BYTES: usize = 8 << 20;
/// The longest that is waited for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers when the request was read to its end. Where that takes too much, the answer says that the connection closes.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Who waits for a word before sending the body sends none after a refusal.
    let waits_for_word = request.headers().contains_key(header::EXPECT);
    let (back, mut left) = oneshot::channel();
    let mut response = next.run(request.map(|body| Body::new(Lent { body, back: Some(back) }))).await;
    if let Ok(rest) = left.try_recv()
        && (waits_for_word || !read_to_end(rest).await)
    {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn read_to_end(mut rest: Body) -> bool {
    let reading = async {
        let mut read = 0;
        while let Some(frame) = rest.frame().await {
            read += frame.ok()?.data_ref().map_or(0, Bytes::len);
            if read > MOST_BYTES {
                return None;
            }
        }
        Some(())
    };
    matches!(tokio::time::timeout(PATIENCE, reading).await, Ok(Some(())))
}

/// A body that comes back when it is dropped before its end.
struct Lent {
    body: Body,
    back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.back = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(back) = self.back.take()
            && !self.body.is_end_stream()
        {
            // Nobody waits for it when the request itself was given up.
            let _ = back.send(std::mem::take(&mut self.body));
        }
    }
}
