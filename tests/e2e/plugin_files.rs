//! The author's and the operator's commands on files: new, check, test, inspect and bench, with components that were made before.

use crate::{PROGRAM, text};
use serde_json::Value;
use std::{fs, path::Path, process::Command};
use tempfile::TempDir;
use tidegate_plugin_pack::embed;
use tidegate_test_support::Brittle;

const WEBHOOK: &str = r#"{
  "topic": "booking/made",
  "headers": {"x-shopify-topic": "booking/made", "x-shopify-webhook-id": "1"},
  "received_at": "2026-03-01T10:00:00Z",
  "body": {"id": "B1", "phone": "+447700900123", "name": "Ann"},
  "source": "own example"
}"#;

/// A folder, and the program run in it.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn put(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.path().join(path);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, bytes))
            .expect("it can be written");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).expect("the file is there")
    }

    /// Exit code and both outputs.
    fn plugin(&self, arguments: &[&str]) -> (i32, String) {
        let ran = Command::new(PROGRAM).arg("plugin").args(arguments).current_dir(self.0.path()).output();
        let ran = ran.expect("the program runs");
        let out = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        (ran.status.code().expect("no signal ended it"), out)
    }

    #[track_caller]
    fn check(&self, arguments: &[&str], code: i32, words: &[&str]) -> String {
        let (found, out) = self.plugin(arguments);
        assert_eq!(found, code, "{arguments:?}: {out}");
        for words in words {
            assert!(out.contains(words), "{arguments:?}: expected {words:?}: {out}");
        }
        out
    }

    /// A project whose build copies the brittle plugin.
    fn project(&self) {
        self.put("p/source.bin", brittle());
        self.put(
            "p/plugin.toml",
            r#"id = "brittle"
name = "Brittle"
version = "0.1.0"
description = "Bookings."
topics = [{ name = "booking/made" }]
signature = { scheme = "shopify" }
items = { topic = { header = "x-shopify-topic" }, dedupe = [{ header = "x-shopify-webhook-id" }] }
limits = { memory_bytes = 16777216 }
[build]
command = "mkdir -p build && cp source.bin build/plugin.wasm"
component = "build/plugin.wasm"
"#,
        );
        self.put("p/fixtures/made/webhook.json", WEBHOOK);
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let held = self.read(path);
        assert!(held.contains(from), "{path} has no {from:?}");
        self.put(path, held.replacen(from, to, 1));
    }
}

fn brittle() -> Vec<u8> {
    Brittle::Defective.packed(Path::new(PROGRAM))
}

#[test]
fn a_project_is_not_made_where_it_would_harm_or_under_a_name_that_is_none() {
    let desk = Desk::new();
    desk.check(&["new", "My_Shop", "--lang", "rust"], 2, &["\"My_Shop\" is no plugin id", "my-shop"]);
    desk.put("taken/diary", "dear");
    desk.check(&["new", "taken", "--lang", "rust"], 2, &["taken is not empty", "--dir"]);
    assert_eq!(desk.read("taken/diary"), "dear");
    desk.check(
        &["new", "shop", "--lang", "rust", "--sdk", "taken"],
        2,
        &["--sdk taken: expected the folder plugin-sdk"],
    );
    desk.check(&["new", "shop", "--lang", "python", "--sdk", "taken"], 2, &["--sdk is for Rust"]);
    desk.check(&["new", "shop", "--lang", "cobol"], 2, &["cobol", "rust"]);
    desk.check(&["new", "shop", "--lang", "rust"], 0, &["shop is in shop"]);
    assert!(desk.read("shop/Cargo.toml").contains("git = \"https://"));
    assert!(desk.read("shop/fixtures/bad-total/outcome.json").contains("/order/total"));
    desk.check(&["test", "elsewhere"], 2, &["elsewhere/plugin.toml", "tidegate plugin new"]);
}

#[test]
fn fixtures_run_in_the_real_host_and_differences_are_shown() {
    let desk = Desk::new();
    desk.project();
    desk.check(&["test", "p"], 1, &["failed   made", "there is no outcome.json; `tidegate plugin test --update`"]);
    desk.check(&["test", "p", "--update"], 0, &["written  made", "brittle: 1 case, all passed"]);
    desk.check(&["test", "p"], 0, &["ok       made"]);
    desk.edit("p/fixtures/made/outcome.json", "appointment.booked", "appointment.cancelled");
    let out = desk.check(&["test", "p"], 1, &["- ", "+ ", "brittle: 1 case, 1 failed"]);
    let gone = |line: &str| line.trim().starts_with('-') && line.contains("appointment.cancelled");
    assert!(out.lines().any(gone), "{out}");
    let (_, out) = desk.plugin(&["test", "p", "--json"]);
    let line: Value = serde_json::from_str(out.trim()).expect("one line of JSON");
    assert_eq!((text(&line, "case"), text(&line, "result")), ("made", "failed"));
    desk.check(&["test", "p", "--only", "nothing"], 2, &["there is no case \"nothing\"; there are made"]);
    desk.check(&["test", "p", "--update"], 0, &["written  made"]);

    // A component that was built before, with and without a manifest.
    desk.put("old.wasm", brittle());
    desk.edit("p/plugin.toml", "cp source.bin", "false # ");
    desk.check(&["test", "p"], 1, &["the build `mkdir -p build && false #", "failed"]);
    desk.check(&["test", "p", "--component", "old.wasm"], 0, &["ok       made"]);
    desk.check(&["test", "p", "--component", "none.wasm"], 2, &["none.wasm"]);

    desk.put(
        "p/fixtures/moved/webhook.json",
        WEBHOOK.replace("\"booking/made\",\n  \"headers\"", "\"moved\",\n  \"headers\""),
    );
    desk.check(
        &["test", "p", "--component", "old.wasm"],
        1,
        &["the topic is \"moved\", but by plugin.toml's [items] it is"],
    );
    desk.put("p/fixtures/moved/webhook.json", WEBHOOK.replace("\"name\": \"Ann\"", "\"x\": 1"));
    desk.check(
        &["test", "p", "--component", "old.wasm", "--only", "moved"],
        1,
        &["the plugin brittle crashed: it gave up"],
    );
}

