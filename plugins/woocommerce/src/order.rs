//! Orders. WooCommerce tells that an order is there and that it changed; what the change was follows from what was known before.

use crate::{
    address::StoreAddress,
    line::Line,
    meta::{self, Meta},
    person::Sources,
    resource,
    shipment::{self, Parcel},
    text,
    value::{self, Gmt},
};
use serde::Deserialize;
use steps::{Known, Seen, Step, Topic};
use tidegate_plugin_sdk::{
    ContactInfo, Context, Error, Event, Interpretation, Item, Money, Order, decimal, json, json::Decimal, json::Object,
    json::Text,
};

mod steps;
mod triggers;

/// An order, as far as it matters here.
#[derive(Deserialize)]
struct StoreOrder<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    number: Option<Text<'a>>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    currency: Option<Text<'a>>,
    #[serde(borrow)]
    created_via: Option<Text<'a>>,
    #[serde(default, deserialize_with = "value::or_none")]
    date_created_gmt: Option<Gmt>,
    #[serde(default, deserialize_with = "value::or_none")]
    date_modified_gmt: Option<Gmt>,
    #[serde(default, deserialize_with = "value::or_none")]
    date_paid_gmt: Option<Gmt>,
    #[serde(default, deserialize_with = "value::or_none")]
    date_completed_gmt: Option<Gmt>,
    #[serde(borrow, default, deserialize_with = "value::or_none")]
    total: Option<Decimal<'a>>,
    #[serde(borrow, default, deserialize_with = "value::or_none")]
    total_tax: Option<Decimal<'a>>,
    #[serde(borrow, default, deserialize_with = "value::or_none")]
    shipping_total: Option<Decimal<'a>>,
    #[serde(borrow, default, deserialize_with = "value::or_none")]
    discount_total: Option<Decimal<'a>>,
    #[serde(borrow)]
    customer_id: Option<Text<'a>>,
    #[serde(borrow)]
    customer_note: Option<Text<'a>>,
    #[serde(borrow)]
    payment_method: Option<Text<'a>>,
    #[serde(borrow)]
    payment_method_title: Option<Text<'a>>,
    #[serde(borrow)]
    payment_url: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "value::or_none")]
    billing: Option<StoreAddress<'a>>,
    #[serde(borrow, default, deserialize_with = "value::or_none")]
    shipping: Option<StoreAddress<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    line_items: Vec<Line<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    coupon_lines: Vec<Coupon<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    refunds: Vec<Refund<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    meta_data: Vec<Meta<'a>>,
}

#[derive(Deserialize)]
struct Coupon<'a> {
    #[serde(borrow)]
    code: Option<Text<'a>>,
}

/// A refund; its total is negative.
#[derive(Deserialize)]
struct Refund<'a> {
    #[serde(borrow, default, deserialize_with = "value::or_none")]
    total: Option<Decimal<'a>>,
}

pub(crate) fn created(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
    changed(ctx, item, Topic::Created)
}

pub(crate) fn updated(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
    changed(ctx, item, Topic::Updated)
}

pub(crate) fn restored(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
    changed(ctx, item, Topic::Restored)
}

fn changed(ctx: &mut Context<'_>, item: &Item, topic: Topic) -> Result<Interpretation, Error> {
    let order: StoreOrder<'_> = json::parse(&item.body)?;
    let id = resource::required(order.id.as_ref(), item)?;
    if matches!(order.status(), "checkout-draft" | "auto-draft" | "draft" | "new") {
        return Err(Error::skip(format!("the order is a {}: the customer has not placed it", order.status())));
    }
    let known: Option<Known> = ctx.state()?;
    let parcels = shipment::parcels(&order.meta_data);
    let seen = order.seen(&parcels, topic)?;
    let steps = steps::steps(known.as_ref(), &seen);
    ctx.set_state(&steps::after(known.as_ref(), &seen, &steps))?;
    if steps.is_empty() {
        return Err(Error::skip(steps::nothing_new(known.as_ref(), &seen)));
    }
    let refunded = steps::refunded_now(known.as_ref(), &seen);
    let mut events = Vec::with_capacity(steps.len());
    for step in &steps {
        events.push(order.event(item, id, step, &parcels, refunded.as_deref())?);
    }
    triggers::add(events.into(), &order, &steps, steps::has_failed(known.as_ref(), &seen), ctx)
}

