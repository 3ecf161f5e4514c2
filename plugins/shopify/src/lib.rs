//! Shopify webhooks to canonical events. One resource in each webhook, named by its topic. It knows Shopify's payloads of all ages, and no gateway.

mod address;
mod checkout;
mod common;
mod consent;
mod customer;
mod fulfillment;
mod line;
mod money;
mod order;
mod person;
mod privacy;
mod refund;
mod remembered;
mod shop;
mod summary;

use tidegate_plugin_sdk::{Context, Error, Interpretation, Item, Plugin, export};

/// The plugin.
#[derive(Debug)]
pub struct Shopify;

impl Plugin for Shopify {
    fn interpret(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        if let Some(since) = item.header(order::reading::SINCE) {
            return order::reading::read(ctx, item, since);
        }
        match item.topic.as_str() {
            "orders/create" => order::placed(ctx, item),
            "orders/paid" => order::changed(ctx, item, "order.paid"),
            "orders/updated" | "orders/partially_fulfilled" => order::changed(ctx, item, "order.updated"),
            "orders/fulfilled" => order::changed(ctx, item, "order.fulfilled"),
            "orders/cancelled" => order::changed(ctx, item, "order.cancelled"),
            "orders/edited" => order::edited(ctx, item),
            "refunds/create" => refund::created(ctx, item),
            "fulfillments/create" => fulfillment::changed(ctx, item, "shipment.created"),
            "fulfillments/update" => fulfillment::changed(ctx, item, "shipment.updated"),
            "fulfillment_events/create" => fulfillment::tracked(ctx, item),
            "checkouts/create" | "checkouts/update" => checkout::changed(item),
            "checkouts/delete" => checkout::deleted(item),
            "customers/create" => customer::changed(item, "contact.created"),
            "customers/update" | "customers/enable" | "customers/disable" => customer::changed(item, "contact.updated"),
            "customers/delete" => customer::changed(item, "contact.deleted"),
            "customers/merge" => customer::merged(item),
            "customer.tags_added" => summary::tags_changed(item, "tags_added"),
            "customer.tags_removed" => summary::tags_changed(item, "tags_removed"),
            "customers/purchasing_summary" => summary::purchased(item),
            "customers_marketing_consent/update" => consent::sms_changed(item),
            "customers_email_marketing_consent/update" => consent::email_changed(item),
            "customers/data_request" => privacy::export_requested(item),
            "customers/redact" => privacy::erasure_requested(item),
            "app/uninstalled" | "shop/redact" => privacy::shop_left(item),
            "carts/create" | "carts/update" => {
                Err(Error::skip("a cart names no customer; the checkout that follows does"))
            }
            "" => Err(Error::new("expected the topic in the header x-shopify-topic, found none")),
            other => Err(Error::skip(format!("{other} means nothing for messages"))),
        }
    }
}

export!(Shopify, connector);

#[cfg(test)]
mod tests;
