//! Signature schemes as data: what a provider signs, how, and where it writes it. The rules are carried out by `tidegate-signature`; a plugin's manifest names a scheme or spells one out.

use serde::{Deserialize, Serialize};

/// How a provider signs its webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureScheme {
    /// Header that carries the signature (any case).
    pub header: String,
    /// The keyed hash.
    pub algorithm: Algorithm,
    /// How the signature's bytes are written in the header.
    pub encoding: Encoding,
    /// Text before each signature, e.g. `sha256=` or `v1,`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// Text between several signatures in one header (Standard Webhooks: a space), or between its named fields (Stripe: a comma); `None` when it is one signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// What is signed, in order.
    pub parts: Vec<SignedPart>,
    /// How the configured secret becomes key bytes.
    #[serde(default)]
    pub key: KeyForm,
    /// The signed timestamp, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<TimestampRule>,
    /// What a request must say beside the signature's header to be signed so; for providers that write several versions into one header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<HeaderValue>,
    /// Other ways in which the provider may have signed, in order of preference. The first way whose headers the request has is the one that counts: what that
    /// refuses is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<SignatureScheme>,
}

impl SignatureScheme {
    /// The scheme and its alternatives, in order of preference.
    pub fn ways(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.alternatives)
    }
}

/// A header and the one value that is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderValue {
    /// Name (any case).
    pub header: String,
    /// The value is that of a parameter in it: `algorithm` in `key=k1,algorithm=HMAC_SHA256`. Such a header may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Value, to the letter.
    pub value: String,
}

/// The keyed hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-1 (Twilio's older form).
    HmacSha1,
    /// Plain SHA-256 of the secret and, after it, what is signed (HubSpot's older versions). Weaker than HMAC: who has seen a signed request can make a signature
    /// for that request with certain bytes added at its end, which are never text.
    SecretSha256,
}

/// How bytes are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// Standard base64 with padding.
    Base64,
    /// Hexadecimal; either case is read, lower case is written.
    Hex,
}

/// One part of what is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignedPart {
    /// The raw body.
    Body,
    /// The request's method, in capitals.
    Method,
    /// The URL that the provider called, with its query: the address of the configuration (`server.public_url`) with the path, never what a header says.
    Url,
    /// As `url`, with the percent escapes of these characters read and every other escape left as it is.
    UrlDecoded(String),
    /// As `url`, once without a port and once with one: a signature over either is right.
    UrlWithAnyPort,
    /// The parameters of a form, which the body is: each name with each of its values in the order of their bytes, doubles once, and nothing between. A body whose
    /// SHA-256 (hexadecimal) is in the URL's query as `bodySHA256` must have that hash, and adds nothing: the URL is signed.
    SortedForm,
    /// The value of a header, as received.
    Header(String),
    /// The value of a named field of the signature's own header: `t` in `t=1772359200,v1=5257a8…`. Fields lie between separators, in any order.
    Field(String),
    /// Fixed text, e.g. `.`.
    Text(String),
}

/// How the configured secret becomes key bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyForm {
    /// The secret's UTF-8 bytes.
    #[default]
    Text,
    /// Base64 after an optional prefix (Standard Webhooks: `whsec_`).
    Base64 {
        /// Text before the base64 that is not part of it.
        prefix: String,
    },
    /// The secret's UTF-8 bytes once the HTML entities of `&`, `<`, `>`, `"` and `'` in it are characters again, as WordPress reads it.
    HtmlDecoded,
}

/// A secret that the provider sends along instead of a signature. It proves who sends, not what: whoever reads one delivery can make others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRule {
    /// Header that carries it (any case).
    pub header: String,
    /// Text before it, e.g. `Bearer `.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// How it is written there.
    #[serde(default, skip_serializing_if = "TokenForm::is_plain")]
    pub form: TokenForm,
}

impl TokenRule {
    /// HTTP's own authentication with a name and a password (RFC 7617). The configured secret is `name:password`.
    pub fn basic() -> Self {
        Self { header: "authorization".to_owned(), prefix: "Basic ".to_owned(), form: TokenForm::Base64 }
    }
}

/// How a token is written in its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenForm {
    /// As it is.
    #[default]
    Plain,
    /// In base64.
    Base64,
}

impl TokenForm {
    const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }
}

/// How an endpoint tells who sends to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// By a signature over the delivery.
    Signature(SignatureScheme),
    /// By a secret in a header.
    Token(TokenRule),
    /// Not at all: anybody can send. The operator has asked for that.
    Nothing,
}

/// Where the signed timestamp is and how old it may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimestampRule {
    /// Header that carries it (any case). Where it is the signature's own header, the one field of it that is signed is the timestamp.
    pub header: String,
    /// Its unit.
    pub unit: TimestampUnit,
    /// How far it may lie from the time of receipt, either way, in seconds.
    pub tolerance_s: u32,
    /// What happens to an authentic delivery outside the tolerance.
    #[serde(default)]
    pub stale: StalePolicy,
}

/// Unit of a signed timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimestampUnit {
    /// Unix seconds.
    Seconds,
    /// Unix milliseconds.
    Milliseconds,
}

/// What happens to an authentic delivery whose timestamp is too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StalePolicy {
    /// It is refused.
    #[default]
    Reject,
    /// It is accepted if it was not seen before (for providers whose retries keep the first timestamp).
    AcceptOnce,
}
