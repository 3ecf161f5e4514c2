//! Orders: placed, paid, changed, fulfilled, cancelled, edited.

use crate::{
    address::ShopAddress,
    common,
    line::{self, Line},
    money::{Currencies, MoneySet},
    person::{self, Customer, Sources},
    refund::{self, Transaction},
    remembered::{Remembered, Step},
};
use serde::Deserialize;
use tidegate_plugin_sdk::{
    ContactInfo, Context, Error, Event, Interpretation, Item, Money, Order, json, json::Decimal, json::Instant,
    json::Object, json::Raw, json::Text,
};

pub(crate) mod reading;
mod triggers;

/// An order, as far as it matters here.
#[derive(Deserialize)]
struct ShopOrder<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    admin_graphql_api_id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    email: Option<Text<'a>>,
    #[serde(borrow)]
    contact_email: Option<Text<'a>>,
    #[serde(borrow)]
    phone: Option<Text<'a>>,
    #[serde(borrow)]
    customer_locale: Option<Text<'a>>,
    #[serde(borrow)]
    created_at: Option<Instant<'a>>,
    #[serde(borrow)]
    processed_at: Option<Instant<'a>>,
    #[serde(borrow)]
    updated_at: Option<Instant<'a>>,
    #[serde(borrow)]
    cancelled_at: Option<Instant<'a>>,
    #[serde(borrow)]
    closed_at: Option<Instant<'a>>,
    #[serde(borrow)]
    cancel_reason: Option<Text<'a>>,
    #[serde(borrow)]
    financial_status: Option<Text<'a>>,
    #[serde(borrow)]
    fulfillment_status: Option<Text<'a>>,
    #[serde(borrow)]
    currency: Option<Text<'a>>,
    #[serde(borrow)]
    presentment_currency: Option<Text<'a>>,
    #[serde(borrow)]
    total_price: Option<Decimal<'a>>,
    #[serde(borrow)]
    total_price_set: Option<Raw<'a>>,
    #[serde(borrow)]
    subtotal_price: Option<Decimal<'a>>,
    #[serde(borrow)]
    subtotal_price_set: Option<Raw<'a>>,
    #[serde(borrow)]
    total_tax: Option<Decimal<'a>>,
    #[serde(borrow)]
    total_tax_set: Option<Raw<'a>>,
    #[serde(borrow)]
    total_discounts: Option<Decimal<'a>>,
    #[serde(borrow)]
    total_discounts_set: Option<Raw<'a>>,
    #[serde(borrow)]
    total_shipping_price_set: Option<MoneySet<'a>>,
    #[serde(borrow)]
    order_status_url: Option<Text<'a>>,
    #[serde(borrow)]
    checkout_id: Option<Text<'a>>,
    #[serde(borrow)]
    checkout_token: Option<Text<'a>>,
    #[serde(borrow)]
    cart_token: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    discount_codes: Vec<DiscountCode<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    payment_gateway_names: Vec<Text<'a>>,
    #[serde(borrow)]
    tags: Option<Text<'a>>,
    #[serde(borrow)]
    note: Option<Text<'a>>,
    #[serde(borrow)]
    source_name: Option<Text<'a>>,
    test: Option<bool>,
    buyer_accepts_marketing: Option<bool>,
    #[serde(borrow)]
    customer: Option<Customer<'a>>,
    #[serde(borrow)]
    shipping_address: Option<ShopAddress<'a>>,
    #[serde(borrow)]
    billing_address: Option<ShopAddress<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    line_items: Vec<Line<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    refunds: Vec<Refund<'a>>,
}

#[derive(Deserialize)]
struct DiscountCode<'a> {
    #[serde(borrow)]
    code: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Refund<'a> {
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    transactions: Vec<Transaction<'a>>,
}

pub(crate) fn placed(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
    let order: ShopOrder<'_> = json::parse(&item.body)?;
    let event = order.event(item, "order.placed", order.created_at.as_ref())?;
    order.remember(ctx, "order.placed")?;
    triggers::add(event.into(), &order, ctx)
}

