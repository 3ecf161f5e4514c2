//! What a person says changes what may be said to them.

use crate::{bare, shop, states, text};
use std::time::Duration;
use tidegate_test_support::{Customer, Gateway};

async fn send(gateway: &Gateway, customer: &Customer, words: &str) -> serde_json::Value {
    let sent = gateway.ask(&["message", "send", "--to", &customer.phone, "--text", words, "--json"]).await.json();
    gateway.settle().await;
    gateway.message(&sent[0]["id"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn free_text_goes_out_while_the_window_is_open_and_not_before_or_after() {
    let mut gateway = bare().start().await;
    let customer = Customer::nth(1);
    let before = send(&gateway, &customer, "Hello before you wrote").await;
    assert_eq!(before["state"], "refused");
    assert_eq!(before["gate"][0]["check"], "window");
    assert!(text(&before["gate"][0], "reason").contains("send a template"), "{before:#}");

    gateway.writes(&customer, "where is my parcel").await;
    let within = send(&gateway, &customer, "It comes tomorrow").await;
    assert_eq!(states(&within), ["queued", "attempting", "accepted"]);
    gateway.advance(Duration::from_secs(24 * 3600 - 1)).await;
    let last = send(&gateway, &customer, "It is at the door").await;
    assert_eq!(last["state"], "accepted");
    gateway.advance(Duration::from_secs(1)).await;
    let after = send(&gateway, &customer, "Was it all right?").await;
    assert_eq!(after["state"], "refused");
    assert!(text(&after["gate"][0], "reason").contains("closed at"), "{after:#}");

    let texts: Vec<String> = gateway.sent().into_iter().map(|sent| sent.text).collect();
    assert_eq!(texts, ["It comes tomorrow", "It is at the door"]);
    let inbound = gateway.events_of("message.received").await;
    assert_eq!(inbound.len(), 1);
    gateway.advance(Duration::from_secs(5)).await;
    gateway.expect_undelivered(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_open_for_the_one_who_wrote_only() {
    let mut gateway = bare().start().await;
    let (who_wrote, other) = (Customer::nth(1), Customer::nth(2));
    gateway.writes(&who_wrote, "hello shop people").await;
    assert_eq!(send(&gateway, &other, "Hello to you as well").await["state"], "refused");
    assert_eq!(send(&gateway, &who_wrote, "Hello to you").await["state"], "accepted");
    gateway.expect_undelivered(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_holds_back_every_message_until_start() {
    let mut gateway = shop().start().await;
    let (customer, other) = (Customer::nth(1), Customer::nth(2));
    gateway.orders(1, &customer).await;
    gateway.settle().await;
    assert_eq!(gateway.sent().len(), 1);

    gateway.advance(Duration::from_secs(60)).await;
    gateway.writes(&customer, "Stop.").await;
    gateway.orders(2, &customer).await;
    gateway.orders(3, &other).await;
    gateway.settle().await;
    let sent = gateway.sent();
    assert_eq!(sent.len(), 2, "who did not say it still gets theirs: {sent:#?}");
    assert_eq!(sent[1].to, other.digits());
    let listed = gateway.ask(&["message", "list", "--json"]).await.json();
    let refused: Vec<_> = listed.iter().filter(|row| row["state"] == "refused").collect();
    assert_eq!(refused.len(), 1, "{listed:#?}");
    assert!(text(refused[0], "why").contains("opt-out"), "{:#}", refused[0]);
    let shown = gateway.ask(&["message", "list"]).await;
    assert!(shown.good().contains("the contact takes no messages on whatsapp since"), "{}", shown.out);

    // The window is open, and free text is held back as well.
    assert_eq!(send(&gateway, &customer, "Sorry to hear that").await["state"], "refused");
    gateway.restart().await;
    gateway.orders(4, &customer).await;
    gateway.settle().await;
    assert_eq!(gateway.sent().len(), 2, "a restart does not forget it");

    gateway.advance(Duration::from_secs(60)).await;
    gateway.writes(&customer, "START").await;
    gateway.orders(5, &customer).await;
    gateway.settle().await;
    assert_eq!(gateway.sent().len(), 3);
    gateway.expect_undelivered(3);
}
