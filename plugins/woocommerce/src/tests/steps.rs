//! What an update is about, from what was told before.

use super::{Told, item, order_body, tell};
use serde_json::{Value, json};
use tidegate_plugin_sdk::{Item, Money, Payload};

/// A store's webhooks about one order, one after the other, as the gateway hands them over.
#[derive(Default)]
struct Story {
    state: Option<String>,
}

impl Story {
    fn tell(&mut self, topic: &str, with: &Value) -> Told {
        let body = if topic == "order.deleted" { json!({"id": 727}) } else { order_body(with) };
        let told = tell(Item { state: self.state.clone(), ..item(topic, &body) });
        self.state = told.state.clone().or(self.state.take());
        told
    }

    #[track_caller]
    fn check(&mut self, topic: &str, with: &Value, expected: &[&str]) {
        let told = self.tell(topic, with);
        assert_eq!(told.kinds(), expected, "{topic} {with} {:?}", told.skipped);
        assert_eq!(told.skipped.is_some(), expected.is_empty());
    }
}

/// This many minutes after the order was placed.
fn at(minutes: u32) -> String {
    format!("2026-03-01T{:02}:{:02}:00", 10 + minutes / 60, minutes % 60)
}

fn with(status: &str, modified: u32) -> Value {
    json!({"status": status, "date_modified_gmt": at(modified)})
}

fn paid(status: &str, modified: u32) -> Value {
    json!({"status": status, "date_modified_gmt": at(modified), "date_paid_gmt": at(2)})
}

fn completed(modified: u32) -> Value {
    json!({"status": "completed", "date_modified_gmt": at(modified), "date_paid_gmt": at(2), "date_completed_gmt": at(modified)})
}

fn refunds(totals: &[&str], mut of: Value) -> Value {
    of["refunds"] = totals.iter().map(|total| json!({"id": 1, "reason": "", "total": total})).collect();
    of
}

#[test]
fn an_order_is_placed_paid_and_fulfilled_once_each() {
    let mut story = Story::default();
    story.check("order.created", &with("pending", 0), &["order.placed"]);
    story.check("order.updated", &paid("processing", 2), &["order.paid"]);
    story.check("order.updated", &paid("processing", 5), &["order.updated"]);
    story.check("order.updated", &completed(90), &["order.fulfilled"]);
    story.check("order.updated", &completed(90), &[]);
    story.check("order.updated", &completed(91), &["order.updated"]);
}

#[test]
fn one_webhook_may_tell_several_steps_each_at_its_own_time() {
    let mut story = Story::default();
    let told = story.tell("order.created", &completed(3));
    let steps: Vec<_> = told.events.iter().map(|event| (event.kind.as_str(), event.occurred_at.as_str())).collect();
    let expected = [
        ("order.placed", "2026-03-01T10:00:00Z"),
        ("order.paid", "2026-03-01T10:02:00Z"),
        ("order.fulfilled", "2026-03-01T10:03:00Z"),
    ];
    assert_eq!(steps, expected);
    assert!(told.events.iter().all(|event| event.contact.is_some()));
    let mut story = Story::default();
    story.check("order.created", &with("pending", 0), &["order.placed"]);
    story.check("order.updated", &completed(5), &["order.paid", "order.fulfilled"]);
}

#[test]
fn an_update_that_overtook_the_creation_takes_nothing_from_it() {
    let mut story = Story::default();
    story.check("order.updated", &paid("processing", 2), &["order.paid"]);
    story.check("order.created", &paid("processing", 2), &["order.placed"]);
    story.check("order.created", &paid("processing", 2), &[]);
    let mut story = Story::default();
    story.check("order.created", &completed(9), &["order.placed", "order.paid", "order.fulfilled"]);
    let late = story.tell("order.updated", &with("pending", 1));
    assert_eq!(late.skipped.as_deref(), Some("a newer state of the order was told before"));
    let mut story = Story::default();
    story.check("order.updated", &completed(9), &["order.paid", "order.fulfilled"]);
    story.check("order.created", &with("pending", 0), &["order.placed"]);
    story.check("order.updated", &completed(10), &["order.updated"]);
}

