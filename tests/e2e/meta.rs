//! Meta's deliveries: batches, repeats, and statuses in any order.

use crate::{bare, shop, states, text};
use serde_json::{Value, json};
use std::time::Duration;
use tidegate_double::StatusManner;
use tidegate_test_support::{Customer, Gateway, META_SECRET, NUMBER_ID, Played, WABA_ID, fixture, meta};

/// A change with a text of a customer, made from the recorded one.
pub(crate) fn said(customer: &Customer, id: &str, words: &str) -> Value {
    let mut change = fixture("meta", "messages_text")["entry"][0]["changes"][0].take();
    change["value"]["metadata"]["phone_number_id"] = json!(NUMBER_ID);
    change["value"]["contacts"][0] = json!({"profile": {"name": customer.first_name}, "wa_id": customer.digits()});
    let message = &mut change["value"]["messages"][0];
    message["from"] = json!(customer.digits());
    message["id"] = json!(id);
    message["timestamp"] = json!("1772359200");
    message["text"]["body"] = json!(words);
    change
}

fn delivery(changes: &[Value]) -> Played {
    let entry = json!({"id": WABA_ID, "time": 1_772_359_200, "changes": changes});
    meta(json!({"object": "whatsapp_business_account", "entry": [entry]}).to_string(), META_SECRET)
}

/// What became of the items of a delivery, in order: `interpreted`, `duplicate` or `parked`.
pub(crate) async fn fates(gateway: &Gateway, id: &str) -> Vec<String> {
    let shown = gateway.show(id).await.expect("the delivery is kept");
    let items = shown["items"].as_array().expect("it has items");
    let fate = |item: &Value| item["result"].as_object().and_then(|result| result.keys().next().cloned());
    items.iter().map(|item| fate(item).expect("an item has a fate")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_can_t_be_read_does_not_take_the_others_with_it() {
    let mut gateway = bare().start().await;
    let mut bad = said(&Customer::nth(2), "wamid.bad", "unreadable words");
    bad["value"]["messages"] = json!("not a list");
    let changes =
        [said(&Customer::nth(1), "wamid.1", "first words"), bad, said(&Customer::nth(3), "wamid.3", "third words")];
    let id = gateway.post("meta", &delivery(&changes)).await.stored();
    gateway.settle().await;
    assert_eq!(fates(&gateway, &id).await, ["interpreted", "parked", "interpreted"]);
    let parked = gateway.parked().await;
    assert_eq!(parked[0]["field"], "/value/messages", "{parked:#?}");
    assert_eq!(parked[0]["topic"], "messages");
    let mut texts: Vec<String> =
        gateway.messages().await.iter().map(|message| text(message, "text").to_owned()).collect();
    texts.sort();
    assert_eq!(texts, ["first words", "third words"]);
    gateway.expect_parked(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_came_before_is_dropped_and_its_neighbours_are_not() {
    let mut gateway = bare().start().await;
    let (one, two, three) = (
        said(&Customer::nth(1), "wamid.1", "one"),
        said(&Customer::nth(2), "wamid.2", "two"),
        said(&Customer::nth(3), "wamid.3", "three"),
    );
    let first = gateway.post("meta", &delivery(&[one.clone(), two.clone()])).await.stored();
    gateway.settle().await;
    gateway.advance(Duration::from_secs(20)).await;
    let second = gateway.post("meta", &delivery(&[two.clone(), three])).await.stored();
    gateway.settle().await;
    assert_eq!(fates(&gateway, &first).await, ["interpreted", "interpreted"]);
    assert_eq!(fates(&gateway, &second).await, ["duplicate", "interpreted"]);
    gateway.restart().await;
    let third = gateway.post("meta", &delivery(&[one, two])).await.stored();
    gateway.settle().await;
    assert_eq!(fates(&gateway, &third).await, ["duplicate", "duplicate"]);
    assert_eq!(gateway.events_of("message.received").await.len(), 3);
    assert_eq!(gateway.messages().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_delivery_in_the_same_moment_changes_nothing() {
    let gateway = bare().flow(&answering()).template(thanks()).start().await;
    let webhook = delivery(&[said(&Customer::nth(1), "wamid.1", "one"), said(&Customer::nth(2), "wamid.2", "two")]);
    let answers = gateway.burst("meta", &vec![webhook.clone(); 8]).join_all().await;
    let first =
        answers.into_iter().map(|(_, answer)| answer.expect("an answer").stored()).next().expect("there are answers");
    gateway.settle().await;
    gateway.post("meta", &webhook).await.stored();
    gateway.settle().await;
    assert_eq!(gateway.events_of("message.received").await.len(), 2);
    assert_eq!(gateway.sent().len(), 2, "each is answered once");
    let shown = gateway.show(&first).await.expect("the delivery is kept");
    for item in shown["items"].as_array().expect("it has items") {
        let runs = item["result"]["interpreted"]["runs"].as_array();
        assert_eq!(runs.map(Vec::len), Some(1), "the trace from the item to its run is kept: {item:#}");
    }
}

fn answering() -> String {
    "flow: answer\non: message.received\nsteps:\n  - id: thank\n    send: { template: thanks }\n".to_owned()
}

fn thanks() -> tidegate_test_support::Template {
    tidegate_test_support::Template::new("thanks", &[]).language("en", "en_US", "Thank you, we will answer soon.")
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_in_the_wrong_order_or_twice_leave_a_message_where_it_belongs() {
    for manner in [StatusManner::Reversed, StatusManner::Twice] {
        let gateway = shop().start().await;
        gateway.script().set_status_manner(manner);
        gateway.orders(1, &Customer::nth(1)).await;
        gateway.settle().await;
        for _ in 0..5 {
            gateway.advance(Duration::from_secs(1)).await;
        }
        let message = gateway.only_message().await;
        assert_eq!(message["state"], "read", "{manner:?}: {message:#}");
        let mut seen = states(&message);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, ["accepted", "attempting", "delivered", "queued", "read", "sent"], "{manner:?}");
        assert_eq!(states(&message).len(), 6, "each is noted once: {message:#}");
    }
}
