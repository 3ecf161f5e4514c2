//! A sender's settings, and the address they make. No request is built here.

use std::{fmt, time::Duration};

use reqwest::Url;

use crate::{Token, address};

/// Longest a whole attempt may take: past it the answer is of no use to anyone.
const MAX_TIMEOUT: Duration = Duration::from_secs(300);

/// One WhatsApp business number.
#[derive(Clone)]
pub struct WhatsappConfig {
    /// Our name for it.
    pub name: String,
    /// Meta's id of the number (digits), not the number itself.
    pub phone_number_id: String,
    /// Token with the permission `whatsapp_business_messaging`.
    pub access_token: Token,
    /// Where the Graph API is: `https://graph.facebook.com`. Plain `http` only to this machine.
    pub base_url: String,
    /// Version of the Graph API, as `v25.0`. Each lives about two years
    /// (<https://developers.facebook.com/docs/graph-api/changelog>).
    pub graph_version: String,
    /// How long one attempt may take in all.
    pub timeout: Duration,
}

impl WhatsappConfig {
    /// Checks the settings, and makes the address that messages are posted to.
    pub(crate) fn messages_url(&self) -> Result<Url, ConfigError> {
        if self.phone_number_id.is_empty() || !self.phone_number_id.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ConfigError::PhoneNumberId(self.phone_number_id.clone()));
        }
        if !is_version(&self.graph_version) {
            return Err(ConfigError::GraphVersion(self.graph_version.clone()));
        }
        if self.timeout.is_zero() || self.timeout > MAX_TIMEOUT {
            return Err(ConfigError::Timeout(self.timeout));
        }
        let mut url = address::base(&self.base_url).map_err(ConfigError::BaseUrl)?;
        let path =
            format!("{}/{}/{}/messages", url.path().trim_end_matches('/'), self.graph_version, self.phone_number_id);
        url.set_path(&path);
        Ok(url)
    }
}

impl fmt::Debug for WhatsappConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhatsappConfig")
            .field("name", &self.name)
            .field("phone_number_id", &self.phone_number_id)
            .field("graph_version", &self.graph_version)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A setting of a sender is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The id of the number.
    #[error("phone_number_id: expected Meta's id of the number (digits, as 106540352242922), found {0:?}")]
    PhoneNumberId(String),
    /// The version.
    #[error("graph_version: expected a version such as v25.0, found {0:?}")]
    GraphVersion(String),
    /// The address. It is not repeated: it may hold a password.
    #[error("base_url: expected an address such as https://graph.facebook.com, but it {0}")]
    BaseUrl(&'static str),
    /// The time limit.
    #[error("timeout: expected more than nothing and at most {MAX_TIMEOUT:?}, found {0:?}: 15 seconds do for most")]
    Timeout(Duration),
}

/// `v`, a number, `.`, a number.
fn is_version(text: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    text.strip_prefix('v')
        .and_then(|text| text.split_once('.'))
        .is_some_and(|(major, minor)| number(major) && number(minor))
}
