//! An order that was read again because its webhooks may have been lost. It is one item, and tells all that happened since a moment and was not told: what was told is
//! remembered with the order. Times in the order say what is news of an order that nobody saw before.

use super::{Remembered, ShopOrder, Step, common, triggers};
use crate::{fulfillment, refund};
use serde::Deserialize;
use tidegate_plugin_sdk::{
    Context, Error, Event, Interpretation, Item, json, json::Instant, json::Raw, json::Text, time,
};

/// The header that an order which was read again has: since when, as an instant.
pub(crate) const SINCE: &str = "x-tidegate-read-since";

/// Refunds and parcels in an order have the form that their webhooks have.
#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    refunds: Vec<Raw<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    fulfillments: Vec<Raw<'a>>,
}

/// Their ids and times.
#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    admin_graphql_api_id: Option<Text<'a>>,
    #[serde(borrow)]
    created_at: Option<Instant<'a>>,
    #[serde(borrow)]
    updated_at: Option<Instant<'a>>,
}

impl Part<'_> {
    fn id(&self) -> Result<&str, Error> {
        common::required_id(self.admin_graphql_api_id.as_ref(), self.id.as_ref())
    }

    fn is_made_since(&self, since_ms: i64) -> bool {
        is_since(self.created_at.as_ref(), since_ms)
    }
}

/// What an order that was read again tells.
pub(crate) fn read(ctx: &mut Context<'_>, item: &Item, since: &str) -> Result<Interpretation, Error> {
    let since_ms = time::unix_ms(since).ok_or_else(|| Error::new(format!("expected an instant in {SINCE}")))?;
    let order: ShopOrder<'_> = json::parse(&item.body)?;
    let parts: Parts<'_> = json::parse(&item.body)?;
    let mut known = Remembered::read(ctx)?;
    known.learn(order.customer.as_ref(), order.name.as_ref(), order.updated_at.as_ref());
    let version = order.updated_at.as_ref();
    let mut events = Vec::new();
    for (kind, at) in order.steps_since(since_ms, &parts, known.was_unpaid)? {
        let step = Step::of_order(kind, version);
        if known.is_new(&step) {
            events.push(keyed(order.event(item, kind, at.or(version))?, &step));
            known.tell_read(&step);
        }
    }
    let is_placed = events.first().is_some_and(|event| event.kind == "order.placed");
    add_refunds(&mut events, &mut known, item, &parts, since_ms)?;
    add_parcels(&mut events, &mut known, item, &parts, since_ms)?;
    let updated = Step::of_order("order.updated", version);
    if events.is_empty() && !known.is_newer(&updated) {
        return Err(Error::skip("all of it was told before"));
    }
    if events.is_empty() {
        events.push(order.event(item, "order.updated", version)?);
    }
    // Whatever was told tells of this version, and the webhooks up to it tell nothing new.
    known.tell_read(&updated);
    known.was_unpaid |= order.is_unpaid();
    known.keep(ctx)?;
    let interpretation = Interpretation::from(events);
    if is_placed { triggers::add(interpretation, &order, ctx) } else { Ok(interpretation) }
}

/// Several events of one item are told apart by their keys; that an order was placed has the one that its triggers name.
fn keyed(mut event: Event, step: &Step) -> Event {
    if event.kind != "order.placed" {
        event.event_key = step.key();
    }
    event
}

fn add_refunds(
    events: &mut Vec<Event>,
    known: &mut Remembered,
    item: &Item,
    parts: &Parts<'_>,
    since_ms: i64,
) -> Result<(), Error> {
    for refund in &parts.refunds {
        let part: Part<'_> = refund.parse()?;
        let step = Step::refund(part.id()?);
        if part.is_made_since(since_ms) && known.is_new(&step) {
            events.push(keyed(refund::event(known, item, refund.as_str())?, &step));
            known.tell_read(&step);
        }
    }
    Ok(())
}

fn add_parcels(
    events: &mut Vec<Event>,
    known: &mut Remembered,
    item: &Item,
    parts: &Parts<'_>,
    since_ms: i64,
) -> Result<(), Error> {
    for parcel in &parts.fulfillments {
        let part: Part<'_> = parcel.parse()?;
        let step = Step::parcel(part.id()?, part.updated_at.as_ref());
        let kind = if known.is_new(&step) && part.is_made_since(since_ms) {
            "shipment.created"
        } else if known.is_newer(&step) && is_since(part.updated_at.as_ref(), since_ms) {
            "shipment.updated"
        } else {
            continue;
        };
        events.push(keyed(fulfillment::event(known, item, parcel.as_str(), kind)?, &step));
        known.tell_read(&step);
    }
    Ok(())
}

impl<'a> ShopOrder<'a> {
    /// What happened to the order since a moment, in its order, with the time of it where the order has one.
    fn steps_since<'t>(
        &'t self,
        since_ms: i64,
        parts: &Parts<'a>,
        was_unpaid: bool,
    ) -> Result<Vec<(&'static str, Option<&'t Instant<'a>>)>, Error> {
        let is_placed = is_since(self.created_at.as_ref(), since_ms);
        let mut is_sent = false;
        for parcel in &parts.fulfillments {
            is_sent |= parcel.parse::<Part<'_>>()?.is_made_since(since_ms);
        }
        // When an order was paid it does not tell.
        let is_paid = self.financial_status.as_deref() == Some("paid") && (is_placed || was_unpaid);
        let is_fulfilled = self.fulfillment_status.as_deref() == Some("fulfilled") && is_sent;
        let is_cancelled = is_since(self.cancelled_at.as_ref(), since_ms);
        let steps = [
            (is_placed, "order.placed", self.created_at.as_ref()),
            (is_paid, "order.paid", None),
            (is_fulfilled, "order.fulfilled", None),
            (is_cancelled, "order.cancelled", self.cancelled_at.as_ref()),
        ];
        Ok(steps.into_iter().filter(|(is_so, ..)| *is_so).map(|(_, kind, at)| (kind, at)).collect())
    }

    /// Whether money is still to come.
    pub(super) fn is_unpaid(&self) -> bool {
        matches!(self.financial_status.as_deref(), Some("pending" | "authorized" | "partially_paid" | "unpaid"))
    }
}

fn is_since(at: Option<&Instant<'_>>, since_ms: i64) -> bool {
    at.is_some_and(|at| at.unix_ms() >= since_ms)
}
