//! Webhooks of any tool: a mapping in the configuration makes events of them, which start flows like all others. What runs here is the shipped example.

use crate::{PROGRAM, bare, text};
use serde_json::{Value, json};
use std::{os::unix::fs::DirBuilderExt, process::Command};
use tidegate_test_support::{Gateway, Played, Setup, Template, meta};

const EXAMPLE: &str = include_str!("../../examples/forms/tidegate.toml");
const FLOW: &str = include_str!("../../examples/forms/flows/form-thanks.yaml");
const SUBMISSION: &str = include_str!("../../examples/forms/submission.json");
const SECRET: &str = "s3cret-of-the-form-tool";

/// A gateway to be, with the example's flow, and with one for its trigger.
fn desk() -> Setup {
    let thanks = Template::new("form_thanks", &["first_name", "form"]);
    let thanks = thanks.language(
        "en",
        "en_US",
        "Hi {{first_name}}, we have your request ({{form}}) and will answer today. See you.",
    );
    let large =
        Template::new("large_request", &["seats"]).language("en", "en_US", "We keep {{seats}} seats for you. See you.");
    bare().template(thanks).flow(FLOW).template(large).flow(
        "flow: large\non: large-request\nsteps:\n  - id: keep\n    send: { template: large_request, parameters: { seats: \"{{ trigger.seats }}\" } }\n",
    )
}

/// The example's endpoint and connection, and more.
async fn with_forms(gateway: &Gateway, more: &str) {
    let (_, rest) = EXAMPLE.split_once("[[endpoints]]").expect("the example has an endpoint");
    let (forms, _) = rest.split_once("[[senders]]").expect("the example has a sender");
    let held = std::fs::read_to_string(gateway.config()).expect("the file is there");
    let text = format!("{held}\n[[endpoints]]{}{more}", forms.replace("${FORMS_SECRET}", SECRET));
    gateway.write("tidegate.toml", &text);
    gateway.ask(&["reload"]).await.good();
}

/// As the form tool signs: `sha256=` and hex, as Meta does, in a header of its own.
fn signed(body: &Value, secret: &str) -> Played {
    let mut played = meta(body.to_string(), secret);
    for (name, _) in &mut played.headers {
        if name == "x-hub-signature-256" {
            "x-signature-256".clone_into(name);
        }
    }
    played
}

fn submission(id: &str, phone: &str, at: &str) -> Value {
    json!({"id": id, "form": id, "submitted_at": at, "answers": {"name": "Ada Rossi", "phone": phone, "seats": "2"}})
}

fn sent(gateway: &Gateway) -> Vec<String> {
    let mut texts: Vec<String> = gateway.sent().into_iter().map(|sent| sent.text).collect();
    texts.sort();
    texts
}

