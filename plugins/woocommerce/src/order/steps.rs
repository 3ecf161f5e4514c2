//! What has happened to an order, from what was known and what is told now. Pure.
//!
//! WooCommerce builds a webhook's body when it is sent, and joins changes that come close together: one `order.updated` may tell that an order was paid and completed,
//! and the same state may be told twice.

use crate::{shipment::Parcel, value::Gmt};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use tidegate_plugin_sdk::{decimal, time};

/// Of an order that was never told of before, a step counts as this change's if it happened within this time before it: an hour, because a store's queue runs when
/// somebody visits it. An order that is older than the connection must not be paid a second time.
const RECENT_MS: i64 = 3_600_000;
/// The same for parcels, whose time is a day.
const RECENT_PARCEL_MS: i64 = 2 * 86_400_000;

/// What is known of an order; the plugin's state.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq, Default)]
#[serde(default)]
pub(super) struct Known {
    /// WooCommerce's word.
    pub(super) status: String,
    /// `order.placed` was given.
    pub(super) placed: bool,
    /// It was paid.
    pub(super) paid: bool,
    /// What was paid back, a decimal.
    pub(super) refunded: Option<String>,
    /// When it was last changed.
    pub(super) modified_at: Option<String>,
    /// Parcels that were told.
    pub(super) parcels: Vec<String>,
    /// It is in the trash.
    pub(super) trashed: bool,
    /// When it came there. WooCommerce does not say it: when its webhook was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trashed_at: Option<String>,
}

impl Known {
    /// Nothing is left to be cancelled.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "cancelled" | "refunded" | "completed")
    }

    /// Whether it is still in the trash after what is seen: an update that is older than its coming there does not fetch it out.
    fn stays_trashed(&self, seen: &Seen<'_>) -> bool {
        let trashed_ms = self.trashed_at.as_deref().and_then(time::unix_ms);
        let is_older = matches!((trashed_ms, seen.modified_at), (Some(at), Some(now)) if now.unix_ms() <= at);
        self.trashed && is_older && seen.topic != Topic::Restored
    }
}

/// How far an order with this status is on its way. Two changes of one second have the same time: the one that is further on is the newer.
fn rank(status: &str) -> u8 {
    match status {
        "pending" | "failed" => 0,
        "on-hold" => 1,
        "completed" => 3,
        "cancelled" => 4,
        "refunded" => 5,
        // `processing`, and what plugins of the store add.
        _ => 2,
    }
}

/// What a webhook tells of an order.
pub(super) struct Seen<'o> {
    pub(super) topic: Topic,
    pub(super) status: &'o str,
    pub(super) modified_at: Option<&'o Gmt>,
    pub(super) paid_at: Option<&'o Gmt>,
    pub(super) completed_at: Option<&'o Gmt>,
    pub(super) refunded: Option<String>,
    pub(super) parcels: &'o [Parcel],
}

/// What the store says happened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Created,
    Updated,
    Restored,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Placed,
    Paid,
    Fulfilled,
    Cancelled,
    Refunded,
    /// A parcel, by its id.
    Shipped(String),
    /// Something else.
    Updated,
}

impl Step {
    /// The canonical kind.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Placed => "order.placed",
            Self::Paid => "order.paid",
            Self::Fulfilled => "order.fulfilled",
            Self::Cancelled => "order.cancelled",
            Self::Refunded => "order.refunded",
            Self::Shipped(_) => "shipment.created",
            Self::Updated => "order.updated",
        }
    }

    /// Tells it from the others of one webhook.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Shipped(id) => format!("shipment {id}"),
            other => other.kind().trim_start_matches("order.").to_owned(),
        }
    }
}

/// What has happened since what is known, in the order it happens.
pub(super) fn steps(known: Option<&Known>, seen: &Seen<'_>) -> Vec<Step> {
    let topic = seen.topic;
    let mut steps = Vec::new();
    if topic == Topic::Created && !known.is_some_and(|known| known.placed) {
        steps.push(Step::Placed);
    }
    if is_older(known, seen) {
        return steps;
    }
    let is_new = |before: bool, own_time: Option<&Gmt>| match known {
        Some(_) => !before,
        None => topic == Topic::Created || is_recent(own_time.map(Gmt::unix_ms), seen, RECENT_MS),
    };
    let was = |status: &str| known.is_some_and(|known| known.status == status);
    let happened = [
        (Step::Paid, seen.paid_at.is_some() && is_new(known.is_some_and(|known| known.paid), seen.paid_at)),
        (Step::Fulfilled, seen.status == "completed" && is_new(was("completed"), seen.completed_at)),
        (Step::Cancelled, seen.status == "cancelled" && !was("cancelled")),
        (Step::Refunded, is_refunded(known, seen)),
    ];
    steps.extend(happened.into_iter().filter_map(|(step, happened)| happened.then_some(step)));
    steps.extend(new_parcels(known, seen).map(|parcel| Step::Shipped(parcel.shipment.id.clone())));
    // Also when a body that was built late says that the order was created: what it tells is newer than what is known.
    let is_other = topic == Topic::Restored || !is_unchanged(known, seen);
    if steps.is_empty() && is_other {
        steps.push(Step::Updated);
    }
    steps
}