#[test]
fn of_an_order_that_is_older_than_the_connection_only_recent_steps_count() {
    let month = json!({"status": "completed", "date_modified_gmt": at(0), "date_paid_gmt": "2026-02-01T09:00:00", "date_completed_gmt": "2026-02-03T09:00:00"});
    Story::default().check("order.updated", &month, &["order.updated"]);
    let mut now = month.clone();
    now["date_completed_gmt"] = json!("2026-03-01T09:59:58");
    Story::default().check("order.updated", &now, &["order.fulfilled"]);
    Story::default().check("order.updated", &refunds(&["-1.00"], month.clone()), &["order.updated"]);
    Story::default().check("order.updated", &with("cancelled", 0), &["order.cancelled"]);
    Story::default().check("order.updated", &refunds(&["-29.35"], with("refunded", 0)), &["order.refunded"]);
}

#[test]
fn a_draft_of_the_checkout_is_not_an_order_yet() {
    let mut story = Story::default();
    let told = story.tell("order.created", &with("checkout-draft", 0));
    assert_eq!(told.skipped.as_deref(), Some("the order is a checkout-draft: the customer has not placed it"));
    assert_eq!(story.state, None);
    story.check("order.updated", &with("checkout-draft", 1), &[]);
    // WooCommerce tells the creation when the draft becomes an order.
    story.check("order.created", &with("processing", 2), &["order.placed"]);
}

#[test]
fn an_order_is_cancelled_once() {
    let mut story = Story::default();
    story.check("order.created", &with("pending", 0), &["order.placed"]);
    story.check("order.updated", &with("cancelled", 5), &["order.cancelled"]);
    story.check("order.updated", &with("cancelled", 6), &["order.updated"]);
    story.check("order.updated", &with("on-hold", 7), &["order.updated"]);
    story.check("order.updated", &with("cancelled", 8), &["order.cancelled"]);
}

fn refunded(told: &Told) -> Option<Money> {
    match &told.events[0].payload {
        Payload::Order(order) => order.refunded.clone(),
        other => panic!("expected an order, found {other:?}"),
    }
}

#[test]
fn refunds_are_told_with_what_each_paid_back() {
    let money = |amount: &str| Money::of(Some(amount), Some("USD"));
    let mut story = Story::default();
    story.check("order.created", &paid("processing", 2), &["order.placed", "order.paid"]);
    let first = story.tell("order.updated", &refunds(&["-10.00"], paid("processing", 5)));
    assert_eq!((first.kinds(), refunded(&first)), (vec!["order.refunded"], money("10.00")));
    let other = story.tell("order.updated", &refunds(&["-10.00"], paid("processing", 6)));
    assert_eq!((other.kinds(), refunded(&other)), (vec!["order.updated"], money("10.00")), "so far");
    let rest = story.tell("order.updated", &refunds(&["-19.35", "-10.00"], paid("refunded", 7)));
    assert_eq!((rest.kinds(), refunded(&rest)), (vec!["order.refunded"], money("19.35")));
    // A refund that was entered by mistake may be deleted.
    story.check("order.updated", &refunds(&["-10.00"], paid("processing", 8)), &["order.updated"]);
}

