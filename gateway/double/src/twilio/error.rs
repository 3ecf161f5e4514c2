//! Twilio's errors, with its own words for the codes that the double uses.

use serde_json::{Value, json};

/// An error that answers a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TwilioError {
    pub(crate) status: u16,
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) retry_after_s: Option<u64>,
}

impl TwilioError {
    /// The error of a code. Source of the words: Twilio's "Error and warning dictionary".
    pub(crate) fn of(code: i64) -> Self {
        let (status, message) = match code {
            20001 => (400, "Unknown parameters"),
            20003 => (401, "Authenticate"),
            20404 => (404, "The requested resource was not found"),
            20429 => (429, "Too Many Requests"),
            20500 => (500, "Internal Server Error"),
            21211 => (400, "Invalid 'To' Phone Number"),
            21266 => (400, "'To' and 'From' number cannot be the same"),
            21408 => {
                (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number")
            }
            21502 => (400, "The URL is not valid."),
            21602 => (400, "Message body is required."),
            21603 => (400, "A 'From' or 'MessagingServiceSid' parameter is required to send a message"),
            21604 => (400, "A 'To' phone number is required."),
            21606 => (
                400,
                "The 'From' phone number provided is not a valid message-capable Twilio phone number for this destination.",
            ),
            21609 => (400, "The 'StatusCallback' URL is not a valid URL."),
            21610 => (400, "Attempt to send to unsubscribed recipient"),
            21614 => (400, "'To' number is not a valid mobile number"),
            21617 => (400, "The concatenated message body exceeds the 1600 character limit"),
            21624 => (400, "The Validity Period provided is not valid"),
            21705 => (400, "The Messaging Service is invalid"),
            21711 => {
                (400, "Phone Number, Shortcode, or AlphaSender is not associated to the specified Messaging Service.")
            }
            _ => (400, "The request was refused."),
        };
        Self { status, code, message: message.to_owned(), retry_after_s: None }
    }

    pub(crate) fn body(&self) -> Value {
        let Self { status, code, message, .. } = self;
        json!({
            "code": code,
            "message": message,
            "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
            "status": status,
        })
    }
}
