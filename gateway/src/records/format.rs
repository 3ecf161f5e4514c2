//! The stored directory of this format: every kind of row that a gateway writes, read back by its value.
//!
//! `UPDATE_FIXTURE=1 cargo test -p tidegate records::format` makes it anew, for the format that this version writes. That is done once, when a
//! format is new: afterwards the directory is what older gateways wrote, and must stay readable as it is.

use super::*;
use crate::testing::{Stage, WORKSPACE, entry, inbound, meta, meta_entries, order};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};
use tidegate_model::{
    ContactId, DeliveryId, RunId,
    circuit::{Cause, CircuitScope, Trip},
};
use tidegate_store::{
    Batch, Engine, KeyRange, Order, WorkRow,
    copy::copy_running,
    engine::ops::{Op, Rate},
    keys::{GuardName, ReadyKey},
    migrate::FORMAT,
    records::{self, DeadLetter, Deferred, decode},
    sled::{SledOptions, open},
};

#[path = "../../store/tests/fixtures/packed.rs"]
mod packed;

/// Thanks at once, and asks two days later.
const FLOW: &str = crate::testing::THANKS;

/// The body of a delivery that lies in two rows.
const LONG_BODY: &[u8] = br#"{"a body": "that is long enough to lie in two rows", "if": "it were not for show"}"#;
/// Bytes of it in the delivery's row.
const HEAD: usize = 30;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("store/tests/fixtures/format-{FORMAT}"))
}

/// A gateway's small life in which every kind of row is written, and work is left in both queues.
fn life() -> Stage {
    let mut stage = Stage::new(&[FLOW]);
    let connection = "name = \"whatsapp\"\nendpoint = \"meta\"\nworkspace = \"main\"\n";
    stage.reconfigure(connection, &format!("{connection}account = \"{}\"\n", crate::testing::ACCOUNT));
    stage.post(&order("1", 1));
    stage.post(&meta(&[inbound("hello", 1, "hello", stage.now()), inbound("stop", 2, "STOP", stage.now())]));
    stage.post(&meta_entries(&[entry("55", &[inbound("lost", 3, "hello", stage.now())])]));
    stage.settle();
    stage.post(&order("5", 5));
    stage.interpret();
    stage.post(&order("6", 6));
    let mut tx = stage.tx();
    tx.put(StateRow { workspace: WORKSPACE, connection: 1, state_key: "order:1".to_owned(), state: "paid".to_owned() });
    tx.put(long_delivery(stage.now()));
    tx.put(trouble(stage.now()));
    tx.put(RepliesRow {
        workspace: WORKSPACE,
        contact: ContactId::from_raw([5; 16]),
        runs: vec![RunId::from_raw([6; 16])],
    });
    tx.put(PauseRow {
        workspace: WORKSPACE,
        endpoint: 1,
        name: "shopify".to_owned(),
        since: stage.now(),
        from_seq: 7,
        turn: 3,
    });
    tx.put(looked_after(stage.now()));
    tx.put(sealed(stage.now()));
    tx.put(authorized(stage.now()));
    tx.put(installed(stage.now()));
    tx.put(chosen(stage.now()));
    let waits = fetch(stage.now());
    tx.put(AnswersRow {
        workspace: WORKSPACE,
        id: waits.given().id(waits.item, 0),
        item: waits.item,
        delivery: waits.delivery,
        at: stage.now(),
        head: tidegate_store::records::split_body(b"[]").unwrap().head,
    });
    tx.put(waits);
    tx.put(UnreachableRow {
        workspace: WORKSPACE,
        channel: ChannelKind::Whatsapp,
        address: "+447700900999".to_owned(),
        mark: Unreachable {
            since: stage.now(),
            until: stage.now().plus_ms(1),
            reason: "131026: not on WhatsApp".to_owned(),
        },
    });
    tx.commit(None).unwrap();
    let now_ms = stage.now().ms();
    let guard = |name: &str| GuardName::new(WORKSPACE, name);
    let ops = vec![
        Op::Gcra { guard: guard("rate"), rate: Rate { limit: 10, period_ms: 1_000, burst: 5 }, now_ms },
        Op::Add { guard: guard("figure"), delta: 7, floor: 0 },
        Op::Member { guard: guard("set"), id: [3; 16], expires_at_ms: now_ms + 60_000, limit: 9, now_ms },
    ];
    let put = vec![(keys::body(WORKSPACE, long_delivery(stage.now()).id.raw(), 0), LONG_BODY[HEAD..].to_vec())];
    stage.app().store().commit(Batch { ops, put, ..Batch::default() }).wait().unwrap();
    stage
}

