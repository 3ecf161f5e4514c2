//! Checkouts. Shopify does not tell that one was abandoned: that is a checkout with a person and without an order after some time, which a flow waits for.

use crate::{
    address::ShopAddress,
    common,
    line::{self, Line},
    money::Currencies,
    person::{Customer, Sources},
};
use serde::Deserialize;
use tidegate_plugin_sdk::{
    Cart, Error, Event, Interpretation, Item, json, json::Decimal, json::Instant, json::Object, json::Raw, json::Text,
};

/// A checkout. When it is deleted, only id and totals are sent.
#[derive(Deserialize)]
struct Checkout<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    token: Option<Text<'a>>,
    #[serde(borrow)]
    cart_token: Option<Text<'a>>,
    #[serde(borrow)]
    email: Option<Text<'a>>,
    #[serde(borrow)]
    phone: Option<Text<'a>>,
    #[serde(borrow)]
    sms_marketing_phone: Option<Text<'a>>,
    #[serde(borrow)]
    customer_locale: Option<Text<'a>>,
    #[serde(borrow)]
    created_at: Option<Instant<'a>>,
    #[serde(borrow)]
    updated_at: Option<Instant<'a>>,
    #[serde(borrow)]
    completed_at: Option<Instant<'a>>,
    #[serde(borrow)]
    currency: Option<Text<'a>>,
    #[serde(borrow)]
    presentment_currency: Option<Text<'a>>,
    #[serde(borrow)]
    total_price: Option<Decimal<'a>>,
    #[serde(borrow)]
    total_price_set: Option<Raw<'a>>,
    #[serde(borrow)]
    abandoned_checkout_url: Option<Text<'a>>,
    buyer_accepts_marketing: Option<bool>,
    buyer_accepts_sms_marketing: Option<bool>,
    #[serde(borrow)]
    customer: Option<Customer<'a>>,
    #[serde(borrow)]
    shipping_address: Option<ShopAddress<'a>>,
    #[serde(borrow)]
    billing_address: Option<ShopAddress<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    line_items: Vec<Line<'a>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Kept,
    Deleted,
}

pub(crate) fn changed(item: &Item) -> Result<Interpretation, Error> {
    event(item, Fate::Kept)
}

pub(crate) fn deleted(item: &Item) -> Result<Interpretation, Error> {
    event(item, Fate::Deleted)
}

fn event(item: &Item, fate: Fate) -> Result<Interpretation, Error> {
    let checkout: Checkout<'_> = json::parse(&item.body)?;
    let id = common::required_id(None, checkout.id.as_ref().or(checkout.token.as_ref()))?;
    let currencies = Currencies::new(checkout.currency.as_ref(), checkout.presentment_currency.as_ref());
    let cart = Cart {
        id: id.to_owned(),
        total: currencies.customers(checkout.total_price.as_ref(), checkout.total_price_set, "/total_price_set")?,
        items: line::priced(&checkout.line_items, currencies)?,
        recovery_url: json::string(checkout.abandoned_checkout_url.as_ref()),
        completed_at: common::owned(checkout.completed_at.as_ref()),
        deleted: fate == Fate::Deleted,
    };
    let occurred_at = common::occurred_at(item, checkout.updated_at.as_ref().or(checkout.created_at.as_ref()));
    let event = Event::new("cart.updated", "cart", &occurred_at)
        .with_contact(checkout.sources().contact())
        .with_extra(checkout.extra());
    Ok(event.with_entity("cart", id, checkout.updated_at.as_ref().map(Instant::as_str)).with_payload(cart).into())
}

impl<'a> Checkout<'a> {
    fn sources(&self) -> Sources<'_, 'a> {
        Sources {
            customer: self.customer.as_ref(),
            phone: self.phone.as_ref(),
            sms_phone: self.sms_marketing_phone.as_ref(),
            emails: [self.email.as_ref(), None],
            shipping: self.shipping_address.as_ref(),
            billing: self.billing_address.as_ref(),
            locale: self.customer_locale.as_ref(),
        }
    }

    fn extra(&self) -> Object {
        Object::new()
            .text("checkout_token", json::filled(self.token.as_deref()))
            .text("cart_token", json::filled(self.cart_token.as_deref()))
            .bool("buyer_accepts_marketing", self.buyer_accepts_marketing)
            .bool("buyer_accepts_sms_marketing", self.buyer_accepts_sms_marketing)
    }
}
