//! An author's path in Rust, with the real tools: a new project builds, passes its tests, fetches, and is packed.

use crate::{PROGRAM, text};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What a command printed, and its exit code.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    #[track_caller]
    fn good(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }
}

fn plugin(arguments: &[&str]) -> Ran {
    let ran = Command::new(PROGRAM).arg("plugin").args(arguments).output().expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: ran.status.code(), out: text(&ran.stdout), err: text(&ran.stderr) }
}

/// The lines of the function that says what a webhook means.
fn logic_lines(source: &str) -> usize {
    let body = source.split_once("fn interpret(").and_then(|(_, rest)| rest.split_once("\n    }\n"));
    let body = body.expect("the plugin has its function").0;
    body.lines().skip(1).filter(|line| !line.trim().is_empty()).count()
}

fn edit(path: &Path, from: &str, to: &str) {
    let held = fs::read_to_string(path).expect("the file is there");
    assert!(held.contains(from), "{} has no {from:?}", path.display());
    fs::write(path, held.replacen(from, to, 1)).expect("the file can be written");
}

#[test]
fn a_new_project_in_rust_builds_passes_its_tests_fetches_and_is_packed() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("my-shop");
    let project = dir.to_str().expect("text");
    let sdk = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../plugin-sdk");
    let told =
        plugin(&["new", "my-shop", "--lang", "rust", "--dir", project, "--sdk", sdk.to_str().expect("text")]).good();
    assert!(told.contains("tidegate plugin test "), "{told}");
    let source = dir.join("src/lib.rs");
    let written = fs::read_to_string(&source).expect("the source is there");
    assert!(written.starts_with("//! My shop: ") && logic_lines(&written) <= 15, "{written}");

    let told = plugin(&["test", project]).good();
    assert!(told.ends_with("my-shop: 4 cases, all passed\n"), "{told}");
    let told = plugin(&["check", project]).good();
    assert_eq!(told, "my-shop@0.1.0: no faults, no warnings\n");
    let told = plugin(&["pack", project]).good();
    let packed = dir.join("my-shop.wasm");
    assert!(told.contains("is my-shop@0.1.0: ") && packed.exists(), "{told}");
    let packed = packed.to_str().expect("text");
    assert_eq!(plugin(&["check", packed]).good(), "my-shop@0.1.0: no faults, no warnings\n");
    let costs = plugin(&["bench", packed, "--calls", "20", "--json"]).good();
    let costs: Vec<Value> = costs.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!(costs.len(), 4, "a line for each case");
    for cost in &costs {
        let figure = |key: &str| cost[key].as_f64().expect("a figure");
        assert!(figure("median_us") > 0.0 && figure("p99_us") >= figure("median_us"), "{cost:#}");
        assert!(figure("memory_bytes") >= 65_536.0 && figure("memory_bytes") < figure("memory_limit"), "{cost:#}");
        assert!(figure("outcome_bytes") >= 1.0 && figure("outcome_bytes") < figure("outcome_limit"), "{cost:#}");
    }
    let of = |case: &str| costs.iter().find(|cost| text(cost, "case") == case).expect("the case is there");
    assert!(
        of("order-created")["outcome_bytes"].as_u64() > of("customer-updated")["outcome_bytes"].as_u64(),
        "an order is more than a sentence: {costs:#?}"
    );

    fetches(&dir, project);

    edit(&source, "let Webhook", "let Wobhook");
    let ran = plugin(&["pack", project]);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.err.contains("my-shop does not build") && ran.err.contains("Wobhook"), "{}", ran.err);
    let ran = plugin(&["check", project]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("fault") && ran.out.contains("mend the build"), "{}", ran.out);
}

/// The plugin asks its provider for the customer; the case answers.
fn fetches(dir: &Path, project: &str) {
    let source = dir.join("src/lib.rs");
    edit(&source, "fn interpret(_: &mut", "fn interpret(ctx: &mut");
    edit(
        &source,
        "        Ok(Event::new(",
        "        let url = format!(\"https://api.shop.example/orders/{}\", order.id);\n        \
         let found: Found = ctx.fetch_json(Request::get(url))?;\n        \
         let customer = customer.with_field(\"tier\", Some(&found.tier));\n        Ok(Event::new(",
    );
    edit(&source, "#[cfg(test)]", "#[derive(Deserialize)]\nstruct Found {\n    tier: String,\n}\n\n#[cfg(test)]");
    edit(&source, "Plugin, export", "Plugin, Request, export");
    edit(&dir.join("plugin.toml"), "[limits]", "[capabilities]\nfetch = [\"api.shop.example\"]\n\n[limits]");
    let created = dir.join("fixtures/order-created");
    let ran = plugin(&["test", project, "--only", "order-created"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("answers.json does not answer") && ran.out.contains("api.shop.example/orders/5001"),
        "{}",
        ran.out
    );

    let answers =
        r#"[{"request": {"url": "https://api.shop.example/orders/5001"}, "response": {"body": {"tier": "gold"}}}]"#;
    fs::write(created.join("answers.json"), answers).expect("the file can be written");
    let ran = plugin(&["test", project, "--only", "order-created"]);
    assert_eq!(ran.code, Some(1));
    let new = |line: &str| line.trim().starts_with('+') && line.contains("\"tier\": \"gold\"");
    assert!(ran.out.lines().any(new), "the difference is shown: {}", ran.out);
    let told = plugin(&["test", project, "--only", "order-created", "--update"]).good();
    assert!(told.starts_with("written  order-created\n"), "{told}");
    assert!(plugin(&["test", project, "--only", "order-created"]).good().starts_with("ok       order-created\n"));
}
