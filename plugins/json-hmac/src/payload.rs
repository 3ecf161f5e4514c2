//! The details of an event: the tables of the settings, as the contract's records.

use crate::reading::{Reading, scalar};
use tidegate_json_mapping::{
    Answers, Filling, Fillings, Json, PayloadMapping, Pointer,
    fields::{ORDER, Shape},
};
use tidegate_plugin_sdk::{
    Address, Appointment, Cart, ContactChange, Deal, Error, Field, Form, Lead, LineItem, Order, Payload, Shipment,
};

/// The details, and the id of the thing where it has one. `fallback` is the id of what needs one and has none (a form, a lead).
pub(crate) fn read<'a>(
    reading: &Reading<'_, 'a>,
    mapping: &'a PayloadMapping,
    fallback: &str,
) -> Result<(Payload, Option<String>), Error> {
    let key = match mapping {
        PayloadMapping::Custom(named) => return Ok((Payload::Custom(reading.named(named)?.finish()), None)),
        PayloadMapping::Record(key, _) => *key,
    };
    let id = match key {
        "change" => None,
        "form" | "lead" => Some(reading.text("id")?.unwrap_or_else(|| fallback.to_owned())),
        _ => Some(reading.required("id")?),
    };
    let given = id.clone().unwrap_or_default();
    let payload = match key {
        "order" => order(reading, given)?.into(),
        "shipment" => shipment(reading, given)?.into(),
        "cart" => cart(reading, given)?.into(),
        "lead" => lead(reading, given)?.into(),
        "deal" => deal(reading, given)?.into(),
        "appointment" => appointment(reading, given)?.into(),
        "form" => form(reading, given)?.into(),
        _ => change(reading)?.into(),
    };
    Ok((payload, id))
}

/// The words that a field of an order takes.
fn words(name: &str) -> &'static [&'static str] {
    ORDER.fields.iter().find(|field| field.name == name).map_or(&[], |field| match field.shape {
        Shape::Word(words) => words,
        _ => &[],
    })
}

fn order(reading: &Reading<'_, '_>, id: String) -> Result<Order, Error> {
    let currency = reading.currency()?;
    let money = |name| reading.money(name, currency.as_deref());
    let word = |name| reading.word(name, words(name));
    Ok(Order {
        id,
        number: reading.text("number")?,
        status: word("status")?,
        payment_status: word("payment_status")?,
        fulfillment_status: word("fulfillment_status")?,
        total: money("total")?,
        subtotal: money("subtotal")?,
        shipping: money("shipping")?,
        tax: money("tax")?,
        discount: money("discount")?,
        refunded: money("refunded")?,
        items: lines(reading, currency.as_deref())?,
        shipping_address: address(reading, "shipping_address")?,
        billing_address: address(reading, "billing_address")?,
        status_url: reading.text("status_url")?,
        cart_id: reading.text("cart_id")?,
        discount_codes: reading.texts("discount_codes")?,
        tags: reading.texts("tags")?,
        note: reading.text("note")?,
        cancel_reason: reading.text("cancel_reason")?,
        placed_at: reading.instant("placed_at")?,
    })
}

fn shipment(reading: &Reading<'_, '_>, id: String) -> Result<Shipment, Error> {
    Ok(Shipment {
        id,
        order_id: reading.text("order_id")?,
        order_number: reading.text("order_number")?,
        status: reading.text("status")?,
        carrier: reading.text("carrier")?,
        tracking_numbers: reading.texts("tracking_numbers")?,
        tracking_urls: reading.texts("tracking_urls")?,
        estimated_delivery_at: reading.instant("estimated_delivery_at")?,
        items: lines(reading, reading.currency()?.as_deref())?,
        destination: address(reading, "destination")?,
    })
}

fn cart(reading: &Reading<'_, '_>, id: String) -> Result<Cart, Error> {
    let currency = reading.currency()?;
    Ok(Cart {
        id,
        total: reading.money("total", currency.as_deref())?,
        items: lines(reading, currency.as_deref())?,
        recovery_url: reading.text("recovery_url")?,
        completed_at: reading.instant("completed_at")?,
        deleted: reading.flag("deleted")?,
    })
}

fn change(reading: &Reading<'_, '_>) -> Result<ContactChange, Error> {
    Ok(ContactChange {
        merged_ids: reading.texts("merged_ids")?,
        order_ids: reading.texts("order_ids")?,
        request_id: reading.text("request_id")?,
    })
}

fn lead(reading: &Reading<'_, '_>, id: String) -> Result<Lead, Error> {
    Ok(Lead {
        id,
        form_id: reading.text("form_id")?,
        campaign: reading.text("campaign")?,
        ad_id: reading.text("ad_id")?,
        answers: answers(reading)?,
        test: reading.flag("test")?,
    })
}

fn deal(reading: &Reading<'_, '_>, id: String) -> Result<Deal, Error> {
    Ok(Deal {
        id,
        name: reading.text("name")?,
        pipeline: reading.text("pipeline")?,
        stage: reading.text("stage")?,
        previous_stage: reading.text("previous_stage")?,
        amount: reading.money("amount", reading.currency()?.as_deref())?,
        owner: reading.text("owner")?,
    })
}