/// What is known afterwards.
pub(super) fn after(known: Option<&Known>, seen: &Seen<'_>, steps: &[Step]) -> Known {
    let before = known.cloned().unwrap_or_default();
    let placed = before.placed || steps.contains(&Step::Placed);
    if is_older(known, seen) {
        return Known { placed, ..before };
    }
    let trashed = before.stays_trashed(seen);
    let mut parcels = before.parcels;
    for parcel in seen.parcels {
        if !parcels.contains(&parcel.shipment.id) {
            parcels.push(parcel.shipment.id.clone());
        }
    }
    Known {
        status: seen.status.to_owned(),
        placed,
        paid: seen.paid_at.is_some(),
        refunded: seen.refunded.clone(),
        modified_at: seen.modified_at.map(|at| at.as_str().to_owned()).or(before.modified_at),
        parcels,
        trashed,
        trashed_at: before.trashed_at.filter(|_| trashed),
    }
}

/// Why nothing came of a webhook.
pub(super) fn nothing_new(known: Option<&Known>, seen: &Seen<'_>) -> String {
    if is_older(known, seen) {
        "a newer state of the order was told before".to_owned()
    } else {
        "nothing has changed since the order was last told".to_owned()
    }
}

/// What was paid back by this change; all of it when nothing was known.
pub(super) fn refunded_now(known: Option<&Known>, seen: &Seen<'_>) -> Option<String> {
    let before = known.and_then(|known| known.refunded.as_deref()).unwrap_or("0");
    let now = seen.refunded.as_deref()?;
    decimal::sum([now, format!("-{before}").as_str()])
}

/// Whether the payment has failed now.
pub(super) fn has_failed(known: Option<&Known>, seen: &Seen<'_>) -> bool {
    seen.status == "failed" && !is_older(known, seen) && known.is_none_or(|known| known.status != "failed")
}

/// Two webhooks on their way may overtake each other.
fn is_older(known: Option<&Known>, seen: &Seen<'_>) -> bool {
    let Some(known) = known else { return false };
    let before = known.modified_at.as_deref().and_then(time::unix_ms);
    let (Some(before), Some(now)) = (before, seen.modified_at) else { return false };
    match now.unix_ms().cmp(&before) {
        Ordering::Less => true,
        Ordering::Greater => false,
        Ordering::Equal => seen.topic != Topic::Restored && is_behind(known, seen),
    }
}

/// Of two states of one second: whether this is the one before the other.
fn is_behind(known: &Known, seen: &Seen<'_>) -> bool {
    match rank(seen.status).cmp(&rank(&known.status)) {
        Ordering::Less => true,
        Ordering::Greater => false,
        Ordering::Equal => {
            let now = seen.refunded.as_deref().unwrap_or("0");
            let before = known.refunded.as_deref().unwrap_or("0");
            decimal::compare(now, before) == Some(Ordering::Less) || known.paid && seen.paid_at.is_none()
        }
    }
}

fn is_unchanged(known: Option<&Known>, seen: &Seen<'_>) -> bool {
    let Some(known) = known else { return false };
    let modified_at = seen.modified_at.map(Gmt::as_str);
    modified_at.is_some()
        && known.modified_at.as_deref() == modified_at
        && known.status == seen.status
        && !known.trashed
}

fn is_recent(at_ms: Option<i64>, seen: &Seen<'_>, within_ms: i64) -> bool {
    match (at_ms, seen.modified_at) {
        (Some(at_ms), Some(modified_at)) => modified_at.unix_ms().saturating_sub(at_ms) <= within_ms,
        _ => false,
    }
}

/// More was paid back than before. Of an order that was not known only the whole refund is taken for new: refunds have no time here.
fn is_refunded(known: Option<&Known>, seen: &Seen<'_>) -> bool {
    let is_status = seen.status == "refunded";
    match known {
        Some(known) => {
            let grown = refunded_now(Some(known), seen).and_then(|now| decimal::compare(&now, "0"));
            grown == Some(Ordering::Greater) || is_status && known.status != "refunded" && seen.refunded.is_none()
        }
        None => is_status || seen.topic == Topic::Created && seen.refunded.is_some(),
    }
}

fn new_parcels<'s>(known: Option<&'s Known>, seen: &'s Seen<'_>) -> impl Iterator<Item = &'s Parcel> {
    seen.parcels.iter().filter(move |parcel| match known {
        Some(known) => !known.parcels.contains(&parcel.shipment.id),
        None => {
            let shipped_ms = parcel.shipped_at.as_deref().and_then(time::unix_ms);
            seen.topic == Topic::Created || is_recent(shipped_ms, seen, RECENT_PARCEL_MS)
        }
    })
}
