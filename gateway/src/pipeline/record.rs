//! Record: what an event changes in what the gateway knows: contacts, windows, suppressions, messages and their statuses. All of it goes into the commit of the item.

use super::{reach, reply, status};
use crate::{
    catalog::Catalog,
    records::{ContactRow, Decision, MessageRow, SuppressionRow, WindowRow},
    tx::{Tx, TxError},
};
use tidegate_model::{
    ContactId, MessageId, Timestamp,
    contact::{Contact, ContactInfo, ContactKey, WhatsappAddress},
    event::{self, ChannelMessage, Event, Payload},
    gate::{Suppression, SuppressionScope},
    message::{Category, ChannelKind, Content, Direction, Draft, Message, State},
    opt_out::Keyword,
    window::Window,
};

/// Records one event, and gives the person that it is about, as they are now. `received_at` is the delivery's; it stamps what the provider gives no time for.
///
/// # Errors
/// The store's.
pub(super) fn record(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    event: &Event,
    received_at: Timestamp,
) -> Result<Option<Contact>, TxError> {
    let contact = match &event.contact {
        Some(info) if !info.keys.is_empty() => Some(upsert_contact(tx, catalog, event, info, received_at)?),
        _ => None,
    };
    match &event.payload {
        Payload::Message(message) => record_message(tx, catalog, event, message, contact.as_ref())?,
        Payload::Status(status) => status::record(tx, catalog, event, status, received_at)?,
        _ => {}
    }
    if let (Some(contact), "contact.consent_changed") = (&contact, event.kind.as_str()) {
        follow_preferences(tx, event, contact)?;
    }
    Ok(contact)
}

/// Finds the contact by its keys, makes it, or merges those that turn out to be one: the smallest id survives.
fn upsert_contact(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    event: &Event,
    info: &ContactInfo,
    received_at: Timestamp,
) -> Result<Contact, TxError> {
    let mut found: Vec<ContactId> = Vec::new();
    for key in &info.keys {
        if let Some(id) = tx.contact_by_key(key)?
            && !found.contains(&id)
        {
            found.push(id);
        }
    }
    found.sort_unstable();
    let (mut contact, is_new) = match found.first() {
        Some(id) => (tx.contact(*id)?.unwrap_or_else(|| Contact::new(*id, received_at)), false),
        None => (Contact::new(ContactId::derive(event.id.root_ms(), &[event.id.raw(), b"contact"]), received_at), true),
    };
    let merges = found.len() > 1;
    for id in found.into_iter().skip(1) {
        if let Some(other) = tx.contact(id)? {
            for key in &other.keys {
                tx.put_contact_key(key, contact.id);
            }
            take_over_windows(tx, catalog, other.id, contact.id)?;
            reply::take_over(tx, other.id, contact.id)?;
            contact.absorb(other);
        }
        tx.put(ContactRow { workspace: tx.workspace(), id, contact: None, alias_of: Some(contact.id) });
    }
    let version = event.entity.as_ref().and_then(|entity| entity.version).unwrap_or(event.occurred_at);
    let applied = contact.apply(info, version);
    for key in &applied.new_keys {
        tx.put_contact_key(key, contact.id);
    }
    if applied.changed || merges || is_new {
        tx.put(ContactRow {
            workspace: tx.workspace(),
            id: contact.id,
            contact: Some(contact.clone()),
            alias_of: None,
        });
    }
    Ok(contact)
}

/// The windows of a contact that turned out to be another one stay open.
fn take_over_windows(tx: &mut Tx<'_>, catalog: &Catalog, from: ContactId, to: ContactId) -> Result<(), TxError> {
    let workspace = tx.workspace();
    for sender in catalog.senders(workspace) {
        let Some(theirs) = tx.get::<WindowRow>(&(workspace, from, sender.number))? else { continue };
        let held = tx.get::<WindowRow>(&(workspace, to, sender.number))?.map(|row| row.window);
        let mut window = Window::after_inbound(held, theirs.window.last_inbound_at);
        window.closed_at = window.closed_at.max(theirs.window.closed_at);
        tx.put(WindowRow { workspace, contact: to, sender: sender.number, window });
    }
    Ok(())
}

/// A message from the person opens the window and may be a keyword; an echo of the business's own is kept beside it.
fn record_message(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    event: &Event,
    message: &ChannelMessage,
    contact: Option<&Contact>,
) -> Result<(), TxError> {
    let (Some(contact), Some(channel)) = (contact, channel_kind(&message.channel)) else { return Ok(()) };
    let sender = catalog.sender_by_provider_id(tx.workspace(), channel, &message.sender);
    let sender_name = sender.as_ref().map_or_else(|| message.sender.clone(), |sender| sender.name.clone());
    let id = MessageId::derive(event.id.root_ms(), &[event.id.raw(), b"message"]);
    let inbound = message.direction == event::Direction::Inbound;
    let state = if inbound { State::Received } else { State::Sent };
    let draft = Draft {
        id,
        channel,
        sender: sender_name,
        contact: contact.id,
        address: event.contact.as_ref().and_then(address_of),
        category: Category::Service,
        content: Content::Received {
            message_type: message.message_type.clone(),
            text: message.text.clone(),
            reply_id: message.reply_id.clone(),
            media: message.media.clone(),
        },
        event: Some(event.id),
        step: None,
        at: event.occurred_at,
    };
    let direction = if inbound { Direction::Inbound } else { Direction::Outbound };
    let row = Message { provider_id: Some(message.id.clone()), ..Message::new(draft, direction, state) };
    tx.put(MessageRow { workspace: tx.workspace(), message: row });
    if inbound {
        reach::wrote(tx, channel, contact, event.occurred_at)?;
        if let Some(sender) = sender {
            let held = tx.get::<WindowRow>(&(tx.workspace(), contact.id, sender.number))?;
            let window = Window::after_inbound(held.map(|row| row.window), event.occurred_at);
            tx.put(WindowRow { workspace: tx.workspace(), contact: contact.id, sender: sender.number, window });
        }
        if let Some(text) = &message.text {
            obey_keyword(tx, catalog, event, channel, text, contact)?;
        }
    }
    Ok(())
}