/// The order is in the trash, or gone. The body tells nothing but the id.
pub(crate) fn deleted(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
    let id = resource::id_of(item)?;
    let known: Option<Known> = ctx.state()?;
    if known.as_ref().is_some_and(|known| known.trashed) {
        return Err(Error::skip("the order was deleted before"));
    }
    let was_over = known.as_ref().is_some_and(Known::is_over);
    let kind = if was_over { "order.updated" } else { "order.cancelled" };
    let order = Order {
        id: id.clone(),
        status: (!was_over).then(|| "cancelled".to_owned()),
        cancel_reason: Some("deleted".to_owned()),
        ..Order::default()
    };
    let trashed_at = Some(item.received_at.clone());
    ctx.set_state(&Known { trashed: true, trashed_at, ..known.unwrap_or_default() })?;
    let event = Event::new(kind, "order", &item.received_at).with_entity("order", &id, None);
    Ok(event.with_payload(order).with_extra(Object::new().bool("deleted", Some(true))).into())
}

impl<'a> StoreOrder<'a> {
    fn status(&self) -> &str {
        self.status.as_deref().unwrap_or_default()
    }

    fn seen<'o>(&'o self, parcels: &'o [Parcel], topic: Topic) -> Result<Seen<'o>, Error> {
        Ok(Seen {
            topic,
            status: self.status(),
            modified_at: self.date_modified_gmt.as_ref(),
            paid_at: self.date_paid_gmt.as_ref(),
            completed_at: self.date_completed_gmt.as_ref(),
            refunded: self.refunded()?,
            parcels,
        })
    }

    /// What was paid back so far; `None` when nothing was.
    fn refunded(&self) -> Result<Option<String>, Error> {
        if self.refunds.is_empty() {
            return Ok(None);
        }
        let totals = self.refunds.iter().filter_map(|refund| refund.total.as_ref().map(Decimal::as_str));
        Ok(Some(total(totals)?.trim_start_matches('-').to_owned()))
    }

    fn event(
        &self,
        item: &Item,
        id: &str,
        step: &Step,
        parcels: &[Parcel],
        refunded: Option<&str>,
    ) -> Result<Event, Error> {
        let modified_at = self.date_modified_gmt.as_ref();
        let own_time = match step {
            Step::Placed => self.date_created_gmt.as_ref(),
            Step::Paid => self.date_paid_gmt.as_ref(),
            Step::Fulfilled => self.date_completed_gmt.as_ref(),
            Step::Cancelled | Step::Refunded | Step::Updated | Step::Shipped(_) => modified_at,
        };
        let occurred_at = own_time.or(modified_at).map_or(item.received_at.as_str(), Gmt::as_str);
        let event = Event::new(step.kind(), &step.key(), occurred_at).with_contact(self.contact());
        if let Step::Shipped(shipment_id) = step
            && let Some(parcel) = parcels.iter().find(|parcel| parcel.shipment.id == *shipment_id)
        {
            return Ok(self.shipped(event, id, parcel));
        }
        let mut order = self.order(id)?;
        if *step == Step::Refunded {
            order.refunded = self.money(refunded);
        }
        let event = event.with_entity("order", id, modified_at.map(Gmt::as_str));
        Ok(event.with_payload(order).with_extra(self.extra()))
    }

    fn shipped(&self, event: Event, id: &str, parcel: &Parcel) -> Event {
        let mut shipment = parcel.shipment.clone();
        shipment.order_id = Some(id.to_owned());
        shipment.order_number = json::string(self.number.as_ref());
        shipment.destination = [&self.shipping, &self.billing].into_iter().flatten().find_map(StoreAddress::address);
        let extra = Object::new().text("shipped_at", parcel.shipped_at.as_deref());
        event.with_entity("shipment", &shipment.id, None).with_payload(shipment).with_extra(extra)
    }

