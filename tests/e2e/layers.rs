//! Layers of the configuration from outside: what is misspelt is named with its place, all at once, and what is in force is shown with its origin.

use crate::PROGRAM;
use std::process::Command;

fn run(arguments: &[&str], text: &str, variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("tidegate.toml");
    std::fs::write(&file, text).expect("a file");
    let mut command = Command::new(PROGRAM);
    command.args(arguments).arg("--config").arg(&file).envs(variables.iter().copied());
    let ran = command.output().expect("it runs");
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&dir.path().display().to_string(), "DIR");
    (ran.status.code(), shown(&ran.stdout), shown(&ran.stderr))
}

const SOUND: &str = r#"
[server]
drain_s = 3
[workspaces.main]
[[endpoints]]
name = "shop"
plugin = "shopify"
secrets = ["${SHOP_SECRET}"]
[[connections]]
name = "acme"
endpoint = "shop"
workspace = "main"
"#;

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_place_and_the_nearest_key() {
    let text = r#"
[server]
drian_s = 3
listen = 8080
[workspaces.main]
flow = "flows"
[workspaces.main.keywords]
optout = ["x"]
[[endpoints]]
name = "shop"
plugin = "shopify"
secret = ["hunter2"]
[[senders]]
name = "s"
workspace = "main"
channel = "whatsap"
phone_number_id = "1"
access_token = ["hunter3"]
[logs]
"#;
    let (code, _, err) = run(&["config"], text, &[("TIDEGATE_SERVER__DRAIN", "7")]);
    assert_eq!(code, Some(2));
    let expected = [
        "DIR/tidegate.toml:3:1: unknown key `drian_s` in server: did you mean `drain_s`?",
        "DIR/tidegate.toml:4:10: server.listen: invalid type: integer `8080`, expected a string",
        "DIR/tidegate.toml:6:1: unknown key `flow` in workspaces.main: did you mean `flows`?",
        "DIR/tidegate.toml:8:1: unknown key `optout` in workspaces.main.keywords: did you mean `opt_out`?",
        "DIR/tidegate.toml:12:1: unknown key `secret` in endpoints.shop: did you mean `secrets`?",
        "DIR/tidegate.toml:16:11: senders.s.channel: \"whatsap\" is not known here: did you mean `whatsapp`?",
        "DIR/tidegate.toml:18:16: senders.s.access_token: invalid type: sequence, expected a string",
        "DIR/tidegate.toml:19:2: unknown key `logs` in the file: did you mean `log`?",
        "the variable TIDEGATE_SERVER__DRAIN names no key: did you mean `TIDEGATE_SERVER__DRAIN_S`?",
    ];
    for line in expected {
        assert!(err.contains(line), "{line}\nis not in\n{err}");
    }
    assert!(!err.contains("hunter"), "{err}");
}

#[test]
fn what_is_in_force_is_shown_with_where_it_comes_from() {
    let (code, out, err) = run(&["config"], SOUND, &[("TIDEGATE_SERVER__LISTEN", "127.0.0.1:1")]);
    assert_eq!(code, Some(0), "{err}");
    for line in [
        "listen = \"127.0.0.1:1\" # TIDEGATE_SERVER__LISTEN",
        "drain_s = 3 # DIR/tidegate.toml:3",
        "public_url = \"\" # default",
        "plugin = \"shopify\" # DIR/tidegate.toml:7",
        "secrets = [\"${SHOP_SECRET}\"] # DIR/tidegate.toml:8",
    ] {
        assert!(out.lines().any(|held| held == line), "{line}\nis not in\n{out}");
    }
    let table: toml::Table = toml::from_str(&out).expect("what is shown is a configuration");
    assert_eq!(table["endpoints"][0]["name"].as_str(), Some("shop"));
    let (_, out, _) = run(&["config", "--json"], SOUND, &[]);
    let shown: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(shown["origins"]["server.drain_s"], "DIR/tidegate.toml:3");
}

#[test]
fn a_check_looks_at_everything_that_a_start_looks_at() {
    let (code, out, err) = run(&["config", "--check"], SOUND, &[("SHOP_SECRET", "s")]);
    assert_eq!((code, out.trim()), (Some(0), "the configuration is sound"), "{err}");
    let cases = [
        (SOUND.to_owned(), "SHOP_SECRET"),
        (SOUND.replace("\"shopify\"", "\"shopfy\""), "endpoints.shop.plugin"),
        (SOUND.replace("[workspaces.main]", "[workspaces.main]\nflows = \"nowhere\""), "nowhere"),
        (
            SOUND.replace("[server]", "[log]\nfilter = \"tidegate=loud\"\n[server]"),
            "DIR/tidegate.toml:3:1: log.filter: ",
        ),
        (
            SOUND.replace("[server]", "[server]\ntrusted_proxies = [\"10.0.0.0/99\"]"),
            "DIR/tidegate.toml:3:1: server.trusted_proxies: ",
        ),
        (SOUND.replace("endpoint = \"shop\"", "endpoint = \"shopp\""), "did you mean `shop`?"),
    ];
    for (text, word) in cases {
        let (code, _, err) = run(&["config", "--check"], &text, &[]);
        assert_eq!(code, Some(2), "{err}");
        assert!(err.contains(word), "{word} is not in {err}");
    }
}

#[test]
fn what_is_harmful_is_shown() {
    let text = format!("[clock]\nmode = \"scaled:60\"\n{}", SOUND.replace("${SHOP_SECRET}", "hunter2"));
    let (code, out, _) = run(&["config"], &text, &[("TIDEGATE_SERVER__LISTEN", "0.0.0.0:8080")]);
    assert_eq!(code, Some(0));
    for word in [
        "# warning: server.listen is 0.0.0.0:8080",
        "# warning: clock.mode is scaled:60",
        "# warning: endpoints.shop.secrets is written in the file (DIR/tidegate.toml:10:1)",
    ] {
        assert!(out.contains(word), "{word}\nis not in\n{out}");
    }
    assert!(!out.contains("hunter2"), "{out}");
}
