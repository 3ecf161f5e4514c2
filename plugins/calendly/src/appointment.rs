//! Appointments: booked, rescheduled, cancelled, missed.

use crate::{
    invitee::{Invitee, Webhook},
    known::{Known, Replaced},
    settings::Settings,
};
use tidegate_plugin_sdk::{Appointment, Context, Error, Event, Interpretation, Item, json, json::Instant};

/// `invitee.created`: a booking. One that replaces another is a rescheduling.
pub(crate) fn created(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
    let webhook = Webhook::read(item)?;
    let invitee = &webhook.payload;
    let id = invitee.id()?;
    let known: Known = ctx.state()?.unwrap_or_default();
    if let Some(reason) = known.booking_told() {
        return Err(Error::skip(reason));
    }
    let mut appointment = invitee.appointment(id);
    let replaced = known.replaces.as_ref();
    appointment.previous_id = json::string(invitee.old_invitee.as_ref()).or_else(|| Some(replaced?.id.clone()));
    appointment.previous_starts_at = replaced.and_then(|replaced| replaced.starts_at.clone());
    let kind = if appointment.previous_id.is_some() { "appointment.rescheduled" } else { "appointment.booked" };
    ctx.set_state(&Known { booked: true, ..known })?;
    let at = invitee.created_at.as_ref().map_or(webhook.happened_at(item), Instant::as_str);
    event(ctx, kind, at, invitee, appointment)
}

/// `invitee.canceled`. The one of a rescheduling is not a cancellation for anybody: the new booking tells, and is told here when the old one would have been.
pub(crate) fn cancelled(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
    let webhook = Webhook::read(item)?;
    let invitee = &webhook.payload;
    let id = invitee.id()?;
    let known: Known = ctx.state()?.unwrap_or_default();
    if invitee.was_moved() {
        return moved(ctx, invitee, id, known);
    }
    if known.cancelled {
        return Err(Error::skip("the cancellation was told before"));
    }
    ctx.set_state(&Known { cancelled: true, ..known })?;
    let own_time = invitee.cancellation.as_ref().and_then(|cancellation| cancellation.created_at.as_ref());
    let at = own_time.map_or(webhook.happened_at(item), Instant::as_str);
    event(ctx, "appointment.cancelled", at, invitee, invitee.appointment(id))
}

/// The old half of a rescheduling. Its state is that of the new booking.
fn moved(ctx: &mut Context<'_>, invitee: &Invitee<'_>, id: &str, known: Known) -> Result<Interpretation, Error> {
    if known.booked || known.cancelled || json::filled(invitee.new_invitee.as_deref()).is_none() {
        return Err(Error::skip("the appointment was rescheduled: the new booking tells it"));
    }
    let start = invitee.scheduled_event.as_ref().and_then(|event| event.start_time.as_ref());
    let replaced = Replaced { id: id.to_owned(), starts_at: start.map(|at| at.as_str().to_owned()) };
    ctx.set_state(&Known { replaces: Some(replaced), ..known })?;
    // Not a skip: what is kept must be stored.
    Ok(Interpretation::default())
}

/// `invitee_no_show.created`: the payload is the invitee.
pub(crate) fn missed(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
    let webhook = Webhook::read(item)?;
    let invitee = &webhook.payload;
    let id = invitee.id()?;
    let own_time = invitee.no_show.as_ref().and_then(|no_show| no_show.created_at.as_ref());
    let at = own_time.map_or(webhook.happened_at(item), Instant::as_str);
    let known: Known = ctx.state()?.unwrap_or_default();
    if let Some(reason) = known.miss_told(at) {
        return Err(Error::skip(reason));
    }
    ctx.set_state(&Known { missed_at: Some(at.to_owned()), ..known })?;
    event(ctx, "appointment.no_show", at, invitee, invitee.appointment(id))
}

/// `invitee_no_show.deleted`: a host takes it back.
pub(crate) fn not_missed(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
    let webhook = Webhook::read(item)?;
    let invitee = &webhook.payload;
    let id = invitee.id()?;
    let at = webhook.happened_at(item);
    let known: Known = ctx.state()?.unwrap_or_default();
    let is_news = known.is_undoing_told(at);
    ctx.set_state(&known.undone(at))?;
    if !is_news {
        // It overtook what it takes back, or came twice. That it came is kept, so this is not a skip.
        return Ok(Interpretation::default());
    }
    event(ctx, "appointment.no_show_undone", at, invitee, invitee.appointment(id))
}

fn event(
    ctx: &Context<'_>,
    kind: &str,
    at: &str,
    invitee: &Invitee<'_>,
    appointment: Appointment,
) -> Result<Interpretation, Error> {
    let settings: Settings<'_> = ctx.settings()?;
    let version = invitee.updated_at.as_ref().map(Instant::as_str);
    let event = Event::new(kind, "appointment", at).with_contact(invitee.contact(&settings));
    let event = event.with_entity("appointment", &appointment.id, version);
    Ok(event.with_payload(appointment).with_extra(invitee.extra()).into())
}
