//! Who a webhook is about. A guest has no customer: their data is in the billing address only.

use crate::address::StoreAddress;
use tidegate_plugin_sdk::{ContactInfo, ContactKey, Phone, json, json::Text};

/// Where a webhook may tell about its person.
#[derive(Default)]
pub(crate) struct Sources<'t, 'a> {
    pub(crate) customer_id: Option<&'t Text<'a>>,
    pub(crate) email: Option<&'t Text<'a>>,
    pub(crate) first_name: Option<&'t Text<'a>>,
    pub(crate) last_name: Option<&'t Text<'a>>,
    pub(crate) billing: Option<&'t StoreAddress<'a>>,
    pub(crate) shipping: Option<&'t StoreAddress<'a>>,
}

impl<'t, 'a> Sources<'t, 'a> {
    /// What is told about the person.
    ///
    /// One phone and one email only: where they differ, one may be another person's (a gift's addressee), and a key that two people share would merge them.
    pub(crate) fn contact(&self) -> ContactInfo {
        let mut contact = ContactInfo { country: self.country().map(str::to_owned), ..ContactInfo::default() };
        contact.keys.extend(self.phone().map(ContactKey::Phone));
        contact.add_email(self.email());
        // A guest's customer is 0.
        contact.add_external_id(json::filled(self.customer_id.map(Text::as_str)).filter(|id| *id != "0"));
        (contact.first_name, contact.last_name) = self.names();
        contact
    }

    fn country(&self) -> Option<&'t str> {
        [self.billing, self.shipping].into_iter().flatten().find_map(StoreAddress::country)
    }

    /// The billing phone. The shipping phone stands in for it where both addresses name the same person, or only one names anybody.
    fn phone(&self) -> Option<Phone> {
        let country = self.country();
        let of = |address: Option<&'t StoreAddress<'a>>| {
            (address.and_then(|address| address.phone.as_deref()), address.and_then(StoreAddress::country).or(country))
        };
        let buyer = self.billing.and_then(StoreAddress::name);
        let addressee = self.shipping.and_then(StoreAddress::name);
        let same = buyer.is_none() || addressee.is_none() || buyer == addressee;
        let candidates = [of(self.billing), of(self.shipping)];
        Phone::first_of(if same { &candidates } else { &candidates[..1] })
    }

    fn email(&self) -> Option<&'t str> {
        let emails = [self.email, self.billing.and_then(|address| address.email.as_ref())];
        emails.into_iter().find_map(|email| json::filled(email.map(Text::as_str)))
    }

    fn names(&self) -> (Option<String>, Option<String>) {
        let own = (self.first_name, self.last_name);
        let addresses = [self.billing, self.shipping].into_iter().flatten();
        let of_addresses = addresses.map(|address| (address.first_name.as_ref(), address.last_name.as_ref()));
        let mut pairs =
            [own].into_iter().chain(of_addresses).map(|(first, last)| (json::string(first), json::string(last)));
        pairs.find(|(first, last)| first.is_some() || last.is_some()).unwrap_or_default()
    }
}
