//! Our numbers: their quality, and to how many people they may write first.

use crate::common;
use serde::Deserialize;
use tidegate_plugin_sdk::{Error, Event, Interpretation, Item, Sender, json, json::Object, json::Text};

/// `phone_number_quality_update`. It names the number, not its id.
#[derive(Deserialize)]
struct Quality<'a> {
    #[serde(borrow)]
    display_phone_number: Text<'a>,
    #[serde(borrow)]
    event: Text<'a>,
    #[serde(borrow)]
    current_limit: Option<Text<'a>>,
    #[serde(borrow)]
    max_daily_conversations_per_business: Option<Text<'a>>,
}

pub(crate) fn quality_changed(item: &Item) -> Result<Interpretation, Error> {
    let value: Quality<'_> = common::value(item)?;
    let sent = common::sent(item)?;
    // FLAGGED is the lowest of three; UNFLAGGED says only that it is no longer that.
    let quality = match value.event.as_str() {
        "FLAGGED" => Some("low"),
        "UNFLAGGED" => Some("medium"),
        _ => None,
    };
    let kind = if quality.is_some() { "sender.quality_changed" } else { "sender.limit_changed" };
    let tier = value.max_daily_conversations_per_business.as_deref().or(value.current_limit.as_deref());
    let sender = Sender {
        id: value.display_phone_number.as_str().to_owned(),
        display_number: Some(value.display_phone_number.as_str().to_owned()),
        quality: quality.map(str::to_owned),
        limit: tier.and_then(limit),
        provider_event: Some(value.event.as_str().to_owned()),
        reason: None,
    };
    let event = Event::new(kind, "sender", &sent.at).with_entity("sender", &value.display_phone_number, Some(&sent.at));
    Ok(event.with_payload(sender).into())
}

/// `business_capability_update`: since 2025 the limit is the business's, before it was each number's.
#[derive(Deserialize)]
struct Capability<'a> {
    #[serde(borrow)]
    max_daily_conversations_per_business: Option<Text<'a>>,
    #[serde(borrow)]
    max_daily_conversation_per_phone: Option<Text<'a>>,
}

pub(crate) fn capability_changed(item: &Item) -> Result<Interpretation, Error> {
    let value: Capability<'_> = common::value(item)?;
    let sent = common::sent(item)?;
    let told =
        value.max_daily_conversations_per_business.as_deref().or(value.max_daily_conversation_per_phone.as_deref());
    let limit = told.and_then(limit).ok_or_else(|| Error::skip("it tells no limit of messages"))?;
    let account = sent.account.ok_or_else(|| Error::field("/entry/0/id", "expected the account, found none"))?;
    let sender = Sender {
        id: account.clone(),
        limit: Some(limit),
        provider_event: Some(item.topic.clone()),
        ..Sender::default()
    };
    let event = Event::new("sender.limit_changed", "sender", &sent.at).with_entity("sender", &account, Some(&sent.at));
    Ok(event.with_payload(sender).with_extra(Object::new().text("scope", Some("account"))).into())
}

/// The canonical word for Meta's colours.
pub(crate) fn quality(score: &str) -> &'static str {
    match score {
        "GREEN" => "high",
        "YELLOW" => "medium",
        "RED" => "low",
        _ => "unknown",
    }
}

/// People in 24 hours: `TIER_10K`, `TIER_UNLIMITED`, or a number. `None` for words that say nothing (`TIER_NOT_SET`).
fn limit(tier: &str) -> Option<i32> {
    let tier = json::filled(Some(tier))?;
    let text = tier.strip_prefix("TIER_").unwrap_or(tier);
    match text.strip_suffix('K') {
        _ if text == "UNLIMITED" => Some(-1),
        Some(thousands) => thousands.parse::<i32>().ok()?.checked_mul(1000),
        None => text.parse().ok().filter(|limit| *limit >= -1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_from_tiers_and_numbers() {
        let check = |tier: &str, expected: Option<i32>| assert_eq!(limit(tier), expected, "{tier}");
        check("TIER_50", Some(50));
        check("TIER_250", Some(250));
        check("TIER_2K", Some(2000));
        check("TIER_100K", Some(100_000));
        check("TIER_UNLIMITED", Some(-1));
        check("2000", Some(2000));
        check("-1", Some(-1));
        for unknown in ["TIER_NOT_SET", "", "TIER_K", "-5", "TIER_9999999K"] {
            check(unknown, None);
        }
    }
}