fn appointment(reading: &Reading<'_, '_>, id: String) -> Result<Appointment, Error> {
    Ok(Appointment {
        id,
        title: reading.text("title")?,
        starts_at: reading.instant("starts_at")?,
        ends_at: reading.instant("ends_at")?,
        time_zone: reading.text("time_zone")?,
        location: reading.text("location")?,
        hosts: reading.texts("hosts")?,
        cancel_url: reading.text("cancel_url")?,
        reschedule_url: reading.text("reschedule_url")?,
        previous_id: reading.text("previous_id")?,
        previous_starts_at: reading.instant("previous_starts_at")?,
        cancel_reason: reading.text("cancel_reason")?,
        answers: answers(reading)?,
    })
}

fn form(reading: &Reading<'_, '_>, id: String) -> Result<Form, Error> {
    Ok(Form { id, form_id: reading.text("form_id")?, name: reading.text("name")?, answers: answers(reading)? })
}

fn address(reading: &Reading<'_, '_>, name: &str) -> Result<Option<Address>, Error> {
    let Some(Filling::Record(fillings)) = reading.fillings.get(name) else { return Ok(None) };
    let path = format!("{}.{name}", reading.path);
    let reading = Reading { fillings, path: &path, ..*reading };
    let address = Address {
        name: reading.text("name")?,
        company: reading.text("company")?,
        lines: reading.texts("lines")?,
        city: reading.text("city")?,
        region: reading.text("region")?,
        postal_code: reading.text("postal_code")?,
        country: reading.text("country")?,
        phone: reading.text("phone")?,
    };
    Ok(Some(address).filter(|address| *address != Address::default()))
}

/// The elements of a list, with the pointer of each; none when there is no list.
fn elements<'a>(
    reading: &Reading<'_, 'a>,
    name: &str,
    each: &'a Pointer,
) -> Result<Vec<(String, &'a Json<'a>)>, Error> {
    let found = reading.scope.at(each).map_err(|error| Error::new(format!("{}.{name}: {error}", reading.path)))?;
    let pointer = |place: usize| format!("{}{}/{place}", reading.base, each.as_str());
    match found {
        None => Ok(Vec::new()),
        Some(Json::List(items)) => Ok(items.iter().enumerate().map(|(place, item)| (pointer(place), item)).collect()),
        Some(other) => {
            let reason = format!("{}.{name}.each: expected an array, found {}", reading.path, other.name());
            Err(Error::field([reading.base, each.as_str()].concat(), reason))
        }
    }
}

fn lines(reading: &Reading<'_, '_>, currency: Option<&str>) -> Result<Vec<LineItem>, Error> {
    let Some(Filling::Lines { each, fields }) = reading.fillings.get("items") else { return Ok(Vec::new()) };
    let path = format!("{}.items", reading.path);
    let elements = elements(reading, "items", each)?;
    elements.iter().map(|(base, element)| line(reading, (fields, &path), (base, element), currency)).collect()
}

fn line<'a>(
    outer: &Reading<'_, 'a>,
    (fillings, path): (&'a Fillings, &str),
    (base, element): (&str, &'a Json<'a>),
    currency: Option<&str>,
) -> Result<LineItem, Error> {
    let reading = Reading { fillings, path, base, scope: outer.scope.of(element), mapping: outer.mapping };
    let own = reading.currency()?;
    Ok(LineItem {
        id: reading.text("id")?,
        product_id: reading.text("product_id")?,
        sku: reading.text("sku")?,
        title: reading.text("title")?.unwrap_or_default(),
        variant: reading.text("variant")?,
        quantity: reading.decimal("quantity")?.unwrap_or_else(|| "1".to_owned()),
        price: reading.money("price", own.as_deref().or(currency))?,
        url: reading.text("url")?,
        image_url: reading.text("image_url")?,
    })
}

fn answers(reading: &Reading<'_, '_>) -> Result<Vec<Field>, Error> {
    let Some(Filling::Answers(answers)) = reading.fillings.get("answers") else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    match answers {
        Answers::Members(source) => match reading.find("answers", source)?.as_deref() {
            Some(Json::Object(members)) => found.extend(members.iter().filter_map(|(name, value)| answer(name, value))),
            Some(other) => {
                return Err(reading.wrong("answers", Some(source), "an object of names and answers", Some(other)));
            }
            None => {}
        },
        Answers::Each { each, name, value } => {
            for (base, element) in elements(reading, "answers", each)? {
                let reading = Reading { base: &base, scope: reading.scope.of(element), ..*reading };
                let name = reading.text_of("answers.name", name)?;
                let value = reading.find("answers.value", value)?;
                found.extend(name.zip(value).and_then(|(name, value)| answer(&name, &value)));
            }
        }
        Answers::Named(named) => {
            for (name, source) in named {
                let value = reading.find(name, source)?;
                found.extend(value.and_then(|value| answer(name, &value)));
            }
        }
    }
    Ok(found)
}

/// An answer under a name that flows can write. Several choices are one text.
fn answer(name: &str, value: &Json<'_>) -> Option<Field> {
    let name = joined(name);
    let value = match value {
        Json::Null => None,
        Json::List(items) => {
            let texts: Vec<String> = items.iter().filter_map(scalar).collect();
            Some(texts.join(", "))
        }
        other => Some(scalar(other).unwrap_or_else(|| other.write())),
    };
    let value = value.filter(|value| !value.trim().is_empty());
    (!name.is_empty() && value.is_some()).then_some(Field { name, value })
}

/// Words joined by `_`, in lower case: `What's your name?` is `what_s_your_name`.
fn joined(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("_")
}