/// A plugin's version from elsewhere.
fn installed(now: Timestamp) -> InstalledRow {
    InstalledRow {
        plugin: "shopify".to_owned(),
        version: "0.2.0".to_owned(),
        digest: "ab".repeat(32),
        bytes: 65_536,
        source: "oci://registry.example/shopify:0.2.0".to_owned(),
        signed_by: vec!["ed25519:AAAA".to_owned()],
        installed_at: now,
    }
}

/// A connection that its provider does not send to any more, and that is being read.
fn looked_after(now: Timestamp) -> ConnectionRow {
    use tidegate_model::connector::{Finding, Subscription, SubscriptionState};
    ConnectionRow {
        wanted: Some(Wanted {
            url: "https://gateway.example/in/woo".to_owned(),
            topics: vec!["order.created".to_owned()],
            since: now,
        }),
        subscriptions: vec![Subscription {
            id: "12".to_owned(),
            topic: "order.created".to_owned(),
            state: SubscriptionState::Disabled,
            reason: Some("deliveries failed".to_owned()),
        }],
        findings: vec![Finding::problem("the webhook is switched off", "subscribe the connection")],
        checked_at: Some(now),
        mended_at: Some(now),
        trouble: Some(Trouble { since: now, reason: "the provider answered 503".to_owned(), times: 2 }),
        read_to: Some(now),
        reading: Some(Reading { since: now, began: now, cursor: "1780315200 2".to_owned() }),
        found: 3,
        turn: 4,
        due: Some(now.plus_ms(60_000)),
        timer: Some(TimerKey { due_ms: now.plus_ms(60_000).ms(), seq: 9 }),
        ..ConnectionRow::new(WORKSPACE, 7, "store")
    }
}

/// Its secrets. They are sealed under no key that anybody has.
fn sealed(now: Timestamp) -> SecretRow {
    let generation =
        |told_at| connections::Generation { sealed: "x1:00000000:AAAA:AAAA".to_owned(), made_at: now, told_at };
    SecretRow { workspace: WORKSPACE, connection: 7, generations: vec![generation(Some(now)), generation(None)] }
}

/// Its tokens, sealed as they are.
fn authorized(now: Timestamp) -> TokenRow {
    TokenRow {
        workspace: WORKSPACE,
        connection: 7,
        sealed: Some("x1:00000000:AAAA:AAAA".to_owned()),
        void: None,
        given_at: now,
        expires_at: now.plus_ms(1_800_000),
    }
}

/// It is active for one connection.
fn chosen(now: Timestamp) -> ChoiceRow {
    ChoiceRow {
        plugin: "shopify".to_owned(),
        connection: "store".to_owned(),
        choice: Choice::Installed { version: "0.2.0".to_owned(), digest: "ab".repeat(32) },
        before: vec![Choice::Follow, Choice::Bundled],
        since: now,
    }
}

