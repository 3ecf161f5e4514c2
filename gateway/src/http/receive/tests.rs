//! 200 says that the delivery is on disk.

use super::post;
use crate::testing::{Stage, WORKSPACE, order};
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    response::IntoResponse,
};
use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
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
    let taken =
        post(State(Arc::clone(stage.app())), Path("shopify".to_owned()), headers, Body::from(played.body)).await;
    taken.into_response().status().as_u16()
}

fn look<T>(answer: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    answer.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_webhook_is_answered_when_it_is_on_disk_and_not_before() {
    let stage = Stage::new(&[]);
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
    stage.memory().hold_sync();
    let mut answer = pin!(status(&stage));
    assert_eq!(look(answer.as_mut()), Poll::Pending);
    stage.memory().wait_until_held();
    stage.memory().fail_io("the disk is full");
    assert_eq!(stage.runtime().block_on(answer), 503);
    // And so is every one after it.
    assert_eq!(stage.runtime().block_on(status(&stage)), 503);
}
