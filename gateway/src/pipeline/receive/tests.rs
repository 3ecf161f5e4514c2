//! What is stored of a webhook, and which webhooks are the same.

use crate::{
    pipeline::{interpretations_of, read_body},
    records::ItemResult,
    testing::{Answered, START, Stage, WORKSPACE, inbound, meta, order},
    views,
};
use serde_json::json;
use tidegate_model::DeliveryId;
use tidegate_store::{Queue, Space};

const DAY_MS: i64 = 86_400_000;

#[test]
fn a_repeat_is_known_by_its_id_for_eight_days_and_over_midnight() {
    let stage = Stage::new(&[]);
    let first = stage.post(&order("1", 1)).id();
    for (days, expected) in [(0, true), (1, true), (7, true), (1, false), (1, true)] {
        stage.advance(days * DAY_MS);
        // The provider's retry may say something else meanwhile: its id counts.
        let answer = stage.post(&order("1", 2));
        assert_eq!(matches!(answer, Answered::Repeat(_)), expected, "at {}", stage.now());
        assert!(!expected || answer == Answered::Repeat(first) || stage.now() > START.plus_ms(8 * DAY_MS));
    }
    assert_eq!(stage.ready(Queue::Pure), 2, "two of six are work");
    let stage = Stage::new(&[]);
    stage.advance(DAY_MS / 2 - 1);
    let before = stage.post(&order("1", 1));
    stage.advance(1);
    assert_eq!(stage.post(&order("1", 1)), Answered::Repeat(before.id()), "midnight is between them");
}

#[test]
fn without_an_id_a_delivery_is_known_by_its_body() {
    let stage = Stage::new(&[]);
    let bare = |n: u32| {
        let mut played = order("1", n).play(stage.now());
        played.headers.retain(|(name, _)| name != "x-shopify-webhook-id");
        played
    };
    let first = stage.try_post("shopify", &bare(1)).unwrap();
    assert!(matches!(first, Answered::Stored(_)));
    stage.advance(1_000);
    assert_eq!(stage.try_post("shopify", &bare(1)).unwrap(), Answered::Repeat(first.id()));
    assert!(matches!(stage.try_post("shopify", &bare(2)).unwrap(), Answered::Stored(_)));
}

#[test]
fn a_webhook_that_is_not_authentic_leaves_nothing() {
    let stage = Stage::new(&[]);
    let mut played = order("1", 1).play(stage.now());
    played.body.push(b' ');
    assert!(stage.try_post("shopify", &played).is_err());
    assert_eq!((stage.ready(Queue::Pure), stage.rows(Space::Dedupe).len()), (0, 0));
}

/// Text that compresses badly: hashes.
fn noise(n: u32) -> String {
    (0..500_u32).map(|m| format!("{:08x}", (n * 500 + m).wrapping_mul(2_654_435_761))).collect()
}

#[test]
fn a_crash_before_the_last_commit_of_a_delivery_leaves_no_mark_of_it() {
    for parts in [0, 760] {
        let mut stage = Stage::new(&[]);
        let mut webhook = order("1", 1);
        webhook.script.body["noise"] = json!((0..parts).map(noise).collect::<Vec<_>>());
        let played = webhook.play(stage.now());
        let accepted = stage.accept("shopify", &played).unwrap();
        assert_eq!(accepted.ahead.is_empty(), parts == 0, "a long body has parts that go ahead");
        for batch in accepted.ahead {
            stage.app().store().commit(batch).wait().unwrap();
        }
        stage.crash();
        // It was not acknowledged, so the provider sends it again.
        let answer = stage.try_post("shopify", &played).unwrap();
        assert!(matches!(answer, Answered::Stored(_)), "{parts} parts: {answer:?}");
        stage.interpret();
        assert!(matches!(results(&stage, answer.id())[..], [ItemResult::Interpreted { .. }]), "{parts} parts");
    }
}

fn results(stage: &Stage, id: DeliveryId) -> Vec<ItemResult> {
    let rows = interpretations_of(stage.app(), WORKSPACE, id).unwrap();
    rows.into_iter().flat_map(|row| row.items).map(|item| item.result).collect()
}

#[test]
fn an_item_that_came_in_another_delivery_is_not_interpreted_again() {
    let stage = Stage::new(&[]);
    let (a, b, c) = (inbound("a", 1, "a", START), inbound("b", 1, "b", START), inbound("c", 1, "c", START));
    let first = stage.post(&meta(&[a.clone(), b.clone()])).id();
    let second = stage.post(&meta(&[b.clone(), c, b.clone()])).id();
    assert!(
        matches!(stage.post(&meta(&[a, b.clone()])), Answered::Repeat(id) if id == first),
        "the same bytes at once"
    );
    stage.interpret();
    let first_b = interpretations_of(stage.app(), WORKSPACE, first).unwrap()[0].items[1].id;
    let found = results(&stage, second);
    assert_eq!(found[0], ItemResult::Duplicate { first: first_b });
    assert!(matches!(found[1], ItemResult::Interpreted { .. }));
    assert_eq!(found[2], ItemResult::Duplicate { first: first_b });
    stage.advance(8 * DAY_MS);
    let late = stage.post(&meta(&[b])).id();
    stage.interpret();
    assert_eq!(results(&stage, late), [ItemResult::Duplicate { first: first_b }], "eight days later");
    assert_eq!(stage.messages().len(), 3);
}

#[test]
fn a_body_of_three_megabytes_is_read_back_as_it_came() {
    let stage = Stage::new(&[]);
    let mut webhook = meta(&[]);
    webhook.script.body["note"] = json!((0..760).map(noise).collect::<Vec<_>>());
    let played = webhook.play(stage.now());
    assert!(played.body.len() > 3_000_000, "{}", played.body.len());
    let id = stage.try_post("meta", &played).unwrap().id();
    let delivery = views::find_delivery(stage.app(), id).unwrap().unwrap();
    assert_eq!(delivery.body_bytes, played.body.len());
    assert!(read_body(stage.app().store(), &delivery).unwrap() == played.body);
    stage.interpret();
    assert_eq!((stage.ready(Queue::Pure), stage.rows(Space::DeadLetters).len()), (0, 0));
}