/// STOP and its kin take effect at once, on the channel they came by; START restores what a keyword took.
fn obey_keyword(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    event: &Event,
    channel: ChannelKind,
    text: &str,
    contact: &Contact,
) -> Result<(), TxError> {
    match catalog.keywords(tx.workspace()).find(text) {
        Some(Keyword::OptOut) => {
            let reason = "the contact sent an opt-out word".to_owned();
            suppress(
                tx,
                channel,
                contact,
                &Suppression { scope: SuppressionScope::All, since: event.occurred_at, reason },
            )
        }
        Some(Keyword::OptIn) => restore(tx, channel, contact, event.occurred_at),
        Some(Keyword::Help) | None => Ok(()),
    }
}

/// The provider's own "stop" and its withdrawal: of promotions, or (`transactional`) of every message.
fn follow_preferences(tx: &mut Tx<'_>, event: &Event, contact: &Contact) -> Result<(), TxError> {
    let Some(info) = &event.contact else { return Ok(()) };
    for statement in &info.consents {
        let Some(channel) = channel_kind(&statement.channel) else { continue };
        let since = statement.at.unwrap_or(event.occurred_at);
        let (scope, what) = match statement.scope.as_str() {
            "marketing" => (SuppressionScope::Marketing, "marketing"),
            "transactional" => (SuppressionScope::All, "messages"),
            _ => continue,
        };
        match (statement.state.as_str(), scope) {
            ("denied", _) => {
                let reason = format!("the contact stopped {what} at the provider");
                suppress(tx, channel, contact, &Suppression { scope, since, reason })?;
            }
            ("granted", SuppressionScope::All) => restore(tx, channel, contact, since)?,
            ("granted", _) => allow(tx, channel, contact, scope, since)?,
            _ => {}
        }
    }
    Ok(())
}

/// Holds messages back from every address of a person.
///
/// # Errors
/// The store's.
pub(super) fn suppress(
    tx: &mut Tx<'_>,
    channel: ChannelKind,
    contact: &Contact,
    suppression: &Suppression,
) -> Result<(), TxError> {
    let decision = Decision { at: suppression.since, suppression: Some(suppression.clone()) };
    decide(tx, channel, contact, suppression.scope, &decision)
}

/// START takes back every stop before it.
fn restore(tx: &mut Tx<'_>, channel: ChannelKind, contact: &Contact, at: Timestamp) -> Result<(), TxError> {
    allow(tx, channel, contact, SuppressionScope::All, at)?;
    allow(tx, channel, contact, SuppressionScope::Marketing, at)
}

/// Takes back what holds messages of a scope back, unless it is newer.
///
/// # Errors
/// The store's.
pub(super) fn allow(
    tx: &mut Tx<'_>,
    channel: ChannelKind,
    contact: &Contact,
    scope: SuppressionScope,
    at: Timestamp,
) -> Result<(), TxError> {
    decide(tx, channel, contact, scope, &Decision { at, suppression: None })
}

/// Writes a person's decision down for every address of theirs, unless a newer one is known for any.
fn decide(
    tx: &mut Tx<'_>,
    channel: ChannelKind,
    contact: &Contact,
    scope: SuppressionScope,
    decision: &Decision,
) -> Result<(), TxError> {
    let workspace = tx.workspace();
    let mut rows = Vec::new();
    for address in addresses(channel, contact) {
        let held = tx.get::<SuppressionRow>(&(workspace, channel, address.clone()))?;
        rows.push(held.unwrap_or(SuppressionRow {
            workspace,
            channel,
            address,
            all: None,
            marketing: None,
            blocked: None,
        }));
    }
    if rows.iter_mut().any(|row| row.decision(scope).as_ref().is_some_and(|held| held.at > decision.at)) {
        return Ok(());
    }
    for mut row in rows {
        *row.decision(scope) = Some(decision.clone());
        tx.put(row);
    }
    Ok(())
}

/// Every address that a contact has on a channel, as suppressions name them.
pub(super) fn addresses(channel: ChannelKind, contact: &Contact) -> Vec<String> {
    let on_channel = |key: &&ContactKey| match key {
        ContactKey::Phone(_) => true,
        ContactKey::WhatsappId(_) | ContactKey::WhatsappUserId(_) => channel == ChannelKind::Whatsapp,
        ContactKey::Email(_) | ContactKey::ExternalId(_) => false,
    };
    contact.keys.iter().filter(on_channel).map(ContactKey::lookup).collect()
}

fn address_of(info: &ContactInfo) -> Option<WhatsappAddress> {
    let mut contact = Contact::new(ContactId::from_raw([0; 16]), Timestamp::from_ms(0));
    contact.keys.clone_from(&info.keys);
    contact.whatsapp_address()
}

/// A channel by its word in events.
pub(super) fn channel_kind(word: &str) -> Option<ChannelKind> {
    match word {
        "whatsapp" => Some(ChannelKind::Whatsapp),
        "sms" => Some(ChannelKind::Sms),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
