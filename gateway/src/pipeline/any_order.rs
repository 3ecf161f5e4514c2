//! Webhooks come in any order, and some come twice: what is known at the end is the same.
//!
//! Sets of webhooks are drawn for each provider, as the lives of a few people, orders and bookings would make them. A set is played in its order; and, in a gateway of
//! its own, shuffled, with repeats (the same webhook again, and the same thing told by a second subscription), each webhook done with before the next or all at once.
//!
//! Compared are
//! - the people: their keys, fields with the times of their sources, tags and consents; and that each key leads to who has it;
//! - what is remembered of orders (the plugins' state);
//! - what was told, as far as a provider's webhooks say the same in any order: see each provider's file;
//! - that nothing is parked, and nothing waits.
//!
//! What may differ, and is not compared: ids, which derive from the delivery that came first, and with them who of two merged people survived; the order of a
//! person's keys, which is that in which they were heard of; when the gateway first heard of a person. All webhooks are received in one moment: what a provider gives
//! no time for counts from its receipt (a deletion of WooCommerce), so there a later one wins by right.

mod calendly;
mod hubspot;
mod meta;
mod shopify;
mod woocommerce;

use super::{Progress, settle_fetch, waiting};
use crate::{
    records::ContactRow,
    testing::{START, Stage, WORKSPACE, Webhook},
    work::Work,
};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tidegate_fetch::Fetched;
use tidegate_model::{
    Timestamp,
    contact::ContactKey,
    outcome::{Answer, Request},
};
use tidegate_store::{Queue, Space, WorkRow};

/// Sets for each provider, as many times as `TIDEGATE_ROUNDS` says.
const CASES: u32 = 16;
/// Names of the people, in turn.
const NAMES: [&str; 3] = ["Ada", "Bea", "Cleo"];

/// One thing that happens, as numbers that each provider reads in its way.
#[derive(Debug, Clone, Copy)]
struct Happening {
    what: u8,
    who: u8,
    thing: u8,
    minute: u8,
}

/// What a provider is like.
struct Provider {
    /// Its plugin, and its endpoint.
    name: &'static str,
    /// The webhook of what happens; `unique` is what the provider gives it anew.
    webhook: fn(Happening, unique: &str) -> Webhook,
    /// The same, told by a second subscription or another attempt; the webhook itself where a provider has no such thing.
    again: fn(&Webhook) -> Webhook,
    /// What it answers when it is asked.
    answer: fn(&Request) -> Answer,
    /// What of the told events does not hang on the order.
    told: fn(&[Value]) -> Vec<String>,
    /// Whether the times of fields are the same in any order.
    times: bool,
    /// Whether the plugin's state is the same in any order.
    state: bool,
}

fn happening() -> impl Strategy<Value = Happening> {
    (0..12_u8, 0..3_u8, 0..3_u8, 0..8_u8).prop_map(|(what, who, thing, minute)| Happening { what, who, thing, minute })
}

/// Another order of a set: a shuffle, with these repeated.
#[derive(Debug, Clone)]
struct Another {
    order: Vec<usize>,
    repeats: Vec<(Index, bool)>,
    at_once: bool,
}

fn set() -> impl Strategy<Value = (Vec<Happening>, Another)> {
    prop::collection::vec(happening(), 2..12).prop_flat_map(|happenings| {
        let order = Just((0..happenings.len()).collect::<Vec<_>>()).prop_shuffle();
        let repeats = prop::collection::vec(any::<(Index, bool)>(), 0..5);
        let another = (order, repeats, any::<bool>());
        let another = another.prop_map(|(order, repeats, at_once)| Another { order, repeats, at_once });
        (Just(happenings), another)
    })
}

/// What is known at the end.
#[derive(Debug, PartialEq)]
struct Known {
    people: Vec<Value>,
    state: BTreeMap<String, String>,
    told: Vec<String>,
    left: Vec<Value>,
}

fn check(provider: &Provider, happenings: &[Happening], another: &Another) {
    let set: Vec<Webhook> = (0..)
        .zip(happenings)
        .map(|(place, happening): (u32, _)| (provider.webhook)(*happening, &format!("w{place}")))
        .collect();
    let mut shuffled: Vec<Webhook> = another.order.iter().map(|&place| set[place].clone()).collect();
    for (place, is_exact) in &another.repeats {
        let first = place.index(shuffled.len());
        let repeat = if *is_exact { shuffled[first].clone() } else { (provider.again)(&shuffled[first]) };
        // Anywhere: also before the one that it repeats.
        shuffled.insert(place.index(shuffled.len() + 1), repeat);
    }
    let expected = play(provider, &set, false);
    let found = play(provider, &shuffled, another.at_once);
    assert_eq!(found, expected, "{happenings:#?}");
}

fn play(provider: &Provider, webhooks: &[Webhook], at_once: bool) -> Known {
    let stage = gateway(provider.name);
    for webhook in webhooks {
        stage.post(webhook);
        if !at_once {
            settle(&stage, provider);
        }
    }
    settle(&stage, provider);
    known(&stage, provider)
}

