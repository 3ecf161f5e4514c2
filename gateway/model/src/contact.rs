//! A contact: one person, known by a set of typed keys. What a webhook tells about a person is applied field by field, the newest source time wins.

use crate::{ContactId, Timestamp, phone::E164};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// One thing that identifies a person. A key belongs to one contact of a workspace.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type", content = "value")]
pub enum ContactKey {
    /// Phone number.
    Phone(E164),
    /// WhatsApp id (digits), kept beside the phone because Meta may change a prefix (Brazil, Mexico).
    WhatsappId(String),
    /// Business-scoped WhatsApp user id.
    WhatsappUserId(String),
    /// Email address, in lower case.
    Email(String),
    /// Id at a provider: `connection:id`.
    ExternalId(String),
}

impl ContactKey {
    /// An email key; `None` when the text has no `@` with something on both sides.
    pub fn email(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let (local, domain) = text.split_once('@')?;
        let good = !local.is_empty() && domain.contains('.') && !text.contains(char::is_whitespace);
        good.then_some(Self::Email(text))
    }

    /// A provider's id of the person at a connection.
    pub fn external(connection: &str, id: &str) -> Self {
        Self::ExternalId(format!("{connection}:{id}"))
    }

    /// One text for each key, for lookups.
    pub fn lookup(&self) -> String {
        match self {
            Self::Phone(phone) => format!("p:{phone}"),
            Self::WhatsappId(id) => format!("w:{id}"),
            Self::WhatsappUserId(id) => format!("u:{id}"),
            Self::Email(email) => format!("e:{email}"),
            Self::ExternalId(id) => format!("x:{id}"),
        }
    }
}

impl fmt::Debug for ContactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Phone(_) => "phone",
            Self::WhatsappId(_) => "whatsapp_id",
            Self::WhatsappUserId(_) => "whatsapp_user_id",
            Self::Email(_) => "email",
            Self::ExternalId(id) => return write!(f, "external_id({id})"),
        };
        write!(f, "{kind}(***)")
    }
}

/// What one webhook tells about a person, as the host understands it: keys parsed, texts trimmed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ContactInfo {
    /// Keys, best first.
    pub keys: Vec<ContactKey>,
    /// Fields by name (`first_name`, `last_name`, `name`, `language`, `country`, `time_zone`, and the plugin's own); `None` clears one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Option<String>>,
    /// Tags at the provider, when the webhook carries them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// What the provider says about consent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<ConsentStatement>,
    /// Phones that are no numbers, as they were written: kept for the operator, never a reason to fail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable_phones: Vec<String>,
}

impl ContactInfo {
    /// The first phone.
    pub fn phone(&self) -> Option<&E164> {
        self.keys.iter().find_map(|key| match key {
            ContactKey::Phone(phone) => Some(phone),
            ContactKey::WhatsappId(_)
            | ContactKey::WhatsappUserId(_)
            | ContactKey::Email(_)
            | ContactKey::ExternalId(_) => None,
        })
    }
}

/// What a provider says about consent to a channel; kept with its source, judged by the workspace's rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentStatement {
    /// `whatsapp`, `sms`, `email`.
    pub channel: String,
    /// `transactional` or `marketing`.
    pub scope: String,
    /// `granted`, `denied`, `pending`, `unknown`.
    pub state: String,
    /// When it was given or withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// How, in the provider's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

impl ConsentStatement {
    /// Of two statements the heavier counts: the newer, and of one time the one that takes more away.
    fn weight(&self) -> (Option<Timestamp>, u8, &str, Option<&str>) {
        let severity = match self.state.as_str() {
            "denied" => 2,
            "granted" => 1,
            _ => 0,
        };
        (self.at, severity, &self.state, self.method.as_deref())
    }
}

/// A field's value and the source time that set it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Value; `None` when it was cleared.
    pub value: Option<String>,
    /// When its source changed it.
    pub at: Timestamp,
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "***@{}", self.at)
    }
}

/// One person in a workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// Id.
    pub id: ContactId,
    /// Everything that identifies the person.
    pub keys: Vec<ContactKey>,
    /// Fields by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Field>,
    /// Tags, and when their source last set them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Source time of the tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags_at: Option<Timestamp>,
    /// Latest statement about consent for each channel and scope.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<ConsentStatement>,
    /// When the gateway first heard of the person.
    pub created_at: Timestamp,
    /// Contacts that turned out to be this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<ContactId>,
}

impl Contact {
    /// A person nobody heard of before.
    pub fn new(id: ContactId, created_at: Timestamp) -> Self {
        Self {
            id,
            keys: Vec::new(),
            fields: BTreeMap::new(),
            tags: Vec::new(),
            tags_at: None,
            consents: Vec::new(),
            created_at,
            merged: Vec::new(),
        }
    }