/// An item that waits for answers.
fn fetch(now: Timestamp) -> FetchRow {
    let delivery = DeliveryId::derive(now.ms(), &[b"waiting"]);
    let request = tidegate_model::outcome::Request {
        method: "POST".to_owned(),
        url: "https://api.example.com/search".to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Some("{}".to_owned()),
    };
    FetchRow {
        workspace: WORKSPACE,
        item: tidegate_model::ItemId::derive(now.ms(), &[b"waiting item"]),
        delivery,
        index: 3,
        endpoint: "shopify".to_owned(),
        connection: "store".to_owned(),
        lane: tidegate_store::Lane::new(WORKSPACE, 1, 0),
        basis: "00ff".to_owned(),
        take: 7,
        parts: 1,
        bytes: 2,
        rounds: 2,
        asked: 9,
        open: vec![(1, request)],
        requests: 2,
        since: now,
        attempts: 1,
        reason: Some("the provider answered 503".to_owned()),
        next_try: Some(now.plus_ms(5_000)),
        refused: None,
        letter: Some(11),
    }
}

/// A sender that is paused.
fn trouble(now: Timestamp) -> CircuitRow {
    let trip = Trip {
        cause: Cause::Limit,
        code: "130429".to_owned(),
        reason: "too many messages at once".to_owned(),
        marketing_only: false,
        pause_ms: Some(60_000),
    };
    CircuitRow { workspace: WORKSPACE, circuit: Circuit::open(CircuitScope::Sender { sender: 1 }, &trip, now) }
}

/// A delivery as one with a long body lies in the store, in little: the head in its row, the rest in a chunk.
fn long_delivery(at: Timestamp) -> Delivery {
    // Stored as it is, its length, one chunk.
    let head = [&[0][..], &(LONG_BODY.len() as u32).to_be_bytes(), &1u16.to_be_bytes(), &LONG_BODY[..HEAD]].concat();
    Delivery {
        workspace: WORKSPACE,
        id: DeliveryId::derive(at.ms(), &[b"long"]),
        endpoint: "shopify".to_owned(),
        received_at: at,
        headers: vec![("x-shopify-topic".to_owned(), "orders/create".to_owned())],
        secret_index: 1,
        stale: true,
        read_back: true,
        body_bytes: LONG_BODY.len(),
        head,
    }
}

/// Every row but the store's own, by kind and key: records as JSON, with their tails; other rows by their meaning, else in hex.
fn rows(store: &dyn Engine) -> BTreeMap<String, Value> {
    let (mut found, mut range) = (BTreeMap::new(), KeyRange::prefix(&[]));
    loop {
        let slice = store.range(&range, Order::Forward, 500).unwrap();
        let Some((last, _)) = slice.last() else { return found };
        range = range.after(last);
        for (key, row) in slice {
            let key = Key::from_bytes(key);
            let Some(space) = key.space().filter(|space| *space != Space::Meta) else { continue };
            let name = format!("{}: {}", space.label(), hex::encode(&*key));
            found.insert(name, meaning(space, &key, &row.value));
        }
    }
}

