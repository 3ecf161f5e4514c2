//! The settings of a connection: which properties are read, and what they are.

use serde::Deserialize;
use tidegate_plugin_sdk::{Context, Error, url};

/// Properties that become fields of the contact, whatever the settings say.
const FIELDS: [&str; 5] = ["lifecyclestage", "hs_lead_status", "company", "jobtitle", "city"];
const PHONES: [&str; 3] = ["hs_whatsapp_phone_number", "mobilephone", "phone"];
/// What is read into the contact itself.
const PERSON: [&str; 6] = ["email", "firstname", "lastname", "hs_language", "hs_country_region_code", "country"];

/// The settings of a connection.
#[derive(Deserialize)]
pub(crate) struct Settings {
    #[serde(default)]
    properties: Vec<String>,
    phones: Option<Vec<String>>,
    pub(crate) default_country: Option<String>,
    api_host: Option<String>,
    /// The app, when its webhooks can be changed from outside.
    pub(crate) app_id: Option<u64>,
}

impl Settings {
    /// Reads them.
    pub(crate) fn of(ctx: &Context<'_>) -> Result<Self, Error> {
        let settings: Self = ctx.settings()?;
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        if let Some(name) = settings.names().find(|name| !is_name(name)) {
            return Err(Error::new(format!(
                "the settings of the connection: expected internal names of properties such as favourite_colour, found {name:?}"
            )));
        }
        Ok(settings)
    }

    /// Where HubSpot's API is.
    pub(crate) fn api(&self) -> String {
        url::root(self.api_host.as_deref().unwrap_or("api.hubapi.com"))
    }

    /// Properties with a phone, best first.
    pub(crate) fn phones(&self) -> impl Iterator<Item = &str> {
        let chosen = self.phones.as_deref().unwrap_or_default().iter().map(String::as_str);
        let usual = if self.phones.is_none() { &PHONES[..] } else { &[] };
        chosen.chain(usual.iter().copied())
    }

    /// Properties that become fields of the contact.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        FIELDS.into_iter().chain(self.properties.iter().map(String::as_str))
    }

    /// What asks for every property: the same for all changes of a connection, so that one answer serves several changes of a contact.
    pub(crate) fn query(&self) -> String {
        ["properties=", &self.properties().join(",")].concat()
    }

    /// Every property to read, once.
    pub(crate) fn properties(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.names() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        PERSON.into_iter().chain(self.phones()).chain(self.fields())
    }
}