#[test]
fn a_deleted_order_is_cancelled_unless_it_was_over() {
    let mut story = Story::default();
    story.check("order.created", &with("pending", 0), &["order.placed"]);
    let told = story.tell("order.deleted", &json!({}));
    assert_eq!((told.kinds(), told.events[0].contact.is_none()), (vec!["order.cancelled"], true));
    assert_eq!(told.events[0].extra, r#"{"deleted":true}"#);
    story.check("order.deleted", &json!({}), &[]);
    story.check("order.restored", &with("pending", 0), &["order.updated"]);
    story.check("order.deleted", &json!({}), &["order.cancelled"]);

    let mut story = Story::default();
    story.check("order.updated", &with("cancelled", 0), &["order.cancelled"]);
    story.check("order.deleted", &json!({}), &["order.updated"]);
    story.check("order.restored", &with("cancelled", 0), &["order.updated"]);
    Story::default().check("order.deleted", &json!({}), &["order.cancelled"]);
}

fn tracked(parcels: &Value, mut of: Value) -> Value {
    of["meta_data"] = json!([{"id": 9, "key": "_wc_shipment_tracking_items", "value": parcels}]);
    of
}

#[test]
fn parcels_are_told_once_each_from_the_meta_data_of_the_tracking_extensions() {
    let first = json!({"tracking_id": "a1", "tracking_number": " PN123 ", "tracking_provider": "postnord-se", "custom_tracking_provider": "", "custom_tracking_link": "", "date_shipped": "1772323200"});
    let second = json!({"tracking_number": "DR9", "tracking_provider": "", "custom_tracking_provider": "Dropp", "custom_tracking_link": "https://dropp.is/track/DR9", "date_shipped": 1_772_323_200});
    let mut story = Story::default();
    story.check("order.created", &paid("processing", 2), &["order.placed", "order.paid"]);
    let told = story.tell("order.updated", &tracked(&json!([first]), paid("processing", 5)));
    assert_eq!(told.kinds(), ["shipment.created"]);
    let event = &told.events[0];
    assert_eq!(event.entity.as_ref().map(|entity| entity.id.as_str()), Some("a1"));
    assert_eq!(event.extra, r#"{"shipped_at":"2026-03-01T00:00:00Z"}"#);
    let Payload::Shipment(shipment) = &event.payload else { panic!("expected a shipment") };
    assert_eq!((shipment.order_id.as_deref(), shipment.order_number.as_deref()), (Some("727"), Some("727")));
    assert_eq!((shipment.carrier.as_deref(), shipment.tracking_numbers[0].as_str()), (Some("postnord-se"), "PN123"));
    assert_eq!(shipment.destination.as_ref().unwrap().country.as_deref(), Some("IT"));
    let told = story.tell("order.updated", &tracked(&json!([first, second, second]), completed(9)));
    assert_eq!(told.kinds(), ["order.fulfilled", "shipment.created"]);
    let Payload::Shipment(shipment) = &told.events[1].payload else { panic!("expected a shipment") };
    assert_eq!((shipment.id.as_str(), shipment.tracking_urls[0].as_str()), ("DR9", "https://dropp.is/track/DR9"));
}

#[test]
fn old_parcels_and_lists_in_another_form_are_passed_over() {
    let old = json!([{"tracking_number": "1", "date_shipped": "1700000000"}, {"tracking_number": "2"}, {"tracking_number": ""}]);
    Story::default().check("order.updated", &tracked(&old, with("processing", 2)), &["order.updated"]);
    for odd in [json!(""), json!("PN1"), json!([1]), json!({"a": 1}), json!(null)] {
        Story::default().check("order.updated", &tracked(&odd, with("processing", 2)), &["order.updated"]);
    }
    let script = json!([{"tracking_number": "1", "custom_tracking_link": "javascript:alert(1)"}]);
    let told = Story::default().tell("order.created", &tracked(&script, with("processing", 2)));
    let Payload::Shipment(shipment) = &told.events[1].payload else { panic!("expected a shipment") };
    assert!(shipment.tracking_urls.is_empty());
}

#[test]
fn two_changes_of_one_second_are_told_apart_by_how_far_they_are() {
    for order in [["processing", "completed"], ["completed", "processing"]] {
        let mut story = Story::default();
        story.tell("order.created", &with("pending", 0));
        for status in order {
            story.tell("order.updated", &paid(status, 2));
        }
        let state = story.state.expect("it is remembered");
        assert!(state.contains(r#""status":"completed""#), "{order:?}: {state}");
    }
    for order in [[&["-10.00"][..], &["-5.00", "-10.00"]], [&["-5.00", "-10.00"], &["-10.00"]]] {
        let mut story = Story::default();
        story.tell("order.created", &paid("processing", 2));
        for totals in order {
            story.tell("order.updated", &refunds(totals, paid("processing", 5)));
        }
        let state = story.state.expect("it is remembered");
        assert!(state.contains(r#""refunded":"15.00""#), "{order:?}: {state}");
    }
}

#[test]
fn an_update_that_is_older_than_the_deletion_does_not_fetch_an_order_out_of_the_trash() {
    let trashed = |story: &Story| story.state.as_deref().is_some_and(|state| state.contains(r#""trashed":true"#));
    let mut story = Story::default();
    story.check("order.deleted", &json!({}), &["order.cancelled"]);
    // Deletions have no time of their own: the tests' webhooks are received at 10:00.
    let before = json!({"status": "pending", "date_modified_gmt": "2026-03-01T09:59:00"});
    story.check("order.created", &before, &["order.placed"]);
    assert!(trashed(&story));
    story.check("order.deleted", &json!({}), &[]);
    story.check("order.restored", &before, &["order.updated"]);
    assert!(!trashed(&story));
    story.check("order.deleted", &json!({}), &["order.cancelled"]);
    story.check("order.updated", &with("processing", 5), &["order.updated"]);
    assert!(!trashed(&story), "somebody took it out, and that was not told");
}
