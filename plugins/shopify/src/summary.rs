//! Topics that came with API version 2025-01, when tags, counts and sums left the customer's payload. They are written in another style: `customerId` is a gid.

use crate::{common, person};
use serde::Deserialize;
use tidegate_plugin_sdk::{
    ContactChange, ContactInfo, Error, Event, Interpretation, Item, json, json::Decimal, json::Instant, json::Object,
    json::Raw, json::Text,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    #[serde(borrow)]
    customer_id: Text<'a>,
    #[serde(borrow)]
    occurred_at: Option<Instant<'a>>,
    #[serde(borrow)]
    tags: Option<Raw<'a>>,
    #[serde(borrow)]
    number_of_orders: Option<Text<'a>>,
    #[serde(borrow)]
    amount_spent: Option<Spent<'a>>,
}

#[derive(Deserialize)]
struct Spent<'a> {
    #[serde(borrow)]
    amount: Option<Decimal<'a>>,
}

/// `customer.tags_added` and `customer.tags_removed`: the tags that came or went, never all of them, so the contact's tags are left alone.
pub(crate) fn tags_changed(item: &Item, name: &str) -> Result<Interpretation, Error> {
    let summary: Summary<'_> = json::parse(&item.body)?;
    let tags = tags(summary.tags).map_err(|error| error.under("/tags"))?;
    if tags.is_empty() {
        return Err(Error::skip("no tags are told"));
    }
    let event = summary.event(item)?.with_extra(Object::new().text(name, Some(&tags.join(", "))));
    let interpretation = Interpretation::from(event);
    Ok(match name {
        "tags_added" => tags.iter().fold(interpretation, |interpretation, tag| {
            interpretation.with_trigger("customer-tagged", "contact", Object::new().text("tag", Some(tag)).finish())
        }),
        _ => interpretation,
    })
}

/// `customers/purchasing_summary`: how much a customer bought.
pub(crate) fn purchased(item: &Item) -> Result<Interpretation, Error> {
    let summary: Summary<'_> = json::parse(&item.body)?;
    let spent = summary.amount_spent.as_ref().and_then(|spent| spent.amount.as_ref());
    let mut event = summary.event(item)?;
    if let Some(contact) = &mut event.contact {
        contact.add_field("orders_count", summary.number_of_orders.as_deref());
        contact.add_field("total_spent", spent.map(Decimal::as_str));
    }
    Ok(event.into())
}

impl Summary<'_> {
    fn event(&self, item: &Item) -> Result<Event, Error> {
        let id = common::tail(&self.customer_id)
            .ok_or_else(|| Error::field("/customerId", "expected a gid such as gid://shopify/Customer/1"))?;
        let mut contact = ContactInfo::default();
        contact.add_external_id(Some(id));
        let occurred_at = common::occurred_at(item, self.occurred_at.as_ref());
        let version = self.occurred_at.as_ref().map(Instant::as_str);
        let event = Event::new("contact.updated", "contact", &occurred_at).with_contact(contact);
        Ok(event.with_entity("contact", id, version).with_payload(ContactChange::default()))
    }
}

/// A list of texts; older forms write them into one text.
fn tags(tags: Option<Raw<'_>>) -> Result<Vec<String>, Error> {
    let Some(tags) = tags else { return Ok(Vec::new()) };
    if tags.as_str().starts_with('[') {
        let list: Vec<Text<'_>> = tags.parse()?;
        return Ok(list.into_iter().map(Text::into_string).filter(|tag| !tag.trim().is_empty()).collect());
    }
    let text: Option<Text<'_>> = tags.parse()?;
    Ok(text.map(|text| person::list(&text)).unwrap_or_default())
}
