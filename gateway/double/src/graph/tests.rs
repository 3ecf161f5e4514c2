//! Requests and their verdicts: Meta's own examples are taken, and each fault gets Meta's error.

use super::{
    error::GraphError,
    is_version,
    request::{Ask, Person, Send, read, recipient},
    text::{fill, placeholders},
};
use crate::config::{Category, Parameters, Template};
use serde_json::{Value, json};

const SENDER: &str = "15550783881";

fn templates() -> Vec<Template> {
    let template = |name: &str, parameters, category, body: &str| Template {
        name: name.to_owned(),
        language: "en_US".to_owned(),
        parameters,
        category,
        body: body.to_owned(),
    };
    let named = ["first_name", "discount_code", "discount_amount"];
    vec![
        template("order_sent", Parameters::Positional(2), Category::Utility, "Hi {{1}}, order {{2}} is on its way."),
        template(
            "welcome_discount_template",
            Parameters::Named(named.map(str::to_owned).to_vec()),
            Category::Marketing,
            "Welcome {{first_name}}: {{discount_code}} gives you {{discount_amount}}.",
        ),
        template("verification_code", Parameters::Positional(1), Category::Authentication, "{{1}} is your code."),
        template("plain", Parameters::Positional(0), Category::Utility, "Done."),
    ]
}

