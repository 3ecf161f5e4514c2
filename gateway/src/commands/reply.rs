//! Reply: an operator answers a person by free-form text. It waits in the same queue and passes the same gate as every message.

use crate::{
    app::App,
    catalog::Sender,
    http::{Code, Problem},
    pipeline::queue,
    tx::Tx,
};
use serde::Deserialize;
use std::sync::Arc;
use tidegate_channels::{MAX_SMS_CHARS, MAX_TEXT_CHARS};
use tidegate_model::{
    ContactId, MessageId,
    contact::{Contact, ContactKey, WhatsappAddress},
    message::{Category, ChannelKind, Content, Draft, Message},
    phone::E164,
};

/// What to say to whom.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reply {
    /// The person's number, with its country code.
    pub to: String,
    /// The text.
    pub text: String,
    /// Sender; the workspace's default when absent.
    #[serde(default)]
    pub sender: Option<String>,
    /// Workspace; needed when there are several.
    #[serde(default)]
    pub workspace: Option<String>,
}

/// Queues a reply, and gives its id.
///
/// # Errors
/// 400 for what the caller must change.
pub(crate) fn reply(app: &App, reply: &Reply) -> Result<MessageId, Problem> {
    let invalid = |detail: String| Problem::new(Code::ParameterInvalid, detail);
    let to = E164::parse(&reply.to, None).ok_or_else(|| {
        invalid("to: expected a phone number with + and country code, such as +393331234567".to_owned())
    })?;
    let workspace = workspace(app, reply.workspace.as_deref())?;
    let sender = sender(app, workspace, reply.sender.as_deref())?;
    let most = match sender.kind {
        ChannelKind::Whatsapp => MAX_TEXT_CHARS,
        ChannelKind::Sms => MAX_SMS_CHARS,
    };
    if reply.text.trim().is_empty() || reply.text.chars().count() > most {
        return Err(invalid(format!("text: expected 1 to {most} characters")));
    }
    let now = app.now();
    let mut tx = Tx::new(app.store(), workspace);
    let key = ContactKey::Phone(to.clone());
    let contact = match tx.contact_by_key(&key)? {
        Some(id) => tx.contact(id)?.map_or(id, |contact| contact.id),
        None => {
            let id = ContactId::derive(now.ms(), &[b"contact", key.lookup().as_bytes()]);
            let mut contact = Contact::new(id, now);
            contact.keys.push(key.clone());
            tx.put_contact_key(&key, id);
            tx.put(crate::records::ContactRow { workspace, id, contact: Some(contact), alias_of: None });
            id
        }
    };
    let id = MessageId::derive(now.ms(), &[b"reply", contact.raw(), &app.store().next_seq().to_be_bytes()]);
    let draft = Draft {
        id,
        channel: sender.kind,
        sender: sender.name.clone(),
        contact,
        address: Some(WhatsappAddress::Phone(to)),
        category: Category::Service,
        content: Content::Text { text: reply.text.clone() },
        event: None,
        step: None,
        at: now,
    };
    let life_ms = app.catalog().sending().life_ms(Category::Service);
    queue(&mut tx, &sender, Message::queued(draft, life_ms));
    tx.commit(None)?;
    Ok(id)
}

fn workspace(app: &App, name: Option<&str>) -> Result<u32, Problem> {
    let catalog = app.catalog();
    let mut named: Vec<(u32, &str)> = catalog.workspaces().filter(|(_, held)| !held.is_empty()).collect();
    named.retain(|(_, held)| name.is_none_or(|name| name == *held));
    match named.as_slice() {
        [(number, _)] => Ok(*number),
        [] => Err(Problem::new(
            Code::ParameterInvalid,
            format!("workspace: there is no workspace {:?}", name.unwrap_or_default()),
        )),
        _ => Err(Problem::new(Code::ParameterInvalid, "workspace: there are several; name one")),
    }
}

fn sender(app: &App, workspace: u32, name: Option<&str>) -> Result<Arc<Sender>, Problem> {
    let catalog = app.catalog();
    let Some(name) = name.or_else(|| catalog.default_sender(workspace)) else {
        return Err(Problem::new(Code::ParameterInvalid, "sender: name one, or give the workspace a default_sender"));
    };
    catalog.sender(workspace, name).ok_or_else(|| {
        Problem::new(Code::ParameterInvalid, format!("sender: there is no sender {name:?} in this workspace"))
    })
}
