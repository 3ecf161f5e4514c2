//! Customers: made, changed, deleted, merged.

use crate::{
    common,
    person::{Customer, Sources},
};
use serde::Deserialize;
use tidegate_plugin_sdk::{
    ContactChange, ContactInfo, Error, Event, Interpretation, Item, json, json::Instant, json::Text,
};

pub(crate) fn changed(item: &Item, kind: &str) -> Result<Interpretation, Error> {
    let customer: Customer<'_> = json::parse(&item.body)?;
    let id = common::required_id(customer.admin_graphql_api_id.as_ref(), customer.id.as_ref())?;
    let own_time = if kind == "contact.created" { customer.created_at.as_ref() } else { customer.updated_at.as_ref() };
    let occurred_at = common::occurred_at(item, own_time.or(customer.updated_at.as_ref()));
    let contact = Sources { customer: Some(&customer), ..Sources::default() }.contact();
    let event = Event::new(kind, "contact", &occurred_at).with_contact(contact);
    Ok(event
        .with_entity("contact", id, customer.updated_at.as_ref().map(Instant::as_str))
        .with_payload(ContactChange::default())
        .into())
}

/// `customers/merge`: runs as a job, whose end is told by `status`.
#[derive(Deserialize)]
struct Merge<'a> {
    #[serde(borrow)]
    admin_graphql_api_customer_kept_id: Text<'a>,
    #[serde(borrow)]
    admin_graphql_api_customer_deleted_id: Text<'a>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
}

pub(crate) fn merged(item: &Item) -> Result<Interpretation, Error> {
    let merge: Merge<'_> = json::parse(&item.body)?;
    match merge.status.as_deref() {
        None | Some("completed" | "COMPLETED") => {}
        Some(status) => return Err(Error::skip(format!("the merge is not done: {status}"))),
    }
    let kept = gid(&merge.admin_graphql_api_customer_kept_id, "/admin_graphql_api_customer_kept_id")?;
    let gone = gid(&merge.admin_graphql_api_customer_deleted_id, "/admin_graphql_api_customer_deleted_id")?;
    let mut contact = ContactInfo::default();
    contact.add_external_id(Some(kept));
    // Orders of before name the one that is gone.
    contact.add_external_id(Some(gone));
    let change = ContactChange { merged_ids: vec![gone.to_owned()], ..ContactChange::default() };
    let occurred_at = common::occurred_at(item, None);
    let event = Event::new("contact.merged", "contact", &occurred_at).with_contact(contact);
    Ok(event.with_entity("contact", kept, None).with_payload(change).into())
}

fn gid<'t>(text: &'t Text<'_>, pointer: &str) -> Result<&'t str, Error> {
    common::tail(text).ok_or_else(|| Error::field(pointer, "expected a gid such as gid://shopify/Customer/1"))
}
