//! Postal addresses.

use serde::Deserialize;
use tidegate_plugin_sdk::{Address, json, json::Text};

/// An address as Shopify writes it. Its phone is free text (`555-555-SHIP`).
#[derive(Deserialize, Default)]
pub(crate) struct ShopAddress<'a> {
    #[serde(borrow)]
    pub(crate) first_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) last_name: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    company: Option<Text<'a>>,
    #[serde(borrow)]
    address1: Option<Text<'a>>,
    #[serde(borrow)]
    address2: Option<Text<'a>>,
    #[serde(borrow)]
    city: Option<Text<'a>>,
    #[serde(borrow)]
    province: Option<Text<'a>>,
    #[serde(borrow)]
    province_code: Option<Text<'a>>,
    #[serde(borrow)]
    zip: Option<Text<'a>>,
    #[serde(borrow)]
    country_code: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) phone: Option<Text<'a>>,
}

impl ShopAddress<'_> {
    /// The country as a code, for numbers without one.
    pub(crate) fn country(&self) -> Option<&str> {
        json::filled(self.country_code.as_deref())
    }

    /// The canonical address.
    pub(crate) fn address(&self) -> Address {
        Address {
            name: json::string(self.name.as_ref()),
            company: json::string(self.company.as_ref()),
            lines: [&self.address1, &self.address2]
                .into_iter()
                .filter_map(|line| json::string(line.as_ref()))
                .collect(),
            city: json::string(self.city.as_ref()),
            region: json::string(self.province.as_ref()).or_else(|| json::string(self.province_code.as_ref())),
            postal_code: json::string(self.zip.as_ref()),
            country: self.country().map(str::to_owned),
            phone: json::string(self.phone.as_ref()),
        }
    }
}
