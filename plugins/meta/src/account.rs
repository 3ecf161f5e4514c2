//! The account: reviewed, warned, banned, gone, back.

use crate::common;
use serde::Deserialize;
use tidegate_plugin_sdk::{ConnectionChange, Error, Event, Interpretation, Item, json, json::Object, json::Text};

/// `account_update`. Which part is there depends on `event`.
#[derive(Deserialize)]
struct Update<'a> {
    #[serde(borrow)]
    event: Text<'a>,
    #[serde(borrow)]
    violation_info: Option<Violation<'a>>,
    #[serde(borrow)]
    ban_info: Option<Ban<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    restriction_info: Vec<Restriction<'a>>,
    #[serde(borrow)]
    waba_info: Option<Waba<'a>>,
}

#[derive(Deserialize)]
struct Violation<'a> {
    #[serde(borrow)]
    violation_type: Option<Text<'a>>,
}

/// The date is written for people: `April 17, 2025`.
#[derive(Deserialize)]
struct Ban<'a> {
    #[serde(borrow)]
    waba_ban_state: Option<Text<'a>>,
    #[serde(borrow)]
    waba_ban_date: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Restriction<'a> {
    #[serde(borrow)]
    restriction_type: Option<Text<'a>>,
}

/// The account that a partner lost: the entry may be the partner's own.
#[derive(Deserialize)]
struct Waba<'a> {
    #[serde(borrow)]
    waba_id: Option<Text<'a>>,
}

pub(crate) fn changed(item: &Item) -> Result<Interpretation, Error> {
    let update: Update<'_> = common::value(item)?;
    let ban_state = update.ban_info.as_ref().and_then(|ban| ban.waba_ban_state.as_deref());
    let kind = match (update.event.as_str(), ban_state) {
        ("DISABLED_UPDATE", Some("REINSTATE")) | ("ACCOUNT_RECONNECTED", _) => "connection.restored",
        ("DISABLED_UPDATE", Some("SCHEDULE_FOR_DISABLE")) | ("ACCOUNT_VIOLATION" | "ACCOUNT_RESTRICTION", _) => {
            "connection.warned"
        }
        ("DISABLED_UPDATE", _) => "connection.disabled",
        ("ACCOUNT_DELETED" | "ACCOUNT_OFFBOARDED" | "PARTNER_REMOVED" | "PARTNER_APP_UNINSTALLED", _) => {
            "connection.uninstalled"
        }
        (other, _) => return Err(Error::skip(format!("the account's {other} means nothing for messages"))),
    };
    let account = update.waba_info.as_ref().and_then(|waba| json::string(waba.waba_id.as_ref()));
    let date = update.ban_info.as_ref().and_then(|ban| json::filled(ban.waba_ban_date.as_deref()));
    let extra = Object::new().text("ban_state", ban_state).text("ban_date", date);
    event(item, kind, account, &update.event, update.reason(), extra)
}

impl Update<'_> {
    fn reason(&self) -> Option<String> {
        let violation = self.violation_info.as_ref().and_then(|info| json::string(info.violation_type.as_ref()));
        let restrictions: Vec<_> =
            self.restriction_info.iter().filter_map(|info| json::filled(info.restriction_type.as_deref())).collect();
        let ban = || self.ban_info.as_ref().and_then(|ban| json::string(ban.waba_ban_state.as_ref()));
        violation.or_else(|| (!restrictions.is_empty()).then(|| restrictions.join(", "))).or_else(ban)
    }
}

/// `account_review_update`
#[derive(Deserialize)]
struct Review<'a> {
    #[serde(borrow)]
    decision: Text<'a>,
    #[serde(borrow)]
    rejection_reason: Option<Text<'a>>,
}

pub(crate) fn reviewed(item: &Item) -> Result<Interpretation, Error> {
    let review: Review<'_> = common::value(item)?;
    let kind = match review.decision.as_str() {
        "APPROVED" => "connection.restored",
        "REJECTED" => "connection.disabled",
        other => return Err(Error::skip(format!("the review is not over: {other}"))),
    };
    let reason = json::string(review.rejection_reason.as_ref()).filter(|reason| reason != "NONE");
    let word = ["REVIEW_", review.decision.as_str()].concat();
    event(item, kind, None, &word, reason, Object::new())
}

/// `account_alerts`. The oldest form has the alert's parts in the value itself.
#[derive(Deserialize)]
struct Alert<'a> {
    #[serde(borrow)]
    entity_type: Option<Text<'a>>,
    #[serde(borrow)]
    entity_id: Option<Text<'a>>,
    #[serde(borrow)]
    alert_info: Option<AlertInfo<'a>>,
    #[serde(borrow)]
    alert_severity: Option<Text<'a>>,
    #[serde(borrow)]
    alert_status: Option<Text<'a>>,
    #[serde(borrow)]
    alert_type: Option<Text<'a>>,
    #[serde(borrow)]
    alert_description: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct AlertInfo<'a> {
    #[serde(borrow)]
    alert_severity: Option<Text<'a>>,
    #[serde(borrow)]
    alert_status: Option<Text<'a>>,
    #[serde(borrow)]
    alert_type: Option<Text<'a>>,
    #[serde(borrow)]
    alert_description: Option<Text<'a>>,
}

pub(crate) fn alerted(item: &Item) -> Result<Interpretation, Error> {
    let alert: Alert<'_> = common::value(item)?;
    let Alert { alert_severity, alert_status, alert_type, alert_description, .. } = alert;
    let info = alert.alert_info.unwrap_or(AlertInfo { alert_severity, alert_status, alert_type, alert_description });
    let word = json::filled(info.alert_type.as_deref())
        .ok_or_else(|| Error::field("/value/alert_info/alert_type", "expected the kind of alert, found none"))?;
    let lower = |text: Option<&Text<'_>>| json::filled(text.map(Text::as_str)).map(str::to_ascii_lowercase);
    let extra = Object::new()
        .text("severity", lower(info.alert_severity.as_ref()).as_deref())
        .text("status", lower(info.alert_status.as_ref()).as_deref())
        .text("about", lower(alert.entity_type.as_ref()).as_deref())
        .text("about_id", json::filled(alert.entity_id.as_deref()));
    event(item, "connection.warned", None, word, json::string(info.alert_description.as_ref()), extra)
}

/// An event about the account: the one named, else the entry's.
fn event(
    item: &Item,
    kind: &str,
    account: Option<String>,
    word: &str,
    reason: Option<String>,
    extra: Object,
) -> Result<Interpretation, Error> {
    let sent = common::sent(item)?;
    let account = account.or(sent.account);
    let change = ConnectionChange { account: account.clone(), provider_event: Some(word.to_owned()), reason };
    let mut event = Event::new(kind, "connection", &sent.at).with_payload(change).with_extra(extra);
    if let Some(account) = account {
        event = event.with_entity("connection", &account, Some(&sent.at));
    }
    Ok(event.into())
}
