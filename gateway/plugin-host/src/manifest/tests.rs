//! Manifests as authors write them, right and wrong.

use super::*;
use tidegate_model::scheme::{Algorithm, SignedPart};

const HEAD: &str = "id = \"shop\"\nname = \"Shop\"\nversion = \"1.2.0\"\n";

fn parse(rest: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse("plugin.toml", &format!("{HEAD}{rest}"))
}

/// The message for a manifest whose first three lines are right.
fn check(rest: &str, expected: &str) {
    let error = parse(rest).unwrap_err().to_string();
    assert_eq!(error, expected);
}

#[test]
fn what_is_not_written_has_its_documented_default() {
    let manifest = parse("").unwrap();
    assert_eq!(
        manifest.limits,
        Limits {
            body_bytes: 4_194_304,
            memory_bytes: 67_108_864,
            deadline_ms: 250,
            chunk_items: 32,
            outcome_bytes: 16_777_216
        }
    );
    assert_eq!(manifest.response, Response { status: 200, body: String::new(), content_type: None });
    assert_eq!(manifest.items, Items::default());
    assert_eq!((manifest.signature, manifest.handshake, manifest.config_schema), (None, None, None));
    assert_eq!(manifest.unsigned, []);
}

#[test]
fn every_part_is_read() {
    let manifest = parse(
        r#"
        description = "Orders."
        topics = [{ name = "orders/create", description = "An order." }, { name = "orders/paid" }]
        config_schema = '{"type":"object"}'
        [signature]
        header = "X-Sig"
        algorithm = "hmac-sha256"
        encoding = "hex"
        parts = [{ header = "X-Time" }, { text = "." }, "body"]
        timestamp = { header = "X-Time", unit = "seconds", tolerance_s = 300 }
        [[unsigned]]
        form = { webhook_id = "digits" }
        [handshake]
        kind = "challenge"
        mode = "hub.mode"
        mode_value = "subscribe"
        token = "hub.verify_token"
        challenge = "hub.challenge"
        [response]
        status = 202
        body = "ok"
        content_type = "text/plain"
        [items]
        each = "/entry/*"
        envelope = ["/object"]
        topic = { header = "x-topic" }
        route = { envelope = "/object" }
        dedupe = [{ pointer = "/id" }, { body = "sha256" }]
        state = { pointer = "/id" }
        priority = ["orders/paid"]
        [limits]
        deadline_ms = 100
        [capabilities]
        fetch = ["*.example.com"]
        [[events]]
        kind = "warranty.registered"
        schema = { type = "object", required = ["serial"] }
        "#,
    )
    .unwrap();
    let Some(Signature::Scheme(scheme)) = &manifest.signature else { panic!("{:?}", manifest.signature) };
    assert_eq!(scheme.algorithm, Algorithm::HmacSha256);
    assert_eq!(
        scheme.parts,
        [SignedPart::Header("X-Time".to_owned()), SignedPart::Text(".".to_owned()), SignedPart::Body]
    );
    assert_eq!(manifest.config_schema, Some(serde_json::json!({"type": "object"})));
    assert_eq!(manifest.events[0].schema, Some(serde_json::json!({"type": "object", "required": ["serial"]})));
    assert!(manifest.declares("warranty.registered") && !manifest.declares("order.placed"));
    let json = serde_json::to_value(&manifest).unwrap();
    assert_eq!(json["items"]["each"], "/entry/*");
    assert_eq!(json["items"]["dedupe"][0]["pointer"], "/id");
    assert_eq!(json["items"]["dedupe"][1]["body"], "sha256");
    assert_eq!(json["items"]["state"][0]["pointer"], "/id");
    assert_eq!(json["unsigned"][0]["form"]["webhook_id"], "digits");
}

#[test]
fn a_scheme_whose_parts_are_fields_of_one_header_is_spelled_out() {
    let manifest = parse(
        r#"
        [signature]
        header = "Stripe-Signature"
        algorithm = "hmac-sha256"
        encoding = "hex"
        prefix = "v1="
        separator = ","
        parts = [{ field = "t" }, { text = "." }, "body"]
        timestamp = { header = "Stripe-Signature", unit = "seconds", tolerance_s = 300 }
        "#,
    )
    .unwrap();
    let Some(Signature::Scheme(scheme)) = &manifest.signature else { panic!("{:?}", manifest.signature) };
    assert_eq!(scheme.parts[0], SignedPart::Field("t".to_owned()));
}

