//! `[[senders]]`: numbers that send, by WhatsApp or by SMS, and what each channel asks of a section. Whether a provider takes the values is not known here.

use super::{Config, SecretText};
use serde::{Deserialize, Serialize};
use std::path::Path;
use tidegate_model::message::ChannelKind;

/// `[[senders]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sender {
    /// Name.
    pub name: String,
    /// Business it belongs to.
    pub workspace: String,
    /// Channel.
    pub channel: ChannelKind,
    /// WhatsApp: Meta's id of the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number_id: Option<String>,
    /// WhatsApp: Meta's id of the business account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// WhatsApp: system user token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<SecretText>,
    /// WhatsApp: Graph version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph_version: Option<String>,
    /// SMS: Twilio's id of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_sid: Option<String>,
    /// SMS: the account's auth token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_token: Option<SecretText>,
    /// SMS: an API key's id, in place of the auth token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// SMS: the API key's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_secret: Option<SecretText>,
    /// SMS: number, short code or alphanumeric sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// SMS: Twilio's id of a messaging service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messaging_service: Option<String>,
    /// SMS: the endpoint that Twilio calls with what became of messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// SMS: how long a message may wait at Twilio, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity_s: Option<u64>,
    /// The provider's API, or a double of it.
    #[serde(default)]
    pub base_url: String,
    /// How long to wait for an answer, in seconds.
    #[serde(default = "timeout_s")]
    pub timeout_s: u64,
}

const fn timeout_s() -> u64 {
    10
}

impl Sender {
    /// A sender of a channel, with its defaults and nothing of its own.
    pub(crate) fn new(name: &str, workspace: &str, channel: ChannelKind) -> Self {
        let mut sender = Self {
            name: name.to_owned(),
            workspace: workspace.to_owned(),
            channel,
            phone_number_id: None,
            account: None,
            access_token: None,
            graph_version: None,
            account_sid: None,
            auth_token: None,
            api_key: None,
            api_secret: None,
            from: None,
            messaging_service: None,
            endpoint: None,
            validity_s: None,
            base_url: String::new(),
            timeout_s: timeout_s(),
        };
        sender.fill();
        sender
    }

    /// What is not written is the channel's default.
    pub(super) fn fill(&mut self) {
        let url = match self.channel {
            ChannelKind::Whatsapp => {
                self.graph_version.get_or_insert_with(|| "v25.0".to_owned());
                "https://graph.facebook.com"
            }
            ChannelKind::Sms => "https://api.twilio.com",
        };
        if self.base_url.is_empty() {
            url.clone_into(&mut self.base_url);
        }
    }

    /// Takes the paths of its secrets' files as relative to this folder.
    pub(super) fn rebase(&mut self, base: &Path) {
        self.secrets_mut().for_each(|secret| secret.rebase(base));
    }

    fn secrets_mut(&mut self) -> impl Iterator<Item = &mut SecretText> {
        [&mut self.access_token, &mut self.auth_token, &mut self.api_secret].into_iter().flatten()
    }

    /// Its secrets by their keys.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (&'static str, &SecretText)> {
        let named =
            [("access_token", &self.access_token), ("auth_token", &self.auth_token), ("api_secret", &self.api_secret)];
        named.into_iter().filter_map(|(key, secret)| Some((key, secret.as_ref()?)))
    }

    /// The keys of one channel that it has.
    fn keys_of(&self, channel: ChannelKind) -> Vec<&'static str> {
        let has: &[(&'static str, bool)] = match channel {
            ChannelKind::Whatsapp => &[
                ("phone_number_id", self.phone_number_id.is_some()),
                ("account", self.account.is_some()),
                ("access_token", self.access_token.is_some()),
                ("graph_version", self.graph_version.is_some()),
            ],
            ChannelKind::Sms => &[
                ("account_sid", self.account_sid.is_some()),
                ("auth_token", self.auth_token.is_some()),
                ("api_key", self.api_key.is_some()),
                ("api_secret", self.api_secret.is_some()),
                ("from", self.from.is_some()),
                ("messaging_service", self.messaging_service.is_some()),
                ("endpoint", self.endpoint.is_some()),
                ("validity_s", self.validity_s.is_some()),
            ],
        };
        has.iter().filter(|(_, has)| *has).map(|(key, _)| *key).collect()
    }

    /// What is wrong with it, whatever is around it.
    pub(super) fn mistake(&self, config: &Config) -> Option<String> {
        let other = match self.channel {
            ChannelKind::Whatsapp => ChannelKind::Sms,
            ChannelKind::Sms => ChannelKind::Whatsapp,
        };
        if let Some(key) = self.keys_of(other).first() {
            return Some(format!("{key} belongs to channel = \"{other}\", and this sender's is \"{}\"", self.channel));
        }
        let base_url = &self.base_url;
        if !(base_url.starts_with("https://") || base_url.starts_with("http://")) {
            return Some(format!("base_url must begin with https:// or http://, not {base_url:?}"));
        }
        match self.channel {
            ChannelKind::Whatsapp => self.whatsapp_mistake(),
            ChannelKind::Sms => self.sms_mistake(config),
        }
    }

    fn whatsapp_mistake(&self) -> Option<String> {
        let is_id = |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if self.account.as_ref().is_some_and(|id| !is_id(id)) {
            return Some("account must be Meta's id of the business account (digits)".to_owned());
        }
        if self.access_token.is_none() {
            return Some("access_token is missing: a system user's token".to_owned());
        }
        match &self.phone_number_id {
            Some(id) if is_id(id) => None,
            Some(other) => Some(format!(
                "phone_number_id must be Meta's id of the number (digits, not the number itself), not {other:?}"
            )),
            None => Some("phone_number_id is missing: Meta's id of the number (digits)".to_owned()),
        }
    }

    fn sms_mistake(&self, config: &Config) -> Option<String> {
        let said = |text: &str| Some(text.to_owned());
        if self.account_sid.is_none() {
            return said("account_sid is missing: Twilio's id of the account (AC…)");
        }
        match (&self.auth_token, &self.api_key, &self.api_secret) {
            (Some(_), None, None) | (None, Some(_), Some(_)) => {}
            (None, None, None) => return said("auth_token is missing, or api_key and api_secret in its place"),
            (Some(_), ..) => return said("it has auth_token and an API key: take one of them out"),
            (None, ..) => return said("an API key has two parts: api_key (SK…) and api_secret"),
        }
        if self.from.is_none() && self.messaging_service.is_none() {
            return said("from is missing: a number that sends; or messaging_service in its place");
        }
        let Some(endpoint) = &self.endpoint else {
            return said("endpoint is missing: the [[endpoints]] that Twilio calls with what became of messages");
        };
        if !config.endpoints.iter().any(|held| held.name == *endpoint) {
            let names = config.endpoints.iter().map(|held| held.name.as_str());
            let near = super::layer::did_you_mean(endpoint, names);
            return Some(format!("there is no endpoint {endpoint:?}{near}"));
        }
        if config.server.public_url.is_empty() {
            return said("Twilio calls the gateway back, so server.public_url must say where");
        }
        None
    }
}
