//! A configuration that can't be right is refused before anything starts, and the refusal names the key.

use crate::{PROGRAM, bare};
use std::process::Command;

const GOOD: &str = r#"
[data]
dir = "data"
reserve_mib = 1
[server]
listen = "127.0.0.1:0"
[workspaces.main]
default_sender = "shop"
[[endpoints]]
name = "shopify"
plugin = "shopify"
secrets = ["s3cr3t-of-the-shop"]
[[connections]]
name = "acme"
endpoint = "shopify"
workspace = "main"
[[senders]]
name = "shop"
workspace = "main"
channel = "whatsapp"
phone_number_id = "106540352242922"
access_token = "t0ken-of-the-shop"
"#;

/// Runs the program on a configuration. Gives exit code, output and errors.
fn run(arguments: &[&str], text: &str, variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("tidegate.toml");
    std::fs::write(&file, text).expect("a file");
    let ran = Command::new(PROGRAM)
        .args(arguments)
        .arg("--config")
        .arg(&file)
        // Meant for the tests, see `fire.rs`.
        .env_remove("TIDEGATE_ROUNDS")
        .envs(variables.iter().copied())
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
}

#[test]
fn a_mistake_in_a_file_ends_the_check_with_code_2_and_names_its_key() {
    let replaced = |from: &str, to: &str| {
        assert!(GOOD.contains(from), "{from}");
        GOOD.replacen(from, to, 1)
    };
    let cases = [
        (replaced("listen =", "lissen ="), &["lissen", "listen"][..]),
        (replaced("\"127.0.0.1:0\"", "8080"), &["listen", "string"]),
        (replaced("reserve_mib = 1", "reserve_mib = \"much\""), &["reserve_mib"]),
        (replaced("[server]", "[srever]"), &["srever"]),
        (replaced("[server]", "[server"), &["tidegate.toml:5:8"]),
        (replaced("secrets = [\"s3cr3t-of-the-shop\"]", "secrets = []"), &["endpoints.shopify", "secret"]),
        (replaced("plugin = \"shopify\"\n", ""), &["plugin"]),
        (
            format!("{GOOD}\n[[connections]]\nname = \"other\"\nendpoint = \"shop\"\nworkspace = \"main\""),
            &["connections.other", "\"shop\""],
        ),
        (replaced("workspace = \"main\"", "workspace = \"mian\""), &["connections.acme", "mian"]),
        (replaced("default_sender = \"shop\"", "default_sender = \"shup\""), &["workspaces.main", "shup"]),
        (replaced("\"106540352242922\"", "\"+15550100\""), &["senders.shop", "phone_number_id"]),
        (replaced("channel = \"whatsapp\"", "channel = \"sms\""), &["senders.shop", "channel"]),
        (replaced("name = \"acme\"", "name = \"Acme Shop\""), &["Acme Shop"]),
        (format!("{GOOD}\n[clock]\nmode = \"fast\""), &["clock", "fast"]),
        (format!("{GOOD}\n[log]\nformat = \"xml\""), &["format", "xml"]),
    ];
    for (text, words) in cases {
        let (code, _, err) = run(&["config"], &text, &[]);
        assert_eq!(code, Some(2), "{words:?}: {err}");
        assert!(words.iter().all(|word| err.contains(word)), "{words:?} are not all in: {err}");
        assert!(!err.contains("s3cr3t-of-the-shop") && !err.contains("t0ken-of-the-shop"), "{err}");
    }
}

#[test]
fn a_mistake_that_shows_only_at_the_start_ends_it_with_code_2_and_names_its_key() {
    let cases = [
        (
            GOOD.replace("plugin = \"shopify\"", "plugin = \"shopfy\""),
            &["endpoints.shopify.plugin", "shopfy", "meta"][..],
        ),
        (GOOD.replace("plugin = \"shopify\"", "plugin = \"./gone.wasm\""), &["endpoints.shopify.plugin", "gone.wasm"]),
        (
            GOOD.replace("\"s3cr3t-of-the-shop\"", "\"${NOT_THERE_AT_ALL}\""),
            &["endpoints.shopify.secrets", "NOT_THERE_AT_ALL"],
        ),
        (GOOD.replace("\"t0ken-of-the-shop\"", "\"file:/not/there\""), &["senders.shop.access_token", "/not/there"]),
        (GOOD.replace("default_sender", "flows = \"nowhere\"\ndefault_sender"), &["nowhere"]),
    ];
    for (text, words) in cases {
        let (code, _, err) = run(&["serve"], &text, &[]);
        assert_eq!(code, Some(2), "{words:?}: {err}");
        assert!(words.iter().all(|word| err.contains(word)), "{words:?} are not all in: {err}");
    }
}

#[test]
fn variables_are_a_layer_above_the_file_and_are_checked_as_well() {
    let (code, out, _) = run(&["config"], GOOD, &[("TIDEGATE_SERVER__DRAIN_S", "7")]);
    assert_eq!(code, Some(0));
    assert!(out.contains("drain_s = 7"), "{out}");
    for (name, value) in [("TIDEGATE_SERVER__DRAIN", "7"), ("TIDEGATE_SERVER__DRAIN_S", "soon")] {
        let (code, _, err) = run(&["config"], GOOD, &[(name, value)]);
        assert_eq!(code, Some(2));
        assert!(err.contains(name), "{err}");
    }
}

#[test]
fn what_is_in_force_is_shown_without_secrets() {
    for arguments in [&["config"][..], &["config", "--json"]] {
        let (code, out, err) = run(arguments, GOOD, &[]);
        assert_eq!(code, Some(0), "{err}");
        assert!(
            out.contains("acme") && !out.contains("s3cr3t-of-the-shop") && !out.contains("t0ken-of-the-shop"),
            "{out}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_that_names_what_is_not_there_is_refused_with_its_place() {
    let gateway = bare().start().await;
    let flow = "flow: broken\non: order.placed\nsteps:\n  - id: a\n    send: { template: nothing_of_that_name }\n";
    let folder = gateway.config().with_file_name("other");
    std::fs::create_dir_all(folder.join("flows")).expect("a folder");
    std::fs::write(folder.join("flows/broken.yaml"), flow).expect("a file");
    let file = folder.join("tidegate.toml");
    std::fs::write(&file, GOOD.replace("default_sender", "flows = \"flows\"\ndefault_sender")).expect("a file");
    let ran = gateway.run(&["serve", "--config", file.to_str().expect("text")]).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("broken") && ran.err.contains("nothing_of_that_name"), "{}", ran.err);
}
