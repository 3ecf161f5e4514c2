//! How the contract changes: one host serves plugins of two versions, and tells from a component's exports which it was made for. The later version is for the
//! tests (`tests/next`), with the adapter that a real one would have.

use super::*;
use crate::{HostConfig, PluginHost, embed};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};
use tidegate_model::{ItemId, Timestamp};
use tidegate_plugin_pack::{Crate, build};
use tokio::runtime::Builder;

mod v0_2;

const MANIFEST: &str = r#"
id = "grown"
name = "Grown"
version = "0.1.0"
limits = { deadline_ms = 10000 }
[[events]]
kind = "review.posted"
schema = { type = "object", required = ["id", "stars"], properties = { stars = { type = "integer" } } }
"#;

/// A component of the tests, packed.
fn component(folder: &str, package: &str) -> Vec<u8> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    // Beside what this build makes: target/debug/deps/… is where the test runs.
    let program = std::env::current_exe().unwrap();
    let target_dir: PathBuf = program.ancestors().nth(3).unwrap().join("guests");
    let built = build(Crate { package, dir: &dir, target_dir: &target_dir }).unwrap_or_else(|error| panic!("{error}"));
    embed(&built, MANIFEST).unwrap()
}

fn older() -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| component("tests/guests/hostile", "tidegate-hostile-guest"))
}

fn newer() -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| component("tests/next/guest", "tidegate-next-guest"))
}

fn host(contracts: &[Contract]) -> PluginHost {
    PluginHost::speaking(&HostConfig::default(), contracts).unwrap()
}

/// What a plugin makes of an item with this topic.
fn event(plugin: &crate::Plugin, topic: &str) -> Value {
    let received_at = Timestamp::from_ms(1_780_000_000_123);
    let item = Item {
        id: ItemId::derive(received_at.ms(), &[topic.as_bytes()]),
        topic: topic.to_owned(),
        headers: Vec::new(),
        body: "{}".to_owned(),
        envelope: None,
        received_at,
        state: None,
        answers: Vec::new(),
    };
    let connection = ConnectionInfo { name: "shop".to_owned(), ..ConnectionInfo::default() };
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let outcomes = runtime.block_on(plugin.interpret(&connection, &[item])).unwrap();
    let Outcome::Done(done) = &outcomes[0] else { panic!("{outcomes:?}") };
    serde_json::to_value(&done.events[0]).unwrap()
}

#[test]
fn one_host_runs_plugins_of_both_versions_and_gets_the_same_events() {
    let host = host(&[v0_1::CONTRACT, v0_2::CONTRACT]);
    let (older, newer) = (host.load(older()).unwrap(), host.load(newer()).unwrap());
    for (topic, field, expected) in
        [("answer/gift", "/order/gift_message", json!("For you")), ("answer/review", "/custom/stars", json!(4))]
    {
        let (old, new) = (event(&older, topic), event(&newer, topic));
        assert_eq!(old.pointer(field), Some(&expected), "{topic}: {old:#}");
        assert_eq!(old, new, "{topic}");
    }
}

#[test]
fn a_host_that_does_not_speak_the_later_version_says_so() {
    let error = host(&[v0_1::CONTRACT]).load(newer()).unwrap_err().to_string();
    assert_eq!(
        error,
        "the plugin grown was built for tidegate:plugin@0.2.0, and this gateway speaks 0.1: build it again with the SDK 0.1, or use a gateway that speaks its version"
    );
    let error = host(&[v0_2::CONTRACT]).load(older()).unwrap_err().to_string();
    assert_eq!(
        error,
        "the plugin grown was built for tidegate:plugin@0.1.0, and this gateway speaks 0.2: build it again with the SDK 0.2, or use a gateway that speaks its version"
    );
}

#[test]
fn the_version_is_chosen_by_the_names_of_the_exports() {
    let engine = Engine::default();
    let linked = [v0_1::CONTRACT, v0_2::CONTRACT].map(|contract| Contract { link: |_| Ok(()), ..contract });
    let linked: Vec<Linked> = linked.into_iter().map(|contract| Linked::new(&engine, contract).unwrap()).collect();
    let chosen = |exports: &[&str]| {
        choose(&linked, "p", exports.iter().copied())
            .map(|found| found.contract.version)
            .map_err(|error| error.to_string())
    };
    let of = |version: &str| format!("tidegate:plugin/normalizer@{version}");
    assert_eq!(chosen(&[&of("0.1.0")]), Ok("0.1"));
    assert_eq!(chosen(&["memory", &of("0.1.9")]), Ok("0.1"));
    assert_eq!(chosen(&[&of("0.2.0"), &of("0.1.0")]), Ok("0.2"), "the newest that both speak");
    assert_eq!(chosen(&[&of("0.3.0"), &of("0.1.0")]), Ok("0.1"));
    assert!(chosen(&[&of("1.0.0")]).unwrap_err().contains("tidegate:plugin@1.0.0, and this gateway speaks 0.1, 0.2"));
    assert!(chosen(&[&of("x")]).unwrap_err().contains("tidegate:plugin@x"));
    assert!(chosen(&["acme:a/b@1.0.0"]).unwrap_err().starts_with("the plugin p exports `acme:a/b@1.0.0`, and not"));
    assert!(chosen(&["a", "b", "c", "d", "e", "f"]).unwrap_err().contains("`d` and 2 more, and not"));
    assert!(chosen(&[]).unwrap_err().starts_with("the plugin p exports nothing, and not"));
}

#[test]
fn versions_with_the_same_track_fit() {
    let check = |version: &str, expected: Option<&str>| assert_eq!(track(version).as_deref(), expected, "{version}");
    check("0.1.0", Some("0.1"));
    check("0.1.12", Some("0.1"));
    check("1.4.2", Some("1"));
    check("1", None);
}

#[test]
fn the_texts_of_the_contracts_can_be_read() {
    for contract in CONTRACTS.iter().chain([&v0_2::CONTRACT]) {
        assert_eq!(shape::Shape::parse(contract.wit).map(drop), Ok(()), "{}", contract.version);
    }
}