#[test]
fn every_finding_says_how_to_mend_it() {
    let desk = Desk::new();
    desk.project();
    desk.check(&["test", "p", "--update"], 0, &[]);
    desk.check(&["check", "p"], 0, &["brittle@0.1.0: no faults, no warnings"]);

    desk.edit("p/plugin.toml", "description = \"Bookings.\"", "");
    desk.edit(
        "p/plugin.toml",
        "[{ name = \"booking/made\" }]",
        "[{ name = \"booking/made\" }, { name = \"booking/moved\" }]",
    );
    let out = desk.check(&["check", "p"], 0, &["2 warnings", "no case is about the topic booking/moved"]);
    assert_eq!(out.matches("→").count(), 2, "{out}");
    desk.edit("p/plugin.toml", "name = \"Brittle\"", "nmae = \"Brittle\"");
    desk.check(&["check", "p"], 1, &["fault    p/plugin.toml:2: nmae: unknown key", "→ write `name`"]);
    desk.edit("p/plugin.toml", "nmae", "name");
    desk.put("p/source.bin", "nothing");
    desk.check(&["check", "p"], 1, &["expected a WebAssembly component, found something else", "mend the build"]);

    desk.put("bare.wasm", brittle());
    desk.check(&["check", "bare.wasm"], 0, &["warning", "there is no `description`"]);
    desk.put("none.wasm", embed(&brittle(), "id = \"x\"\nname = \"X\"\nversion = \"1\"\n").expect("a component"));
    desk.check(&["check", "none.wasm"], 1, &["expected a version such as 1.2.0", "→ mend `version`"]);
    desk.put("other.wasm", EMPTY_COMPONENT);
    desk.check(&["check", "other.wasm"], 1, &["the component has no manifest", "tidegate plugin pack"]);
    let packed = embed(EMPTY_COMPONENT, "id = \"x\"\nname = \"X\"\nversion = \"1.0.0\"\n").expect("a component");
    desk.put("empty.wasm", packed);
    desk.check(&["check", "empty.wasm"], 1, &["does not export tidegate:plugin/normalizer@0.1.0; it exports nothing"]);
    desk.put("cut.wasm", &brittle()[..5_000]);
    let (code, out) = desk.plugin(&["check", "cut.wasm", "--json"]);
    let found: Value = serde_json::from_str(out.trim()).expect("one line of JSON");
    assert_eq!((code, &found["faults"], &found["findings"][0]["level"]), (1, &1.into(), &"fault".into()), "{out}");
}

/// A component with nothing in it.
const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

#[test]
fn a_stranger_s_plugin_is_looked_at_without_running_it() {
    let desk = Desk::new();
    desk.put("brittle.wasm", brittle());
    desk.check(
        &["inspect", "brittle.wasm"],
        0,
        &["brittle@0.1.0  Brittle bookings", "signature    shopify", "may ask      nobody", "16 MiB"],
    );
    let (_, out) = desk.plugin(&["inspect", "brittle.wasm", "--json"]);
    let sheet: Value = serde_json::from_str(out.trim()).expect("one line of JSON");
    assert_eq!(sheet["exports"], serde_json::json!(["tidegate:plugin/normalizer@0.1.0"]));
    assert_eq!(sheet["refused_imports"], serde_json::json!([]));
    assert_eq!(text(&sheet, "digest").len(), 64);
    desk.put("text.wasm", "no component");
    desk.check(&["inspect", "text.wasm"], 1, &["expected a WebAssembly component"]);
    desk.check(&["inspect", "none.wasm"], 2, &["none.wasm"]);
}

#[test]
fn the_cost_of_calls_is_measured_against_the_limits() {
    let desk = Desk::new();
    desk.put("brittle.wasm", brittle());
    desk.put("webhook.json", WEBHOOK);
    desk.check(
        &["bench", "brittle.wasm", "--webhook", "webhook.json", "--calls", "5"],
        0,
        &["MEDIAN", "of 16 MiB", "with a fresh instance for each of 5 calls"],
    );
    desk.check(&["bench", "brittle.wasm"], 2, &["holds no cases: name a webhook with --webhook"]);
    desk.check(&["bench", "brittle.wasm", "--calls", "0", "--webhook", "webhook.json"], 2, &["--calls"]);
    desk.put("webhook.json", WEBHOOK.replace("\"name\": \"Ann\"", "\"x\": 1"));
    desk.check(&["bench", "brittle.wasm", "--webhook", "webhook.json"], 1, &["the plugin brittle crashed"]);
}
