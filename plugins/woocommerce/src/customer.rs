//! Customers: made, changed, deleted. Guests are none.

use crate::{
    address::StoreAddress,
    person::Sources,
    resource,
    value::{self, Gmt},
};
use serde::Deserialize;
use tidegate_plugin_sdk::{ContactChange, ContactInfo, Error, Event, Interpretation, Item, json, json::Text};

/// Roles of the people who run a store. WordPress tells of their profiles too.
const STAFF: [&str; 5] = ["administrator", "shop_manager", "editor", "author", "contributor"];

/// A customer.
#[derive(Deserialize)]
struct Customer<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(default, deserialize_with = "value::or_none")]
    date_created_gmt: Option<Gmt>,
    #[serde(default, deserialize_with = "value::or_none")]
    date_modified_gmt: Option<Gmt>,
    #[serde(borrow)]
    email: Option<Text<'a>>,
    #[serde(borrow)]
    first_name: Option<Text<'a>>,
    #[serde(borrow)]
    last_name: Option<Text<'a>>,
    #[serde(borrow)]
    role: Option<Text<'a>>,
    is_paying_customer: Option<bool>,
    #[serde(borrow, default, deserialize_with = "value::or_none")]
    billing: Option<StoreAddress<'a>>,
    #[serde(borrow, default, deserialize_with = "value::or_none")]
    shipping: Option<StoreAddress<'a>>,
}

pub(crate) fn changed(item: &Item, kind: &str) -> Result<Interpretation, Error> {
    let customer: Customer<'_> = json::parse(&item.body)?;
    let id = resource::required(customer.id.as_ref(), item)?;
    if let Some(role) = customer.role.as_deref().filter(|role| STAFF.contains(role)) {
        return Err(Error::skip(format!("the role {role} is staff, not a customer")));
    }
    let modified_at = customer.date_modified_gmt.as_ref();
    let own_time =
        if kind == "contact.created" { customer.date_created_gmt.as_ref().or(modified_at) } else { modified_at };
    let occurred_at = own_time.map_or(item.received_at.as_str(), Gmt::as_str);
    let event = Event::new(kind, "contact", occurred_at).with_contact(customer.contact());
    let event = event.with_entity("contact", id, modified_at.map(Gmt::as_str));
    Ok(event.with_payload(ContactChange::default()).into())
}

/// The body tells nothing but the id.
pub(crate) fn deleted(item: &Item) -> Result<Interpretation, Error> {
    let id = resource::id_of(item)?;
    let mut contact = ContactInfo::default();
    contact.add_external_id(Some(&id));
    let event = Event::new("contact.deleted", "contact", &item.received_at).with_contact(contact);
    Ok(event.with_entity("contact", &id, None).with_payload(ContactChange::default()).into())
}

impl Customer<'_> {
    fn contact(&self) -> ContactInfo {
        let sources = Sources {
            customer_id: self.id.as_ref(),
            email: self.email.as_ref(),
            first_name: self.first_name.as_ref(),
            last_name: self.last_name.as_ref(),
            billing: self.billing.as_ref(),
            shipping: self.shipping.as_ref(),
        };
        let mut contact = sources.contact();
        contact.add_field("role", self.role.as_deref());
        let paying = self.is_paying_customer.map(|paying| if paying { "yes" } else { "no" });
        contact.add_field("paying_customer", paying);
        contact
    }
}
