//! The life of a plugin at an operator's: installed from a file, a registry or a watched folder, tried, made active for all or for one connection, taken back; while
//! webhooks flow, and across kills.

use crate::{
    bare,
    plugin::{WELCOME, booked, booking, texts},
    text,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use tidegate_test_support::{Brittle, Customer, Gateway, Manner, Played, Registry};

/// A version of the plugin as a file beside the gateway's configuration.
fn file(gateway: &Gateway, build: Brittle, version: &str, more: &str) -> String {
    let path = gateway.config().with_file_name(format!("brittle-{version}.wasm"));
    std::fs::write(&path, build.packed_as(crate::PROGRAM.as_ref(), version, more)).expect("the plugin can be written");
    path.to_str().expect("a temporary folder is text").to_owned()
}

/// A gateway whose plugin is an installed one: 0.1.0 with its defect is active.
async fn shelf() -> Gateway {
    let gateway = bare().brittle().template(booked()).flow(WELCOME).start().await;
    follow(&gateway).await;
    gateway
}

async fn follow(gateway: &Gateway) {
    let first = file(gateway, Brittle::Defective, "0.1.0", "");
    let done = gateway.ask(&["plugin", "install", &first, "--activate", "--grant"]).await;
    assert!(done.good().contains("brittle@0.1.0 is installed") && done.out.contains("not signed"), "{}", done.out);
    gateway.edit("tidegate.toml", "\"./brittle.wasm\"", "\"brittle\"");
    gateway.ask(&["reload"]).await.good();
}

async fn install(gateway: &Gateway, build: Brittle, version: &str) {
    let path = file(gateway, build, version, "");
    gateway.ask(&["plugin", "install", &path]).await.good();
}

/// What each version that is here is for: `0.1.0: active [endpoint brittle]`.
async fn versions(gateway: &Gateway) -> Vec<String> {
    let found = gateway.ask(&["plugin", "versions", "brittle", "--json"]).await.json();
    let uses = |row: &Value| {
        let uses: Vec<&str> = row["used_by"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        uses.join(", ")
    };
    found.iter().map(|row| format!("{}: {} [{}]", text(row, "version"), text(row, "state"), uses(row))).collect()
}

/// How many bookings each version read.
async fn events_by_version(gateway: &Gateway) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for event in gateway.events_of("appointment.booked").await {
        let shown = gateway.show(text(&event, "id")).await.expect("the event is kept");
        *found.entry(text(&shown, "plugin").to_owned()).or_default() += 1;
    }
    found
}

fn moved(gateway: &Gateway, n: u32) -> Played {
    let body =
        json!({"id": format!("B{n}"), "phone": Customer::nth(n).phone, "name": format!("Robin{n}"), "moved": true});
    gateway.webhook("booking/made", &body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_installed_made_active_taken_back_and_uninstalled() {
    let mut gateway = shelf().await;
    let first = gateway.post("brittle", &moved(&gateway, 1)).await.stored();
    gateway.settle().await;
    install(&gateway, Brittle::Mended, "0.2.0").await;
    assert_eq!(versions(&gateway).await, ["0.1.0: active [endpoint brittle]", "0.2.0: idle []"]);
    gateway.post("brittle", &booking(&gateway, 2, Some("Ann"))).await.stored();
    gateway.settle().await;

    let done = gateway.ask(&["plugin", "upgrade", "brittle", "--to", "0.2.0"]).await;
    assert!(done.good().contains("asks for nothing else"), "{}", done.out);
    assert!(
        done.out.contains("brittle@0.2.0 is active, in place of 0.1.0") && done.out.contains("comes for brittle"),
        "{}",
        done.out
    );
    assert_eq!(versions(&gateway).await, ["0.1.0: idle []", "0.2.0: active [endpoint brittle]"]);
    gateway.post("brittle", &booking(&gateway, 3, None)).await.stored();
    gateway.settle().await;
    let expected = BTreeMap::from([("brittle@0.1.0".to_owned(), 2), ("brittle@0.2.0".to_owned(), 1)]);
    assert_eq!(events_by_version(&gateway).await, expected);

    // What was read by the version before is compared with it, or with any that is here.
    let now = gateway.ask(&["event", "replay", &first]).await;
    assert!(now.good().contains("+ event appointment.rescheduled"), "{}", now.out);
    for arguments in [&["--as-then"][..], &["--plugin", "brittle@0.1.0"]] {
        let then = gateway.ask(&[&["event", "replay", &first], arguments].concat()).await;
        assert!(
            then.good().contains("as brittle@0.1.0 reads it") && then.out.ends_with("no difference\n"),
            "{}",
            then.out
        );
    }
    let unknown = gateway.ask(&["event", "replay", &first, "--plugin", "brittle@7.0.0"]).await;
    assert!(unknown.code == Some(1) && unknown.err.contains("there are 0.1.0, 0.2.0"), "{unknown:?}");

    gateway.kill9();
    gateway.start_again().await;
    assert_eq!(versions(&gateway).await, ["0.1.0: idle []", "0.2.0: active [endpoint brittle]"]);
    let refused = gateway.ask(&["plugin", "uninstall", "brittle@0.2.0"]).await;
    assert!(
        refused.code == Some(1)
            && refused.err.contains("in use: what is active for the plugin brittle, endpoint brittle"),
        "{refused:?}"
    );
    let back = gateway.ask(&["plugin", "rollback", "brittle"]).await;
    assert!(back.good().contains("brittle@0.1.0 is active, in place of 0.2.0"), "{}", back.out);
    gateway.post("brittle", &booking(&gateway, 4, None)).await.stored();
    gateway.settle().await;
    gateway.expect_parked(1);
    let none = gateway.ask(&["plugin", "rollback", "brittle"]).await;
    assert!(none.code == Some(1) && none.err.contains("nothing else was active before"), "{none:?}");
    gateway.ask(&["plugin", "uninstall", "brittle@0.2.0"]).await.good();
    assert_eq!(versions(&gateway).await, ["0.1.0: active [endpoint brittle]"]);
    let then = gateway.ask(&["plugin", "upgrade", "brittle", "--to", "0.2.0"]).await;
    assert!(then.code == Some(1) && then.err.contains("there is no brittle@0.2.0 here"), "{then:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_runs_another_version_than_its_endpoint() {
    let gateway = shelf().await;
    install(&gateway, Brittle::Mended, "0.2.0").await;
    let other = file(&gateway, Brittle::Mended, "0.3.0", "[response]\nstatus = 202");
    gateway.ask(&["plugin", "install", &other]).await.good();
    let refused = gateway.ask(&["plugin", "upgrade", "brittle", "--to", "0.3.0", "--connection", "brittle"]).await;
    assert!(refused.code == Some(1) && refused.err.contains("what webhooks are answered with"), "{refused:?}");

    let done = gateway.ask(&["plugin", "upgrade", "brittle", "--to", "0.2.0", "--connection", "brittle"]).await;
    assert!(done.good().contains("is active for the connection brittle, in place of 0.1.0"), "{}", done.out);
    assert_eq!(
        versions(&gateway).await[..2],
        ["0.1.0: active [endpoint brittle]", "0.2.0: in use [connection brittle]"]
    );
    let loaded = gateway.plugins().await;
    let used = |version: &str| {
        let row = loaded.iter().find(|row| row["version"] == version && row["id"] == "brittle");
        row.map(|row| (row["endpoints"].clone(), row["connections"].clone()))
    };
    assert_eq!(used("0.1.0"), Some((json!(["brittle"]), json!([]))));
    assert_eq!(used("0.2.0"), Some((json!([]), json!(["brittle"]))));
    let delivery = gateway.post("brittle", &booking(&gateway, 1, None)).await.stored();
    gateway.settle().await;
    assert_eq!(events_by_version(&gateway).await, BTreeMap::from([("brittle@0.2.0".to_owned(), 1)]));
    let again = gateway.ask(&["event", "replay", &delivery]).await;
    assert!(again.good().ends_with("no difference\n"), "{}", again.out);
    let other = gateway.ask(&["event", "replay", &delivery, "--plugin", "brittle@0.1.0"]).await;
    assert!(other.good().contains("now parked"), "what is asked for reads it: {}", other.out);
    gateway.ask(&["plugin", "upgrade", "brittle", "--to", "0.2.0"]).await.good();
    assert_eq!(versions(&gateway).await[..2], ["0.1.0: idle []", "0.2.0: active [endpoint brittle]"]);
    // A version in the configuration goes before what is active.
    gateway.edit("tidegate.toml", "plugin = \"brittle\"", "plugin = \"brittle@0.1.0\"");
    gateway.ask(&["reload"]).await.good();
    let pinned = gateway.ask(&["plugin", "upgrade", "brittle", "--to", "0.1.0", "--connection", "brittle"]).await;
    assert!(pinned.code == Some(1) && pinned.err.contains("pinned to its plugin by the configuration"), "{pinned:?}");
    let told = gateway.ask(&["plugin", "rollback", "brittle"]).await;
    assert!(told.good().contains("pinned in the configuration, and as before: brittle"), "{}", told.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_what_another_version_would_make_of_what_was_received() {
    let mut gateway = shelf().await;
    install(&gateway, Brittle::Mended, "0.2.0").await;
    for n in 1..=30 {
        let played = if n % 10 == 0 { moved(&gateway, n) } else { booking(&gateway, n, Some("Ann")) };
        gateway.post("brittle", &played).await.stored();
    }
    gateway.post("brittle", &booking(&gateway, 31, None)).await.stored();
    gateway.settle().await;
    gateway.expect_parked(1);
    let rows = gateway.stats().await["rows_put"].clone();
    let tried = gateway.ask(&["plugin", "upgrade", "brittle", "--to", "0.2.0", "--dry-run", "--since", "1h"]).await;
    for words in [
        "31 deliveries through 0.1.0 and 0.2.0: 27 items are read alike, 4 otherwise",
        "0 items would fail with 0.2.0, of which 0 do not with 0.1.0; 1 that fail with 0.1.0 would not",
        "µs an item",
        "+ event appointment.rescheduled",
        "nothing was switched",
    ] {
        assert!(tried.good().contains(words), "{words}: {}", tried.out);
    }
    assert_eq!(gateway.stats().await["rows_put"], rows, "nothing is written");
    assert_eq!(versions(&gateway).await[0], "0.1.0: active [endpoint brittle]");
    gateway.ask(&["plugin", "upgrade", "brittle", "--to", "0.2.0", "--yes"]).await.good();
    let tried = gateway.ask(&["plugin", "upgrade", "brittle", "--to", "0.1.0", "--dry-run", "--json"]).await.json();
    let trial = &tried[0]["trial"];
    let figures = ["items", "different", "failing", "newly_failing", "mended"].map(|key| trial[key].as_u64());
    assert_eq!(figures, [31, 4, 1, 1, 0].map(Some), "{trial:#}");
    assert!(trial["mean_us"].as_u64() > Some(0) && trial["mean_us_active"].as_u64() > Some(0));
    let only = ["--connection", "brittle", "--dry-run", "--json"];
    let tried = gateway.ask(&[&["plugin", "upgrade", "brittle", "--to", "0.1.0"], &only[..]].concat()).await.json();
    assert_eq!(tried[0]["trial"]["different"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_permissions_must_be_granted_anew() {
    let gateway = shelf().await;
    let more = "topics = [{ name = \"booking/made\" }]\n[capabilities]\nfetch = [\"api.brittle.example\"]";
    let greedy = file(&gateway, Brittle::Mended, "0.2.0", more);
    let refused = gateway.ask(&["plugin", "install", &greedy, "--activate"]).await;
    for words in [
        "brittle@0.2.0 is installed, and was not made active",
        "reads from api.brittle.example",
        "reads the topic booking/made",
        "--grant",
    ] {
        assert!(refused.code == Some(1) && refused.err.contains(words), "{words}: {refused:?}");
    }
    assert_eq!(versions(&gateway).await, ["0.1.0: active [endpoint brittle]", "0.2.0: idle []"]);
    let refused = gateway.ask(&["plugin", "upgrade", "brittle", "--to", "0.2.0", "--yes"]).await;
    assert!(refused.code == Some(1) && refused.err.contains("asks for more"), "{refused:?}");
    let row = refused.out.lines().find(|line| line.contains("reads from api.brittle.example"));
    assert!(row.is_some_and(|row| row.contains("more") && row.contains("yes")), "{}", refused.out);
    assert!(refused.out.contains("[plugins.brittle]\nfetch = [\"api.brittle.example\"]"), "{}", refused.out);
    let granted = gateway.ask(&["plugin", "upgrade", "brittle", "--to", "0.2.0", "--grant"]).await;
    assert!(granted.good().contains("brittle@0.2.0 is active"), "{}", granted.out);
    gateway.ask(&["plugin", "rollback", "brittle"]).await.good();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_taken_by_digest_and_by_signature() {
    let gateway = shelf().await;
    let key = gateway.config().with_file_name("author.key");
    let key = key.to_str().expect("a temporary folder is text");
    let made = gateway.run(&["plugin", "keygen", "--out", key]).await;
    let public = made.good().lines().next().unwrap_or_default().to_owned();
    assert!(gateway.run(&["plugin", "keygen", "--out", key]).await.err.contains("--out"), "no key is overwritten");
    let private = std::fs::read_to_string(key).expect("the key is there");
    assert!(public.starts_with("ed25519:") && !made.out.contains(private.trim()), "{}", made.out);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(key).expect("the key is there").permissions());
    assert_eq!(mode & 0o077, 0);

    let config = std::fs::read_to_string(gateway.config()).expect("the file is there");
    let rules = |more: &str| gateway.write("tidegate.toml", &format!("{config}\n[plugin_sources]\n{more}"));
    rules("require_signature = true");
    assert!(gateway.ask(&["reload"]).await.err.contains("plugin_sources.require_signature"));
    rules(&format!("trusted_keys = [{private:?}]"));
    let refused = gateway.ask(&["reload"]).await;
    assert!(refused.err.contains("this is a private key") && !refused.err.contains(private.trim()), "{}", refused.err);
    rules(&format!("require_signature = true\ntrusted_keys = [{public:?}]"));
    gateway.ask(&["reload"]).await.good();

    let path = file(&gateway, Brittle::Mended, "0.2.0", "");
    let refused = gateway.ask(&["plugin", "install", &path]).await;
    assert!(refused.err.contains("it is not signed") && refused.err.contains("tidegate plugin sign"), "{refused:?}");
    let signed = gateway.run(&["plugin", "sign", &path, "--key", key, "--json"]).await.json().remove(0);
    assert_eq!(signed["signed_by"], public.as_str());
    let digest = text(&signed, "digest");
    let other = format!("sha256:{}", "0a".repeat(32));
    let refused = gateway.ask(&["plugin", "install", &path, "--digest", &other]).await;
    assert!(refused.err.contains(digest) && refused.err.contains("was expected"), "{refused:?}");
    let done = gateway.ask(&["plugin", "install", &path, "--digest", &format!("sha256:{digest}"), "--activate"]).await;
    assert!(done.good().contains(&format!("signed by {public}, which you trust")), "{}", done.out);

    let mut changed = std::fs::read(&path).expect("the file is there");
    let place = changed.windows(5).position(|part| part == b"0.2.0").expect("its manifest says the version");
    changed[place + 2] = b'3';
    let path = gateway.config().with_file_name("changed.wasm");
    std::fs::write(&path, changed).expect("the plugin can be written");
    let refused = gateway.ask(&["plugin", "install", path.to_str().expect("text")]).await;
    assert!(refused.err.contains("is not for these bytes"), "{refused:?}");

    // The configuration can name the bytes themselves.
    let held = std::fs::read_to_string(gateway.config()).expect("the file is there");
    let pin = |digest: &str| {
        gateway.write(
            "tidegate.toml",
            &held.replace("plugin = \"brittle\"", &format!("plugin = \"brittle@0.2.0#sha256:{digest}\"")),
        )
    };
    pin(&"0a".repeat(32));
    let refused = gateway.ask(&["reload"]).await;
    assert!(refused.code == Some(2) && refused.err.contains("pinned to other bytes"), "{refused:?}");
    pin(digest);
    gateway.ask(&["reload"]).await.good();
    gateway.post("brittle", &booking(&gateway, 1, None)).await.stored();
    gateway.settle().await;
    assert!(!gateway.log_text().contains(private.trim()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_pulled_from_a_registry() {
    const PASSWORD: &str = "registry-password-77c1";
    let mut gateway = shelf().await;
    let registry = Registry::start().await.expect("a registry starts");
    let component = Brittle::Mended.packed_as(crate::PROGRAM.as_ref(), "0.2.0", "");
    let manifest = registry.push("acme/brittle", "0.2.0", &component);
    let name = format!("oci://{}/acme/brittle:0.2.0", registry.host());
    registry.behave(Manner::OtherBytes);
    let refused = gateway.ask(&["plugin", "install", &name]).await;
    assert!(refused.code == Some(1) && refused.err.contains("other bytes"), "{refused:?}");
    assert_eq!(versions(&gateway).await.len(), 1);
    registry.behave(Manner::Login("acme".to_owned(), PASSWORD.to_owned()));
    let refused = gateway.ask(&["plugin", "install", &name]).await;
    assert!(refused.code == Some(1) && refused.err.contains("[[plugin_sources.registries]]"), "{refused:?}");

    let config = std::fs::read_to_string(gateway.config()).expect("the file is there");
    let login = format!(
        "{config}\n[[plugin_sources.registries]]\nhost = {:?}\nusername = \"acme\"\npassword = {PASSWORD:?}\n",
        registry.host()
    );
    gateway.write("tidegate.toml", &login);
    let told = gateway.ask(&["reload"]).await;
    assert!(told.good().contains("plugin_sources.registries") && !told.out.contains(PASSWORD), "{}", told.out);
    let by_digest = format!("oci://{}/acme/brittle@{manifest}", registry.host());
    gateway.ask(&["plugin", "install", &by_digest]).await.good();
    assert_eq!(versions(&gateway).await[1], "0.2.0: idle []");
    assert_eq!(gateway.ask(&["plugin", "install", &name, "--json"]).await.json()[0]["already"], true);
    let shown = gateway.ask(&["plugin", "versions", "brittle"]).await;
    assert!(shown.good().contains(&format!("(manifest {manifest})")), "{}", shown.out);
    assert!(!gateway.log_text().contains(PASSWORD));

    // Also while no gateway runs.
    assert!(gateway.stop().await.success());
    registry.push("acme/brittle", "0.3.0", &Brittle::Mended.packed_as(crate::PROGRAM.as_ref(), "0.3.0", ""));
    let name = format!("oci://{}/acme/brittle:0.3.0", registry.host());
    let config = gateway.config().to_str().expect("text").to_owned();
    gateway.ask(&["plugin", "install", &name, "--activate", "--config", &config]).await.good();
    let refused = gateway.ask(&["plugin", "upgrade", "brittle", "--to", "0.2.0", "--dry-run"]).await;
    assert!(refused.code == Some(2) && refused.err.contains("needs a running gateway"), "{refused:?}");
    gateway.start_again().await;
    assert_eq!(versions(&gateway).await[2], "0.3.0: active [endpoint brittle]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_appears_in_the_watched_folder_is_installed_and_waits_unless_it_may_become_active() {
    let gateway = shelf().await;
    let dir = gateway.config().with_file_name("plugins.d");
    std::fs::create_dir(&dir).expect("a folder can be made");
    let put = |build: Brittle, version: &str, more: &str| {
        let packed = build.packed_as(crate::PROGRAM.as_ref(), version, more);
        std::fs::write(dir.join(format!("{version}.wasm")), packed).expect("the plugin can be written");
    };
    let logged = async |words: &str| {
        gateway.wait_until(words, async |gateway| gateway.log_text().contains(words).then_some(())).await;
    };
    let config = std::fs::read_to_string(gateway.config()).expect("the file is there");
    gateway.write("tidegate.toml", &format!("{config}\n[plugin_sources]\ndir = \"plugins.d\"\n"));
    gateway.ask(&["reload"]).await.good();
    std::fs::write(dir.join("half.wasm"), b"\0asm").expect("a file can be written");
    put(Brittle::Mended, "0.2.0", "");
    logged("a plugin in the watched folder was not installed").await;
    logged("tidegate plugin upgrade brittle --to 0.2.0").await;
    assert_eq!(versions(&gateway).await, ["0.1.0: active [endpoint brittle]", "0.2.0: idle []"]);
    gateway.write("tidegate.toml", &format!("{config}\n[plugin_sources]\ndir = \"plugins.d\"\nauto = [\"brittle\"]\n"));
    gateway.ask(&["reload"]).await.good();
    put(Brittle::Mended, "0.3.0", "");
    logged("is now brittle@0.3.0").await;
    // One that asks for more, and one that is older, wait all the same.
    put(Brittle::Mended, "0.4.0", "[capabilities]\nfetch = [\"api.brittle.example\"]");
    put(Brittle::Mended, "0.2.5", "");
    logged("is not made active by itself").await;
    logged("is no newer than what is active").await;
    let expected =
        ["0.1.0: idle []", "0.2.0: idle []", "0.2.5: idle []", "0.3.0: active [endpoint brittle]", "0.4.0: idle []"];
    assert_eq!(versions(&gateway).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_while_webhooks_flow_across_switches() {
    const ROUNDS: u32 = 8;
    const BOOKINGS: u32 = 24;
    let gateway = shelf().await;
    let mut stored = 0;
    for round in 0..ROUNDS {
        let numbers = round * BOOKINGS..(round + 1) * BOOKINGS;
        let webhooks: Vec<Played> = numbers.map(|n| booking(&gateway, n, Some("Ann"))).collect();
        let mut answers = gateway.burst("brittle", &webhooks);
        match round {
            // It is compiled while the other one works.
            0 => install(&gateway, Brittle::Mended, "0.2.0").await,
            round if round % 2 == 1 => {
                gateway.ask(&["plugin", "upgrade", "brittle", "--to", "0.2.0"]).await.good();
                gateway.ask(&["reload"]).await.good();
            }
            _ => drop(gateway.ask(&["plugin", "rollback", "brittle"]).await.good()),
        }
        while let Some(answer) = answers.join_next().await {
            let (_, answer) = answer.expect("a webhook's task does not panic");
            answer.expect("an answer").stored();
            stored += 1;
        }
        // What came at one moment is looked up together: the rounds are told apart.
        gateway.advance(Duration::from_secs(1)).await;
    }
    gateway.advance(Duration::from_secs(5)).await;
    assert_eq!(stored, ROUNDS * BOOKINGS);
    let by_version = events_by_version(&gateway).await;
    assert_eq!(by_version.values().sum::<usize>(), stored as usize, "{by_version:?}");
    assert_eq!(by_version.len(), 2, "both versions had work: {by_version:?}");
    let mut sent = texts(&gateway);
    let count = sent.len();
    sent.dedup();
    assert_eq!((sent.len(), count), (stored as usize, stored as usize), "each booking has one message");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_moment_of_an_installation_and_a_switch_leaves_a_gateway_that_works() {
    let mut gateway = shelf().await;
    let mut sent = 0;
    for round in 0..6u64 {
        let version = format!("0.2.{round}");
        let path = file(&gateway, Brittle::Mended, &version, "");
        let order = ["plugin", "install", &path, "--activate"];
        let (_, ()) = tokio::join!(gateway.ask(&order), async {
            tokio::time::sleep(Duration::from_millis(20 + 60 * round)).await;
            gateway.kill_now();
        });
        gateway.kill9();
        gateway.start_again().await;
        let found = versions(&gateway).await;
        let active = found.iter().filter(|line| line.contains(": active")).count();
        assert!(active == 1 && found.iter().all(|line| !line.contains("missing")), "{found:?}");
        gateway.post("brittle", &booking(&gateway, sent + 1, Some("Ann"))).await.stored();
        gateway.settle().await;
        sent += 1;
        gateway.ask(&["plugin", "install", &path, "--activate"]).await.good();
        gateway.post("brittle", &booking(&gateway, sent + 1, None)).await.stored();
        gateway.settle().await;
        sent += 1;
        assert_eq!(texts(&gateway).len(), sent as usize);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_is_said_with_what_to_do() {
    let gateway = shelf().await;
    let nobody = gateway.config().with_file_name("nobody");
    let nobody = nobody.to_str().expect("text");
    for (arguments, code, words) in [
        (&["plugin", "install", "nowhere.wasm"][..], 2, "nowhere.wasm can't be read"),
        (&["plugin", "install", "oci://ghcr.io/acme"], 2, "oci://host/repository:tag"),
        (&["plugin", "install", gateway.config().to_str().expect("text")], 1, "WebAssembly component"),
        (&["plugin", "upgrade", "brittle"], 2, "--to"),
        (&["plugin", "upgrade", "brittel", "--to", "1.0.0"], 1, "there is no plugin \"brittel\" here"),
        (&["plugin", "upgrade", "brittle", "--to", "1.0.0", "--connection", "x"], 1, "no connection \"x\""),
        (&["plugin", "upgrade", "shopify", "--to", "0.1.0", "--connection", "brittle"], 1, "is of the plugin brittle"),
        (&["plugin", "rollback", "shopify"], 1, "nothing else was active before"),
        (&["plugin", "uninstall", "shopify"], 2, "expected a version such as"),
        (&["plugin", "uninstall", "shopify@0.1.0"], 1, "is not installed"),
        (&["plugin", "sign", "nowhere.wasm", "--key", "k"], 2, "nowhere.wasm can't be read"),
    ] {
        let offline = arguments.contains(&"sign");
        let printed = if offline { gateway.run(arguments).await } else { gateway.ask(arguments).await };
        assert_eq!(printed.code, Some(code), "{arguments:?}: {printed:?}");
        assert!(printed.err.contains(words), "{arguments:?}: {}", printed.err);
    }
    let fresh = gateway.run(&["plugin", "versions", "--data", nobody, "--json"]).await.json();
    assert!(fresh.iter().all(|row| row["bundled"] == true) && fresh.len() > 1, "{fresh:?}");
    gateway.edit("tidegate.toml", "plugin = \"brittle\"", "plugin = \"brittle@7.0.0\"");
    let refused = gateway.ask(&["reload"]).await;
    assert!(
        refused.code == Some(2) && refused.err.contains("there is no brittle@7.0.0 here; there are 0.1.0"),
        "{refused:?}"
    );
    let config = gateway.config().to_str().expect("text");
    let checked = gateway.run(&["config", "--check", "--config", config]).await;
    assert!(checked.code == Some(2) && checked.err.contains("brittle@7.0.0"), "{checked:?}");
    gateway.edit("tidegate.toml", "plugin = \"brittle@7.0.0\"", "plugin = \"brittle\"");
    assert!(gateway.run(&["config", "--check", "--config", config]).await.good().contains("sound"));
}
