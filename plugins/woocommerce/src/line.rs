//! Lines of orders.

use crate::{
    meta::{self, Meta},
    text, value,
};
use serde::Deserialize;
use tidegate_plugin_sdk::{LineItem, Money, json, json::Decimal, json::Text};

/// A line. Its price and quantity are numbers, its totals are texts.
#[derive(Deserialize)]
pub(crate) struct Line<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    parent_name: Option<Text<'a>>,
    #[serde(borrow)]
    product_id: Option<Text<'a>>,
    #[serde(borrow)]
    variation_id: Option<Text<'a>>,
    #[serde(borrow)]
    sku: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "value::or_none")]
    quantity: Option<Decimal<'a>>,
    #[serde(borrow, default, deserialize_with = "value::or_none")]
    price: Option<Decimal<'a>>,
    #[serde(borrow, default, deserialize_with = "value::or_none")]
    pub(crate) subtotal: Option<Decimal<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    meta_data: Vec<Meta<'a>>,
    #[serde(borrow, default, deserialize_with = "value::or_none")]
    image: Option<Image<'a>>,
}

/// A picture. Its id may be `""`, and is not read.
#[derive(Deserialize)]
struct Image<'a> {
    #[serde(borrow)]
    src: Option<Text<'a>>,
}

impl Line<'_> {
    /// The canonical line, with prices in the order's currency.
    pub(crate) fn item(&self, currency: Option<&str>) -> LineItem {
        // A parent's name has no variant in it; older stores give the whole name only.
        let title = json::filled(self.parent_name.as_deref()).or_else(|| json::filled(self.name.as_deref()));
        let is_variant = json::filled(self.variation_id.as_deref()).is_some_and(|id| id != "0");
        LineItem {
            id: json::string(self.id.as_ref()),
            // A line whose product is gone has 0.
            product_id: json::string(self.product_id.as_ref()).filter(|id| id != "0"),
            sku: json::string(self.sku.as_ref()),
            title: title.map(text::plain).unwrap_or_default(),
            variant: is_variant.then(|| meta::variant(&self.meta_data)).flatten(),
            quantity: self.quantity.as_ref().map_or("1", Decimal::as_str).to_owned(),
            price: Money::of(self.price.as_ref().map(Decimal::as_str), currency),
            url: None,
            image_url: self.image.as_ref().and_then(|image| json::string(image.src.as_ref())),
        }
    }
}
