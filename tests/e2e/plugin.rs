//! A plugin that fails: its item waits for a person, the others go on, and a mended plugin reads what waited.

use crate::{bare, text};
use serde_json::{Value, json};
use tidegate_test_support::{Brittle, Customer, Gateway, Played, Template};

pub(crate) const WELCOME: &str = "
flow: welcome
on: appointment.booked
steps:
  - id: welcome
    send:
      template: booked
      parameters: { number: \"{{ event.appointment.id }}\" }
";

pub(crate) fn booked() -> Template {
    Template::new("booked", &["number"]).language("en", "en_US", "Your booking {{number}} is made. See you.")
}

/// A booking; without a name it makes the defective plugin trap.
pub(crate) fn booking(gateway: &Gateway, n: u32, name: Option<&str>) -> Played {
    let mut body = json!({"id": format!("B{n}"), "phone": Customer::nth(n).phone});
    if let Some(name) = name {
        body["name"] = json!(name);
    }
    gateway.webhook("booking/made", &body)
}

pub(crate) fn texts(gateway: &Gateway) -> Vec<String> {
    let mut texts: Vec<String> = gateway.sent().into_iter().map(|sent| sent.text).collect();
    texts.sort();
    texts
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_makes_its_plugin_trap_is_parked_and_a_mended_plugin_reads_it_later() {
    let mut gateway = bare().brittle().template(booked()).flow(WELCOME).start().await;
    // Stored while nothing is interpreted, so that all of them are interpreted together afterwards.
    gateway.set("TIDEGATE_WORKERS__PAUSED", "true");
    gateway.restart().await;
    let mut ids = Vec::new();
    for (n, name) in [(1, Some("Ann")), (2, None), (3, Some("Cem")), (4, None), (5, Some("Eva"))] {
        ids.push(gateway.post("brittle", &booking(&gateway, n, name)).await.stored());
    }
    gateway.set("TIDEGATE_WORKERS__PAUSED", "false");
    gateway.restart().await;
    gateway.settle().await;
    assert_eq!(texts(&gateway), [1, 3, 5].map(|n| format!("Your booking B{n} is made. See you.")));

    let failed = gateway.ask(&["event", "list", "--failed", "--json"]).await.json();
    let mut parked: Vec<&str> = failed.iter().map(|row| text(row, "delivery")).collect();
    parked.sort_unstable();
    let mut expected = [ids[1].as_str(), ids[3].as_str()];
    expected.sort_unstable();
    assert_eq!(parked, expected, "{failed:#?}");
    for row in &failed {
        assert_eq!((text(row, "topic"), text(row, "connection")), ("booking/made", "brittle"));
        assert!(text(row, "reason").contains("trap") || text(row, "reason").contains("panic"), "{row:#}");
    }
    let shown = gateway.ask(&["event", "list", "--failed"]).await;
    assert!(shown.good().contains(&ids[1]) && shown.out.contains("REASON"), "{}", shown.out);

    // With the same plugin a replay parks it again, once.
    let again = gateway.ask(&["event", "replay", &ids[1], "--apply"]).await;
    assert!(again.good().contains("parked again"), "{}", again.out);
    gateway.settle().await;
    assert_eq!(gateway.parked().await.len(), 2);

    gateway.install(Brittle::Mended);
    gateway.restart().await;
    let answer = gateway.ask(&["event", "replay", &ids[1], "--apply", "--json"]).await.json();
    assert_eq!(answer[0]["items"][0]["applied"]["result"], "written", "{answer:#?}");
    gateway.settle().await;
    assert_eq!(texts(&gateway), [1, 2, 3, 5].map(|n| format!("Your booking B{n} is made. See you.")));
    let shown: Value = gateway.show(&ids[1]).await.expect("the delivery is kept");
    assert_eq!(shown["items"].as_array().map(Vec::len), Some(1));
    let event = text(&shown["items"][0]["result"]["interpreted"]["outcome"]["done"]["events"][0], "id");
    assert_eq!(gateway.show(event).await.expect("the event is kept")["plugin"], "brittle@0.1.1");

    let again = gateway.ask(&["event", "replay", &ids[1], "--apply"]).await;
    assert!(again.good().ends_with("no difference\n"), "{}", again.out);
    gateway.ask(&["event", "replay", &ids[3], "--apply"]).await.good();
    gateway.settle().await;
    assert_eq!(texts(&gateway), [1, 2, 3, 4, 5].map(|n| format!("Your booking B{n} is made. See you.")));
    assert_eq!(gateway.events().await.len(), 5);
    assert!(gateway.parked().await.is_empty());
}