#[test]
fn a_state_may_be_found_in_several_places() {
    let manifest = parse("[items]\nstate = [{ pointer = \"/new\" }, { header = \"x\" }]").unwrap();
    assert_eq!(manifest.items.state.len(), 2);
    let json = serde_json::to_string(&manifest).unwrap();
    assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
    check(
        "[items]\nstate = \"/id\"",
        "plugin.toml:5: items.state: invalid type: string \"/id\", expected a selector, or a list of selectors",
    );
}

#[test]
fn a_scheme_of_the_gateway_is_named() {
    let manifest = parse("[signature]\nscheme = \"shopify\"").unwrap();
    assert_eq!(manifest.signature, Some(Signature::Named { scheme: "shopify".to_owned() }));
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_one_that_was_meant() {
    check(
        "[items]\ntopic = { header = \"x\" }\ndedup = []",
        "plugin.toml:6: items.dedup: unknown key `dedup`, expected one of form, query, each, envelope, topic, route, dedupe, fold, state, priority; did you mean `dedupe`?",
    );
    check(
        "[limits]\ndeadline = 5",
        "plugin.toml:5: limits.deadline: unknown key `deadline`, expected one of body_bytes, memory_bytes, deadline_ms, chunk_items, outcome_bytes; did you mean `deadline_ms`?",
    );
    check(
        "[items]\ntopic = { head = \"x\" }",
        "plugin.toml:5: items.topic.head: unknown key `head`, expected one of header, pointer, envelope, first_of, body; did you mean `header`?",
    );
    check(
        "[signature]\nheader = \"X\"\nalgoritm = \"hmac-sha256\"",
        "plugin.toml:6: signature.algoritm: unknown key `algoritm`, expected one of header, algorithm, encoding, prefix, separator, parts, key, timestamp, when, alternatives; \
         did you mean `algorithm`?",
    );
}

#[test]
fn an_unknown_word_is_told_from_an_unknown_key() {
    let rest = "[signature]\nheader = \"X\"\nalgorithm = \"hmac-sha265\"\nencoding = \"hex\"\nparts = [\"body\"]";
    check(
        rest,
        "plugin.toml:4: signature: unknown value `hmac-sha265`, expected one of hmac-sha256, hmac-sha1, secret-sha256; did you mean `hmac-sha256`?",
    );
}

#[test]
fn a_missing_or_mistyped_key_is_named() {
    let missing = Manifest::parse("plugin.toml", "name = \"x\"\nversion = \"1.0.0\"").unwrap_err().to_string();
    assert_eq!(missing, "plugin.toml: id: this key is required");
    check(
        "[handshake]\nkind = \"challenge\"\nmode = \"m\"\nmode_value = \"s\"\ntoken = \"t\"",
        "plugin.toml:4: handshake.challenge: this key is required",
    );
    check(
        "[limits]\ndeadline_ms = \"fast\"",
        "plugin.toml:5: limits.deadline_ms: invalid type: string \"fast\", expected u64",
    );
    check("[items", "plugin.toml:4: unclosed table, expected `]`");
}

#[test]
fn what_a_manifest_says_must_make_sense() {
    let head = |text: &str| Manifest::parse("plugin.toml", text).unwrap_err().to_string();
    assert_eq!(
        head("id = \"My Shop\"\nname = \"x\"\nversion = \"1.0.0\""),
        "plugin.toml:1: id: expected lower-case words joined by `-`, at most 64 characters, found \"My Shop\""
    );
    assert!(
        head("id = \"a\"\nname = \"x\"\nversion = \"1.0\"")
            .starts_with("plugin.toml:3: version: expected a version such as 1.2.0, found \"1.0\"")
    );
    check(
        "topics = [{ name = \"a\" }, { name = \"a\" }]",
        "plugin.toml:4: topics.1.name: the topic \"a\" is listed twice",
    );
    check("[items]\npriority = [\"a\"]", "plugin.toml:5: items.priority: the topic \"a\" is not listed in `topics`");
    check(
        "[signature]\nscheme = \"shopify\"\nheader = \"x\"",
        "plugin.toml:4: signature: give either `scheme` with a name, or all parts of a scheme; the keys beside `scheme` would be ignored",
    );
    check(
        "[response]\nstatus = 404",
        "plugin.toml:5: response.status: expected 200 to 299 (it answers what was accepted), found 404",
    );
    check(
        "[limits]\nmemory_bytes = 5000000000",
        "plugin.toml:5: limits.memory_bytes: expected 1048576 to 67108864, found 5000000000",
    );
    check(
        "[limits]\noutcome_bytes = 16777217",
        "plugin.toml:5: limits.outcome_bytes: expected 4096 to 16777216, found 16777217",
    );
    check(
        "[limits]\nmemory_bytes = 99999999",
        "plugin.toml:5: limits.memory_bytes: expected 1048576 to 67108864, found 99999999",
    );
    check(
        "[capabilities]\nfetch = [\"https://x\"]",
        "plugin.toml:5: capabilities.fetch.0: expected a host such as api.example.com, *.example.com, {account} or {settings.store}, found \"https://x\"",
    );
    check(
        "[[events]]\nkind = \"order.placed\"",
        "plugin.toml:5: events.0.kind: order.placed is a kind of the canonical model already",
    );
    check(
        "config_schema = \"{\"",
        "plugin.toml:4: config_schema: expected a JSON Schema as JSON text: EOF while parsing an object at line 1 column 1",
    );
}

#[test]
fn a_digest_of_the_body_tells_repeats_apart_and_nothing_else() {
    let reason = "a digest tells repeats apart and nothing else: use it under `dedupe`, and `header` or `pointer` here";
    check("[items]\nroute = { body = \"sha256\" }", &format!("plugin.toml:5: items.route: {reason}"));
    check("[items]\nstate = { body = \"sha256\" }", &format!("plugin.toml:5: items.state: {reason}"));
    check(
        "[[unsigned]]\nform = {}",
        "plugin.toml:5: unsigned.0.form: expected at least one field, found none: every empty form would be answered",
    );
}

#[test]
fn pointers_must_fit_what_the_items_are() {
    check(
        "[items]\neach = \"entry\"",
        "plugin.toml:5: items.each: expected a JSON pointer such as /entry/*/id (`*` for every element), found \"entry\"",
    );
    check(
        "[items]\neach = \"/entry/*\"\nroute = { envelope = \"/other/*/id\" }",
        "plugin.toml:6: items.route: each `*` of /other/*/id must stand where `items.each` (/entry/*) has one, after the same names",
    );
    check(
        "[items]\nenvelope = [\"/object\"]",
        "plugin.toml:5: items.envelope.0: there is nothing around the item unless `items.each` is set; use `pointer`",
    );
    check(
        "[items]\neach = \"/entry/*\"\nenvelope = [\"/a/b\", \"/a\"]",
        "plugin.toml:6: items.envelope.0: /a/b is inside /a: name each place once",
    );
    check(
        "[items]\neach = \"/*\"\ndedupe = [{ header = \"x-id\" }]",
        "plugin.toml:6: items.dedupe: all items of a delivery would count as one: add a `pointer` to what tells them apart",
    );
    check(
        "[items]\ndedupe = [{ pointer = \"/id\" }]\nfold = [{ pointer = \"/id\" }]",
        "plugin.toml:6: items.fold: `fold` counts beside ids of deliveries: name these in `dedupe`, by headers only; or put what is here into `dedupe`",
    );
    check(
        "[items]\ndedupe = [{ header = \"x-id\" }]\nfold = [{ header = \"x-event\" }]",
        "plugin.toml:6: items.fold: deliveries of different things would count as one: add a `pointer` to the thing",
    );
    check("[items]\ntopic = { first_of = [] }", "plugin.toml:5: items.topic: expected pointers, found none");
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z\\[\\]={}\"./*\n ]{0,80}") {
        let _ = parse(&text);
    }
}