pub(crate) fn changed(ctx: &mut Context<'_>, item: &Item, kind: &str) -> Result<Interpretation, Error> {
    let order: ShopOrder<'_> = json::parse(&item.body)?;
    let own_time = if kind == "order.cancelled" { order.cancelled_at.as_ref() } else { None };
    let event = order.event(item, kind, own_time.or(order.updated_at.as_ref()))?;
    order.remember(ctx, kind)?;
    Ok(event.into())
}

impl ShopOrder<'_> {
    /// Keeps whose the order is and what a webhook tells of it; an error that skips the item when a reading has told it.
    fn remember(&self, ctx: &mut Context<'_>, kind: &str) -> Result<(), Error> {
        let mut known = Remembered::read(ctx)?;
        known.tell(&Step::of_order(kind, self.updated_at.as_ref()))?;
        // It was seen in this version, whatever the webhook was about.
        if self.updated_at.is_some() {
            known.saw(&Step::of_order("order.updated", self.updated_at.as_ref()));
        }
        known.learn(self.customer.as_ref(), self.name.as_ref(), self.updated_at.as_ref());
        known.was_unpaid |= self.is_unpaid();
        known.keep(ctx)
    }

    fn event(&self, item: &Item, kind: &str, own_time: Option<&Instant<'_>>) -> Result<Event, Error> {
        let id = common::required_id(self.admin_graphql_api_id.as_ref(), self.id.as_ref())?;
        let occurred_at = common::occurred_at(item, own_time.or(self.created_at.as_ref()));
        let event = Event::new(kind, "order", &occurred_at).with_contact(self.contact()).with_extra(self.extra());
        Ok(event.with_entity("order", id, self.updated_at.as_ref().map(Instant::as_str)).with_payload(self.order(id)?))
    }

    fn contact(&self) -> ContactInfo {
        let sources = Sources {
            customer: self.customer.as_ref(),
            phone: self.phone.as_ref(),
            emails: [self.email.as_ref(), self.contact_email.as_ref()],
            shipping: self.shipping_address.as_ref(),
            billing: self.billing_address.as_ref(),
            locale: self.customer_locale.as_ref(),
            ..Sources::default()
        };
        sources.contact()
    }

    fn order(&self, id: &str) -> Result<Order, Error> {
        let currencies = self.currencies();
        Ok(Order {
            id: id.to_owned(),
            number: json::string(self.name.as_ref()),
            status: Some(self.status().to_owned()),
            payment_status: self.financial_status.as_deref().and_then(payment_status).map(str::to_owned),
            fulfillment_status: self.fulfillment_status.as_deref().and_then(fulfillment_status).map(str::to_owned),
            total: currencies.customers(self.total_price.as_ref(), self.total_price_set, "/total_price_set")?,
            subtotal: currencies.customers(
                self.subtotal_price.as_ref(),
                self.subtotal_price_set,
                "/subtotal_price_set",
            )?,
            shipping: self.total_shipping_price_set.as_ref().and_then(MoneySet::customers),
            tax: currencies.customers(self.total_tax.as_ref(), self.total_tax_set, "/total_tax_set")?,
            discount: currencies.customers(
                self.total_discounts.as_ref(),
                self.total_discounts_set,
                "/total_discounts_set",
            )?,
            refunded: refund::paid_back(self.refunds.iter().flat_map(|refund| &refund.transactions))?,
            items: line::priced(&self.line_items, currencies)?,
            shipping_address: self.shipping_address.as_ref().map(ShopAddress::address),
            billing_address: self.billing_address.as_ref().map(ShopAddress::address),
            status_url: json::string(self.order_status_url.as_ref()),
            cart_id: json::string(self.checkout_id.as_ref()).or_else(|| json::string(self.checkout_token.as_ref())),
            discount_codes: self
                .discount_codes
                .iter()
                .filter_map(|discount| json::string(discount.code.as_ref()))
                .collect(),
            tags: self.tags.as_deref().map(person::list).unwrap_or_default(),
            note: json::string(self.note.as_ref()),
            cancel_reason: json::string(self.cancel_reason.as_ref()),
            placed_at: common::owned(self.processed_at.as_ref().or(self.created_at.as_ref())),
        })
    }

    fn currencies(&self) -> Currencies<'_> {
        Currencies::new(self.currency.as_ref(), self.presentment_currency.as_ref())
    }

    fn status(&self) -> &'static str {
        match (&self.cancelled_at, &self.closed_at) {
            (Some(_), _) => "cancelled",
            (None, Some(_)) => "closed",
            (None, None) => "open",
        }
    }

    fn shops_total(&self) -> Option<Money> {
        self.currencies().shops(self.total_price.as_ref())
    }

    fn extra(&self) -> Object {
        let shops_total = self.currencies().differ().then(|| self.shops_total()).flatten();
        let shops_total = shops_total
            .map(|total| Object::new().text("amount", Some(&total.amount)).text("currency", Some(&total.currency)));
        Object::new()
            .bool("test", self.test.filter(|test| *test))
            .text("source", json::filled(self.source_name.as_deref()))
            .text("checkout_token", json::filled(self.checkout_token.as_deref()))
            .text("cart_token", json::filled(self.cart_token.as_deref()))
            .bool("buyer_accepts_marketing", self.buyer_accepts_marketing)
            .object("shop_total", shops_total.unwrap_or_default())
    }
}

