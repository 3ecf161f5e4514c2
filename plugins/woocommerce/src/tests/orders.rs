//! Money, dates, lines, statuses, triggers.

use super::{Woocommerce, event, item, order, order_body, tell};
use serde_json::{Value, json};
use tidegate_plugin_sdk::{Money, Outcome, testing};

fn money(amount: &str) -> Option<Money> {
    Money::of(Some(amount), Some("USD"))
}

#[test]
fn times_are_gmt_without_a_z() {
    let event = event("order.created", &order_body(&json!({"date_created": "2026-03-01T11:00:00"})));
    assert_eq!(event.occurred_at, "2026-03-01T10:00:00Z");
    assert_eq!(event.entity.unwrap().version.as_deref(), Some("2026-03-01T10:00:00Z"));
    let order = order(&json!({"date_created_gmt": "2026-03-01 10:00:00"}));
    assert_eq!(order.placed_at.as_deref(), Some("2026-03-01T10:00:00Z"));
    let order = super::order(&json!({"date_created_gmt": "2026-03-01T10:00:00+00:00", "date_paid_gmt": ""}));
    assert_eq!(order.placed_at.as_deref(), Some("2026-03-01T10:00:00+00:00"));
    let bare = super::event("order.updated", &json!({"id": 1}));
    assert_eq!(bare.occurred_at, "2026-03-01T10:00:00Z", "else when it was received");
}

#[test]
fn money_keeps_the_decimals_of_the_store() {
    let order = order(&json!({
        "total": "29.350", "total_tax": "2", "shipping_total": "", "discount_total": "0.00",
        "line_items": [
            {"id": 1, "name": "A", "quantity": 3, "price": 3.333_333, "subtotal": "10.000"},
            {"id": 2, "name": "B", "quantity": 0.5, "price": 3, "subtotal": "1.5"},
        ],
    }));
    assert_eq!(
        (order.total, order.tax, order.shipping, order.discount, order.subtotal),
        (money("29.350"), money("2"), None, money("0.00"), money("11.500"))
    );
    assert_eq!((order.items[0].quantity.as_str(), order.items[0].price.clone()), ("3", money("3.333333")));
    assert_eq!(order.items[1].quantity, "0.5");
}

#[test]
fn lines_are_written_as_people_read_them() {
    let order = order(&json!({"line_items": [
        {"id": 316, "name": "Ship Your Idea &ndash; Color: Black", "product_id": 22, "variation_id": 23, "quantity": 1, "sku": "Bar3", "price": 12,
         "meta_data": [{"key": "pa_color", "value": "black", "display_value": "Black"}, {"key": "_x", "value": "hidden"}, {"key": "size", "value": "M"}, {"key": "o", "value": {}}]},
        {"id": 317, "name": "Mug &#8211; Red", "parent_name": "Mug", "product_id": 0, "variation_id": 0, "quantity": 1, "sku": "", "image": {"id": "", "src": "https://example.com/mug.png"},
         "meta_data": [{"key": "Engraving", "value": "Ada"}]},
        {"id": 318, "name": "Box", "image": "", "parent_name": null},
    ]}));
    let [idea, mug, box_] = &order.items[..] else { panic!("expected three lines") };
    assert_eq!((idea.title.as_str(), idea.variant.as_deref()), ("Ship Your Idea – Color: Black", Some("Black, M")));
    assert_eq!((mug.title.as_str(), mug.variant.as_deref(), mug.sku.as_deref()), ("Mug", None, None));
    assert_eq!((mug.product_id.as_deref(), mug.image_url.as_deref()), (None, Some("https://example.com/mug.png")));
    assert_eq!((box_.title.as_str(), box_.quantity.as_str()), ("Box", "1"));
}

#[test]
fn statuses_become_canonical_words() {
    let check = |with: &Value, expected: (&str, Option<&str>, Option<&str>)| {
        let order = order(with);
        let found =
            (order.status.as_deref().unwrap(), order.payment_status.as_deref(), order.fulfillment_status.as_deref());
        assert_eq!(found, expected, "{with}");
    };
    let (old, refund) = ("2026-02-01T00:00:00", json!([{"id": 1, "total": "-10.00"}]));
    check(&json!({"status": "pending"}), ("open", Some("pending"), None));
    check(&json!({"status": "on-hold"}), ("open", Some("pending"), None));
    check(&json!({"status": "failed"}), ("open", Some("pending"), None));
    check(&json!({"status": "processing", "date_paid_gmt": old}), ("open", Some("paid"), None));
    check(&json!({"status": "processing"}), ("open", Some("pending"), None));
    check(
        &json!({"status": "completed", "date_paid_gmt": old, "date_completed_gmt": old}),
        ("closed", Some("paid"), Some("fulfilled")),
    );
    check(
        &json!({"status": "processing", "date_paid_gmt": old, "refunds": refund}),
        ("open", Some("partially_refunded"), None),
    );
    check(&json!({"status": "refunded", "date_paid_gmt": old, "refunds": refund}), ("closed", Some("refunded"), None));
    check(&json!({"status": "cancelled"}), ("cancelled", None, None));
    check(&json!({"status": "packed-by-robots"}), ("open", Some("pending"), None));
}

