//! Postal addresses.

use crate::text;
use serde::Deserialize;
use tidegate_plugin_sdk::{Address, json, json::Text};

/// An address as WooCommerce writes it; what is not there is `""`. Its phone is free text.
#[derive(Deserialize, Default)]
pub(crate) struct StoreAddress<'a> {
    #[serde(borrow)]
    pub(crate) first_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) last_name: Option<Text<'a>>,
    #[serde(borrow)]
    company: Option<Text<'a>>,
    #[serde(borrow)]
    address_1: Option<Text<'a>>,
    #[serde(borrow)]
    address_2: Option<Text<'a>>,
    #[serde(borrow)]
    city: Option<Text<'a>>,
    #[serde(borrow)]
    state: Option<Text<'a>>,
    #[serde(borrow)]
    postcode: Option<Text<'a>>,
    #[serde(borrow)]
    country: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) email: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) phone: Option<Text<'a>>,
}

impl StoreAddress<'_> {
    /// The country as a code, for numbers without one.
    pub(crate) fn country(&self) -> Option<&str> {
        json::filled(self.country.as_deref()).filter(|code| code.len() == 2)
    }

    /// First and last name in one; `None` when there is neither.
    pub(crate) fn name(&self) -> Option<String> {
        let names = [&self.first_name, &self.last_name].map(|name| json::filled(name.as_deref()));
        let names: Vec<&str> = names.into_iter().flatten().collect();
        (!names.is_empty()).then(|| names.join(" "))
    }

    /// The canonical address; `None` when nothing of it is filled in (a guest's order of a download has no shipping address).
    pub(crate) fn address(&self) -> Option<Address> {
        let plain = |part: &Option<Text<'_>>| json::filled(part.as_deref()).map(text::plain);
        let address = Address {
            name: self.name(),
            company: plain(&self.company),
            lines: [&self.address_1, &self.address_2].into_iter().filter_map(plain).collect(),
            city: plain(&self.city),
            region: plain(&self.state),
            postal_code: plain(&self.postcode),
            country: self.country().map(str::to_owned),
            phone: plain(&self.phone),
        };
        (address != Address::default()).then_some(address)
    }
}
