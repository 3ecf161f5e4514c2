//! Deals: made, moved to another stage. Whose they are is read: the first contact that the deal belongs to.

use crate::{
    change::Change,
    contact,
    crm::{self, Earlier, Found},
    settings::Settings,
};
use tidegate_plugin_sdk::{
    ContactInfo, Context, Deal, Error, Event, Interpretation, Item, Money, decimal, json, json::Instant, json::Object,
};

/// What is read of a deal, with its stages so far and its contacts.
const QUERY: &str = "properties=dealname,pipeline,dealstage,amount,deal_currency_code,hubspot_owner_id,hs_is_closed,hs_is_closed_won&propertiesWithHistory=dealstage&associations=contacts";

pub(crate) fn created(ctx: &mut Context<'_>, item: &Item, change: &Change<'_>) -> Result<Interpretation, Error> {
    let response = read(ctx, change)?;
    let found = Found::read(&response)?;
    let stage = found.property("dealstage");
    Ok(event(ctx, item, change, &found, Moved { kind: "deal.created", stage, previous: None })?.into())
}

pub(crate) fn changed(ctx: &mut Context<'_>, item: &Item, change: &Change<'_>) -> Result<Interpretation, Error> {
    let property = change.property().unwrap_or_default();
    if property != "dealstage" {
        return Err(Error::skip(format!("a deal's {property} means nothing for messages")));
    }
    let response = read(ctx, change)?;
    let found = Found::read(&response)?;
    let now = found.property("dealstage");
    let stage = change.value().or(now);
    let previous = stage.and_then(|stage| previous(found.history("dealstage"), stage, change.occurred_ms()));
    let moved = Moved { kind: "deal.stage_changed", stage, previous };
    let interpretation = Interpretation::from(event(ctx, item, change, &found, moved)?);
    // What HubSpot says of the end is about the stage that the deal has now.
    Ok(if stage == now { ended(interpretation, &found) } else { interpretation })
}

/// What an event says about stages.
#[derive(Clone, Copy)]
struct Moved<'t> {
    kind: &'t str,
    stage: Option<&'t str>,
    previous: Option<&'t str>,
}

fn read(ctx: &mut Context<'_>, change: &Change<'_>) -> Result<tidegate_plugin_sdk::Response, Error> {
    let response = crm::object(ctx, "deals", change.object_id()?, QUERY)?;
    response.ok_or_else(|| Error::skip("the deal is no longer in HubSpot"))
}

fn event(
    ctx: &mut Context<'_>,
    item: &Item,
    change: &Change<'_>,
    found: &Found<'_>,
    moved: Moved<'_>,
) -> Result<Event, Error> {
    let text = |name: &str| found.property(name).map(str::to_owned);
    let deal = Deal {
        id: found.id.as_str().to_owned(),
        name: text("dealname"),
        pipeline: text("pipeline"),
        stage: moved.stage.map(str::to_owned),
        previous_stage: moved.previous.map(str::to_owned),
        amount: amount(found),
        owner: text("hubspot_owner_id"),
    };
    let person = match found.first_associated("contacts") {
        Some(id) => person(ctx, id)?,
        None => ContactInfo::default(),
    };
    let event = Event::new(moved.kind, "deal", change.occurred_at(item)).with_contact(person);
    Ok(event
        .with_entity("deal", &found.id, found.updated_at.as_ref().map(Instant::as_str))
        .with_payload(deal)
        .with_extra(change.extra()))
}

/// The worth; without a currency (portals with one only may leave it out) it is no amount of money.
fn amount(found: &Found<'_>) -> Option<Money> {
    let amount = found.property("amount").and_then(decimal::canonical);
    Money::of(amount.as_deref(), found.property("deal_currency_code"))
}

/// Whose deal it is. A contact that is gone is known by its id.
fn person(ctx: &mut Context<'_>, id: &str) -> Result<ContactInfo, Error> {
    let settings = Settings::of(ctx)?;
    let mut contact = match crm::object(ctx, "contacts", id, &settings.query())? {
        Some(response) => contact::info(&Found::read(&response)?, &settings),
        None => ContactInfo::default(),
    };
    contact.add_external_id(Some(id));
    Ok(contact)
}

/// The stage before: the newest other one that the deal had before the change.
fn previous<'t>(history: &'t [Earlier<'_>], stage: &str, changed_ms: i64) -> Option<&'t str> {
    let mut before: Vec<(i64, &str)> = history
        .iter()
        .filter_map(|earlier| Some((earlier.timestamp.as_ref()?.unix_ms(), json::filled(earlier.value.as_deref())?)))
        .filter(|(at, value)| *at <= changed_ms && *value != stage)
        .collect();
    before.sort_by_key(|(at, _)| *at);
    before.last().map(|(_, value)| *value)
}

/// A deal that was won or lost.
fn ended(interpretation: Interpretation, found: &Found<'_>) -> Interpretation {
    let name = match (found.property("hs_is_closed_won"), found.property("hs_is_closed")) {
        (Some("true"), _) => "deal-won",
        (_, Some("true")) => "deal-lost",
        _ => return interpretation,
    };
    let amount = amount(found);
    let variables = Object::new()
        .text("deal_name", found.property("dealname"))
        .text("amount", amount.as_ref().map(|worth| worth.amount.as_str()))
        .text("currency", amount.as_ref().map(|worth| worth.currency.as_str()))
        .finish();
    interpretation.with_trigger(name, "deal", variables)
}