#[test]
fn the_store_s_own_words_and_what_plugins_add_are_kept() {
    let body = order_body(&json!({
        "status": "packed", "created_via": "store-api", "payment_method": "stripe", "payment_method_title": "Card", "payment_url": "https://shop.example/pay?key=1",
        "meta_data": [
            {"id": 1, "key": "delivery_slot", "value": "10-12"}, {"id": 2, "key": "_stock", "value": "yes"}, {"id": 3, "key": "points", "value": 12},
            {"id": 4, "key": "list", "value": [1]}, {"id": 5, "key": "points", "value": 13}, {"id": 6, "key": "", "value": "x"}, {"id": 7, "key": "none", "value": null},
        ],
    }));
    let extra: Value = serde_json::from_str(&event("order.updated", &body).extra).unwrap();
    let expected = json!({
        "store_status": "packed", "payment_method": "stripe", "payment_method_title": "Card", "source": "store-api",
        "meta": {"delivery_slot": "10-12", "points": "12"},
    });
    assert_eq!(extra, expected);
}

#[test]
fn the_page_to_pay_is_told_while_the_store_waits_for_the_payment() {
    let page = "https://shop.example/pay?key=1";
    for (status, expected) in [("pending", true), ("failed", true), ("processing", false), ("on-hold", false)] {
        let body = order_body(&json!({"status": status, "payment_url": page}));
        assert_eq!(event("order.updated", &body).extra.contains(page), expected, "{status}");
    }
}

#[test]
fn coupons_and_the_customer_s_note_are_read() {
    let order = order(
        &json!({"coupon_lines": [{"id": 1, "code": "10off"}, {"code": ""}], "customer_note": " leave it &amp; ring "}),
    );
    assert_eq!((order.discount_codes, order.note.as_deref()), (vec!["10off".to_owned()], Some("leave it & ring")));
}

fn triggers(topic: &str, with: &Value, settings: &str) -> Vec<(String, String, String)> {
    let item = item(topic, &order_body(with));
    match testing::interpret_for::<Woocommerce>(&testing::connection(settings), &[item]).remove(0) {
        Outcome::Done(done) => {
            done.triggers.into_iter().map(|trigger| (trigger.name, trigger.event_key, trigger.variables)).collect()
        }
        other => panic!("expected an interpretation, found {other:?}"),
    }
}

#[test]
fn a_new_order_may_be_of_high_value_or_paid_at_the_door() {
    let variables = r#"{"order_number":"727","total":"29.35","currency":"USD"}"#.to_owned();
    let trigger = |name: &str| (name.to_owned(), "placed".to_owned(), variables.clone());
    let cod = json!({"payment_method": "cod", "payment_method_title": "Contrassegno"});
    let high = r#"{"high_value_over": "29.30"}"#;
    assert_eq!(triggers("order.created", &cod, high), [trigger("high-value-order"), trigger("cash-on-delivery-order")]);
    assert_eq!(triggers("order.created", &json!({}), r#"{"high_value_over": 29.35}"#), []);
    assert_eq!(triggers("order.created", &json!({}), "{}"), []);
    assert_eq!(triggers("order.updated", &cod, high), [], "only when it is placed");
}

#[test]
fn a_failed_payment_is_a_trigger_once() {
    let failed = json!({"status": "failed", "payment_url": "https://shop.example/pay"});
    let found = triggers("order.updated", &failed, "{}");
    assert_eq!((found.len(), found[0].0.as_str(), found[0].1.as_str()), (1, "payment-failed", "updated"));
    assert!(found[0].2.contains("https://shop.example/pay"), "{}", found[0].2);
    let first = tell(item("order.updated", &order_body(&failed)));
    let later = order_body(&json!({"status": "failed", "date_modified_gmt": "2026-03-01T10:05:00"}));
    let again = tell(tidegate_plugin_sdk::Item { state: first.state, ..item("order.updated", &later) });
    assert_eq!((again.kinds(), again.triggers.len()), (vec!["order.updated"], 0));
}
