//! The command line, as a person and as a script use it.

use crate::{PROGRAM, bare, shop, text};
use serde_json::Value;
use std::{path::Path, process::Command, time::Duration};
use tidegate_test_support::{Customer, META_SECRET, SHOPIFY_SECRET, fixture_file};

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_details_are_for_people_and_for_scripts() {
    let gateway = shop().start().await;
    assert_eq!(gateway.ask(&["event", "list"]).await.good().trim(), "no events yet");
    assert_eq!(gateway.ask(&["event", "list", "--failed"]).await.good().trim(), "nothing is parked");
    assert_eq!(gateway.ask(&["message", "list"]).await.good().trim(), "no messages yet");
    assert!(gateway.ask(&["event", "list", "--json"]).await.json().is_empty());

    let delivery = gateway.orders(1042, &Customer::nth(1)).await;
    gateway.settle().await;
    gateway.advance(Duration::from_secs(5)).await;
    let events = gateway.ask(&["event", "list", "--json"]).await.json();
    let order = events.iter().find(|event| event["kind"] == "order.placed").expect("the order is listed");
    assert_eq!((text(order, "connection"), text(order, "about")), ("shopify", "order #1042"));
    assert_eq!(text(order, "delivery"), delivery);
    assert_eq!(events.len(), 4, "the order and three statuses");
    let table = gateway.ask(&["event", "list"]).await;
    let lines: Vec<&str> = table.good().lines().collect();
    assert_eq!(lines.len(), 5, "{}", table.out);
    assert!(lines[0].contains("RECEIVED") && lines[0].contains("KIND"), "{}", lines[0]);
    assert!(
        lines.iter().any(|line| line.contains("order.placed") && line.contains(text(order, "id"))),
        "{}",
        table.out
    );
    assert_eq!(gateway.ask(&["event", "list", "--json", "--limit", "2"]).await.json().len(), 2);

    let event = gateway.ask(&["event", "show", text(order, "id"), "--json"]).await.json().remove(0);
    assert_eq!(event["event"]["order"]["number"], "#1042");
    let item = text(&event, "item");
    assert_eq!(gateway.ask(&["event", "show", item, "--json"]).await.json()[0]["delivery"], delivery.as_str());
    let shown = gateway.ask(&["event", "show", &delivery]).await;
    let shown: Value = serde_json::from_str(shown.good()).expect("people get JSON as well, with line breaks");
    assert_eq!(shown["body"]["name"], "#1042");

    let messages = gateway.ask(&["message", "list", "--json"]).await.json();
    assert_eq!(messages.len(), 1);
    assert_eq!((text(&messages[0], "state"), text(&messages[0], "direction")), ("read", "outbound"));
    let id = text(&messages[0], "id");
    let table = gateway.ask(&["message", "list"]).await;
    assert!(table.good().contains(id) && table.out.contains("read"), "{}", table.out);
    assert!(!table.out.contains(Customer::nth(1).digits()), "a list shows numbers in part only: {}", table.out);
    let message = gateway.ask(&["message", "show", id, "--json"]).await.json().remove(0);
    assert_eq!(message["history"].as_array().map(Vec::len), Some(6));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_t_be_done_is_said_with_the_right_exit_code() {
    let gateway = bare().start().await;
    for (arguments, code, words) in [
        (&["event", "show", "evt_00000000000000000000000000"][..], 1, "there is no evt_00000000000000000000000000"),
        (&["event", "show", "nonsense"], 1, "evt_"),
        (&["event", "show", "evt_!"], 1, "evt_"),
        (&["event", "replay", "dlv_00000000000000000000000000"], 1, "there is no dlv_00000000000000000000000000"),
        (&["message", "show", "msg_00000000000000000000000000"], 1, "there is no msg_00000000000000000000000000"),
        (&["message", "send", "--to", "12", "--text", "x"], 1, "to: expected a phone number"),
        (&["message", "send", "--to", "+447700900001", "--text", " "], 1, "text: expected"),
        (&["message", "send", "--to", "+447700900001", "--text", "x", "--sender", "nobody"], 1, "nobody"),
        (&["event", "list", "--limit", "0"], 2, "--limit"),
        (&["event"], 2, "Usage"),
    ] {
        let printed = gateway.ask(arguments).await;
        assert_eq!(printed.code, Some(code), "{arguments:?}: {printed:?}");
        assert!(printed.err.contains(words), "{arguments:?}: {}", printed.err);
    }
    let nobody = gateway.run(&["event", "list", "--data", "elsewhere"]).await;
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
    assert!(nobody.err.contains("no gateway runs on elsewhere"), "{}", nobody.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_was_killed_is_told_from_one_that_runs() {
    let mut gateway = bare().start().await;
    gateway.kill9();
    let printed = gateway.ask(&["event", "list"]).await;
    assert_eq!(printed.code, Some(1), "{printed:?}");
    assert!(printed.err.contains("does not answer"), "{}", printed.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_played_from_samples_and_files() {
    let gateway = shop().start().await;
    let (shop, whatsapp) = (gateway.url("shopify"), gateway.url("meta"));
    let send = async |provider: &str, what: &str, to: &str, secret: &str, more: &[&str]| {
        let fixed = ["webhook", "send", provider, what, "--to", to, "--secret", secret];
        gateway.run(&[&fixed[..], more].concat()).await
    };
    let sent = send("shopify", "orders/create", &shop, SHOPIFY_SECRET, &["--set", "/phone=+447700900005", "--json"])
        .await
        .json()
        .remove(0);
    assert_eq!(sent["status"], 200);
    let delivery = text(&sent, "delivery").to_owned();
    let again = send("shopify", "orders/create", &shop, SHOPIFY_SECRET, &["--id", text(&sent, "id"), "--json"])
        .await
        .json()
        .remove(0);
    assert_eq!(again["delivery"], delivery.as_str(), "the same id is the same webhook");
    let printed = send("meta", "messages", &whatsapp, META_SECRET, &[]).await;
    assert!(printed.good().contains("dlv_"), "{}", printed.out);
    let fixture = fixture_file("shopify", "demo_order_placed");
    send("shopify", fixture.to_str().expect("text"), &shop, SHOPIFY_SECRET, &[]).await.good();
    gateway.settle().await;
    assert_eq!(gateway.events_of("order.placed").await.len(), 2);
    assert_eq!(gateway.events_of("message.received").await.len(), 1);

    let refused = send("shopify", "orders/create", &shop, "wrong", &["--json"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.out.contains("401") && !refused.out.contains("wrong\""), "{}", refused.out);
    for (provider, what, more, words) in [
        ("shopfy", "orders/create", &[][..], "shopfy"),
        ("shopify", "order/create", &[], "orders/create"),
        ("shopify", "orders/create", &["--set", "phone=1"][..], "--set"),
        ("shopify", "orders/create", &["--set", "/a/b/c=1"], "no such place"),
    ] {
        let printed = send(provider, what, &shop, SHOPIFY_SECRET, more).await;
        assert_eq!(printed.code, Some(2), "{printed:?}");
        assert!(printed.err.contains(words), "{words}: {}", printed.err);
    }
}

/// Runs the demo to its end on a data directory.
fn demo(data: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(PROGRAM);
    command.args(["demo", "--once", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(more);
    let ran = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
}

#[test]
fn the_demo_ends_when_every_message_was_read_and_can_be_run_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("demo");
    for run in 0..2 {
        let (code, out, err) = demo(&data, &["--json", "--speed", "20"]);
        assert_eq!(code, Some(0), "run {run}: {out}{err}");
        let steps: Vec<Value> =
            out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
        let first = &steps[0];
        assert!(
            text(first, "listening").starts_with("http://127.0.0.1:") && text(first, "double").starts_with("http://")
        );
        assert_eq!(Path::new(text(first, "data")), data);
        let providers: Vec<&str> = first["connections"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|door| {
                assert!(text(door, "url").starts_with(text(first, "listening")) && !text(door, "secret").is_empty());
                assert!(!text(door, "name").is_empty());
                text(door, "provider")
            })
            .collect();
        for provider in ["calendly", "meta", "shopify", "woocommerce"] {
            assert!(providers.contains(&provider), "{provider}: {providers:?}");
        }
        let count = |step: &str| steps.iter().filter(|line| line["step"] == step).count();
        assert_eq!((count("message"), count("read"), count("parked")), (3, 3, 0), "run {run}: {out}");
        let end = steps.last().expect("there is an end");
        assert_eq!((&end["step"], &end["all_read"]), (&"end".into(), &true.into()));
        assert_eq!(err, "", "run {run}: nothing to warn of");
    }
}

#[test]
fn the_demo_speaks_to_people_and_does_not_empty_a_folder_that_is_not_its_own() {
    let dir = tempfile::tempdir().expect("a folder");
    let (code, out, err) = demo(&dir.path().join("demo"), &["--speed", "20"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.ends_with("Every message was read.\n"), "{out}");
    let precious = dir.path().join("precious");
    std::fs::create_dir(&precious).expect("a folder");
    std::fs::write(precious.join("diary"), "dear").expect("a file");
    let (code, _, err) = demo(&precious, &["--fresh"]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("is not a demo's directory") && precious.join("diary").exists(), "{err}");
    let (code, _, err) = demo(&dir.path().join("demo"), &["--speed", "0"]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("--speed"), "{err}");
}
