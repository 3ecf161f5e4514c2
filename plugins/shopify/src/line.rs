//! Lines of orders, checkouts and parcels.

use crate::{common, money::Currencies};
use serde::Deserialize;
use tidegate_plugin_sdk::{Error, LineItem, json, json::Decimal, json::Raw, json::Text};

/// A line.
#[derive(Deserialize)]
pub(crate) struct Line<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    admin_graphql_api_id: Option<Text<'a>>,
    #[serde(borrow)]
    product_id: Option<Text<'a>>,
    #[serde(borrow)]
    sku: Option<Text<'a>>,
    #[serde(borrow)]
    title: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    variant_title: Option<Text<'a>>,
    #[serde(borrow)]
    quantity: Option<Decimal<'a>>,
    #[serde(borrow)]
    price: Option<Decimal<'a>>,
    #[serde(borrow)]
    price_set: Option<Raw<'a>>,
}

impl Line<'_> {
    /// The line without its price, which in a parcel has no currency.
    pub(crate) fn unpriced(&self) -> LineItem {
        LineItem {
            id: common::id_of(self.admin_graphql_api_id.as_ref(), self.id.as_ref()).map(str::to_owned),
            product_id: json::string(self.product_id.as_ref()),
            sku: json::string(self.sku.as_ref()),
            title: json::string(self.title.as_ref()).or_else(|| json::string(self.name.as_ref())).unwrap_or_default(),
            variant: json::string(self.variant_title.as_ref()),
            quantity: self.quantity.as_ref().map_or("1", Decimal::as_str).to_owned(),
            ..LineItem::default()
        }
    }

    fn priced(&self, currencies: Currencies<'_>) -> Result<LineItem, Error> {
        let price = currencies.customers(self.price.as_ref(), self.price_set, "/price_set")?;
        Ok(LineItem { price, ..self.unpriced() })
    }
}

/// Lines with their prices.
pub(crate) fn priced(lines: &[Line<'_>], currencies: Currencies<'_>) -> Result<Vec<LineItem>, Error> {
    let at = |index: usize, error: Error| error.under(&format!("/line_items/{index}"));
    lines.iter().enumerate().map(|(index, line)| line.priced(currencies).map_err(|error| at(index, error))).collect()
}
