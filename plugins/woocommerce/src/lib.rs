//! WooCommerce webhooks to canonical events. One resource in each webhook, named by its topic. It knows WooCommerce's payloads, and no gateway.

mod action;
mod address;
mod customer;
mod line;
mod meta;
mod order;
mod person;
mod resource;
mod shipment;
mod store;
mod text;
mod value;

use tidegate_plugin_sdk::{Context, Error, Interpretation, Item, Plugin, export};

/// The plugin.
#[derive(Debug)]
pub struct Woocommerce;

impl Plugin for Woocommerce {
    fn interpret(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        match item.topic.as_str() {
            "order.created" => order::created(ctx, item),
            "order.updated" => order::updated(ctx, item),
            "order.restored" => order::restored(ctx, item),
            "order.deleted" => order::deleted(ctx, item),
            "customer.created" => customer::changed(item, "contact.created"),
            "customer.updated" => customer::changed(item, "contact.updated"),
            "customer.deleted" => customer::deleted(item),
            topic if topic.starts_with("action.") => action::called(item),
            topic if topic.starts_with("product.") => Err(Error::skip("a product is nobody's: no message follows")),
            topic if topic.starts_with("coupon.") => Err(Error::skip("a coupon is nobody's: no message follows")),
            "" => Err(Error::new("expected the topic in the header x-wc-webhook-topic, found none")),
            other => Err(Error::skip(format!("{other} means nothing for messages"))),
        }
    }
}

export!(Woocommerce, connector);

#[cfg(test)]
mod tests;