#[tokio::test(flavor = "multi_thread")]
async fn submissions_of_a_form_become_messages_and_a_bad_one_is_parked_by_itself() {
    let mut gateway = desk().start().await;
    with_forms(&gateway, "").await;
    let body = json!({"type": "form_submitted", "submissions": [
        submission("s-1", "333 1234567", "2026-03-01 11:00"),
        submission("s-2", "333 1234568", "soon"),
        submission("s-3", "+44 7700 900123", "2026-03-01T09:59:00Z"),
    ]});
    let refused = gateway.post("forms", &signed(&body, "another-secret")).await;
    assert_eq!((refused.status, refused.problem().as_str()), (401, "signature-refused"));
    let answer = gateway.post("forms", &signed(&body, SECRET)).await;
    assert_eq!(answer.body, "ok", "as the endpoint says");
    let delivery = answer.stored();
    gateway.settle().await;
    let thanks = |form: &str| format!("Hi Ada, we have your request ({form}) and will answer today. See you.");
    assert_eq!(sent(&gateway), [thanks("s-1"), thanks("s-3")]);

    let failed = gateway.ask(&["event", "list", "--failed", "--json"]).await.json();
    assert_eq!(failed.len(), 1, "{failed:#?}");
    assert_eq!((text(&failed[0], "delivery"), text(&failed[0], "topic")), (delivery.as_str(), "form_submitted"));
    assert!(text(&failed[0], "reason").contains("events.0.at: expected an instant"), "{failed:#?}");
    gateway.expect_parked(1);

    // The same submission in another delivery is known, a new one is not; and its trigger starts a flow.
    let again = json!({"type": "form_submitted", "page": 2, "submissions": [
        submission("s-1", "333 1234567", "2026-03-01 11:00"),
        json!({"id": "s-4", "form": "s-4", "submitted_at": 1_772_359_100, "answers": {"name": "Bo", "phone": "+44 7700 900124", "seats": 12}}),
    ]});
    gateway.post("forms", &signed(&again, SECRET)).await.stored();
    gateway.settle().await;
    let bo = thanks("s-4").replace("Ada", "Bo");
    assert_eq!(sent(&gateway), [thanks("s-1"), thanks("s-3"), bo, "We keep 12 seats for you. See you.".to_owned()]);
    let other = json!({"type": "form_viewed", "submissions": [{"id": "s-5"}]});
    let skipped = gateway.post("forms", &signed(&other, SECRET)).await.stored();
    gateway.settle().await;
    let shown = gateway.show(&skipped).await.expect("the delivery is kept");
    assert!(shown["items"].to_string().contains("no event mapping's `when` holds"), "{shown:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_without_signatures_is_known_by_a_token_or_by_nothing_if_that_is_asked_for() {
    let gateway = desk().start().await;
    let endpoint = |name: &str, proof: &str| {
        format!(
            "[[endpoints]]\nname = \"{name}\"\nplugin = \"json-hmac\"\n{proof}\n[[connections]]\nname = \"{name}\"\nendpoint = \"{name}\"\nworkspace = \"main\"\n\
             [[connections.settings.events]]\nkind = \"form.submitted\"\n"
        )
    };
    let token = "secrets = [\"t0ken-of-the-tool\"]\nsignature = { scheme = \"token\", header = \"Authorization\", prefix = \"Bearer \" }";
    let basic = "secrets = [\"tool:pass word\"]\nsignature = { scheme = \"basic\" }";
    let more = [endpoint("token", token), endpoint("basic", basic), endpoint("open", "unsigned = true")].concat();
    with_forms(&gateway, &more).await;
    let bare = Played { headers: Vec::new(), body: b"{}".to_vec() };
    let check = async |name: &str, played: Played, status: u16| {
        let answer = gateway.post(name, &played).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        answer.delivery
    };
    check("token", bare.clone(), 401).await;
    check("token", bare.clone().with("authorization", "Bearer another"), 401).await;
    let held = check("token", bare.clone().with("authorization", "Bearer t0ken-of-the-tool"), 200).await;
    check("basic", bare.clone().with("authorization", "Basic dG9vbDpwYXNz"), 401).await;
    check("basic", bare.clone().with("authorization", "Basic dG9vbDpwYXNzIHdvcmQ="), 200).await;
    check("open", bare.clone(), 200).await;
    gateway.settle().await;
    let shown = gateway.show(&held.expect("it is stored")).await.expect("the delivery is kept");
    assert!(!shown.to_string().contains("t0ken-of-the-tool"), "{shown:#}");
    assert_eq!(gateway.events().await.len(), 3);
    assert!(gateway.log_text().contains("endpoints.open.unsigned is set"), "a warning is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_is_tried_without_a_gateway() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let (config, body) = (file("tidegate.toml", EXAMPLE), file("submission.json", SUBMISSION));
    let tried = |endpoint: &str, more: &[&str], body: &str| {
        let ran = Command::new(PROGRAM)
            .args(["webhook", "try", "--config", &config, "--endpoint", endpoint, "--at", "2026-03-01T12:00:00Z"])
            .args(more)
            .arg(body)
            .output()
            .expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
    };
    let (code, out, err) = tried("forms", &[], &body);
    assert_eq!(code, Some(0), "{out}{err}");
    insta::assert_snapshot!(out);
    let (code, out, _) = tried("forms", &["--json"], &body);
    let item: Value = serde_json::from_str(&out).expect("a line of JSON");
    assert_eq!((code, &item["outcome"]["done"]["triggers"][0]["variables"]["seats"]), (Some(0), &json!(12)));
    let bad = file("bad.json", &SUBMISSION.replace("2026-03-01 11:00", "soon"));
    let (code, out, _) = tried("forms", &[], &bad);
    assert!(
        code == Some(1) && out.contains("would be parked at /submitted_at: events.0.at: expected an instant"),
        "{out}"
    );
    let (code, _, err) = tried("form", &[], &body);
    assert!(code == Some(2) && err.contains("there is no endpoint \"form\"; there are forms"), "{err}");
}

#[test]
fn what_is_wrong_with_an_endpoint_or_a_mapping_is_told_with_its_place_before_a_webhook_comes() {
    let example = EXAMPLE.replace("flows = \"flows\"\n", "").replace("templates = \"templates\"\n", "");
    let shopify = "[[endpoints]]\nname = \"shop\"\nplugin = \"shopify\"\nsecrets = [\"x\"]\nREST\n[[connections]]\nname = \"shop\"\nendpoint = \"shop\"\nworkspace = \"main\"\n";
    let replaced = |from: &str, to: &str| {
        assert!(example.contains(from), "{from}");
        example.replacen(from, to, 1)
    };
    let signature = example.lines().find(|line| line.starts_with("signature = ")).expect("the example is signed");
    let cases = [
        (
            replaced("at = \"/submitted_at\"", "att = \"/submitted_at\""),
            &["tidegate.toml:", "connections.forms.settings.events.0.att", "did you mean `at`"][..],
        ),
        (replaced("\"form.submitted\"", "\"form.submited\""), &["events.0.kind", "did you mean `form.submitted`"]),
        (replaced("topic == ", "topik == "), &["events.0.when", "did you mean `topic`"]),
        (replaced("Europe/Rome", "Europe/Roma"), &["settings.time_zone", "Europe/Roma"]),
        (replaced(signature, ""), &["endpoints.forms.signature", "unsigned = true"]),
        (replaced(signature, "unsigned = true"), &["endpoints.forms", "`secrets`"]),
        (replaced("parts = [\"body\"]", "parts = [{ text = \"x\" }]"), &["endpoints.forms", "add `body`"]),
        (replaced("\"hmac-sha256\"", "\"md5\""), &["signature", "hmac-sha256"]),
        (replaced("each = \"/submissions/*\"", "each = \"submissions\""), &["items", "JSON pointer"]),
        (
            format!("{example}{}", shopify.replace("REST", "items = { each = \"/x/*\" }")),
            &["tidegate.toml:", "endpoints.shop.items", "the plugin shopify says this itself"],
        ),
        (
            format!("{example}{}", shopify.replace("secrets = [\"x\"]\nREST", "unsigned = true")),
            &["endpoints.shop.unsigned", "take `unsigned` out"],
        ),
    ];
    let dir = tempfile::tempdir().expect("a folder");
    // Plugins are compiled once for all checks.
    let cache = dir.path().join("tidegate-data/plugins");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(cache).expect("a folder");
    let check = |text: &str| {
        let file = dir.path().join("tidegate.toml");
        std::fs::write(&file, text).expect("a file");
        let mut command = Command::new(PROGRAM);
        command.args(["config", "--check", "--config"]).arg(&file);
        let ran = command.envs([("FORMS_SECRET", "x"), ("WHATSAPP_TOKEN", "y")]).output().expect("it runs");
        (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    let (code, err) = check(&example);
    assert_eq!(code, Some(0), "{err}");
    for (text, words) in cases {
        let (code, err) = check(&text);
        assert_eq!(code, Some(2), "{words:?}: {err}");
        assert!(words.iter().all(|word| err.contains(word)), "{words:?} are not all in: {err}");
    }
}
