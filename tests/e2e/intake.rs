//! What is taken, what is refused, and what is taken once only.

use crate::{bare, shop, text};
use tidegate_test_support::{
    Customer, Gateway, META_SECRET, Played, SHOPIFY_SECRET, VERIFY_TOKEN, meta, order, shopify,
};

const SIGNATURE: &str = "x-shopify-hmac-sha256";

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_comes_twice_is_one_event_and_one_message() {
    let mut gateway = shop().start().await;
    let webhook = gateway.order_webhook(1, &Customer::nth(1));
    let first = gateway.post("shopify", &webhook).await.stored();
    assert_eq!(gateway.post("shopify", &webhook).await.stored(), first, "a repeat is answered as the first was");
    gateway.settle().await;
    assert_eq!(gateway.post("shopify", &webhook).await.stored(), first, "also when the first is done with");
    gateway.restart().await;
    assert_eq!(gateway.post("shopify", &webhook).await.stored(), first, "also after a restart");
    gateway.settle().await;
    assert_eq!(gateway.events().await.len(), 1);
    assert_eq!(gateway.outbound().await.len(), 1);
    assert_eq!(gateway.sent().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_comes_many_times_at_once_is_one_event_and_one_message() {
    let gateway = shop().start().await;
    let webhook = gateway.order_webhook(1, &Customer::nth(1));
    let answers = gateway.burst("shopify", &vec![webhook; 16]).join_all().await;
    let mut ids: Vec<String> = answers.into_iter().map(|(_, answer)| answer.expect("an answer").stored()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1, "all are answered with the same delivery: {ids:?}");
    gateway.settle().await;
    assert_eq!(gateway.events().await.len(), 1);
    assert_eq!(gateway.sent().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_authentic_is_refused_and_nothing_of_it_is_stored() {
    let gateway = shop().start().await;
    let good = gateway.order_webhook(1, &Customer::nth(1));
    let rows = rows(&gateway).await;
    let mut altered = good.clone();
    let middle = altered.body.len() / 2;
    altered.body[middle] ^= 1;
    let mut longer = good.clone();
    longer.body.push(b' ');
    let signature = good.headers.iter().find(|(name, _)| name == SIGNATURE).expect("it is signed").1.clone();
    let other = shopify("orders/create", "w", good.body.clone(), "another secret");
    let cases: [(&str, Played); 8] = [
        ("no signature", good.clone().without(SIGNATURE)),
        ("an empty signature", good.clone().with(SIGNATURE, "")),
        ("no base64", good.clone().with(SIGNATURE, "!!!")),
        ("a shorter one", good.clone().with(SIGNATURE, &signature[..20])),
        ("the right one twice", good.clone().and(SIGNATURE, &signature)),
        ("another secret's", other),
        ("one bit of the body altered", altered),
        ("a byte added to the body", longer),
    ];
    for (what, webhook) in cases {
        let answer = gateway.post("shopify", &webhook).await;
        assert_eq!((answer.status, answer.problem().as_str()), (401, "signature-refused"), "{what}");
        assert_eq!(answer.delivery, None, "{what}");
        assert!(!answer.body.contains(SHOPIFY_SECRET) && !answer.body.contains(&signature), "{what}: {}", answer.body);
    }
    // Another provider's way of signing is no way either.
    let answer = gateway.post("shopify", &meta(good.body.clone(), SHOPIFY_SECRET)).await;
    assert_eq!(answer.status, 401);
    assert_eq!(self::rows(&gateway).await, rows, "nothing was written");
    assert!(gateway.events().await.is_empty() && gateway.parked().await.is_empty());

    gateway.post("shopify", &good).await.stored();
    gateway.settle().await;
    assert_eq!(gateway.events().await.len(), 1, "the refused ones did not take its place");
}

/// Rows written since the start.
async fn rows(gateway: &Gateway) -> serde_json::Value {
    let stats = gateway.stats().await;
    serde_json::json!([stats["rows_put"], stats["rows_deleted"]])
}

#[tokio::test(flavor = "multi_thread")]
async fn with_two_live_secrets_both_verify_and_the_one_that_matched_is_recorded() {
    let (new, old) = ("the new secret of the app", "the old secret of the app");
    let gateway = bare().secrets("shopify", &[new, old]).start().await;
    for (id, secret, index) in [("a", new, 0), ("b", old, 1)] {
        let body = order(1, &Customer::nth(1)).to_string();
        let delivery = gateway.post("shopify", &shopify("orders/create", id, body, secret)).await.stored();
        gateway.settle().await;
        let shown = gateway.ask(&["event", "show", &delivery, "--json"]).await.json().remove(0);
        assert_eq!(shown["secret_index"], index, "{shown:#}");
        let headers = shown["headers"].to_string();
        assert!(
            headers.contains("x-shopify-topic") && !headers.contains("hmac"),
            "signatures are not shown: {headers}"
        );
    }
    let answer = gateway.post("shopify", &shopify("orders/create", "c", "{}", "a third one")).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handshake_gives_the_challenge_to_who_knows_the_token() {
    let gateway = bare().start().await;
    let ask = async |endpoint: &str, query: &str| {
        let url = format!("{}?{query}", gateway.url(endpoint));
        let response = gateway.client().get(url).send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("a body"))
    };
    let right = format!("hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}&hub.challenge=1158201444");
    assert_eq!(ask("meta", &right).await, (200, "1158201444".to_owned()));
    for (query, status, code) in [
        (right.replace(VERIFY_TOKEN, "guess"), 403, "handshake-refused"),
        (right.replace("&hub.challenge=1158201444", ""), 400, "handshake-malformed"),
        (right.replace("subscribe", "unsubscribe"), 400, "handshake-malformed"),
        (right.replace(&format!("&hub.verify_token={VERIFY_TOKEN}"), ""), 400, "handshake-malformed"),
        (String::new(), 400, "handshake-malformed"),
    ] {
        let (found, body) = ask("meta", &query).await;
        assert_eq!(found, status, "{query}: {body}");
        assert!(body.contains(code) && !body.contains(VERIFY_TOKEN), "{query}: {body}");
    }
    let (status, body) = ask("shopify", &right).await;
    assert_eq!(status, 400, "this provider has no handshake: {body}");
    assert_eq!(ask("nobody", &right).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_endpoints_wrong_methods_and_long_bodies_are_refused_with_a_code() {
    const LIMIT: usize = 2_000;
    let mut gateway = bare().max_body_bytes("shopify", LIMIT).start().await;
    let rows = rows(&gateway).await;
    let signed = |length: usize| shopify("orders/create", "w", vec![b' '; length], SHOPIFY_SECRET);
    let answer = gateway.post("nowhere", &signed(10)).await;
    assert_eq!((answer.status, answer.problem().as_str()), (404, "endpoint-unknown"));
    let answer = gateway.post("shopify", &signed(LIMIT + 1)).await;
    assert_eq!((answer.status, answer.problem().as_str()), (413, "body-too-large"));
    // Of a body that is far over, the rest is not read: the connection may be closed before the answer arrives.
    if let Ok(answer) = gateway.try_post("shopify", &signed(20 << 20)).await {
        assert_eq!(answer.status, 413);
    }
    for method in [reqwest::Method::PUT, reqwest::Method::DELETE, reqwest::Method::PATCH] {
        let response = gateway.client().request(method, gateway.url("shopify")).send().await.expect("an answer");
        assert_eq!(response.status(), 405);
    }
    let elsewhere = gateway.url("x").replace("/in/x", "/v1/events");
    let response = gateway.client().get(elsewhere).send().await.expect("an answer");
    assert_eq!(response.status(), 404, "what operators may ask is not served to the world");
    assert_eq!(self::rows(&gateway).await, rows, "nothing was written");
    gateway.post("shopify", &signed(LIMIT)).await.stored();
    gateway.settle().await;
    gateway.expect_parked(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_authentic_is_taken_whatever_it_says_and_parked_with_a_reason() {
    let mut gateway = shop().start().await;
    let cases: &[(&str, &[u8])] = &[
        ("no JSON", b"order=17"),
        ("half of a JSON", b"{\"id\": 17, \"na"),
        ("no UTF-8", b"{\"id\": \"\xff\xfe\"}"),
        ("nothing", b""),
        ("another JSON", b"[]"),
        ("null", b"null"),
    ];
    for (place, (what, body)) in cases.iter().enumerate() {
        let webhook = shopify("orders/create", &format!("bad-{place}"), *body, SHOPIFY_SECRET);
        let delivery = gateway.post("shopify", &webhook).await.stored();
        gateway.settle().await;
        let parked = gateway.parked().await;
        let row = parked.iter().find(|row| row["delivery"] == delivery.as_str());
        let row = row.unwrap_or_else(|| panic!("{what} is not parked: {parked:#?}"));
        assert!(text(row, "reason").len() > 10, "{what}: {row:#}");
        assert_eq!(row["connection"], "shopify", "{what}: {row:#}");
    }
    for (place, (_, body)) in cases.iter().enumerate() {
        gateway.post("meta", &meta(*body, META_SECRET)).await.stored();
        gateway.settle().await;
        assert_eq!(gateway.parked().await.len(), cases.len() + place + 1, "{:?}", cases[place]);
    }
    gateway.expect_parked(2 * cases.len());
    gateway.orders(1, &Customer::nth(1)).await;
    gateway.settle().await;
    assert_eq!(gateway.sent().len(), 1, "the good one goes on");
}
