//! Messages, statuses, senders, templates, connections.

use super::JSON_BYTES;
use crate::worlds::v0_1::{
    bindings::tidegate::plugin::types as wit,
    read::{Bad, Read, each, json, optional, required, word},
};
use tidegate_model::event::{
    ChannelMessage, ConnectionChange, Direction, Media, Pricing, ProviderError, Referral, SenderChange, Status,
    TemplateChange,
};

const CHANNELS: &[&str] = &["whatsapp", "sms"];
const STATES: &[&str] = &["accepted", "sent", "delivered", "read", "played", "failed"];

pub(super) fn message(message: wit::Message) -> Read<ChannelMessage> {
    Ok(ChannelMessage {
        id: required("id", message.id)?,
        channel: word("channel", message.channel, CHANNELS)?,
        sender: required("sender", message.sender)?,
        direction: match message.direction {
            wit::Direction::Inbound => Direction::Inbound,
            wit::Direction::Outbound => Direction::Outbound,
        },
        message_type: required("message-type", message.message_type)?,
        text: optional(message.text),
        reply_id: optional(message.reply_id),
        in_reply_to: optional(message.in_reply_to),
        media: message.media.map(media),
        referral: message.referral.map(referral),
        content: message.content.map(|text| json("content", &text, JSON_BYTES)).transpose()?,
    })
}

fn media(media: wit::Media) -> Media {
    Media {
        id: optional(media.id),
        mime_type: optional(media.mime_type),
        url: optional(media.url),
        file_name: optional(media.file_name),
        sha256: optional(media.sha256),
    }
}

fn referral(referral: wit::Referral) -> Referral {
    Referral {
        source_type: optional(referral.source_type),
        source_id: optional(referral.source_id),
        source_url: optional(referral.source_url),
        headline: optional(referral.headline),
        click_id: optional(referral.click_id),
    }
}

pub(super) fn status(status: wit::Status) -> Read<Status> {
    Ok(Status {
        message_id: required("message-id", status.message_id)?,
        channel: word("channel", status.channel, CHANNELS)?,
        sender: required("sender", status.sender)?,
        state: word("state", status.state, STATES)?,
        callback_data: optional(status.callback_data),
        recipient: optional(status.recipient),
        errors: each("errors", status.errors, |error| {
            Ok(ProviderError {
                code: required("code", error.code)?,
                title: optional(error.title),
                details: optional(error.details),
            })
        })?,
        pricing: status.pricing.map(pricing),
    })
}

fn pricing(pricing: wit::Pricing) -> Pricing {
    Pricing {
        billable: pricing.billable,
        model: optional(pricing.model),
        category: optional(pricing.category),
        pricing_type: optional(pricing.pricing_type),
    }
}

pub(super) fn sender(sender: wit::Sender) -> Read<SenderChange> {
    if let Some(limit) = sender.limit.filter(|limit| *limit < -1) {
        return Err(Bad::new("limit", format!("expected a number of contacts, or -1 for unlimited, found {limit}")));
    }
    Ok(SenderChange {
        id: required("id", sender.id)?,
        display_number: optional(sender.display_number),
        quality: optional(sender.quality),
        limit: sender.limit,
        provider_event: optional(sender.provider_event),
        reason: optional(sender.reason),
    })
}

pub(super) fn template(template: wit::Template) -> Read<TemplateChange> {
    Ok(TemplateChange {
        id: optional(template.id),
        name: required("name", template.name)?,
        language: optional(template.language),
        status: optional(template.status),
        category: optional(template.category),
        quality: optional(template.quality),
        reason: optional(template.reason),
    })
}

pub(super) fn connection(change: wit::ConnectionChange) -> ConnectionChange {
    ConnectionChange {
        account: optional(change.account),
        provider_event: optional(change.provider_event),
        reason: optional(change.reason),
    }
}
