//! Bodies of webhooks, in the shape of 2026: no conversation, prices per message. Source: Meta, "messages" and "status" webhook references.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{escaped, line::Line};
use crate::{
    config::Category,
    graph::error::words,
    record::{SentMessage, StatusWord},
};

/// Utility messages in an open window are charged since 2026-10-01.
const UTILITY_CHARGED_SINCE_MS: i64 = 1_790_812_800_000;

/// One thing to tell about one person.
#[derive(Clone)]
pub(crate) struct Update {
    pub(crate) line: Arc<Line>,
    pub(crate) who: Arc<Who>,
    pub(crate) what: What,
}

/// A person as webhooks name them.
pub(crate) struct Who {
    /// Digits; `None` for somebody who hides the number.
    pub(crate) wa_id: Option<String>,
    /// Business-scoped user id.
    pub(crate) user_id: String,
    /// The profile name, once known.
    pub(crate) name: Option<Arc<str>>,
}

#[derive(Clone)]
pub(crate) enum What {
    Status(StatusUpdate),
    Inbound(Inbound),
}

#[derive(Clone)]
pub(crate) struct StatusUpdate {
    pub(crate) message: Arc<SentMessage>,
    pub(crate) word: StatusWord,
    pub(crate) at_ms: i64,
    pub(crate) error: Option<i64>,
    pub(crate) pricing: Pricing,
}

/// A message from a person.
#[derive(Clone)]
pub(crate) struct Inbound {
    pub(crate) id: String,
    pub(crate) at_ms: i64,
    pub(crate) kind: InboundKind,
}

#[derive(Clone)]
pub(crate) enum InboundKind {
    Text(String),
    Button(Button),
}

/// A quick-reply button of a template that a person pressed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Button {
    /// What stands on it.
    pub text: String,
    /// Its machine value.
    pub payload: String,
    /// Id of the message it stood under.
    #[serde(default)]
    pub under: Option<String>,
}

/// What a message costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Pricing {
    billable: bool,
    pricing_model: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    category: Category,
}

impl Pricing {
    /// Free-form messages are free (within Meta's free tier); templates are charged, but for utility in an open window until October 2026.
    pub(crate) fn of(category: Category, window_open: bool, now_ms: i64) -> Self {
        let free = match category {
            Category::Service => true,
            Category::Utility => window_open && now_ms < UTILITY_CHARGED_SINCE_MS,
            Category::Marketing | Category::Authentication => false,
        };
        Self {
            billable: !free,
            pricing_model: "PMP",
            kind: if free { "free_customer_service" } else { "regular" },
            category,
        }
    }
}

impl Update {
    /// The id of the message it tells of.
    pub(crate) fn message_id(&self) -> &str {
        match &self.what {
            What::Status(status) => &status.message.id,
            What::Inbound(message) => &message.id,
        }
    }
}

/// The body of a webhook with these updates, all of one number.
pub(crate) fn body(line: &Line, updates: &[Update]) -> serde_json::Result<Vec<u8>> {
    escaped::to_vec(&Body {
        object: "whatsapp_business_account",
        entry: [Entry { id: &line.waba_id, changes: updates.iter().map(change).collect() }],
    })
}

#[derive(Serialize)]
struct Body<'a> {
    object: &'static str,
    entry: [Entry<'a>; 1],
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    changes: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    value: Value<'a>,
    field: &'static str,
}

#[derive(Serialize)]
struct Value<'a> {
    messaging_product: &'static str,
    metadata: Metadata<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contacts: Option<[Contact<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<[Message<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statuses: Option<[Status<'a>; 1]>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    display_phone_number: &'a str,
    phone_number_id: &'a str,
}

#[derive(Serialize)]
struct Contact<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Profile<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wa_id: Option<&'a str>,
    user_id: &'a str,
}

#[derive(Serialize)]
struct Profile<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    from_user_id: &'a str,
    id: &'a str,
    timestamp: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    button: Option<Pressed<'a>>,
}

#[derive(Serialize)]
struct Context<'a> {
    from: &'a str,
    id: &'a str,
}

#[derive(Serialize)]
struct Text<'a> {
    body: &'a str,
}

#[derive(Serialize)]
struct Pressed<'a> {
    payload: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct Status<'a> {
    id: &'a str,
    status: StatusWord,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_id: Option<&'a str>,
    recipient_user_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pricing: Option<Pricing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<[StatusError; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    biz_opaque_callback_data: Option<&'a str>,
}

#[derive(Serialize)]
struct StatusError {
    code: i64,
    title: &'static str,
    message: &'static str,
    error_data: Details,
    href: &'static str,
}

#[derive(Serialize)]
struct Details {
    details: &'static str,
}

fn change(update: &Update) -> Change<'_> {
    let (messages, statuses) = match &update.what {
        What::Inbound(inbound) => (Some([message(update, inbound)]), None),
        What::Status(told) => (None, Some([status(update, told)])),
    };
    // A failed status comes without contacts.
    let failed = matches!(&update.what, What::Status(told) if told.word == StatusWord::Failed);
    Change {
        value: Value {
            messaging_product: "whatsapp",
            metadata: Metadata {
                display_phone_number: &update.line.display_phone_number,
                phone_number_id: &update.line.phone_number_id,
            },
            contacts: (!failed).then(|| [contact(update)]),
            messages,
            statuses,
        },
        field: "messages",
    }
}

fn contact(update: &Update) -> Contact<'_> {
    let who = &update.who;
    Contact {
        profile: who.name.as_deref().map(|name| Profile { name }),
        wa_id: who.wa_id.as_deref(),
        user_id: &who.user_id,
    }
}

fn message<'a>(update: &'a Update, inbound: &'a Inbound) -> Message<'a> {
    let (kind, text, button, under) = match &inbound.kind {
        InboundKind::Text(body) => ("text", Some(Text { body }), None, None),
        InboundKind::Button(Button { text, payload, under }) => {
            ("button", None, Some(Pressed { payload, text }), under.as_deref())
        }
    };
    let context = under.map(|id| Context { from: &update.line.display_phone_number, id });
    Message {
        context,
        from: update.who.wa_id.as_deref(),
        from_user_id: &update.who.user_id,
        id: &inbound.id,
        timestamp: seconds(inbound.at_ms),
        kind,
        text,
        button,
    }
}

fn status<'a>(update: &'a Update, told: &'a StatusUpdate) -> Status<'a> {
    let priced = matches!(told.word, StatusWord::Sent | StatusWord::Delivered);
    Status {
        id: &told.message.id,
        status: told.word,
        timestamp: seconds(told.at_ms),
        recipient_id: update.who.wa_id.as_deref(),
        recipient_user_id: &update.who.user_id,
        pricing: priced.then_some(told.pricing),
        errors: told.error.map(|code| [status_error(code)]),
        biz_opaque_callback_data: told.message.callback_data.as_deref(),
    }
}

fn status_error(code: i64) -> StatusError {
    let (_, title, details) = words(code);
    StatusError {
        code,
        title,
        message: title,
        error_data: Details { details },
        href: "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
    }
}

fn seconds(at_ms: i64) -> String {
    (at_ms / 1_000).to_string()
}
