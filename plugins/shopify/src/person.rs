//! Who a webhook is about. The same person is written in up to seven places, each of which may be empty or redacted.

use crate::{
    address::ShopAddress,
    common,
    consent::{self, ShopConsent},
};
use serde::Deserialize;
use tidegate_plugin_sdk::{ContactInfo, ContactKey, Phone, json, json::Instant, json::Text};

/// A customer, in the form of any API version: 2025-01 took away tags, counts and consents; before 2022 there was `accepts_marketing` only.
#[derive(Deserialize, Default)]
pub(crate) struct Customer<'a> {
    #[serde(borrow)]
    pub(crate) id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) admin_graphql_api_id: Option<Text<'a>>,
    #[serde(borrow)]
    email: Option<Text<'a>>,
    #[serde(borrow)]
    phone: Option<Text<'a>>,
    #[serde(borrow)]
    first_name: Option<Text<'a>>,
    #[serde(borrow)]
    last_name: Option<Text<'a>>,
    #[serde(borrow)]
    tags: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) orders_count: Option<Text<'a>>,
    #[serde(borrow)]
    total_spent: Option<Text<'a>>,
    #[serde(borrow)]
    state: Option<Text<'a>>,
    #[serde(borrow)]
    default_address: Option<ShopAddress<'a>>,
    pub(crate) accepts_marketing: Option<bool>,
    #[serde(borrow)]
    pub(crate) accepts_marketing_updated_at: Option<Instant<'a>>,
    #[serde(borrow)]
    pub(crate) marketing_opt_in_level: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) email_marketing_consent: Option<ShopConsent<'a>>,
    #[serde(borrow)]
    pub(crate) sms_marketing_consent: Option<ShopConsent<'a>>,
    #[serde(borrow)]
    pub(crate) created_at: Option<Instant<'a>>,
    #[serde(borrow)]
    pub(crate) updated_at: Option<Instant<'a>>,
}

/// Where a webhook may tell about its person.
#[derive(Default)]
pub(crate) struct Sources<'t, 'a> {
    pub(crate) customer: Option<&'t Customer<'a>>,
    pub(crate) phone: Option<&'t Text<'a>>,
    pub(crate) sms_phone: Option<&'t Text<'a>>,
    pub(crate) emails: [Option<&'t Text<'a>>; 2],
    pub(crate) shipping: Option<&'t ShopAddress<'a>>,
    pub(crate) billing: Option<&'t ShopAddress<'a>>,
    pub(crate) locale: Option<&'t Text<'a>>,
}

impl<'t, 'a> Sources<'t, 'a> {
    /// What is told about the person.
    ///
    /// One phone and one email only: where they differ, one may be another person's (a gift's addressee), and a key that two people share would merge them.
    pub(crate) fn contact(&self) -> ContactInfo {
        let mut contact = ContactInfo {
            country: self.country().map(str::to_owned),
            language: json::string(self.locale),
            ..ContactInfo::default()
        };
        contact.keys.extend(self.phone_key());
        contact.add_email(self.email());
        (contact.first_name, contact.last_name) = self.names();
        if let Some(customer) = self.customer {
            contact.add_external_id(common::id_of(customer.admin_graphql_api_id.as_ref(), customer.id.as_ref()));
            contact.tags = customer.tags.as_ref().map(|tags| list(tags));
            contact.add_field("orders_count", customer.orders_count.as_deref());
            contact.add_field("total_spent", customer.total_spent.as_deref());
            contact.add_field("account_state", customer.state.as_deref());
            contact.consents = consent::stated(customer);
        }
        contact
    }

    fn default_address(&self) -> Option<&'t ShopAddress<'a>> {
        self.customer.and_then(|customer| customer.default_address.as_ref())
    }

    fn country(&self) -> Option<&'t str> {
        [self.default_address(), self.shipping, self.billing].into_iter().flatten().find_map(ShopAddress::country)
    }

    fn phone_key(&self) -> Option<ContactKey> {
        let country = self.country();
        let own = |phone: Option<&'t Text<'a>>| (phone.map(Text::as_str), country);
        let of = |address: Option<&'t ShopAddress<'a>>| {
            (address.and_then(|address| address.phone.as_deref()), address.and_then(ShopAddress::country).or(country))
        };
        let customers = self.customer.and_then(|customer| customer.phone.as_ref());
        let places = [
            own(self.phone),
            own(customers),
            of(self.default_address()),
            of(self.shipping),
            of(self.billing),
            own(self.sms_phone),
        ];
        Phone::first_of(&places).map(ContactKey::Phone)
    }

    fn email(&self) -> Option<&str> {
        let customers = self.customer.and_then(|customer| customer.email.as_ref());
        [customers, self.emails[0], self.emails[1]].into_iter().find_map(|email| json::filled(email.map(Text::as_str)))
    }

    fn names(&self) -> (Option<String>, Option<String>) {
        let of_customer = self.customer.map(|customer| (customer.first_name.as_ref(), customer.last_name.as_ref()));
        let addresses = [self.default_address(), self.billing, self.shipping].into_iter().flatten();
        let of_addresses = addresses.map(|address| (address.first_name.as_ref(), address.last_name.as_ref()));
        let mut pairs =
            of_customer.into_iter().chain(of_addresses).map(|(first, last)| (json::string(first), json::string(last)));
        pairs.find(|(first, last)| first.is_some() || last.is_some()).unwrap_or_default()
    }
}

/// Shopify's lists in one text: `vip, spring sale`.
pub(crate) fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