/// The canonical word; null and words that say nothing about money are `None`.
fn payment_status(status: &str) -> Option<&str> {
    match status {
        "pending" | "authorized" | "partially_paid" | "paid" | "partially_refunded" | "refunded" | "voided" => {
            Some(status)
        }
        "unpaid" => Some("pending"),
        // An authorization that nobody captured in time.
        "expired" => Some("voided"),
        _ => None,
    }
}

/// The canonical word; null means that nothing was sent, or that nothing needs to be, so it is `None`.
fn fulfillment_status(status: &str) -> Option<&str> {
    matches!(status, "partial" | "fulfilled" | "restocked").then_some(status)
}

/// `orders/edited` tells what was added and removed, not how the order is now.
#[derive(Deserialize)]
struct Edited<'a> {
    #[serde(borrow)]
    order_edit: OrderEdit<'a>,
}

#[derive(Deserialize)]
struct OrderEdit<'a> {
    #[serde(borrow)]
    order_id: Text<'a>,
    #[serde(borrow)]
    created_at: Option<Instant<'a>>,
    #[serde(borrow)]
    committed_at: Option<Instant<'a>>,
    notify_customer: Option<bool>,
    #[serde(borrow)]
    line_items: Option<Raw<'a>>,
}

pub(crate) fn edited(ctx: &Context<'_>, item: &Item) -> Result<Interpretation, Error> {
    let mut known = Remembered::read(ctx)?;
    let Edited { order_edit: edit } = json::parse(&item.body)?;
    let own_time = edit.committed_at.or(edit.created_at);
    known.tell(&Step::of_order("order.updated", own_time.as_ref()))?;
    let occurred_at = common::occurred_at(item, own_time.as_ref());
    let extra = Object::new()
        .bool("notify_customer", edit.notify_customer)
        .raw("edited_lines", edit.line_items.map(Raw::as_str));
    // The edit does not tell the order's status.
    let order = Order { id: edit.order_id.as_str().to_owned(), number: known.number.clone(), ..Order::default() };
    let event = Event::new("order.updated", "order", &occurred_at).with_contact(known.contact()).with_entity(
        "order",
        &edit.order_id,
        own_time.as_ref().map(Instant::as_str),
    );
    Ok(event.with_payload(order).with_extra(extra).into())
}
