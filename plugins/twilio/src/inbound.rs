//! What people write: texts and media, and the opt-outs that Twilio recognised by itself.

use crate::common;
use tidegate_plugin_sdk::{
    Consent, ContactChange, ContactInfo, Direction, Error, Event, Interpretation, Item, Media, Message, form::Fields,
    json::Object, time,
};

/// Most media of one message.
const MAX_MEDIA: usize = 10;

/// `message.received`, and `contact.consent_changed` where Twilio says that it was an opt-out or its withdrawal.
pub(crate) fn received(item: &Item, fields: &Fields<'_>) -> Result<Interpretation, Error> {
    if let Some(channel) = common::other_channel(fields) {
        return Err(common::not_sms(channel));
    }
    let id = common::message_id(fields)?;
    let contact = contact(fields)?;
    let mut media = media(fields).into_iter();
    let first = media.next();
    let further: Vec<Media> = media.collect();
    let text = fields.get("Body");
    let message = Message {
        id: id.to_owned(),
        channel: "sms".to_owned(),
        sender: common::sender(fields, "To")?.to_owned(),
        direction: Direction::Inbound,
        message_type: first.as_ref().map_or("text", kind).to_owned(),
        text: text.map(str::to_owned),
        media: first,
        content: (!further.is_empty()).then(|| more(&further)),
        ..Message::default()
    };
    let extra = Object::new()
        .text("number", fields.get("To"))
        .text("segments", fields.get("NumSegments"))
        .text("opt_out_type", fields.get("OptOutType"));
    let at = sent_at(item, fields);
    let event = Event::new("message.received", "message", at).with_contact(contact.clone());
    let event = event.with_entity("message", id, None).with_payload(message).with_extra(extra);
    let events = std::iter::once(event).chain(opt_out(item, fields, contact)).collect::<Vec<_>>();
    Ok(events.into())
}

/// When it was sent: a webhook does not tell, and comes at once; what is read again comes late, and tells.
fn sent_at<'i>(item: &'i Item, fields: &'i Fields<'_>) -> &'i str {
    fields.get("DateSent").filter(|at| time::unix_ms(at).is_some()).unwrap_or(&item.received_at)
}

/// A short code or a name that writes is nobody whom we could answer; the host sees that it is no number.
fn contact(fields: &Fields<'_>) -> Result<ContactInfo, Error> {
    let from = fields.required("From")?;
    Ok(ContactInfo::default().with_phone(Some(from), fields.get("FromCountry")))
}

/// With Advanced Opt-Out Twilio recognises words of the operator's own, and stops or allows messages by itself: so do we, whatever the word was.
///
/// Source: <https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out>.
fn opt_out(item: &Item, fields: &Fields<'_>, mut contact: ContactInfo) -> Option<Event> {
    let state = match fields.get("OptOutType")? {
        "STOP" => "denied",
        "START" => "granted",
        _ => return None,
    };
    contact.consents.push(Consent {
        channel: "sms".to_owned(),
        scope: "transactional".to_owned(),
        state: state.to_owned(),
        at: Some(sent_at(item, fields).to_owned()),
        method: Some("sms keyword, by Twilio".to_owned()),
    });
    let event = Event::new("contact.consent_changed", "opt-out", sent_at(item, fields)).with_contact(contact);
    Some(event.with_payload(ContactChange::default()))
}

/// Media as Twilio keeps them: fetched with the account's credentials.
fn media(fields: &Fields<'_>) -> Vec<Media> {
    let count = fields.get("NumMedia").and_then(|text| text.parse::<usize>().ok()).unwrap_or(0).min(MAX_MEDIA);
    let one = |place: usize| {
        let url = fields.get(&format!("MediaUrl{place}"))?;
        let id = url.rsplit('/').next().filter(|id| id.starts_with("ME"));
        Some(Media {
            id: id.map(str::to_owned),
            mime_type: fields.get(&format!("MediaContentType{place}")).map(str::to_owned),
            url: Some(url.to_owned()),
            ..Media::default()
        })
    };
    (0..count).filter_map(one).collect()
}

fn kind(media: &Media) -> &'static str {
    match media.mime_type.as_deref().and_then(|kind| kind.split_once('/')) {
        Some(("image", _)) => "image",
        Some(("video", _)) => "video",
        Some(("audio", _)) => "audio",
        _ => "document",
    }
}

/// Media beside the first, as JSON.
fn more(media: &[Media]) -> String {
    let list: Vec<String> = media
        .iter()
        .map(|media| {
            Object::new().text("url", media.url.as_deref()).text("mime_type", media.mime_type.as_deref()).finish()
        })
        .collect();
    Object::new().raw("more_media", Some(&format!("[{}]", list.join(",")))).finish()
}