#[test]
fn capabilities_and_credentials_are_read_and_their_mistakes_named() {
    let fetch = "[capabilities]\nfetch = [\"{settings.store}\", \"{account}\"]\n";
    let manifest = parse(&format!(
        "{fetch}[[capabilities.post]]\nhost = \"{{account}}\"\npath = \"/x/*/read\"\n[capabilities.rate]\nrequests = 100\n\
         [[auth]]\nhost = \"{{account}}\"\nkind = \"basic\"\nuser = \"key\"\nsecret = \"password\"\n"
    ))
    .unwrap();
    assert_eq!(manifest.capabilities.rate, Rate { requests: 100, per_s: 10, in_flight: 4 });
    assert_eq!((manifest.capabilities.post.len(), manifest.auth[0].kind), (1, AuthKind::Basic));
    let starts = |rest: &str, expected: &str| {
        let error = parse(&format!("{fetch}{rest}")).unwrap_err().to_string();
        assert!(error.contains(expected), "{rest}: {error}");
    };
    starts("answer_bytes = 9000000", "capabilities.answer_bytes: expected 1024 to 4194304, found 9000000");
    starts("[capabilities.rate]\nin_flight = 99", "capabilities.rate.in_flight: expected 1 to 16, found 99");
    starts(
        "[[capabilities.post]]\nhost = \"x\"\npath = \"/\"",
        "capabilities.post.0.host: expected a host as in `fetch`",
    );
    starts(
        "[[capabilities.post]]\nhost = \"{account}\"\npath = \"x\"",
        "capabilities.post.0.path: expected a path that begins with `/`",
    );
    let batch = |get: &str, most: u32| {
        format!(
            "[[capabilities.batch]]\nget = {get:?}\npost = \"/x/read\"\nmost = {most}\nids = \"ids\"\nanswers = \"found\"\nanswer_id = \"id\"\n"
        )
    };
    assert_eq!(parse(&format!("{fetch}{}", batch("/x/{id}", 100))).unwrap().capabilities.batch.len(), 1);
    starts(&batch("/x", 100), "capabilities.batch.0.get: expected a path with one part {id}, found \"/x\"");
    starts(&batch("x/{id}", 100), "capabilities.batch.0.get: expected a path that begins with `/`");
    starts(&batch("/x/{id}", 1), "capabilities.batch.0.most: expected 2 to 500, found 1");
    starts(&batch("/x/{id}", 9).replace("\"ids\"", "\"\""), "capabilities.batch.0.ids: expected the name of a member");
    let auth = |more: &str| format!("[[auth]]\nhost = \"{{account}}\"\nsecret = \"token\"\n{more}");
    starts(
        "[[auth]]\nhost = \"a.example\"\nkind = \"bearer\"\nsecret = \"token\"",
        "auth.0.host: \"a.example\" is not in `fetch`",
    );
    starts(&auth("kind = \"header\""), "auth.0.name: this kind needs the name");
    starts(&auth("kind = \"header\"\nname = \"Host\""), "auth.0.name: expected the name of a header");
    starts(&auth("kind = \"query\"\nname = \"a b\""), "auth.0.name: expected the name of a header");
    starts(&auth("kind = \"bearer\"\nname = \"x\""), "auth.0.name: this kind has no name");
    starts(&auth("kind = \"basic\""), "auth.0.user: `basic` needs a user");
    starts(&auth("kind = \"bearer\"\nuser = \"x\""), "auth.0.user: only `basic` and `oauth` have a user");
    starts(
        "[[auth]]\nhost = \"{account}\"\nkind = \"bearer\"\nsecret = \"To Ken\"",
        "auth.0.secret: expected a name of a-z",
    );
    starts("[[auth]]\nhost = \"{account}\"\nkind = \"digest\"\nsecret = \"x\"", "unknown value `digest`");
}

#[test]
fn a_schema_of_settings_that_is_none_is_refused() {
    let error = parse("config_schema = '{\"type\":\"objekt\"}'").unwrap_err().to_string();
    assert!(error.starts_with("plugin.toml:4: config_schema: it is no valid JSON Schema"), "{error}");
}
