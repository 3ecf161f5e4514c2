//! What the law wants: a person's data shown or erased, a shop gone.

use crate::common;
use serde::Deserialize;
use tidegate_plugin_sdk::{
    ConnectionChange, ContactChange, ContactInfo, Error, Event, Interpretation, Item, json, json::Text,
};

/// `customers/data_request` and `customers/redact`. The customer may have nothing but an email.
#[derive(Deserialize)]
struct PersonsData<'a> {
    #[serde(borrow)]
    customer: Person<'a>,
    #[serde(borrow, default, deserialize_with = "json::or_default", alias = "orders_to_redact")]
    orders_requested: Vec<Text<'a>>,
    #[serde(borrow)]
    data_request: Option<DataRequest<'a>>,
}

#[derive(Deserialize)]
struct Person<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    email: Option<Text<'a>>,
    #[serde(borrow)]
    phone: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct DataRequest<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
}

pub(crate) fn export_requested(item: &Item) -> Result<Interpretation, Error> {
    persons_data(item, "contact.export_requested")
}

pub(crate) fn erasure_requested(item: &Item) -> Result<Interpretation, Error> {
    persons_data(item, "contact.erasure_requested")
}

fn persons_data(item: &Item, kind: &str) -> Result<Interpretation, Error> {
    let PersonsData { customer, orders_requested, data_request } = json::parse(&item.body)?;
    let id = json::filled(customer.id.as_deref());
    let mut contact = ContactInfo::default();
    contact.add_external_id(id);
    contact.add_email(customer.email.as_deref());
    contact.add_phone(customer.phone.as_deref(), None);
    if contact.keys.is_empty() {
        return Err(Error::field(
            "/customer",
            "expected an id, an email or a phone, found none: nobody can tell whose data is meant",
        ));
    }
    let change = ContactChange {
        order_ids: orders_requested.into_iter().map(Text::into_string).collect(),
        request_id: data_request.and_then(|request| json::string(request.id.as_ref())),
        ..ContactChange::default()
    };
    let mut event =
        Event::new(kind, "contact", &common::occurred_at(item, None)).with_contact(contact).with_payload(change);
    if let Some(id) = id {
        event = event.with_entity("contact", id, None);
    }
    Ok(event.into())
}

/// `app/uninstalled` (the shop) and `shop/redact` (its id and domain).
#[derive(Deserialize)]
struct Shop<'a> {
    #[serde(borrow)]
    shop_domain: Option<Text<'a>>,
    #[serde(borrow)]
    myshopify_domain: Option<Text<'a>>,
}

/// The shop is gone. `shop/redact` follows 48 hours after `app/uninstalled` and asks to erase what is left.
pub(crate) fn shop_left(item: &Item) -> Result<Interpretation, Error> {
    let shop: Shop<'_> = json::parse(&item.body)?;
    let named = [item.header("x-shopify-shop-domain"), shop.shop_domain.as_deref(), shop.myshopify_domain.as_deref()];
    let account = named.into_iter().find_map(json::filled);
    let reason = if item.topic == "shop/redact" { "the shop's data must be erased" } else { "the app was uninstalled" };
    let change = ConnectionChange {
        account: account.map(str::to_owned),
        provider_event: Some(item.topic.clone()),
        reason: Some(reason.to_owned()),
    };
    let mut event =
        Event::new("connection.uninstalled", "connection", &common::occurred_at(item, None)).with_payload(change);
    if let Some(account) = account {
        event = event.with_entity("connection", account, None);
    }
    Ok(event.into())
}