    /// Applies what a webhook tells. `at` is the source's own time of change. Returns the keys that are new to this contact, and whether anything changed.
    pub fn apply(&mut self, info: &ContactInfo, at: Timestamp) -> Applied {
        let mut applied = Applied::default();
        for key in &info.keys {
            if !self.keys.contains(key) {
                self.keys.push(key.clone());
                applied.new_keys.push(key.clone());
                applied.changed = true;
            }
        }
        for (name, value) in &info.fields {
            applied.changed |= self.set_field(name, value.clone(), at);
        }
        if let Some(tags) = &info.tags {
            applied.changed |= self.set_tags(tags, at);
        }
        for statement in &info.consents {
            applied.changed |= self.note_consent(statement, at);
        }
        applied
    }

    /// Sets a field unless a newer source time set it. Whether anything changed.
    ///
    /// What is known afterwards does not hang on the order in which values come. So a value that is told again is known from its newer time on, a field that was
    /// cleared stays in memory, and of two values of one time the greater counts (a value before none).
    pub fn set_field(&mut self, name: &str, value: Option<String>, at: Timestamp) -> bool {
        if self.fields.get(name).is_some_and(|held| (held.at, &held.value) >= (at, &value)) {
            return false;
        }
        self.fields.insert(name.to_owned(), Field { value, at });
        true
    }

    /// The same for the tags, which are told all together.
    fn set_tags(&mut self, tags: &[String], at: Timestamp) -> bool {
        if self.tags_at.is_some_and(|held| (held, self.tags.as_slice()) >= (at, tags)) {
            return false;
        }
        self.tags = tags.to_vec();
        self.tags_at = Some(at);
        true
    }

    /// Takes over what another contact, found to be the same person, knows. Both sides' newest fields stay.
    pub fn absorb(&mut self, other: Self) {
        for key in other.keys {
            if !self.keys.contains(&key) {
                self.keys.push(key);
            }
        }
        for (name, field) in other.fields {
            self.set_field(&name, field.value, field.at);
        }
        if let Some(at) = other.tags_at {
            self.set_tags(&other.tags, at);
        }
        for statement in other.consents {
            let at = statement.at.unwrap_or(other.created_at);
            self.note_consent(&statement, at);
        }
        self.created_at = self.created_at.min(other.created_at);
        self.merged.extend(other.merged);
        self.merged.push(other.id);
    }

    /// A field's value.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.value.as_deref()
    }

    /// The address for WhatsApp: a phone, else a WhatsApp id, else a business-scoped user id.
    pub fn whatsapp_address(&self) -> Option<WhatsappAddress> {
        let of = |pick: fn(&ContactKey) -> Option<WhatsappAddress>| self.keys.iter().find_map(pick);
        of(|key| match key {
            ContactKey::Phone(phone) => Some(WhatsappAddress::Phone(phone.clone())),
            _ => None,
        })
        .or_else(|| {
            of(|key| match key {
                ContactKey::WhatsappId(id) => E164::from_whatsapp_id(id).map(WhatsappAddress::Phone),
                _ => None,
            })
        })
        .or_else(|| {
            of(|key| match key {
                ContactKey::WhatsappUserId(id) => Some(WhatsappAddress::UserId(id.clone())),
                _ => None,
            })
        })
    }

    /// The address for SMS: a phone. A WhatsApp id is none: that the person can be called by it is not known.
    pub fn sms_address(&self) -> Option<WhatsappAddress> {
        self.keys.iter().find_map(|key| match key {
            ContactKey::Phone(phone) => Some(WhatsappAddress::Phone(phone.clone())),
            _ => None,
        })
    }

    fn note_consent(&mut self, statement: &ConsentStatement, at: Timestamp) -> bool {
        let dated = ConsentStatement { at: Some(statement.at.unwrap_or(at)), ..statement.clone() };
        let same = |held: &&mut ConsentStatement| held.channel == dated.channel && held.scope == dated.scope;
        match self.consents.iter_mut().find(same) {
            Some(held) if held.weight() >= dated.weight() => false,
            Some(held) => {
                *held = dated;
                true
            }
            None => {
                self.consents.push(dated);
                true
            }
        }
    }
}

/// What applying a webhook did to a contact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Keys the contact did not have.
    pub new_keys: Vec<ContactKey>,
    /// Whether the row must be written.
    pub changed: bool,
}

/// Where a message goes: by WhatsApp to either, by SMS to a phone number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhatsappAddress {
    /// A phone number.
    Phone(E164),
    /// A business-scoped user id, for people who hide their number.
    UserId(String),
}

impl WhatsappAddress {
    /// As a contact's key of the same address is looked up.
    pub fn lookup(&self) -> String {
        match self {
            Self::Phone(phone) => ContactKey::Phone(phone.clone()).lookup(),
            Self::UserId(id) => ContactKey::WhatsappUserId(id.clone()).lookup(),
        }
    }
}

impl fmt::Debug for WhatsappAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phone(phone) => write!(f, "{phone:?}"),
            Self::UserId(_) => f.write_str("user_id(***)"),
        }
    }
}

#[cfg(test)]
mod tests;
