//! 200 says that the delivery is on disk.

use super::*;
use crate::testing::{Stage, WORKSPACE, order};
use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};
use tidegate_store::{Key, KeyRange, Order, Space};

/// Hands a webhook to the handler; gives the answer's status.
async fn status(stage: &Stage) -> u16 {
    let played = order("1", 1).play(stage.now());
    let headers: HeaderMap = played
        .headers
        .iter()
        .map(|(name, value)| (HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap()))
        .collect();
    let peer = ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9)));
    let (uri, body) = (Uri::from_static("/in/shopify"), Body::from(played.body));
    let taken = post(State(Arc::clone(stage.app())), peer, Path("shopify".to_owned()), uri, headers, body).await;
    taken.into_response().status().as_u16()
}

/// Hands a request without a signature to an endpoint; gives the answer's status, and whether it names a delivery.
async fn bare(stage: &Stage, endpoint: &str, kind: &'static str, body: &'static str) -> (u16, bool) {
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
    let peer = ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9)));
    let uri = Uri::try_from(format!("/in/{endpoint}")).unwrap();
    let path = Path(endpoint.to_owned());
    let taken = post(State(Arc::clone(stage.app())), peer, path, uri, headers, Body::from(body)).await;
    let answer = taken.into_response();
    (answer.status().as_u16(), answer.headers().contains_key(DELIVERY))
}

#[test]
fn a_ping_that_no_provider_signs_is_answered_and_leaves_nothing() {
    let mut stage = Stage::new(&[]);
    stage.open_every_endpoint();
    let check = |endpoint: &str, kind, body, expected| {
        let found = stage.runtime().block_on(bare(&stage, endpoint, kind, body));
        assert_eq!(found, (expected, false), "{endpoint} {kind} {body}");
    };
    let form = "application/x-www-form-urlencoded";
    check("woocommerce", form, "webhook_id=7", 200);
    check("woocommerce", form, "webhook_id=7&status=1", 401);
    check("woocommerce", "application/json", "webhook_id=7", 401);
    check("woocommerce", "application/json", "{}", 401);
    check("shopify", form, "webhook_id=7", 401);
    let deliveries = KeyRange::prefix(&Key::new(Space::Deliveries, WORKSPACE));
    assert!(stage.app().store().range(&deliveries, Order::Forward, 9).unwrap().is_empty());
}

fn look<T>(answer: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    answer.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_webhook_is_answered_when_it_is_on_disk_and_not_before() {
    let stage = Stage::new(&[]);
    // What bounds the reading of a body needs the runtime's time.
    let _runtime = stage.runtime().enter();
    stage.memory().hold_sync();
    let mut answer = pin!(status(&stage));
    assert_eq!(look(answer.as_mut()), Poll::Pending);
    stage.memory().wait_until_held();
    let written = KeyRange::prefix(&Key::new(Space::Deliveries, WORKSPACE));
    let written = stage.app().store().range(&written, Order::Forward, 9).unwrap();
    assert_eq!(written.len(), 1, "it can be read, and is not on disk yet");
    assert_eq!(look(answer.as_mut()), Poll::Pending);
    stage.memory().release_sync();
    assert_eq!(stage.runtime().block_on(answer), 200);
}

#[test]
fn a_webhook_that_the_disk_did_not_take_is_refused_with_503() {
    let stage = Stage::new(&[]);
    // What bounds the reading of a body needs the runtime's time.
    let _runtime = stage.runtime().enter();
    stage.memory().hold_sync();
    let mut answer = pin!(status(&stage));
    assert_eq!(look(answer.as_mut()), Poll::Pending);
    stage.memory().wait_until_held();
    stage.memory().fail_io("the disk is full");
    assert_eq!(stage.runtime().block_on(answer), 503);
    // And so is every one after it.
    assert_eq!(stage.runtime().block_on(status(&stage)), 503);
}

/// A body that does not come.
struct Never;

impl axum::body::HttpBody for Never {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

#[tokio::test]
async fn a_body_is_read_whole_or_refused_with_the_reason() {
    let check = async |body: Body, patience: Duration, expected: Result<&[u8], u16>| {
        let found = read(body, 4, 5, patience).await;
        let found = found.map_err(|(problem, _)| problem.into_response().status().as_u16());
        assert_eq!(found.as_deref().map_err(|status| *status), expected);
    };
    check(Body::from("hello"), patience(0), Ok(b"hello")).await;
    check(Body::from("hello!"), patience(0), Err(413)).await;
    check(Body::new(Never), Duration::ZERO, Err(400)).await;
}

#[test]
fn a_long_body_may_take_longer() {
    assert_eq!(patience(8_000), Duration::from_secs(10));
    assert_eq!(patience(4 << 20), Duration::from_secs(26));
}
