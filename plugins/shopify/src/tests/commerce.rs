//! Ids, times, money, statuses, triggers.

use super::{Shopify, cart, event, event_of, item, order, outcome, shipment, skipped};
use serde_json::{Value, json};
use tidegate_plugin_sdk::{Money, Outcome, testing};

fn money(amount: &str, currency: &str) -> Option<Money> {
    Money::of(Some(amount), Some(currency))
}

#[test]
fn ids_above_2_to_the_53_are_taken_from_the_gid() {
    let rounded =
        json!({"id": 820_982_911_946_154_500_u64, "admin_graphql_api_id": "gid://shopify/Order/820982911946154508"});
    assert_eq!(order(&rounded).id, "820982911946154508");
    let exact = json!({"id": 820_982_911_946_154_508_u64});
    assert_eq!(order(&exact).id, "820982911946154508");
    let strange = json!({"id": "18446744073709551616", "admin_graphql_api_id": "not a gid"});
    assert_eq!(order(&strange).id, "18446744073709551616");
}

#[test]
fn money_is_read_from_strings_and_numbers() {
    let body = json!({"id": 1, "currency": "USD", "total_price": "388.00", "total_tax": 0, "subtotal_price": 199.5, "total_discounts": null});
    let order = order(&body);
    assert_eq!(
        (order.total, order.tax, order.subtotal, order.discount),
        (money("388.00", "USD"), money("0", "USD"), money("199.5", "USD"), None)
    );
}

#[test]
fn zero_decimal_currencies_have_no_decimals() {
    let order = order(&json!({"id": 1, "currency": "VND", "total_price": "20"}));
    assert_eq!(order.total, money("20", "VND"));
}

