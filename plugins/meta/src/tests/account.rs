//! Numbers, templates, accounts.

use super::{ConnectionChange, Payload, Sender, Template, event, failed, skipped, value};
use serde_json::{Value, json};

fn sender(field: &str, value: &Value) -> (String, Sender) {
    let event = event(field, value);
    match event.payload {
        Payload::Sender(sender) => (event.kind, sender),
        other => panic!("expected a sender, found {other:?}"),
    }
}

fn template(field: &str, parts: &Value) -> Template {
    let mut whole = json!({"message_template_id": 806_312_974_732_579_u64, "message_template_name": "welcome", "message_template_language": "pt_BR"});
    whole.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    let event = event(field, &whole);
    assert_eq!((event.kind.as_str(), event.occurred_at.as_str()), ("template.status_changed", "2025-03-31T20:11:43Z"));
    match event.payload {
        Payload::Template(template) => template,
        other => panic!("expected a template, found {other:?}"),
    }
}

fn connection(field: &str, value: &Value) -> (String, ConnectionChange) {
    let event = event(field, value);
    match event.payload {
        Payload::Connection(change) => (event.kind, change),
        other => panic!("expected a connection, found {other:?}"),
    }
}

#[test]
fn errors_of_no_message_are_the_numbers() {
    let (kind, sender) = sender("messages", &value(&json!({"errors": [{"code": 130_429, "title": "Rate limit hit"}]})));
    assert_eq!((kind.as_str(), sender.id.as_str()), ("sender.error_reported", "106540352242922"));
    assert_eq!((sender.provider_event.as_deref(), sender.reason.as_deref()), (Some("130429"), Some("Rate limit hit")));
}

#[test]
fn a_number_is_flagged_or_gets_another_limit() {
    let told = |event: &str, limit: Value| {
        let (kind, sender) = sender(
            "phone_number_quality_update",
            &json!({"display_phone_number": "15550783881", "event": event, "current_limit": limit}),
        );
        (kind, sender.quality, sender.limit)
    };
    assert_eq!(
        told("FLAGGED", json!("TIER_10K")),
        ("sender.quality_changed".to_owned(), Some("low".to_owned()), Some(10_000))
    );
    assert_eq!(told("UNFLAGGED", json!(null)), ("sender.quality_changed".to_owned(), Some("medium".to_owned()), None));
    assert_eq!(told("DOWNGRADE", json!("TIER_250")), ("sender.limit_changed".to_owned(), None, Some(250)));
    let business = json!({"display_phone_number": "1", "event": "UPGRADE", "current_limit": "TIER_NOT_SET", "max_daily_conversations_per_business": "TIER_2K"});
    assert_eq!(sender("phone_number_quality_update", &business).1.limit, Some(2000));
}

#[test]
fn a_business_has_a_limit() {
    let (kind, sender) = sender(
        "business_capability_update",
        &json!({"max_daily_conversations_per_business": -1, "max_phone_numbers_per_waba": 25}),
    );
    assert_eq!(
        (kind.as_str(), sender.id.as_str(), sender.limit),
        ("sender.limit_changed", "102290129340398", Some(-1))
    );
    assert_eq!(
        skipped("business_capability_update", &json!({"max_phone_numbers_per_waba": 25})),
        "it tells no limit of messages"
    );
}

#[test]
fn templates_change_status_quality_and_category() {
    let paused = template(
        "message_template_status_update",
        &json!({"event": "PAUSED", "reason": "NONE", "other_info": {"title": "FIRST_PAUSE", "description": "Paused for 3 hours"}}),
    );
    assert_eq!(
        (paused.status.as_deref(), paused.reason.as_deref(), paused.language.as_deref()),
        (Some("paused"), Some("Paused for 3 hours"), Some("pt-BR"))
    );
    assert_eq!(paused.id.as_deref(), Some("806312974732579"));
    let back = template("message_template_status_update", &json!({"event": "REINSTATED", "reason": "NONE"}));
    assert_eq!((back.status.as_deref(), back.reason), (Some("approved"), None));
    // Meta's own example of a quality update names the field of statuses.
    for field in ["message_template_status_update", "message_template_quality_update"] {
        let rated = template(field, &json!({"previous_quality_score": "GREEN", "new_quality_score": "RED"}));
        assert_eq!((rated.status, rated.quality.as_deref()), (None, Some("low")));
    }
    let moved =
        template("template_category_update", &json!({"previous_category": "UTILITY", "new_category": "MARKETING"}));
    assert_eq!(moved.category.as_deref(), Some("marketing"));
}

#[test]
fn a_template_without_news_or_name_is_refused() {
    assert_eq!(
        failed("message_template_status_update", &json!({"message_template_name": "x"})).0.as_deref(),
        Some("/value/event")
    );
    assert_eq!(
        failed("template_category_update", &json!({"new_category": "UTILITY"})).0.as_deref(),
        Some("/value/message_template_name")
    );
}

#[test]
fn accounts_are_warned_disabled_gone_and_back() {
    let told = |value: &Value| {
        let (kind, change) = connection("account_update", value);
        (kind, change.reason.unwrap_or_default())
    };
    let ban = |state: &str| json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state, "waba_ban_date": "April 17, 2025"}});
    assert_eq!(told(&ban("SCHEDULE_FOR_DISABLE")), ("connection.warned".to_owned(), "SCHEDULE_FOR_DISABLE".to_owned()));
    assert_eq!(told(&ban("DISABLE")), ("connection.disabled".to_owned(), "DISABLE".to_owned()));
    assert_eq!(told(&ban("REINSTATE")), ("connection.restored".to_owned(), "REINSTATE".to_owned()));
    let restricted = json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": "2026"}, {"restriction_type": "X"}]});
    assert_eq!(told(&restricted), ("connection.warned".to_owned(), "RESTRICTED_BIZ_INITIATED_MESSAGING, X".to_owned()));
    assert_eq!(told(&json!({"event": "ACCOUNT_DELETED"})).0, "connection.uninstalled");
    assert_eq!(
        skipped("account_update", &json!({"event": "PARTNER_ADDED"})),
        "the account's PARTNER_ADDED means nothing for messages"
    );
}

#[test]
fn reviews_count_when_they_are_over() {
    assert_eq!(
        connection("account_review_update", &json!({"decision": "REJECTED", "rejection_reason": "NONE"})).0,
        "connection.disabled"
    );
    assert_eq!(skipped("account_review_update", &json!({"decision": "PENDING"})), "the review is not over: PENDING");
}

#[test]
fn alerts_have_two_shapes() {
    let old = json!({"entity_type": "WABA", "entity_id": 5, "alert_severity": "CRITICAL", "alert_status": "ACTIVE", "alert_type": "OBA_APPROVED", "alert_description": "Approved"});
    let new = json!({"entity_type": "WABA", "entity_id": 5, "alert_info": {"alert_severity": "CRITICAL", "alert_status": "ACTIVE", "alert_type": "OBA_APPROVED", "alert_description": "Approved"}});
    assert_eq!(event("account_alerts", &old), event("account_alerts", &new));
    let (kind, change) = connection("account_alerts", &old);
    assert_eq!(
        (kind.as_str(), change.provider_event.as_deref(), change.reason.as_deref()),
        ("connection.warned", Some("OBA_APPROVED"), Some("Approved"))
    );
}