fn meaning(space: Space, key: &Key, value: &[u8]) -> Value {
    fn record<R: Record>(key: &Key, value: &[u8]) -> Value {
        let record = decode::<R>(key, value).unwrap();
        assert_eq!(R::row_key(&record.key()), *key, "a record lies where its key says");
        let mut json = serde_json::to_value(&record).unwrap();
        if !record.tail().is_empty() {
            json["tail"] = json!(checksum(record.tail()));
        }
        json
    }
    match space {
        Space::Deliveries => record::<Delivery>(key, value),
        Space::Interpretations => record::<Interpretation>(key, value),
        Space::Fetches => record::<FetchRow>(key, value),
        Space::Answers => record::<AnswersRow>(key, value),
        Space::Contacts => record::<ContactRow>(key, value),
        Space::ContactKeys => record::<ContactKeyRow>(key, value),
        Space::Windows => record::<WindowRow>(key, value),
        Space::Replies => record::<RepliesRow>(key, value),
        Space::Runs => record::<RunRow>(key, value),
        Space::Flows => record::<FlowRow>(key, value),
        Space::Messages => record::<MessageRow>(key, value),
        Space::PluginState => record::<StateRow>(key, value),
        Space::PluginVersions => record::<InstalledRow>(key, value),
        Space::PluginChoices => record::<ChoiceRow>(key, value),
        Space::Suppressions => record::<SuppressionRow>(key, value),
        Space::ProviderIds => record::<ProviderIdRow>(key, value),
        Space::Pauses => record::<PauseRow>(key, value),
        Space::Circuits => record::<CircuitRow>(key, value),
        Space::Unreachable => record::<UnreachableRow>(key, value),
        Space::Connections => record::<ConnectionRow>(key, value),
        Space::Secrets => record::<SecretRow>(key, value),
        Space::Tokens => record::<TokenRow>(key, value),
        Space::DeadLetters => record::<DeadLetter>(key, value),
        Space::Timers => json!(Deferred::decode(value).unwrap()),
        Space::Ready | Space::Io => {
            let work = WorkRow::decode(value).unwrap();
            assert!(ReadyKey::parse(key).is_some() && crate::work::Work::read(&work).is_some());
            json!(work)
        }
        Space::Bodies => json!(checksum(value)),
        Space::Registry => serde_json::from_slice(value).unwrap(),
        Space::Meta | Space::Dedupe | Space::Guards => json!(hex::encode(value)),
    }
}

/// Length and hash of what is too long to write out.
fn checksum(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    format!("{} bytes, {}", bytes.len(), hex::encode(&Sha256::digest(bytes)[..8]))
}

fn write(fixture: &Path) {
    let dir = tempfile::tempdir().unwrap();
    let stage = life();
    copy_running(stage.app().store(), &dir.path().join("store"), &mut |_| ControlFlow::Continue(())).unwrap();
    let _ = fs::remove_dir_all(fixture);
    fs::create_dir_all(fixture).unwrap();
    for entry in fs::read_dir(dir.path().join("store")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_file() && name != "lock" {
            let packed = zstd::encode_all(&*fs::read(&path).unwrap(), 19).unwrap();
            fs::write(fixture.join(format!("{name}.zst")), packed).unwrap();
        }
    }
    let lines: Vec<String> =
        rows(stage.app().store()).into_iter().map(|(name, value)| format!("{}: {value}", json!(name))).collect();
    fs::write(fixture.join("rows.json"), format!("{{\n{}\n}}\n", lines.join(",\n"))).unwrap();
}

#[test]
fn every_kind_of_row_of_this_format_reads_as_it_was_written() {
    let fixture = fixture();
    if std::env::var_os("UPDATE_FIXTURE").is_some() {
        write(&fixture);
    }
    let dir = tempfile::tempdir().unwrap();
    packed::unpack(&fixture, &dir.path().join("store")).unwrap();
    let store = open(&SledOptions::new(dir.path().join("store"))).unwrap();
    let found = rows(&*store);
    let expected: BTreeMap<String, Value> =
        serde_json::from_slice(&fs::read(fixture.join("rows.json")).unwrap()).unwrap();
    for space in Space::ALL.iter().filter(|space| **space != Space::Meta) {
        assert!(found.keys().any(|name| name.starts_with(&format!("{}: ", space.label()))), "no {}", space.label());
    }
    for (name, value) in &expected {
        assert_eq!(found.get(name), Some(value), "{name}");
    }
    assert_eq!(found.len(), expected.len());
    // A long body is put together of its row and its chunks.
    let mut bodies = 0;
    let all = KeyRange::prefix(&Key::new(Space::Deliveries, WORKSPACE));
    records::walk(&*store, &all, Order::Forward, |delivery: Delivery| {
        let body = crate::pipeline::read_body(&*store, &delivery).unwrap();
        assert_eq!(body.len(), delivery.body_bytes);
        assert!(serde_json::from_slice::<Value>(&body).is_ok());
        bodies += usize::from(body == LONG_BODY);
        ControlFlow::<()>::Continue(())
    })
    .unwrap();
    assert_eq!(bodies, 1);
}
