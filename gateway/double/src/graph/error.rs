//! Errors in the words and the envelope of the Graph API. Source: Meta, "Cloud API error codes".

use serde_json::{Value, json};

/// An error as Graph answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GraphError {
    pub(crate) status: u16,
    pub(crate) code: i64,
    pub(crate) subcode: Option<i64>,
    pub(crate) kind: &'static str,
    pub(crate) title: String,
    pub(crate) details: Option<String>,
    pub(crate) retry_after_s: Option<u64>,
}

impl GraphError {
    /// The error of a code, with the words of Meta's page.
    pub(crate) fn of(code: i64) -> Self {
        let (status, title, details) = words(code);
        Self {
            status,
            code,
            subcode: None,
            kind: "OAuthException",
            title: title.to_owned(),
            details: Some(details.to_owned()),
            retry_after_s: None,
        }
    }

    /// The error of a code, with details of its own.
    pub(crate) fn with(code: i64, details: impl Into<String>) -> Self {
        Self { details: Some(details.into()), ..Self::of(code) }
    }

    /// Code 100 with a title of its own: Graph's general complaint about a parameter.
    pub(crate) fn parameter(title: impl Into<String>) -> Self {
        Self { title: title.into(), details: None, ..Self::of(100) }
    }

    pub(crate) fn nonexisting(field: &str, node: &str) -> Self {
        Self::parameter(format!("Tried accessing nonexisting field ({field}) on node type ({node})"))
    }

    pub(crate) fn token() -> Self {
        Self {
            title: "Invalid OAuth access token - Cannot parse access token".to_owned(),
            details: None,
            ..Self::of(190)
        }
    }

    pub(crate) fn path(path: &str) -> Self {
        Self { status: 400, title: format!("Unknown path components: {path}"), details: None, ..Self::of(2500) }
    }

    /// The object of the path does not exist, or the token may not see it: Graph does not say which.
    pub(crate) fn object(id: &str) -> Self {
        Self {
            subcode: Some(33),
            kind: "GraphMethodException",
            ..Self::parameter(format!(
                "Unsupported post request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation. \
                 Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api"
            ))
        }
    }

    /// As [`Self::object`], of a request that reads.
    pub(crate) fn unreadable(id: &str) -> Self {
        let error = Self::object(id);
        Self { title: error.title.replace("post request", "get request"), ..error }
    }

    /// The error of a code without details: those are of the WhatsApp API only.
    pub(crate) fn plain(code: i64) -> Self {
        Self { details: None, ..Self::of(code) }
    }

    /// The body of the answer.
    pub(crate) fn body(&self, trace: &str) -> Value {
        let mut error = json!({
            "message": self.message(),
            "type": self.kind,
            "code": self.code,
        });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        if let Some(details) = &self.details {
            error["error_data"] = json!({ "messaging_product": "whatsapp", "details": details });
        }
        error["fbtrace_id"] = json!(trace);
        json!({ "error": error })
    }

    /// In one line, for the record.
    pub(crate) fn reason(&self) -> String {
        match &self.details {
            Some(details) => format!("{}: {details}", self.message()),
            None => self.message(),
        }
    }

    /// Errors of the token, the path and the object stand without `(#code)`.
    fn message(&self) -> String {
        if matches!(self.code, 190 | 2500) || self.subcode == Some(33) {
            self.title.clone()
        } else {
            format!("(#{}) {}", self.code, self.title)
        }
    }
}

