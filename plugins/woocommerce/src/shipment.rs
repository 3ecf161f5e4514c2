//! Parcels. WooCommerce itself knows none: its Shipment Tracking extension, and those that follow it, write a list into the order's meta data.

use crate::meta::{self, Meta};
use serde::Deserialize;
use tidegate_plugin_sdk::{Shipment, json, json::Text, time};

/// Where the list is.
///
/// Source: <https://woocommerce.com/document/shipment-tracking/>.
const KEY: &str = "_wc_shipment_tracking_items";

/// A parcel, as the extension writes it.
#[derive(Deserialize)]
struct Tracked<'a> {
    #[serde(borrow)]
    tracking_id: Option<Text<'a>>,
    #[serde(borrow)]
    tracking_number: Option<Text<'a>>,
    #[serde(borrow)]
    tracking_provider: Option<Text<'a>>,
    #[serde(borrow)]
    custom_tracking_provider: Option<Text<'a>>,
    #[serde(borrow)]
    formatted_tracking_provider: Option<Text<'a>>,
    #[serde(borrow)]
    custom_tracking_link: Option<Text<'a>>,
    #[serde(borrow)]
    formatted_tracking_link: Option<Text<'a>>,
    #[serde(borrow)]
    ast_tracking_link: Option<Text<'a>>,
    #[serde(borrow)]
    date_shipped: Option<Text<'a>>,
}

/// A parcel of an order.
pub(crate) struct Parcel {
    /// What the order does not have to add.
    pub(crate) shipment: Shipment,
    /// When it was sent, as RFC 3339 text: a day, at its first second.
    pub(crate) shipped_at: Option<String>,
}

/// The parcels of an order, each once. What another plugin writes under the same key in another form is passed over.
pub(crate) fn parcels(all: &[Meta<'_>]) -> Vec<Parcel> {
    let tracked: Vec<Tracked<'_>> = meta::find(all, KEY).and_then(|raw| raw.parse().ok()).unwrap_or_default();
    let mut parcels: Vec<Parcel> = Vec::new();
    for parcel in tracked.iter().filter_map(Tracked::parcel) {
        if parcels.iter().all(|known| known.shipment.id != parcel.shipment.id) {
            parcels.push(parcel);
        }
    }
    parcels
}

impl Tracked<'_> {
    /// `None` without a number: there is nothing to follow.
    fn parcel(&self) -> Option<Parcel> {
        let number = json::string(self.tracking_number.as_ref())?;
        let carriers = [&self.formatted_tracking_provider, &self.custom_tracking_provider, &self.tracking_provider];
        let links = [&self.formatted_tracking_link, &self.ast_tracking_link, &self.custom_tracking_link];
        let link = links.into_iter().find_map(|link| json::string(link.as_ref())).filter(|link| is_page(link));
        let shipment = Shipment {
            id: json::string(self.tracking_id.as_ref()).unwrap_or_else(|| number.clone()),
            carrier: carriers.into_iter().find_map(|carrier| json::string(carrier.as_ref())),
            tracking_numbers: vec![number],
            tracking_urls: link.into_iter().collect(),
            ..Shipment::default()
        };
        let shipped_at = self.date_shipped.as_deref().and_then(|date| time::from_unix_digits(date.trim()));
        Some(Parcel { shipment, shipped_at })
    }
}

fn is_page(link: &str) -> bool {
    link.starts_with("https://") || link.starts_with("http://")
}
