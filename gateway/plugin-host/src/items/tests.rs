//! Deliveries as providers send them, and any bytes at all.

use super::*;
use proptest::prelude::*;

fn manifest(items: &str) -> Manifest {
    let text = format!("id = \"p\"\nname = \"P\"\nversion = \"1.0.0\"\n{items}");
    Manifest::parse("plugin.toml", &text).unwrap()
}

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

const META: &str = r#"
[items]
each = "/entry/*/changes/*"
envelope = ["/object", "/entry/*/id", "/entry/*/time"]
topic = { pointer = "/field" }
route = { envelope = "/entry/*/id" }
dedupe = [{ pointer = "/value/messages/*/id" }, { pointer = "/value/statuses/*/id" }, { pointer = "/value/statuses/*/status" }]
state = { pointer = "/value/metadata/phone_number_id" }
"#;

const FORM: &str = r#"
[items]
form = true
topic = { first_of = ["/MessageStatus", "/SmsStatus"] }
route = { pointer = "/AccountSid" }
dedupe = [{ pointer = "/MessageSid" }, { pointer = "/MessageStatus" }]
state = { pointer = "/From" }
"#;

#[test]
fn a_form_is_one_item_whose_fields_are_found_and_whose_text_stays() {
    let manifest = manifest(FORM);
    let cut = |body: &'static str| split(&manifest, &[], body.as_bytes()).unwrap().remove(0);
    let item = cut("MessageSid=SM1&SmsStatus=received&From=%2B1202&Body=a+b&AccountSid=AC1&From=2");
    assert_eq!((item.topic.as_str(), item.route.as_deref()), ("received", Some("AC1")));
    assert_eq!(item.state_key.as_deref(), Some("+1202"), "the first of several");
    assert_eq!(item.body, "MessageSid=SM1&SmsStatus=received&From=%2B1202&Body=a+b&AccountSid=AC1&From=2");
    let key = |body: &'static str| cut(body).dedupe_key;
    assert_eq!(key("MessageSid=SM1&MessageStatus=sent&A=1"), key("MessageStatus=%73ent&MessageSid=SM1"));
    assert_ne!(key("MessageSid=SM1&MessageStatus=sent"), key("MessageSid=SM1&MessageStatus=delivered"));
    assert_ne!(key("a=1"), key("a=2"), "without what tells it apart, its text");
    assert_eq!(cut("").topic, "");
    let both = Manifest::parse(
        "plugin.toml",
        &format!("id = \"p\"\nname = \"P\"\nversion = \"1.0.0\"\n{FORM}each = \"/a/*\"\n"),
    );
    assert_eq!(both.unwrap_err().key, "items.each");
}

#[test]
fn a_body_with_many_changes_becomes_an_item_for_each() {
    let body = br#"{"object":"whatsapp_business_account","entry":[
        {"id":"waba1","time":1739321024,"changes":[
            {"field":"messages","value":{"metadata":{"phone_number_id":106540352242922},"messages":[{"id":"wamid.A"}]}},
            {"field":"messages","value":{"statuses":[{"id":"wamid.B","status":"read"}]}}]},
        {"id":"waba2","changes":[{"field":"account_alerts","value":{"n":1.10}}]}]}"#;
    let manifest = manifest(META);
    let items = split(&manifest, &[], body).unwrap();
    let summary: Vec<_> = items
        .iter()
        .map(|item| (item.topic.as_str(), item.route.as_deref(), item.state_key.as_deref(), item.envelope.as_deref()))
        .collect();
    let first = r#"{"object":"whatsapp_business_account","entry":{"id":"waba1","time":1739321024}}"#;
    let second = r#"{"object":"whatsapp_business_account","entry":{"id":"waba2"}}"#;
    assert_eq!(
        summary,
        [
            ("messages", Some("waba1"), Some("106540352242922"), Some(first)),
            ("messages", Some("waba1"), None, Some(first)),
            ("account_alerts", Some("waba2"), None, Some(second)),
        ]
    );
    assert_eq!(items[2].body, r#"{"field":"account_alerts","value":{"n":1.10}}"#);
    assert_ne!(items[0].dedupe_key, items[1].dedupe_key);
}