/// Status, title and details of a code. A code that is not here is a plain 400.
#[rustfmt::skip]
pub(crate) fn words(code: i64) -> (u16, &'static str, &'static str) {
    match code {
        1 => (400, "API Unknown", "Invalid request or possible server error."),
        2 => (503, "API Service", "Temporary due to downtime or due to being overloaded."),
        4 => (400, "API Too Many Calls", "The app has reached its API call rate limit."),
        32 => (403, "Page request limit reached", "Too many calls were made with this page's tokens."),
        100 => (400, "Invalid parameter", "The request included one or more unsupported or misspelled parameters."),
        103 => (403, "CRM access has been revoked from Lead Access Manager", "The page's Lead Access Manager does not allow the app."),
        190 => (401, "Access token has expired", "Your access token has expired."),
        200 => (403, "Requires leads_retrieval permission to manage the object", "The token lacks a permission."),
        2200 => (400, "Callback verification failed with the following errors: HTTP Status Code = 403; HTTP Message = Forbidden", "The address did not prove itself."),
        368 => (403, "Temporarily blocked for policies violations", "The WhatsApp Business Account associated with the app has been restricted or disabled for violating a platform policy."),
        80005 => (400, "There have been too many leadgen api calls to this Page account. Wait a bit and try again. For more info, please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting.", "The page's limit of reading leads has been reached."),
        80001 => (400, "There have been too many calls to this Page account. Wait a bit and try again. For more info, please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting.", "The page's limit of calls has been reached."),
        130429 => (400, "Rate limit hit", "Cloud API message throughput has been reached."),
        130472 => (400, "User's number is part of an experiment", "Message was not sent as part of an experiment."),
        131000 => (500, "Something went wrong", "Message failed to send due to an unknown error."),
        131008 => (400, "Required parameter is missing", "The request is missing a required parameter."),
        131009 => (400, "Parameter value is not valid", "One or more parameter values are invalid."),
        131016 => (500, "Service unavailable", "A service is temporarily unavailable."),
        131021 => (400, "Recipient cannot be sender", "Sender and recipient phone number is the same."),
        131026 => (400, "Message undeliverable", "Message Undeliverable."),
        131031 => (403, "Account has been locked", "The WhatsApp Business Account associated with the app has been restricted or disabled for violating a platform policy."),
        131042 => (400, "Business eligibility payment issue", "Message failed to send because there were one or more errors related to your payment method."),
        131047 => (400, "Re-engagement message", "Message failed to send because more than 24 hours have passed since the customer last replied to this number."),
        131048 => (400, "Spam rate limit hit", "Message failed to send because there are restrictions on how many messages can be sent from this phone number."),
        131049 => (400, "Meta chose not to deliver", "This message was not delivered to maintain healthy ecosystem engagement."),
        131050 => (400, "User stopped marketing messages", "The recipient has chosen to stop receiving marketing messages from this business."),
        131051 => (400, "Unsupported message type", "Message type is currently not supported."),
        131053 => (400, "Media upload error", "Unable to upload the media used in the message."),
        131056 => (400, "(Business Account, Consumer Account) pair rate limit hit", "Message failed to send because too many messages were sent from this phone number to the same phone number in a short period of time."),
        131057 => (500, "Account in maintenance mode", "Business Account is in maintenance mode."),
        131062 => (400, "Recipient is not supported for this message", "This message cannot be sent to a business-scoped user ID."),
        132000 => (400, "Number of parameters does not match the expected number of params", "The number of variable parameter values does not match the template."),
        132001 => (404, "Template name does not exist in the translation", "The template does not exist in the specified language or the template has not been approved."),
        132005 => (400, "Translated text too long", "Translated text is too long."),
        132007 => (400, "Template content policy violation", "Template content violates a WhatsApp policy."),
        132012 => (400, "Parameter format does not match format in the created template", "Variable parameter values formatted incorrectly."),
        132015 => (400, "Template is paused", "Template is paused due to low quality so it cannot be sent in a template message."),
        132016 => (400, "Template is disabled", "Template has been paused too many times due to low quality and is now permanently disabled."),
        132018 => (400, "Template validation error", "There is a problem with the parameters of the template."),
        133010 => (400, "Phone number not registered", "Phone number not registered on the WhatsApp Business Platform."),
        _ => (400, "Error", "The request was refused."),
    }
}
