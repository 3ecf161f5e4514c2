//! One change, in the classic format (`contact.creation`) or in the generic one (`object.creation` with the type of the object).

use serde::Deserialize;
use tidegate_plugin_sdk::{Error, Item, json, json::Instant, json::Object as Extra, json::Text};

/// A change. Ids are beyond 32 bits, some beyond what a float holds: they are texts here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Change<'a> {
    #[serde(borrow)]
    subscription_type: Option<Text<'a>>,
    /// The same, in parts of HubSpot's documentation.
    #[serde(borrow)]
    event_type: Option<Text<'a>>,
    #[serde(borrow)]
    object_type_id: Option<Text<'a>>,
    #[serde(borrow)]
    object_id: Option<Text<'a>>,
    #[serde(borrow)]
    occurred_at: Option<Instant<'a>>,
    #[serde(borrow)]
    app_id: Option<Text<'a>>,
    #[serde(borrow)]
    change_source: Option<Text<'a>>,
    #[serde(borrow)]
    source_id: Option<Text<'a>>,
    #[serde(borrow)]
    property_name: Option<Text<'a>>,
    #[serde(borrow)]
    property_value: Option<Text<'a>>,
    is_sensitive: Option<bool>,
    #[serde(borrow)]
    primary_object_id: Option<Text<'a>>,
    #[serde(borrow)]
    new_object_id: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    merged_object_ids: Vec<Text<'a>>,
}

/// What an object is, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Object {
    Contact,
    Deal,
}

/// Which contacts became one.
pub(crate) struct Merge<'t> {
    /// The one that is left. It may have a new id.
    pub(crate) kept: &'t str,
    /// Those that went up into it.
    pub(crate) gone: Vec<&'t str>,
}

impl Change<'_> {
    /// The object that changed, and what was done to it.
    pub(crate) fn what(&self) -> Result<(Object, &str), Error> {
        let word = json::filled(self.subscription_type.as_deref()).or_else(|| json::filled(self.event_type.as_deref()));
        let word = word.ok_or_else(|| {
            Error::field("/subscriptionType", "expected what changed, such as contact.creation, found none")
        })?;
        let none = || Error::skip(format!("{word} means nothing for messages"));
        let (noun, action) = word.split_once('.').ok_or_else(none)?;
        let object = match noun {
            "contact" => Object::Contact,
            "deal" => Object::Deal,
            "object" => self.of_type()?,
            _ => return Err(none()),
        };
        Ok((object, action))
    }

    fn of_type(&self) -> Result<Object, Error> {
        match json::filled(self.object_type_id.as_deref()) {
            Some("0-1") => Ok(Object::Contact),
            Some("0-3") => Ok(Object::Deal),
            Some(other) => Err(Error::skip(format!("objects of the type {other} mean nothing for messages"))),
            None => Err(Error::field("/objectTypeId", "expected the type of the object, such as 0-1, found none")),
        }
    }

    /// The object's id: digits.
    pub(crate) fn object_id(&self) -> Result<&str, Error> {
        let id = json::filled(self.object_id.as_deref());
        id.filter(|id| is_id(id)).ok_or_else(|| Error::field("/objectId", "expected the id of the object in digits"))
    }

    /// When it happened.
    pub(crate) fn occurred_at<'t>(&'t self, item: &'t Item) -> &'t str {
        self.occurred_at.as_ref().map_or(&item.received_at, Instant::as_str)
    }

    /// Milliseconds of the same, for comparisons.
    pub(crate) fn occurred_ms(&self) -> i64 {
        self.occurred_at.as_ref().map_or(i64::MAX, Instant::unix_ms)
    }

    /// The property that changed.
    pub(crate) fn property(&self) -> Option<&str> {
        json::filled(self.property_name.as_deref())
    }

    /// Its new value; `None` when it was cleared, or is kept from us.
    pub(crate) fn value(&self) -> Option<&str> {
        json::filled(self.property_value.as_deref()).filter(|_| !self.is_kept_back())
    }

    /// HubSpot writes `REDACTED` for the values of sensitive properties.
    pub(crate) fn is_kept_back(&self) -> bool {
        self.is_sensitive == Some(true) || self.property_value.as_deref() == Some("REDACTED")
    }

    /// Who became one with whom.
    pub(crate) fn merge(&self) -> Result<Merge<'_>, Error> {
        let primary = json::filled(self.primary_object_id.as_deref()).or(json::filled(self.object_id.as_deref()));
        let kept = json::filled(self.new_object_id.as_deref()).or(primary);
        let kept = kept
            .filter(|id| is_id(id))
            .ok_or_else(|| Error::field("/primaryObjectId", "expected the id of the contact that is left"))?;
        let merged = self.merged_object_ids.iter().map(Text::as_str);
        let mut gone: Vec<&str> = Vec::new();
        for id in primary.into_iter().chain(merged) {
            if id != kept && is_id(id) && !gone.contains(&id) {
                gone.push(id);
            }
        }
        Ok(Merge { kept, gone })
    }

    /// What is told about the change itself. That we wrote it is a hint: HubSpot does not promise these marks.
    pub(crate) fn extra(&self) -> Extra {
        let source = json::filled(self.change_source.as_deref());
        let ours = source == Some("INTEGRATION")
            && self.source_id.is_some()
            && self.source_id.as_deref() == self.app_id.as_deref();
        Extra::new()
            .text("change_source", source)
            .bool("own_write", ours.then_some(true))
            .text("property", self.property())
            .text("value", self.property().and(self.value()))
            .bool("sensitive", self.is_kept_back().then_some(true))
    }
}

/// Ids go into URLs: nothing but digits.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit())
}
