//! An order becomes a message, and the message reaches a person.

use crate::{CONFIRMATION, bare, order_confirmation, shop, states, text};
use std::time::Duration;
use tidegate_test_support::{Customer, NUMBER_ID};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_becomes_a_message_that_is_delivered_and_read() {
    let gateway = shop().start().await;
    let customer = Customer::nth(1);
    let delivery = gateway.orders(1042, &customer).await;
    gateway.settle().await;

    let sent = gateway.sent();
    assert_eq!(sent.len(), 1, "{sent:#?}");
    let sent = &sent[0];
    assert_eq!(sent.phone_number_id, NUMBER_ID);
    assert_eq!(sent.to, customer.digits());
    assert_eq!(sent.template.as_deref(), Some("order_confirmation"));
    assert_eq!(sent.language.as_deref(), Some("en_US"));
    let values: Vec<&str> = sent.parameters.iter().map(|parameter| parameter.value.as_str()).collect();
    assert_eq!(values, ["Robin1", "#1042", "99.35 GBP"]);
    assert_eq!(sent.text, "Hi Robin1, thank you for your order #1042 (99.35 GBP). See you.");

    let message = gateway.only_message().await;
    assert_eq!(states(&message), ["queued", "attempting", "accepted"]);
    assert_eq!(
        sent.callback_data.as_deref(),
        message["id"].as_str(),
        "our id goes along, so that a status can name it"
    );

    gateway.advance(Duration::from_secs(5)).await;
    let message = gateway.message(&message["id"]).await;
    assert_eq!(states(&message), ["queued", "attempting", "accepted", "sent", "delivered", "read"]);
    assert_eq!(message["state"], "read");
    assert_eq!(message["attempts"], 1);
    assert_eq!(message["provider_id"], sent.id);
    assert_eq!(message["pricing"]["category"], "utility");
    assert_eq!(message["pricing"]["billable"], true);
    assert_eq!(gateway.sent().len(), 1);

    // From the delivery to the message, everything leads on to the next.
    let delivery = gateway.show(&delivery).await.expect("the delivery is kept");
    let events = &delivery["items"][0]["result"]["interpreted"]["outcome"]["done"]["events"];
    let event = gateway.show(text(&events[0], "id")).await.expect("the event is kept");
    assert_eq!(event["event"]["kind"], "order.placed");
    assert_eq!(event["runs"][0]["flow"], "order-confirmation");
    assert_eq!(event["messages"][0]["id"], message["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_written_to_in_their_language_and_else_in_the_default_one() {
    let gateway = shop().start().await;
    for (n, locale, code) in [(1, "it-IT", "it"), (2, "fr-FR", "en_US"), (3, "it", "it")] {
        let customer = Customer { locale: locale.to_owned(), ..Customer::nth(n) };
        gateway.orders(n, &customer).await;
        gateway.settle().await;
        let sent = gateway.sent();
        let sent = sent.iter().find(|sent| sent.to == customer.digits()).expect("the message went out");
        assert_eq!(sent.language.as_deref(), Some(code), "for {locale}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_without_any_phone_number_gives_an_event_and_a_message_that_says_what_it_lacks() {
    let mut gateway = bare().template(order_confirmation()).flow(CONFIRMATION).start().await;
    let mut order = tidegate_test_support::order(7, &Customer::nth(7));
    order["phone"] = serde_json::Value::Null;
    order["customer"]["phone"] = serde_json::Value::Null;
    for address in ["billing_address", "shipping_address"] {
        order[address]["phone"] = serde_json::Value::Null;
    }
    order["customer"]["default_address"]["phone"] = serde_json::Value::Null;
    gateway.post("shopify", &gateway.webhook("orders/create", &order)).await.stored();
    gateway.settle().await;
    assert_eq!(gateway.events_of("order.placed").await.len(), 1);
    let message = gateway.only_message().await;
    assert_eq!(message["state"], "refused");
    assert!(text(&message["gate"][0], "reason").contains("no phone number is known"), "{message:#}");
    assert!(gateway.sent().is_empty());
    gateway.expect_undelivered(1);
}