fn sent(body: &Value, look: impl FnOnce(&Send<'_>)) {
    match read(body, SENDER, &templates()) {
        Ok(Ask::Send(send)) => look(&send),
        other => panic!("expected a message, found {other:?}"),
    }
}

#[track_caller]
fn refused(body: &Value) -> GraphError {
    match read(body, SENDER, &templates()) {
        Err(error) => error,
        Ok(ask) => panic!("expected a refusal, found {ask:?}"),
    }
}

fn message(kind: &str, payload: &Value) -> Value {
    json!({ "messaging_product": "whatsapp", "to": "+16505551234", "type": kind, kind: payload })
}

fn template(name: &str, parameters: &Value) -> Value {
    message(
        "template",
        &json!({
            "name": name,
            "language": { "code": "en_US" },
            "components": [{ "type": "body", "parameters": parameters }],
        }),
    )
}

fn words(values: &[&str]) -> Value {
    values.iter().map(|text| json!({ "type": "text", "text": text })).collect()
}

#[test]
fn metas_own_examples_are_taken() {
    for (name, example, text) in [
        (
            "named",
            include_str!("tests/meta_send_template_marketing_named.json"),
            "Welcome Jessica: WELCOME25 gives you 25%.",
        ),
        ("code", include_str!("tests/meta_send_template_otp_copy_code.json"), "J$FpnYnP is your code."),
        (
            "buttons",
            include_str!("tests/meta_send_interactive_buttons.json"),
            "Hi Pablo! Your gardening workshop is scheduled for 9am tomorrow. Use the buttons if you need to reschedule. Thank you!",
        ),
        (
            "link",
            include_str!("tests/meta_send_interactive_cta_url.json"),
            "Tap the button below to see available dates.",
        ),
    ] {
        let body: Value = serde_json::from_str(example).unwrap();
        sent(&body, |send| assert_eq!(send.text, text, "{name}"));
    }
}

#[test]
fn a_message_is_read_with_all_it_says() {
    let mut body = template("order_sent", &words(&["Ann", "17"]));
    body["biz_opaque_callback_data"] = json!("msg_1");
    sent(&body, |send| {
        assert_eq!(send.to, Person::Phone("16505551234".to_owned()));
        assert_eq!(send.input, "+16505551234");
        assert_eq!(send.text, "Hi Ann, order 17 is on its way.");
        assert_eq!(send.category(), Category::Utility);
        assert_eq!(send.callback_data.as_deref(), Some("msg_1"));
        assert_eq!(send.parameters[1].value, "17");
    });
    let plain = message("template", &json!({ "name": "plain", "language": { "code": "en_US" } }));
    sent(&plain, |send| assert_eq!(send.text, "Done."));
    let to_user = json!({
        "messaging_product": "whatsapp", "recipient": "US.13491208655302741918", "text": { "body": "x" },
    });
    sent(&to_user, |send| {
        assert_eq!(send.to, Person::User("US.13491208655302741918".to_owned()));
        assert_eq!(send.message_type, "text");
    });
}

#[test]
fn each_fault_gets_its_error() {
    let mut verdicts = Vec::new();
    let mut check = |what: &str, body: Value| {
        let error = refused(&body);
        verdicts.push(format!("{what}: HTTP {} {}", error.status, error.reason()));
    };
    let text = message("text", &json!({ "body": "Hello" }));
    let with = |key: &str, value: Value| {
        let mut body = text.clone();
        body[key] = value;
        body
    };
    check("no object", json!([]));
    check("no product", json!({ "to": "+1650555123" }));
    check("other product", with("messaging_product", json!("sms")));
    check("no recipient", json!({ "messaging_product": "whatsapp", "text": { "body": "x" } }));
    check("a name for a number", with("to", json!("Ann")));
    check("a number for a number", with("to", json!(16_505_551_234_u64)));
    check("to itself", with("to", json!("+1 (555) 078-3881")));
    check("a group", with("recipient_type", json!("group")));
    check("an unknown key", with("priority", json!("high")));
    check("a payload of another type", with("image", json!({ "id": "1" })));
    check("an unknown type", with("type", json!("fax")));
    check("no payload", with("type", json!("image")));
    check("long callback data", with("biz_opaque_callback_data", json!("x".repeat(513))));
    check("an odd context", with("context", json!({ "id": "wamid.A" })));
    check("an empty text", message("text", &json!({ "body": "" })));
    check("a long text", message("text", &json!({ "body": "ä".repeat(4097) })));
    check("an unknown key of the text", message("text", &json!({ "body": "x", "format": "md" })));
    check("media twice", message("image", &json!({ "id": "1", "link": "https://a.b/c.png" })));
    check("nowhere", message("location", &json!({ "latitude": 1 })));
    check("no template of the name", template("order_lost", &words(&[])));
    let mut other = template("order_sent", &words(&["a", "b"]));
    other["template"]["language"]["code"] = json!("it");
    check("no template in the language", other);
    check("too few parameters", template("order_sent", &words(&["a"])));
    check("too many parameters", template("plain", &words(&["a"])));
    check(
        "named for positional",
        template(
            "order_sent",
            &json!([
                { "type": "text", "parameter_name": "a", "text": "a" }, { "type": "text", "text": "b" },
            ]),
        ),
    );
    check("positional for named", template("welcome_discount_template", &words(&["a", "b", "c"])));
    check("a line break", template("order_sent", &words(&["a\nb", "c"])));
    check("many spaces", template("order_sent", &words(&["a     b", "c"])));
    check("an empty value", template("order_sent", &words(&["", "c"])));
    check("a long value", template("order_sent", &words(&[&"a".repeat(1025), "c"])));
    check(
        "an image in the body",
        template(
            "order_sent",
            &json!([
                { "type": "image", "image": { "id": "1" } }, { "type": "text", "text": "b" },
            ]),
        ),
    );
    let mut footer = template("order_sent", &words(&["a", "b"]));
    footer["template"]["components"][0]["type"] = json!("footer");
    check("a footer component", footer);
    let mut button = template("order_sent", &words(&["a", "b"]));
    let far = json!({ "type": "button", "sub_type": "url", "index": "12", "parameters": [] });
    button["template"]["components"].as_array_mut().unwrap().push(far);
    check("a button too far", button);
    let mut code_to_user = template("verification_code", &words(&["123"]));
    code_to_user.as_object_mut().unwrap().remove("to");
    code_to_user["recipient"] = json!("US.13491208655302741918");
    check("a code to a user id", code_to_user);
    let buttons = |buttons: &Value| {
        message("interactive", &json!({ "type": "button", "body": { "text": "?" }, "action": { "buttons": buttons } }))
    };
    let button = |id: &str, title: &str| json!({ "type": "reply", "reply": { "id": id, "title": title } });
    check("no button", buttons(&json!([])));
    check("a button twice", buttons(&json!([button("a", "A"), button("a", "B")])));
    check("a long button", buttons(&json!([button("a", "a title of 21 letters")])));
    let rows: Vec<Value> = (0..6).map(|n| json!({ "id": n.to_string(), "title": "row" })).collect();
    let more: Vec<Value> = (6..12).map(|n| json!({ "id": n.to_string(), "title": "row" })).collect();
    check(
        "eleven rows",
        message(
            "interactive",
            &json!({
                "type": "list", "body": { "text": "?" },
                "action": { "button": "Open", "sections": [{ "title": "A", "rows": rows }, { "title": "B", "rows": more }] },
            }),
        ),
    );
    check(
        "a status that is not read",
        json!({ "messaging_product": "whatsapp", "status": "seen", "message_id": "wamid.A" }),
    );
    insta::assert_snapshot!(verdicts.join("\n"));
}

#[test]
fn an_error_has_metas_envelope() {
    insta::assert_json_snapshot!("by_code", GraphError::of(131056).body("AbC"));
    insta::assert_json_snapshot!("by_token", GraphError::token().body("AbC"));
    insta::assert_json_snapshot!("by_object", GraphError::object("42").body("AbC"));
}

#[test]
fn versions_answer_from_21_to_26() {
    for (part, expected) in [
        ("v21.0", true),
        ("v26.0", true),
        ("v20.0", false),
        ("v27.0", false),
        ("v25", false),
        ("25.0", false),
        ("v25.1", false),
    ] {
        assert_eq!(is_version(part), expected, "{part}");
    }
}

#[test]
fn a_person_is_found_in_any_body() {
    let check = |body: &Value, expected: Option<&str>| {
        assert_eq!(recipient(body).as_deref(), expected, "{body}");
    };
    check(&json!({ "to": "+39 333 123-4567" }), Some("393331234567"));
    check(&json!({ "recipient": "IT.ENT.9a" }), Some("IT.ENT.9a"));
    check(&json!({ "to": 7, "recipient": "it.9a" }), None);
    check(&json!(null), None);
}

#[test]
fn placeholders_are_found_and_filled() {
    let body = "{{1}}, {{ name }} and {{1}} {{";
    assert_eq!(placeholders(body), ["1", "name", "1"]);
    let text = fill(body, |name| (name == "1").then_some("{{name}}"));
    assert_eq!(text, "{{name}}, {{name}} and {{name}} {{");
}
