//! Orders, shipments, carts.

use crate::worlds::v0_1::{
    bindings::tidegate::plugin::types as wit,
    read::{Read, decimal, each, maybe_instant, maybe_money, maybe_word, optional, required},
};
use tidegate_model::event::{Address, Cart, LineItem, Order, Shipment};

const ORDER_STATUS: &[&str] = &["open", "cancelled", "closed"];
const PAYMENT_STATUS: &[&str] =
    &["pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided"];
const FULFILLMENT_STATUS: &[&str] = &["unfulfilled", "partial", "fulfilled", "restocked"];

pub(super) fn order(order: wit::Order) -> Read<Order> {
    Ok(Order {
        id: required("id", order.id)?,
        number: optional(order.number),
        status: maybe_word("status", order.status, ORDER_STATUS)?,
        payment_status: maybe_word("payment-status", order.payment_status, PAYMENT_STATUS)?,
        fulfillment_status: maybe_word("fulfillment-status", order.fulfillment_status, FULFILLMENT_STATUS)?,
        total: maybe_money("total", order.total)?,
        subtotal: maybe_money("subtotal", order.subtotal)?,
        shipping: maybe_money("shipping", order.shipping)?,
        tax: maybe_money("tax", order.tax)?,
        discount: maybe_money("discount", order.discount)?,
        refunded: maybe_money("refunded", order.refunded)?,
        items: each("items", order.items, line_item)?,
        shipping_address: order.shipping_address.map(address),
        billing_address: order.billing_address.map(address),
        status_url: optional(order.status_url),
        cart_id: optional(order.cart_id),
        discount_codes: order.discount_codes,
        tags: order.tags,
        note: optional(order.note),
        // Keys of `extra` in this version.
        gift_message: None,
        source: None,
        test: false,
        cancel_reason: optional(order.cancel_reason),
        placed_at: maybe_instant("placed-at", order.placed_at)?,
    })
}

pub(super) fn shipment(shipment: wit::Shipment) -> Read<Shipment> {
    Ok(Shipment {
        id: required("id", shipment.id)?,
        order_id: optional(shipment.order_id),
        order_number: optional(shipment.order_number),
        status: optional(shipment.status),
        carrier: optional(shipment.carrier),
        tracking_numbers: shipment.tracking_numbers,
        tracking_urls: shipment.tracking_urls,
        estimated_delivery_at: maybe_instant("estimated-delivery-at", shipment.estimated_delivery_at)?,
        items: each("items", shipment.items, line_item)?,
        destination: shipment.destination.map(address),
        // Keys of `extra` in this version.
        delivered_at: None,
        pickup_point: None,
    })
}

pub(super) fn cart(cart: wit::Cart) -> Read<Cart> {
    Ok(Cart {
        id: required("id", cart.id)?,
        total: maybe_money("total", cart.total)?,
        items: each("items", cart.items, line_item)?,
        recovery_url: optional(cart.recovery_url),
        completed_at: maybe_instant("completed-at", cart.completed_at)?,
        deleted: cart.deleted,
    })
}

fn line_item(item: wit::LineItem) -> Read<LineItem> {
    Ok(LineItem {
        id: optional(item.id),
        product_id: optional(item.product_id),
        sku: optional(item.sku),
        title: item.title,
        variant: optional(item.variant),
        quantity: decimal("quantity", &item.quantity)?,
        price: maybe_money("price", item.price)?,
        url: optional(item.url),
        image_url: optional(item.image_url),
    })
}

fn address(address: wit::Address) -> Address {
    Address {
        name: optional(address.name),
        company: optional(address.company),
        lines: address.lines.into_iter().filter(|line| !line.trim().is_empty()).collect(),
        city: optional(address.city),
        region: optional(address.region),
        postal_code: optional(address.postal_code),
        country: optional(address.country),
        phone: optional(address.phone),
    }
}
