//! The access token of a business: a secret that can be used, never shown.

use reqwest::header::HeaderValue;

/// An access token. It has neither `Display` nor `Debug`.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Takes a token as Meta hands it out; white space around it is dropped.
    ///
    /// # Errors
    /// When it is empty or cannot stand in a header.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(TokenError::Characters);
        }
        Ok(Self(text.to_owned()))
    }

    /// The value of the `Authorization` header, marked so that no log shows it.
    pub(crate) fn header(&self) -> HeaderValue {
        let text = format!("Bearer {}", self.0);
        let mut value = HeaderValue::from_str(&text).expect("visible ASCII may stand in a header");
        value.set_sensitive(true);
        value
    }

    /// The text with every occurrence of the token struck out.
    pub(crate) fn redact(&self, text: String) -> String {
        if text.contains(&self.0) { text.replace(&self.0, "***") } else { text }
    }
}

/// A text that is no access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nothing there.
    #[error("the access token is empty: set it to a system user's token with whatsapp_business_messaging")]
    Empty,
    /// White space, control or non-ASCII characters inside.
    #[error("the access token has characters that no token has (white space, or beyond ASCII): copy it again")]
    Characters,
}
