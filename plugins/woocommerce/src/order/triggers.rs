//! What an order means for automation, beside its events.

use super::{Step, StoreOrder};
use serde::Deserialize;
use std::cmp::Ordering;
use tidegate_plugin_sdk::{Context, Error, Interpretation, decimal, json, json::Decimal, json::Object};

/// The settings of a connection.
#[derive(Deserialize)]
struct Settings<'a> {
    #[serde(borrow)]
    high_value_over: Option<Decimal<'a>>,
}

/// Adds the triggers of a new order, and that of a payment that has failed.
pub(super) fn add(
    interpretation: Interpretation,
    order: &StoreOrder<'_>,
    steps: &[Step],
    has_failed: bool,
    ctx: &Context<'_>,
) -> Result<Interpretation, Error> {
    let settings: Settings<'_> = ctx.settings()?;
    let is_placed = steps.contains(&Step::Placed);
    let meant = [
        ("high-value-order", is_placed && is_over(order, settings.high_value_over.as_ref())),
        ("cash-on-delivery-order", is_placed && is_cash_on_delivery(order)),
        ("payment-failed", has_failed),
    ];
    let Some(about) = steps.first().map(Step::key) else { return Ok(interpretation) };
    let names = meant.into_iter().filter_map(|(name, is_meant)| is_meant.then_some(name));
    Ok(names.fold(interpretation, |interpretation, name| interpretation.with_trigger(name, &about, variables(order))))
}

fn is_over(order: &StoreOrder<'_>, limit: Option<&Decimal<'_>>) -> bool {
    let (Some(total), Some(limit)) = (&order.total, limit) else { return false };
    decimal::compare(total.as_str(), limit.as_str()) == Some(Ordering::Greater)
}

/// WooCommerce's own method is `cod`; its title is the store's.
fn is_cash_on_delivery(order: &StoreOrder<'_>) -> bool {
    json::filled(order.payment_method.as_deref()) == Some("cod")
}

fn variables(order: &StoreOrder<'_>) -> String {
    Object::new()
        .text("order_number", json::filled(order.number.as_deref()))
        .text("total", order.total.as_ref().map(Decimal::as_str))
        .text("currency", order.currency())
        .text("payment_url", order.payment_url())
        .finish()
}
