//! What a new order means for automation, beside being placed.

use super::ShopOrder;
use serde::Deserialize;
use std::cmp::Ordering;
use tidegate_plugin_sdk::{Context, Error, Interpretation, decimal, json, json::Decimal, json::Object};

/// The settings of a connection.
#[derive(Deserialize)]
struct Settings<'a> {
    #[serde(borrow)]
    high_value_over: Option<Decimal<'a>>,
}

/// Adds the triggers of a new order.
pub(super) fn add(
    interpretation: Interpretation,
    order: &ShopOrder<'_>,
    ctx: &Context<'_>,
) -> Result<Interpretation, Error> {
    let settings: Settings<'_> = ctx.settings()?;
    let meant = [
        ("first-order", is_first(order)),
        ("high-value-order", is_over(order, settings.high_value_over.as_ref())),
        ("cash-on-delivery-order", is_cash_on_delivery(order)),
    ];
    let names = meant.into_iter().filter_map(|(name, is_meant)| is_meant.then_some(name));
    Ok(names.fold(interpretation, |interpretation, name| interpretation.with_trigger(name, "order", variables(order))))
}

/// Only payloads before 2025-01 count the customer's orders.
fn is_first(order: &ShopOrder<'_>) -> bool {
    let count = order.customer.as_ref().and_then(|customer| customer.orders_count.as_deref());
    count == Some("1")
}

/// Compared in the shop's currency.
fn is_over(order: &ShopOrder<'_>, limit: Option<&Decimal<'_>>) -> bool {
    let (Some(total), Some(limit)) = (&order.total_price, limit) else { return false };
    decimal::compare(total.as_str(), limit.as_str()) == Some(Ordering::Greater)
}

/// Shopify's own method is named `Cash on Delivery (COD)`.
fn is_cash_on_delivery(order: &ShopOrder<'_>) -> bool {
    let is_cod = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.contains("cash on delivery") || name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "cod")
    };
    order.payment_gateway_names.iter().any(|name| is_cod(name))
}

fn variables(order: &ShopOrder<'_>) -> String {
    let total = order.shops_total();
    let (amount, currency) =
        total.as_ref().map_or((None, None), |total| (Some(total.amount.as_str()), Some(total.currency.as_str())));
    Object::new()
        .text("order_number", json::filled(order.name.as_deref()))
        .text("total", amount)
        .text("currency", currency)
        .finish()
}