#[test]
fn what_lacks_the_items_becomes_an_item_and_an_empty_array_holds_none() {
    let manifest = manifest(META);
    let bodies = |body: &'static str| -> Vec<String> {
        let items = split(&manifest, &[], body.as_bytes()).unwrap();
        assert!(items.iter().all(|item| item.topic.is_empty()), "{body}");
        items.into_iter().map(|item| item.body.into_owned()).collect()
    };
    assert_eq!(bodies(r#"{"entry":[]}"#), Vec::<String>::new());
    assert_eq!(bodies(r#"{"hello":1}"#), [r#"{"hello":1}"#]);
    assert_eq!(bodies(r#"{"entry":{"id":1}}"#), [r#"{"id":1}"#]);
    assert_eq!(bodies(r#"{"entry":[{"messaging":[1]},{"changes":[{}]}]}"#), [r#"{"messaging":[1]}"#, "{}"]);
}

#[test]
fn a_whole_body_is_one_item_with_its_properties_in_headers() {
    let manifest = manifest(
        r#"[items]
        topic = { header = "X-Shopify-Topic" }
        route = { header = "x-shopify-shop-domain" }
        dedupe = [{ header = "x-shopify-webhook-id" }]"#,
    );
    let sent = headers(&[
        ("x-shopify-topic", "orders/create"),
        ("X-Shopify-Shop-Domain", "acme.myshopify.com"),
        ("X-Shopify-Webhook-Id", "w1"),
    ]);
    let items = split(&manifest, &sent, b"not json").unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(
        (items[0].topic.as_str(), items[0].route.as_deref(), &*items[0].body),
        ("orders/create", Some("acme.myshopify.com"), "not json")
    );
    assert!(matches!(items[0].body, Cow::Borrowed(_)));
    let again = split(&manifest, &sent, b"another text").unwrap();
    assert_eq!(items[0].dedupe_key, again[0].dedupe_key, "the id in the header decides");
    let other = split(&manifest, &[], b"not json").unwrap();
    let same_text = split(&manifest, &[], b"not json").unwrap();
    assert_ne!(items[0].dedupe_key, other[0].dedupe_key);
    assert_eq!(other[0].dedupe_key, same_text[0].dedupe_key, "without an id the text decides");
}

#[test]
fn deliveries_that_share_an_id_are_told_apart_by_their_bodies() {
    let manifest = manifest("[items]\ndedupe = [{ header = \"x-id\" }, { body = \"sha256\" }]");
    let key = |id: &str, body: &'static str| {
        split(&manifest, &headers(&[("x-id", id)]), body.as_bytes()).unwrap()[0].dedupe_key
    };
    assert_eq!(key("1", "a"), key("1", "a"));
    assert_ne!(key("1", "a"), key("1", "b"));
    assert_ne!(key("1", "a"), key("2", "a"));
}

#[test]
fn the_first_selector_that_finds_something_gives_the_state() {
    let manifest = manifest("[items]\nstate = [{ pointer = \"/new\" }, { pointer = \"/id\" }]");
    let key = |body: &'static str| split(&manifest, &[], body.as_bytes()).unwrap().remove(0).state_key;
    assert_eq!(key(r#"{"new":"b","id":"a"}"#).as_deref(), Some("b"));
    assert_eq!(key(r#"{"new":null,"id":"a"}"#).as_deref(), Some("a"));
    assert_eq!(key("{}"), None);
}

#[test]
fn a_body_that_is_an_array_is_cut_into_its_elements() {
    let manifest = manifest(
        "[items]\neach = \"/*\"\ntopic = { pointer = \"/subscriptionType\" }\ndedupe = [{ pointer = \"/eventId\" }]",
    );
    let items =
        split(&manifest, &[], br#"[{"eventId":1,"subscriptionType":"contact.creation"}, {"eventId":2}]"#).unwrap();
    assert_eq!(
        items.iter().map(|item| (item.index, item.topic.as_str())).collect::<Vec<_>>(),
        [(0, "contact.creation"), (1, "")]
    );
    assert_ne!(items[0].dedupe_key, items[1].dedupe_key);
}

#[test]
fn the_first_place_that_has_a_value_counts() {
    let manifest = manifest(
        "[items]\neach = \"/*\"\ntopic = { first_of = [\"/type\", \"/eventType\"] }\nstate = { first_of = [\"/ids/*\", \"/id\"] }",
    );
    let body = br#"[{"type":"a","eventType":"b","id":1},{"type":null,"eventType":"b","ids":[],"id":2},{"ids":[null,3],"id":4},{}]"#;
    let items = split(&manifest, &[], body).unwrap();
    let found: Vec<_> = items.iter().map(|item| (item.topic.as_str(), item.state_key.as_deref())).collect();
    assert_eq!(found, [("a", Some("1")), ("b", Some("2")), ("", Some("3")), ("", None)]);
}

#[test]
fn two_deliveries_fold_when_all_that_the_manifest_names_is_the_same() {
    let manifest = manifest(
        r#"[items]
        dedupe = [{ header = "x-webhook-id" }]
        fold = [{ header = "x-event-id" }, { header = "x-topic" }, { pointer = "/id" }]"#,
    );
    let key = |webhook: &str, event: &str, body: &'static str| {
        let sent = headers(&[("x-webhook-id", webhook), ("X-Event-Id", event), ("x-topic", "orders/paid")]);
        let item = split(&manifest, &sent, body.as_bytes()).unwrap().remove(0);
        (item.dedupe_key, item.fold_key)
    };
    let first = key("w1", "e1", r#"{"id":1}"#);
    let double = key("w2", "e1", r#"{"id":1,"note":"x"}"#);
    assert!(first.1.is_some() && first.1 == double.1 && first.0 != double.0);
    assert_ne!(first.1, key("w3", "e1", r#"{"id":2}"#).1, "another thing");
    assert_ne!(first.1, key("w4", "e2", r#"{"id":1}"#).1, "another event");
    assert_eq!(key("w5", "e1", "{}").1, None, "a part is missing");
    let unnamed = split(&manifest, &headers(&[("x-webhook-id", "w6")]), br#"{"id":1}"#).unwrap();
    assert_eq!(unnamed[0].fold_key, None);
}

#[test]
fn values_that_join_to_the_same_text_give_different_keys() {
    let manifest = manifest("[items]\ndedupe = [{ pointer = \"/a\" }, { pointer = \"/b\" }]");
    let key = |body: &'static str| split(&manifest, &[], body.as_bytes()).unwrap()[0].dedupe_key;
    assert_ne!(key(r#"{"a":"xy","b":"z"}"#), key(r#"{"a":"x","b":"yz"}"#));
    assert_ne!(key(r#"{"a":"x"}"#), key(r#"{"b":"x"}"#));
    assert_eq!(key(r#"{"a":"x"}"#), key(r#"{ "a" : "\u0078", "c":1}"#));
}

#[test]
fn a_body_that_can_not_be_cut_says_where_it_is_wrong() {
    let manifest = manifest(META);
    assert_eq!(split(&manifest, &[], b"{\"a\":\"\xff\"}"), Err(SplitError::NotUtf8 { offset: 6 }));
    let error = split(&manifest, &[], b"{\"entry\":").unwrap_err().to_string();
    assert!(error.contains("not JSON") && error.contains("column 9"), "{error}");
    let many = format!("[{}1]", "1,".repeat(MAX_ITEMS));
    let each = self::manifest("[items]\neach = \"/*\"");
    assert_eq!(split(&each, &[], many.as_bytes()), Err(SplitError::TooManyItems { found: MAX_ITEMS + 1 }));
}

#[test]
fn deep_nesting_is_cut_and_not_fallen_into() {
    let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(split(&manifest("[items]\neach = \"/*/*\""), &[], deep.as_bytes()).unwrap().len(), 1);
}

#[test]
fn secrets_do_not_reach_the_plugin() {
    let manifest = manifest(
        "[signature]\nheader = \"X-Proof\"\nalgorithm = \"hmac-sha256\"\nencoding = \"hex\"\nparts = [\"body\"]",
    );
    let sent = headers(&[
        ("X-Proof", "s"),
        ("X-Shopify-Hmac-Sha256", "s"),
        ("X-Hub-Signature-256", "s"),
        ("Authorization", "s"),
        ("Cookie", "s"),
        ("X-Gitlab-Token", "s"),
        ("X-Shopify-Topic", "orders/create"),
    ]);
    assert_eq!(guest_headers(&manifest, &sent), headers(&[("x-shopify-topic", "orders/create")]));
    let manifest = self::manifest(
        r#"[signature]
        header = "X-Proof"
        algorithm = "hmac-sha256"
        encoding = "hex"
        parts = ["body"]
        alternatives = [{ header = "X-Old-Proof", algorithm = "secret-sha256", encoding = "hex", parts = ["body"] }]"#,
    );
    assert_eq!(guest_headers(&manifest, &headers(&[("X-Proof", "s"), ("x-old-proof", "s")])), []);
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("1.50".to_owned()),
        Just("\"x\\u0041\"".to_owned()),
        Just("{}".to_owned()),
        Just("[]".to_owned())
    ];
    leaf.prop_recursive(6, 60, 4, |inner| {
        let key =
            prop_oneof![Just("entry"), Just("changes"), Just("field"), Just("id"), Just("value"), Just("messages")];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec((key, inner), 0..4).prop_map(|all| format!(
                "{{{}}}",
                all.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect::<Vec<_>>().join(",")
            )),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_cut_or_refused(body: Vec<u8>) {
        let _ = split(&manifest(META), &[], &body);
        let _ = split(&manifest("[items]\ntopic = { pointer = \"/a\" }"), &[], &body);
    }

    #[test]
    fn looking_by_members_finds_what_reading_finds(body in json(), names in prop::collection::vec(prop::sample::select(vec!["entry", "changes", "id", "value"]), 1..3)) {
        let root = pointer::parse(&body).unwrap();
        let pointer = Pointer::new(&format!("/{}", names.join("/"))).unwrap();
        let texts = |found: Vec<&RawValue>| found.into_iter().map(RawValue::get).map(str::to_owned).collect::<Vec<_>>();
        let part = Part::new(Some(root), Vec::new());
        prop_assert_eq!(texts(part.select(pointer.tokens())), texts(pointer::select(root, pointer.tokens())));
    }

    #[test]
    fn any_json_is_cut_into_parts_of_itself_with_sound_envelopes(body in json()) {
        for item in split(&manifest(META), &[], body.as_bytes()).unwrap() {
            prop_assert!(body.contains(&*item.body));
            let envelope = item.envelope.unwrap();
            prop_assert!(serde_json::from_str::<serde_json::Value>(&envelope).unwrap().is_object(), "{}", envelope);
        }
    }
}
