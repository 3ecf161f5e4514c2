//! Fulfillments (parcels) and what the carrier says about them.

use crate::{
    address::ShopAddress,
    common,
    line::Line,
    person::Sources,
    remembered::{Remembered, Step},
};
use serde::Deserialize;
use tidegate_plugin_sdk::{
    ContactInfo, Context, Error, Event, Interpretation, Item, Shipment, json, json::Instant, json::Object, json::Text,
};

/// A fulfillment. `status` tells whether the shop handed it over, `shipment_status` where the carrier has it.
#[derive(Deserialize)]
struct Fulfillment<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    admin_graphql_api_id: Option<Text<'a>>,
    #[serde(borrow)]
    order_id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    shipment_status: Option<Text<'a>>,
    #[serde(borrow)]
    created_at: Option<Instant<'a>>,
    #[serde(borrow)]
    updated_at: Option<Instant<'a>>,
    #[serde(borrow)]
    estimated_delivery_at: Option<Instant<'a>>,
    #[serde(borrow)]
    email: Option<Text<'a>>,
    #[serde(borrow)]
    tracking_company: Option<Text<'a>>,
    #[serde(borrow)]
    tracking_number: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    tracking_numbers: Vec<Text<'a>>,
    #[serde(borrow)]
    tracking_url: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    tracking_urls: Vec<Text<'a>>,
    #[serde(borrow)]
    destination: Option<ShopAddress<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    line_items: Vec<Line<'a>>,
}

pub(crate) fn changed(ctx: &mut Context<'_>, item: &Item, kind: &str) -> Result<Interpretation, Error> {
    let mut known = Remembered::read(ctx)?;
    let event = event(&known, item, &item.body, kind)?;
    let parcel: Fulfillment<'_> = json::parse(&item.body)?;
    if parcel.order_id.is_some() {
        known.tell(&Step::parcel(parcel.id()?, parcel.updated_at.as_ref()))?;
        known.keep(ctx)?;
    }
    Ok(event.into())
}

/// The event of a parcel of a known order. `body` is the fulfillment.
pub(crate) fn event(known: &Remembered, item: &Item, body: &str, kind: &str) -> Result<Event, Error> {
    let fulfillment: Fulfillment<'_> = json::parse(body)?;
    let id = fulfillment.id()?;
    let own_time =
        if kind == "shipment.created" { fulfillment.created_at.as_ref() } else { fulfillment.updated_at.as_ref() };
    let occurred_at = common::occurred_at(item, own_time.or(fulfillment.created_at.as_ref()));
    let known = known.contact();
    // The addressee may be somebody else: who the customer is comes first.
    let contact = if known.keys.is_empty() { fulfillment.addressee() } else { known };
    let event = Event::new(kind, "shipment", &occurred_at).with_contact(contact);
    Ok(event
        .with_entity("shipment", id, fulfillment.updated_at.as_ref().map(Instant::as_str))
        .with_payload(fulfillment.shipment(id)))
}

impl Fulfillment<'_> {
    fn id(&self) -> Result<&str, Error> {
        common::required_id(self.admin_graphql_api_id.as_ref(), self.id.as_ref())
    }

    fn addressee(&self) -> ContactInfo {
        let emails = [self.email.as_ref(), None];
        Sources { emails, shipping: self.destination.as_ref(), ..Sources::default() }.contact()
    }

    fn shipment(&self, id: &str) -> Shipment {
        Shipment {
            id: id.to_owned(),
            order_id: json::string(self.order_id.as_ref()),
            order_number: json::filled(self.name.as_deref()).map(|name| order_number(name).to_owned()),
            status: self.shipment_status().map(str::to_owned),
            carrier: json::string(self.tracking_company.as_ref()),
            tracking_numbers: all(&self.tracking_numbers, self.tracking_number.as_ref()),
            tracking_urls: all(&self.tracking_urls, self.tracking_url.as_ref()),
            estimated_delivery_at: common::owned(self.estimated_delivery_at.as_ref()),
            items: self.line_items.iter().map(Line::unpriced).collect(),
            destination: self.destination.as_ref().map(ShopAddress::address),
        }
    }

    fn shipment_status(&self) -> Option<&str> {
        match json::filled(self.shipment_status.as_deref()) {
            Some(status) => Some(carriers_word(status)),
            None => match self.status.as_deref()? {
                "pending" | "open" => Some("pending"),
                "cancelled" => Some("cancelled"),
                "error" | "failure" => Some("failed"),
                // `success`: handed over; where the parcel is, nobody said.
                _ => None,
            },
        }
    }
}

/// The list, or the single value that it repeats.
fn all(list: &[Text<'_>], single: Option<&Text<'_>>) -> Vec<String> {
    let listed: Vec<_> = list.iter().filter_map(|text| json::string(Some(text))).collect();
    if listed.is_empty() { json::string(single).into_iter().collect() } else { listed }
}

/// A fulfillment is named after its order: `#1001.1`.
fn order_number(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((order, count)) if !order.is_empty() && count.bytes().all(|b| b.is_ascii_digit()) => order,
        _ => name,
    }
}

fn carriers_word(status: &str) -> &str {
    match status {
        "label_printed" | "label_purchased" | "confirmed" => "pending",
        "carrier_picked_up" => "in_transit",
        "failure" => "failed",
        other => other,
    }
}

/// `fulfillment_events/create`: what the carrier says. It names the order; whose that is, was told with the order.
#[derive(Deserialize)]
struct CarrierEvent<'a> {
    #[serde(borrow)]
    fulfillment_id: Text<'a>,
    #[serde(borrow)]
    order_id: Option<Text<'a>>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    #[serde(borrow)]
    happened_at: Option<Instant<'a>>,
    #[serde(borrow)]
    updated_at: Option<Instant<'a>>,
    #[serde(borrow)]
    estimated_delivery_at: Option<Instant<'a>>,
}

pub(crate) fn tracked(ctx: &Context<'_>, item: &Item) -> Result<Interpretation, Error> {
    let known = Remembered::read(ctx)?;
    let told: CarrierEvent<'_> = json::parse(&item.body)?;
    let kind = match told.status.as_str() {
        "out_for_delivery" => "shipment.out_for_delivery",
        "delivered" => "shipment.delivered",
        "delayed" => "shipment.delayed",
        _ => "shipment.updated",
    };
    let shipment = Shipment {
        id: told.fulfillment_id.as_str().to_owned(),
        order_id: json::string(told.order_id.as_ref()),
        order_number: known.number.clone(),
        status: Some(carriers_word(&told.status).to_owned()),
        estimated_delivery_at: common::owned(told.estimated_delivery_at.as_ref()),
        ..Shipment::default()
    };
    let occurred_at = common::occurred_at(item, told.happened_at.as_ref());
    let event = Event::new(kind, "shipment", &occurred_at)
        .with_contact(known.contact())
        .with_entity("shipment", &told.fulfillment_id, told.updated_at.as_ref().map(Instant::as_str))
        .with_payload(shipment)
        .with_extra(Object::new().text("message", json::filled(told.message.as_deref())));
    let interpretation = Interpretation::from(event);
    Ok(match told.status.as_str() {
        "ready_for_pickup" => {
            let variables = Object::new()
                .text("order_id", json::filled(told.order_id.as_deref()))
                .text("order_number", known.number.as_deref());
            interpretation.with_trigger("ready-for-pickup", "shipment", variables.finish())
        }
        _ => interpretation,
    })
}