#[test]
fn amounts_are_in_the_currency_that_the_customer_saw() {
    let set = |amount: &str| json!({"shop_money": {"amount": "100.00", "currency_code": "USD"}, "presentment_money": {"amount": amount, "currency_code": "EUR"}});
    let body = json!({
        "id": 1, "currency": "USD", "presentment_currency": "EUR", "total_price": "100.00", "total_price_set": set("92.10"), "total_shipping_price_set": set("4.60"),
        "line_items": [{"title": "Mug", "quantity": 2, "price": "50.00", "price_set": set("46.05")}],
    });
    let event = event("orders/create", &body);
    let order = order(&body);
    assert_eq!((order.total, order.shipping), (money("92.10", "EUR"), money("4.60", "EUR")));
    assert_eq!(order.items[0].price, money("46.05", "EUR"));
    assert_eq!(event.extra, r#"{"shop_total":{"amount":"100.00","currency":"USD"}}"#);
}

#[test]
fn a_broken_amount_in_the_other_currency_is_pointed_at() {
    let body = json!({"id": 1, "currency": "USD", "presentment_currency": "EUR", "line_items": [{"price": "5", "price_set": {"presentment_money": {"amount": "a lot"}}}]});
    let Outcome::Failed(failure) = outcome(item("orders/create", &body)) else { panic!("expected a failure") };
    assert_eq!(failure.field.as_deref(), Some("/line_items/0/price_set/presentment_money/amount"));
}

#[test]
fn status_words_that_are_null_are_none() {
    let order = order(&json!({"id": 1, "financial_status": null, "fulfillment_status": null}));
    assert_eq!((order.payment_status, order.fulfillment_status, order.status.as_deref()), (None, None, Some("open")));
}

#[test]
fn status_words_are_the_canonical_ones() {
    let statuses = |financial: &str, fulfillment: &str| {
        let order = order(
            &json!({"id": 1, "financial_status": financial, "fulfillment_status": fulfillment, "closed_at": "2026-01-01T00:00:00Z"}),
        );
        (order.payment_status, order.fulfillment_status, order.status)
    };
    assert_eq!(
        statuses("partially_paid", "partial"),
        (Some("partially_paid".to_owned()), Some("partial".to_owned()), Some("closed".to_owned()))
    );
    assert_eq!(statuses("expired", "pending"), (Some("voided".to_owned()), None, Some("closed".to_owned())));
}

#[test]
fn the_time_is_the_headers_then_the_bodys_then_that_of_receipt() {
    let body = json!({"id": 1, "created_at": "2026-01-01T09:00:00+01:00", "updated_at": "2026-01-02T00:00:00Z", "cancelled_at": "2026-01-03T00:00:00Z"});
    let with_header =
        testing::with_header(item("orders/create", &body), "X-Shopify-Triggered-At", "2026-03-30T14:30:00.000000000Z");
    assert_eq!(event_of(outcome(with_header)).occurred_at, "2026-03-30T14:30:00.000000000Z");
    assert_eq!(event("orders/create", &body).occurred_at, "2026-01-01T09:00:00+01:00");
    assert_eq!(event("orders/updated", &body).occurred_at, "2026-01-02T00:00:00Z");
    assert_eq!(event("orders/cancelled", &body).occurred_at, "2026-01-03T00:00:00Z");
    assert_eq!(event("orders/updated", &json!({"id": 1})).occurred_at, "2026-03-01T10:00:00Z");
}

#[test]
fn offsets_may_be_mixed_in_one_checkout() {
    let body = json!({"id": 1, "created_at": "2026-01-01T00:00:00+00:00", "updated_at": "2025-12-31T19:00:01-05:00", "completed_at": "2026-01-01T00:00:02.000Z"});
    let event = event("checkouts/update", &body);
    assert_eq!(event.entity.unwrap().version.as_deref(), Some("2025-12-31T19:00:01-05:00"));
    assert_eq!(cart(&body).completed_at.as_deref(), Some("2026-01-01T00:00:02.000Z"));
}

#[test]
fn an_order_repeats_the_id_of_its_checkout() {
    let checkout = json!({"id": 901_414_060, "token": "bd5a8aa1", "currency": "USD", "total_price": "1.00"});
    let of_order = order(&json!({"id": 1, "checkout_id": 901_414_060, "checkout_token": "bd5a8aa1"}));
    assert_eq!(of_order.cart_id.as_deref(), Some(cart(&checkout).id.as_str()));
}

#[test]
fn a_deleted_checkout_has_an_id_and_totals_only() {
    let event = event("checkouts/delete", &json!({"id": 5, "presentment_currency": "USD", "total_price": "398.00"}));
    let tidegate_plugin_sdk::Payload::Cart(cart) = event.payload else { panic!("expected a cart") };
    assert!(cart.deleted);
    assert_eq!(cart.total, money("398.00", "USD"));
    assert_eq!(event.contact, None);
}

#[test]
fn a_refund_tells_what_was_paid_back_and_what_the_lines_were_worth() {
    let line = |subtotal: Value, tax: Value| json!({"quantity": 1, "subtotal": subtotal, "total_tax": tax, "subtotal_set": {"shop_money": {"amount": "199.00", "currency_code": "USD"}}, "line_item": {"title": "Mug", "quantity": 3}});
    let body = json!({
        "id": 7, "order_id": 1, "note": "chipped", "refund_line_items": [line(json!(199), json!(0)), line(json!("0.10"), json!(0.2))],
        "transactions": [
            {"kind": "refund", "status": "success", "amount": "150.00", "currency": "USD"},
            {"kind": "refund", "status": "failure", "amount": "1.00", "currency": "USD"},
            {"kind": "refund", "status": "pending", "amount": 0.3, "currency": "USD", "total_unsettled_set": {"shop_money": {"amount": "0.0", "currency": "USD"}}},
            {"kind": "sale", "status": "success", "amount": "99.00", "currency": "USD"},
        ],
    });
    let event = event("refunds/create", &body);
    let tidegate_plugin_sdk::Payload::Order(order) = event.payload else { panic!("expected an order") };
    assert_eq!((event.kind.as_str(), order.refunded), ("order.refunded", money("150.30", "USD")));
    assert_eq!((order.items[0].quantity.as_str(), order.note), ("1", None));
    assert_eq!(
        event.extra,
        r#"{"refund_id":"7","refund_note":"chipped","lines_value":{"amount":"199.30","currency":"USD"}}"#
    );
}

#[test]
fn a_refund_without_transactions_paid_nothing_back() {
    let event = event("refunds/create", &json!({"id": 7, "order_id": 1, "transactions": []}));
    let tidegate_plugin_sdk::Payload::Order(order) = event.payload else { panic!("expected an order") };
    assert_eq!(order.refunded, None);
}

#[test]
fn the_body_of_an_edit_is_wrapped() {
    let body = json!({"order_edit": {"id": 9, "order_id": 1, "notify_customer": true, "committed_at": "2026-01-01T00:00:00Z", "line_items": {"additions": [{"id": 3, "delta": 1}], "removals": []}}});
    let event = event("orders/edited", &body);
    assert_eq!((event.kind.as_str(), event.occurred_at.as_str()), ("order.updated", "2026-01-01T00:00:00Z"));
    assert_eq!(event.entity.unwrap().id, "1");
    assert_eq!(
        event.extra,
        r#"{"notify_customer":true,"edited_lines":{"additions":[{"id":3,"delta":1}],"removals":[]}}"#
    );
}

#[test]
fn carriers_words_become_kinds() {
    let told = |status: &str| {
        let (kind, shipment) = shipment(
            "fulfillment_events/create",
            &json!({"id": 1, "fulfillment_id": 2, "order_id": 3, "status": status}),
        );
        (kind, shipment.status.unwrap())
    };
    for (status, kind, word) in [
        ("in_transit", "shipment.updated", "in_transit"),
        ("carrier_picked_up", "shipment.updated", "in_transit"),
        ("label_printed", "shipment.updated", "pending"),
        ("out_for_delivery", "shipment.out_for_delivery", "out_for_delivery"),
        ("delivered", "shipment.delivered", "delivered"),
        ("delayed", "shipment.delayed", "delayed"),
        ("attempted_delivery", "shipment.updated", "attempted_delivery"),
        ("failure", "shipment.updated", "failed"),
    ] {
        assert_eq!(told(status), (kind.to_owned(), word.to_owned()), "{status}");
    }
}

#[test]
fn a_parcel_names_its_order_and_its_tracking() {
    let body = json!({"id": 5, "order_id": 1, "name": "#1001.12", "status": "success", "tracking_number": "T1", "tracking_numbers": [], "tracking_urls": ["https://t.example/T1"], "tracking_company": "Post"});
    let (_, parcel) = shipment("fulfillments/create", &body);
    assert_eq!(
        (parcel.order_id.as_deref(), parcel.order_number.as_deref(), parcel.status),
        (Some("1"), Some("#1001"), None)
    );
    assert_eq!(
        (parcel.tracking_numbers, parcel.tracking_urls),
        (vec!["T1".to_owned()], vec!["https://t.example/T1".to_owned()])
    );
    let (_, cancelled) = shipment("fulfillments/update", &json!({"id": 5, "name": "1001", "status": "cancelled"}));
    assert_eq!((cancelled.order_number.as_deref(), cancelled.status.as_deref()), (Some("1001"), Some("cancelled")));
}

fn triggers(settings: &str, topic: &str, body: &Value) -> Vec<String> {
    let outcome = testing::interpret_for::<Shopify>(&testing::connection(settings), &[item(topic, body)]).remove(0);
    let Outcome::Done(done) = outcome else { panic!("expected events, found {outcome:?}") };
    done.triggers.into_iter().map(|trigger| trigger.name).collect()
}

#[test]
fn a_new_order_gives_the_triggers_that_fit() {
    let body = |total: &str, orders: Value, gateway: &str| json!({"id": 1, "currency": "USD", "total_price": total, "customer": {"id": 2, "orders_count": orders}, "payment_gateway_names": [gateway]});
    let none: [&str; 0] = [];
    assert_eq!(triggers("{}", "orders/create", &body("999", json!(2), "visa")), none);
    assert_eq!(triggers("{}", "orders/create", &body("999", json!(1), "visa")), ["first-order"]);
    assert_eq!(
        triggers(r#"{"high_value_over": "250.00"}"#, "orders/create", &body("250.01", json!(null), "visa")),
        ["high-value-order"]
    );
    assert_eq!(triggers(r#"{"high_value_over": 250}"#, "orders/create", &body("250.00", json!(null), "visa")), none);
    assert_eq!(
        triggers("{}", "orders/create", &body("9", json!(null), "Cash on Delivery (COD)")),
        ["cash-on-delivery-order"]
    );
    assert_eq!(triggers("{}", "orders/create", &body("9", json!(null), "my-cod")), ["cash-on-delivery-order"]);
    assert_eq!(triggers("{}", "orders/create", &body("9", json!(null), "codex pay")), none);
    assert_eq!(triggers("{}", "orders/paid", &body("9", json!(1), "cod")), none);
    let pickup = json!({"id": 1, "fulfillment_id": 2, "order_id": 3, "status": "ready_for_pickup"});
    assert_eq!(triggers("{}", "fulfillment_events/create", &pickup), ["ready-for-pickup"]);
}

#[test]
fn a_wrong_setting_is_named() {
    let connection = testing::connection(r#"{"high_value_over": "a lot"}"#);
    let outcome = testing::interpret_for::<Shopify>(&connection, &[item("orders/create", &json!({"id": 1}))]).remove(0);
    let Outcome::Failed(failure) = outcome else { panic!("expected a failure, found {outcome:?}") };
    assert_eq!(
        failure.reason,
        "the settings of the connection, /high_value_over: expected a decimal such as -10.00, found \"a lot\""
    );
}

#[test]
fn lists_may_be_null() {
    let order = order(
        &json!({"id": 1, "line_items": null, "discount_codes": null, "refunds": null, "payment_gateway_names": null}),
    );
    assert!(order.items.is_empty() && order.discount_codes.is_empty());
}

#[test]
fn a_merge_counts_when_it_is_done() {
    let body = |status: Value| json!({"admin_graphql_api_customer_kept_id": "gid://shopify/Customer/1", "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/2", "status": status});
    for unfinished in ["failed", "in_progress", "requested"] {
        assert_eq!(
            skipped("customers/merge", &body(json!(unfinished))),
            format!("the merge is not done: {unfinished}")
        );
    }
    let event = event("customers/merge", &body(json!("completed")));
    let tidegate_plugin_sdk::Payload::Contact(change) = event.payload else { panic!("expected a contact") };
    assert_eq!(
        (event.kind.as_str(), event.entity.unwrap().id.as_str(), change.merged_ids),
        ("contact.merged", "1", vec!["2".to_owned()])
    );
}
