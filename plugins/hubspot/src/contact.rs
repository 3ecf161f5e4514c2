//! Contacts: made, changed, deleted, merged, erased. A change tells the id; who it is, is read.

use crate::{
    change::{Change, Merge},
    crm::{self, Found},
    settings::Settings,
};
use tidegate_plugin_sdk::{
    ContactChange, ContactInfo, ContactKey, Context, Error, Event, Field, Interpretation, Item, Phone, json::Instant,
    json::Object,
};

/// A contact that is there: as it is now, which may be newer than the change.
pub(crate) fn present(
    ctx: &mut Context<'_>,
    item: &Item,
    change: &Change<'_>,
    kind: &str,
) -> Result<Interpretation, Error> {
    let id = change.object_id()?;
    let settings = Settings::of(ctx)?;
    let Some(response) = crm::object(ctx, "contacts", id, &settings.query())? else {
        return Err(Error::skip("the contact is no longer in HubSpot"));
    };
    let found = Found::read(&response)?;
    let mut contact = info(&found, &settings);
    // A contact that was merged answers by its new id.
    contact.add_external_id(Some(id));
    if let Some(cleared) = cleared(change, &found, &settings) {
        contact.fields.push(Field { name: cleared.to_owned(), value: None });
    }
    let event = Event::new(kind, "contact", change.occurred_at(item))
        .with_contact(contact)
        .with_entity("contact", &found.id, found.updated_at.as_ref().map(Instant::as_str))
        .with_payload(ContactChange::default())
        .with_extra(change.extra());
    Ok(triggered(event.into(), change))
}

/// What HubSpot knows about a person.
pub(crate) fn info(found: &Found<'_>, settings: &Settings) -> ContactInfo {
    let country = ["hs_country_region_code", "country"]
        .into_iter()
        .filter_map(|name| found.property(name))
        .find(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let region = country.or(settings.default_country.as_deref());
    let phones: Vec<_> = settings.phones().map(|name| (found.property(name), region)).collect();
    let mut contact = ContactInfo::default();
    contact.keys.extend(Phone::first_of(&phones).map(ContactKey::Phone));
    contact.add_email(found.property("email"));
    contact.add_external_id(Some(&found.id));
    let text = |name: &str| found.property(name).map(str::to_owned);
    contact.first_name = text("firstname");
    contact.last_name = text("lastname");
    contact.language = text("hs_language");
    contact.country = country.map(str::to_owned);
    settings.fields().for_each(|name| contact.add_field(name, found.property(name)));
    contact
}

/// The field whose value was taken away. That others have none says nothing: somebody else may know them.
fn cleared<'t>(change: &'t Change<'_>, found: &Found<'_>, settings: &Settings) -> Option<&'t str> {
    let property = change.property().filter(|_| !change.is_kept_back())?;
    let is_field = settings.fields().any(|name| name == property);
    (is_field && change.value().is_none() && found.property(property).is_none()).then_some(property)
}

/// Marketing and sales work by the stage of a contact's life.
fn triggered(interpretation: Interpretation, change: &Change<'_>) -> Interpretation {
    match (change.property(), change.value()) {
        (Some("lifecyclestage"), Some(stage)) => {
            let variables = Object::new().text("stage", Some(stage)).finish();
            interpretation.with_trigger("lifecycle-stage-changed", "contact", variables)
        }
        _ => interpretation,
    }
}

/// A contact that was deleted, or must be forgotten: HubSpot has only its id. Both may be sent for one contact, in any order.
pub(crate) fn gone(item: &Item, change: &Change<'_>, kind: &str) -> Result<Interpretation, Error> {
    let id = change.object_id()?;
    let mut contact = ContactInfo::default();
    contact.add_external_id(Some(id));
    let event = Event::new(kind, "contact", change.occurred_at(item)).with_contact(contact);
    Ok(event.with_entity("contact", id, None).with_payload(ContactChange::default()).with_extra(change.extra()).into())
}

/// Contacts that turned out to be one: all of their ids are that person's from now on.
pub(crate) fn merged(item: &Item, change: &Change<'_>) -> Result<Interpretation, Error> {
    let Merge { kept, gone } = change.merge()?;
    let mut contact = ContactInfo::default();
    contact.add_external_id(Some(kept));
    gone.iter().for_each(|id| contact.add_external_id(Some(id)));
    let merged_ids = gone.into_iter().map(str::to_owned).collect();
    let event = Event::new("contact.merged", "contact", change.occurred_at(item)).with_contact(contact);
    Ok(event
        .with_entity("contact", kept, None)
        .with_payload(ContactChange { merged_ids, ..ContactChange::default() })
        .with_extra(change.extra())
        .into())
}
