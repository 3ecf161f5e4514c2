//! Errors of the HTTP faces: RFC 9457 problems from one closed list of codes. What the client sees and what the log sees are two things; a 5xx never tells its cause.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tidegate_model::mask::Scrubbed;

/// Where the pages of the codes are; the last part is the code.
const PAGES: &str = "https://github.com/tidegate/tidegate/blob/main/docs/errors/";

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:ident, $title:literal;)*) => {
        /// Every error that a caller can meet.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($(#[$doc])* $name),* }

        impl Code {
            /// All of them: each has a page.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name, also the name of its page.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The HTTP status.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),* }
            }

            const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }
        }
    };
}

codes! {
    /// The signature is missing, malformed, wrong or stale.
    SignatureRefused = "signature-refused", UNAUTHORIZED, "The signature was refused";
    /// No endpoint of this name.
    EndpointUnknown = "endpoint-unknown", NOT_FOUND, "No such endpoint";
    /// Nothing at this path.
    NotFound = "not-found", NOT_FOUND, "Not found";
    /// The path takes other methods.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "Method not allowed";
    /// The body is over the endpoint's limit.
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body ended early or could not be read.
    BodyUnreadable = "body-unreadable", BAD_REQUEST, "The body could not be read";
    /// The handshake lacks something.
    HandshakeMalformed = "handshake-malformed", BAD_REQUEST, "The handshake is malformed";
    /// The handshake's token is another.
    HandshakeRefused = "handshake-refused", FORBIDDEN, "The handshake was refused";
    /// A parameter is wrong.
    ParameterInvalid = "parameter-invalid", BAD_REQUEST, "A parameter is invalid";
    /// What was asked for does not fit the present state.
    Conflict = "conflict", CONFLICT, "Not possible now";
    /// The configuration that was to be reloaded is wrong.
    ConfigurationRefused = "configuration-refused", UNPROCESSABLE_ENTITY, "The configuration was refused";
    /// The gateway is shutting down, or its disk is full or has failed.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Not available now";
    /// Something went wrong on our side.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error";
}

/// An error as a caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    code: Code,
    detail: String,
}

impl Problem {
    /// A problem and what the caller can do about it. Never a secret, never a cause of ours.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// What the caller can do about it.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The same with words before it.
    pub(crate) fn with_note(self, note: &str) -> Self {
        Self { detail: format!("{note}{}", self.detail), ..self }
    }

    /// A fault of ours: the cause goes to the log, the caller learns that it is not theirs.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %Scrubbed(&cause.to_string()), "request failed");
        Self::new(Code::Internal, "the gateway could not do this; its log says why")
    }

    /// The store does not answer: temporary for the caller.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, detail)
    }
}

impl From<tidegate_store::StoreError> for Problem {
    fn from(error: tidegate_store::StoreError) -> Self {
        Self::internal(&error)
    }
}

impl From<crate::tx::TxError> for Problem {
    fn from(error: crate::tx::TxError) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": format!("{PAGES}{}.md", self.code.as_str()),
            "title": self.code.title(),
            "status": self.code.status().as_u16(),
            "code": self.code.as_str(),
            "detail": self.detail,
        });
        let mut response = (self.code.status(), body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.code == Code::Unavailable {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
        let mut found: Vec<String> = std::fs::read_dir(&pages)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        let mut expected: Vec<String> = Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "docs/errors has one page for each code");
    }
}