    fn contact(&self) -> ContactInfo {
        let sources = Sources {
            customer_id: self.customer_id.as_ref(),
            billing: self.billing.as_ref(),
            shipping: self.shipping.as_ref(),
            ..Sources::default()
        };
        sources.contact()
    }

    fn order(&self, id: &str) -> Result<Order, Error> {
        let money = |amount: &Option<Decimal<'_>>| self.money(amount.as_ref().map(Decimal::as_str));
        Ok(Order {
            id: id.to_owned(),
            number: json::string(self.number.as_ref()),
            status: Some(status(self.status()).to_owned()),
            payment_status: self.payment_status().map(str::to_owned),
            fulfillment_status: (self.status() == "completed").then(|| "fulfilled".to_owned()),
            total: money(&self.total),
            subtotal: self.subtotal()?,
            shipping: money(&self.shipping_total),
            tax: money(&self.total_tax),
            discount: money(&self.discount_total),
            refunded: self.money(self.refunded()?.as_deref()),
            items: self.line_items.iter().map(|line| line.item(self.currency())).collect(),
            shipping_address: self.shipping.as_ref().and_then(StoreAddress::address),
            billing_address: self.billing.as_ref().and_then(StoreAddress::address),
            status_url: None,
            cart_id: None,
            discount_codes: self.coupon_lines.iter().filter_map(|coupon| json::string(coupon.code.as_ref())).collect(),
            tags: Vec::new(),
            note: json::filled(self.customer_note.as_deref()).map(text::plain),
            cancel_reason: None,
            placed_at: self.date_created_gmt.as_ref().map(|at| at.as_str().to_owned()),
        })
    }

    fn currency(&self) -> Option<&str> {
        json::filled(self.currency.as_deref())
    }

    fn money(&self, amount: Option<&str>) -> Option<Money> {
        Money::of(amount, self.currency())
    }

    /// Before shipping, tax and discounts: WooCommerce gives it for each line only.
    fn subtotal(&self) -> Result<Option<Money>, Error> {
        let lines: Vec<&str> =
            self.line_items.iter().filter_map(|line| line.subtotal.as_ref().map(Decimal::as_str)).collect();
        if lines.is_empty() {
            return Ok(None);
        }
        Ok(self.money(Some(&total(lines.into_iter())?)))
    }

    fn payment_status(&self) -> Option<&'static str> {
        let (is_paid, has_refunds) = (self.date_paid_gmt.is_some(), !self.refunds.is_empty());
        match self.status() {
            "refunded" => Some("refunded"),
            _ if is_paid && has_refunds => Some("partially_refunded"),
            _ if is_paid => Some("paid"),
            "cancelled" | "trash" => None,
            // Cash on delivery is paid when it is completed; a failed payment can be tried again.
            _ => Some("pending"),
        }
    }

    /// Where the customer pays, while the store waits for that: cash on delivery is not paid there.
    fn payment_url(&self) -> Option<&str> {
        json::filled(self.payment_url.as_deref()).filter(|_| matches!(self.status(), "pending" | "failed"))
    }

    fn extra(&self) -> Object {
        Object::new()
            .text("store_status", json::filled(self.status.as_deref()))
            .text("payment_method", json::filled(self.payment_method.as_deref()))
            .text("payment_method_title", json::filled(self.payment_method_title.as_deref()))
            .text("payment_url", self.payment_url())
            .text("source", json::filled(self.created_via.as_deref()))
            .object("meta", meta::object(&self.meta_data))
    }
}

/// The canonical word. Statuses that a store's plugins add are of open orders, as far as anybody knows; `extra.store_status` has the word itself.
fn status(status: &str) -> &'static str {
    match status {
        "cancelled" | "trash" => "cancelled",
        "completed" | "refunded" => "closed",
        _ => "open",
    }
}

fn total<'t>(amounts: impl Iterator<Item = &'t str>) -> Result<String, Error> {
    decimal::sum(amounts)
        .ok_or_else(|| Error::new(format!("the amounts add up to more than {} digits", decimal::MAX_DIGITS)))
}