/// A gateway with an endpoint and a connection for a plugin, named as it is.
pub(super) fn gateway(name: &str) -> Stage {
    let mut stage = Stage::new(&[]);
    if !["shopify", "meta"].contains(&name) {
        let credentials = if name == "hubspot" { "credentials = { access_token = \"token\" }\n" } else { "" };
        let section = format!(
            "[[endpoints]]\nname = \"{name}\"\nplugin = \"{name}\"\nsecrets = [\"{}\"]\n\
             [[connections]]\nname = \"{name}\"\nendpoint = \"{name}\"\nworkspace = \"main\"\n{credentials}",
            crate::testing::SECRET
        );
        let first = "[[endpoints]]\nname = \"shopify\"\n";
        stage.reconfigure(first, &format!("{section}{first}"));
    }
    stage
}

/// Interprets and reads until nothing is left.
fn settle(stage: &Stage, provider: &Provider) {
    loop {
        stage.interpret();
        if read(stage, provider.answer) == Progress::Idle {
            return;
        }
    }
}

/// Answers the next item that waits.
fn read(stage: &Stage, answer: fn(&Request) -> Answer) -> Progress {
    let app = stage.app();
    let Some(claim) = app.store().claim(Queue::Io, 1).unwrap() else { return Progress::Idle };
    let (key, row) = claim.rows()[0].clone();
    let work = WorkRow::decode(&row.value).as_ref().and_then(Work::read);
    let Some(Work::Fetch { id, index }) = work else { panic!("expected a read, found {work:?}") };
    let mut tx = stage.tx();
    if let Some(row) = waiting(&mut tx, claim.lane().workspace, id, index).unwrap() {
        let answers: Vec<Fetched> = row.open.iter().map(|(_, request)| Fetched::Answer(answer(request))).collect();
        for batch in settle_fetch(app, &mut tx, &row, &answers).unwrap() {
            app.store().commit(batch).wait().unwrap();
        }
    }
    tx.delete(&key);
    tx.commit(Some(claim.token())).unwrap();
    Progress::Done
}

fn known(stage: &Stage, provider: &Provider) -> Known {
    let mut people: Vec<Value> =
        stage.rows(Space::Contacts).into_iter().filter_map(|row| person(stage, provider, row)).collect();
    people.sort_by_key(Value::to_string);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let state = stage.rows(Space::PluginState).into_iter().map(|row| (text(&row["state_key"]), text(&row["state"])));
    let events: Vec<Value> = stage
        .rows(Space::Interpretations)
        .iter()
        .flat_map(|row| row["items"].as_array().unwrap())
        .filter_map(|item| item["result"]["interpreted"]["outcome"]["done"]["events"].as_array())
        .flatten()
        .cloned()
        .collect();
    let left = [stage.rows(Space::DeadLetters), stage.rows(Space::Fetches)].concat();
    Known {
        people,
        state: if provider.state { state.collect() } else { BTreeMap::new() },
        told: (provider.told)(&events),
        left,
    }
}

/// A person without what may differ; `None` for the trace of one who was merged. Each of the keys leads to them.
fn person(stage: &Stage, provider: &Provider, row: Value) -> Option<Value> {
    let row: ContactRow = serde_json::from_value(row).unwrap();
    let mut contact = row.contact?;
    let mut tx = stage.tx();
    for key in &contact.keys {
        let leads_to = tx.contact_by_key(key).unwrap().unwrap();
        assert_eq!(tx.contact(leads_to).unwrap().unwrap().id, contact.id, "{WORKSPACE} {}", key.lookup());
    }
    contact.keys.sort_by_key(ContactKey::lookup);
    contact.consents.sort_by_key(|held| (held.channel.clone(), held.scope.clone()));
    if !provider.times {
        contact.fields.values_mut().for_each(|field| field.at = START);
    }
    Some(json!({
        "keys": contact.keys, "fields": contact.fields, "tags": contact.tags, "tags_at": contact.tags_at, "consents": contact.consents,
    }))
}

/// A minute of the day when everything happens, which is the day before it is received.
fn minute(minute: u8) -> Timestamp {
    START.plus_ms(-86_400_000 + i64::from(minute) * 60_000)
}

/// The same in the form of providers.
fn at(minutes: u8) -> String {
    minute(minutes).to_string()
}

/// Kind, thing and version of each event, sorted.
fn kinds(events: &[Value]) -> Vec<String> {
    let line = |event: &Value| format!("{} {} {}", event["kind"], event["entity"], event["occurred_at"]);
    let mut lines: Vec<String> = events.iter().map(line).collect();
    lines.sort();
    lines
}

fn no_answer(request: &Request) -> Answer {
    panic!("nothing is read of this provider: {}", request.url)
}

fn config() -> ProptestConfig {
    let rounds = std::env::var("TIDEGATE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    ProptestConfig { cases: CASES.saturating_mul(rounds), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn webhooks_of_shopify_in_any_order((happenings, another) in set()) {
        check(&shopify::PROVIDER, &happenings, &another);
    }

    #[test]
    fn webhooks_of_woocommerce_in_any_order((happenings, another) in set()) {
        check(&woocommerce::PROVIDER, &happenings, &another);
    }

    #[test]
    fn webhooks_of_hubspot_in_any_order((happenings, another) in set()) {
        check(&hubspot::PROVIDER, &happenings, &another);
    }

    #[test]
    fn webhooks_of_calendly_in_any_order((happenings, another) in set()) {
        check(&calendly::PROVIDER, &happenings, &another);
    }

    #[test]
    fn webhooks_of_meta_in_any_order((happenings, another) in set()) {
        check(&meta::PROVIDER, &happenings, &another);
    }
}
