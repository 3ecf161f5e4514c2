//! Consent. Shopify has SMS and email only; neither is consent to WhatsApp.

use crate::{common, person::Customer};
use serde::Deserialize;
use tidegate_plugin_sdk::{
    Consent, ContactChange, ContactInfo, Error, Event, Interpretation, Item, json, json::Instant, json::Text,
};

/// Consent to one channel. Every part may be null.
#[derive(Deserialize, Default)]
pub(crate) struct ShopConsent<'a> {
    #[serde(borrow)]
    state: Option<Text<'a>>,
    #[serde(borrow)]
    opt_in_level: Option<Text<'a>>,
    #[serde(borrow)]
    consent_updated_at: Option<Instant<'a>>,
    #[serde(borrow)]
    consent_collected_from: Option<Text<'a>>,
}

impl ShopConsent<'_> {
    /// The canonical statement; `None` when there is no state.
    fn statement(&self, channel: &str) -> Option<Consent> {
        let state = match json::filled(self.state.as_deref())? {
            "subscribed" => "granted",
            "unsubscribed" => "denied",
            "pending" => "pending",
            // `not_subscribed`, `redacted`, `invalid`
            _ => "unknown",
        };
        let method =
            json::string(self.opt_in_level.as_ref()).or_else(|| json::string(self.consent_collected_from.as_ref()));
        Some(Consent {
            channel: channel.to_owned(),
            scope: "marketing".to_owned(),
            state: state.to_owned(),
            at: common::owned(self.consent_updated_at.as_ref()),
            method,
        })
    }
}

/// What a customer's record says about consent, with the time it was given.
///
/// A statement without its own time is left out: the record is sent again with every order, and an old yes must not overrule a later no.
pub(crate) fn stated(customer: &Customer<'_>) -> Vec<Consent> {
    let email = customer
        .email_marketing_consent
        .as_ref()
        .and_then(|consent| consent.statement("email"))
        .or_else(|| oldest_form(customer));
    let sms = customer.sms_marketing_consent.as_ref().and_then(|consent| consent.statement("sms"));
    let said = |consent: &Consent| consent.at.is_some() && consent.state != "unknown";
    [email, sms].into_iter().flatten().filter(said).collect()
}

/// `accepts_marketing`: email, yes or no.
fn oldest_form(customer: &Customer<'_>) -> Option<Consent> {
    let state = if customer.accepts_marketing? { "granted" } else { "denied" };
    Some(Consent {
        channel: "email".to_owned(),
        scope: "marketing".to_owned(),
        state: state.to_owned(),
        at: common::owned(customer.accepts_marketing_updated_at.as_ref()),
        method: json::string(customer.marketing_opt_in_level.as_ref()),
    })
}

/// `customers_marketing_consent/update`
#[derive(Deserialize)]
struct SmsChange<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    phone: Option<Text<'a>>,
    #[serde(borrow)]
    sms_marketing_consent: Option<ShopConsent<'a>>,
}

/// `customers_email_marketing_consent/update`
#[derive(Deserialize)]
struct EmailChange<'a> {
    #[serde(borrow)]
    customer_id: Option<Text<'a>>,
    #[serde(borrow)]
    email_address: Option<Text<'a>>,
    #[serde(borrow)]
    email_marketing_consent: Option<ShopConsent<'a>>,
}

pub(crate) fn sms_changed(item: &Item) -> Result<Interpretation, Error> {
    let change: SmsChange<'_> = json::parse(&item.body)?;
    let id = common::required_id(None, change.id.as_ref())?;
    let mut contact = ContactInfo::default();
    contact.add_phone(change.phone.as_deref(), None);
    event(item, id, contact, change.sms_marketing_consent.as_ref(), "sms")
}

pub(crate) fn email_changed(item: &Item) -> Result<Interpretation, Error> {
    let change: EmailChange<'_> = json::parse(&item.body)?;
    let id = json::filled(change.customer_id.as_deref())
        .ok_or_else(|| Error::field("/customer_id", "expected the id of the customer, found none"))?;
    let mut contact = ContactInfo::default();
    contact.add_email(change.email_address.as_deref());
    event(item, id, contact, change.email_marketing_consent.as_ref(), "email")
}

fn event(
    item: &Item,
    id: &str,
    mut contact: ContactInfo,
    consent: Option<&ShopConsent<'_>>,
    channel: &str,
) -> Result<Interpretation, Error> {
    let changed_at = consent.and_then(|consent| consent.consent_updated_at.as_ref());
    let statement = consent.and_then(|consent| consent.statement(channel));
    contact.consents.push(statement.ok_or_else(|| Error::skip("the consent's state is not told"))?);
    contact.add_external_id(Some(id));
    let occurred_at = common::occurred_at(item, changed_at);
    let event = Event::new("contact.consent_changed", "consent", &occurred_at).with_contact(contact);
    Ok(event.with_entity("contact", id, changed_at.map(Instant::as_str)).with_payload(ContactChange::default()).into())
}
