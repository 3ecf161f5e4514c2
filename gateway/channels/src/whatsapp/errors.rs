//! What each error code of the Graph API means for a message: one table, data only. Source: Meta, "Cloud API error codes"
//! (<https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>), read 2025-12 and 2026-09.

use tidegate_model::{event::ProviderError, gate::SuppressionScope};

use crate::{
    Action, ProviderRefusal, Scope,
    table::{self, DAY, ErrorRow, HOUR, SOON, later_secs, row, rows, tries, within_secs},
};

/// The row of a code; `None` for a code that Meta does not document for messages.
pub fn error_row(code: i64) -> Option<&'static ErrorRow> {
    ERRORS.iter().find(|row| row.first <= code && code <= row.last)
}

/// What an error means that came later, by a webhook: a `failed` status says that the message will not arrive. A code that the table does not have fails the
/// message alone.
pub fn refusal_of(error: &ProviderError) -> ProviderRefusal {
    table::refusal_of(error, error.code.parse().ok().and_then(error_row))
}

use Action::{Fail, Pause, PauseMarketing, Sms, Suppress, Template};
use Scope::{Account, App, Flow, Message, Pair, Recipient, Sender};

/// Every code that Meta documents around sending, in the order of its page. No two rows overlap.
#[rustfmt::skip]
pub const ERRORS: &[ErrorRow] = &[
    // The token and its permissions.
    row(0, Pause, App, "the access token expired or was taken back: make a new one"),
    row(190, Pause, App, "the access token is not valid: make a new one"),
    rows(200, 299, Pause, Account, "a permission is missing or was removed: grant whatsapp_business_messaging"),
    row(3, Pause, App, "the app may not call this: check its capabilities and permissions"),
    row(10, Pause, Account, "permission denied: grant whatsapp_business_messaging to the app"),
    row(131005, Pause, Account, "access denied: grant the app access to the business account"),
    // Graph itself.
    row(1, tries(3), Message, "unknown error: a bad request, or trouble at Meta; try a few times"),
    row(2, SOON, App, "the API is down or overloaded"),
    row(4, within_secs(60), App, "the app made too many calls"),
    row(80007, within_secs(60), Account, "the business account made too many calls"),
    row(33, Pause, Sender, "the business number was deleted or is unknown"),
    row(100, Fail, Message, "a parameter is unknown, misspelt or too long, or the phone number id is wrong"),
    row(368, Pause, Account, "the account is blocked for a time for policy violations"),
    // How much and to whom.
    row(130429, within_secs(1), Sender, "the number's throughput was reached"),
    row(131056, within_secs(4), Pair, "too many messages to this person in a short time; wait 4 to the power of the attempt, in seconds"),
    row(131048, PauseMarketing, Sender, "spam limit of the number: people blocked or reported it; send less"),
    row(131064, later_secs(DAY), Account, "the messaging limit was cut because templates had the wrong category"),
    row(131049, later_secs(DAY), Recipient, "not delivered, to keep the ecosystem healthy: this person got enough marketing for now"),
    row(131050, Suppress(SuppressionScope::Marketing), Recipient, "this person stopped marketing messages from the business"),
    row(130472, Sms, Message, "this person is in an experiment of Meta's: it will not be delivered by WhatsApp"),
    row(131026, Sms, Recipient, "undeliverable: not on WhatsApp, an old version, or terms not accepted"),
    row(130403, Suppress(SuppressionScope::Blocked), Recipient, "this person blocked the business"),
    row(130497, Sms, Account, "the business may not send to this country"),
    row(131021, Fail, Message, "sender and recipient are the same number"),
    row(131030, Fail, Recipient, "a test number sends only to numbers on its list: add the recipient there"),
    row(131047, Template, Pair, "more than 24 hours since this person last wrote: send a template"),
    // The message.
    row(131008, Fail, Message, "a required parameter is missing"),
    row(131009, Fail, Message, "a parameter has a value that is not valid"),
    row(131051, Fail, Message, "this type of message is not supported"),
    row(131052, Fail, Message, "the person's media could not be fetched: ask for it again"),
    row(131053, Fail, Message, "our media could not be fetched or taken: check type, size and link"),
    row(131055, Fail, Message, "not allowed here: the marketing API takes marketing templates only"),
    row(131062, Fail, Recipient, "this message needs a phone number, and cannot go to a business-scoped user id"),
    row(137000, Fail, Recipient, "the recipient's identity key changed: send without its hash"),
    row(135000, tries(2), Message, "error without a nearer word; try once more, then look at the parameters"),
    // The service, the account, the number.
    row(131000, SOON, Message, "something went wrong at Meta"),
    row(131016, SOON, App, "the service is overloaded or down for a time"),
    row(131031, Pause, Account, "the account is locked or restricted: see its health in the Business Manager"),
    row(131037, Pause, Sender, "the number needs an approved display name"),
    row(131042, Pause, Account, "a problem with paying: check card, credit line, time zone and currency of the account"),
    row(131044, Pause, Account, "a problem with paying for calls"),
    row(131045, Pause, Sender, "the number's certificate or registration is wrong: register it"),
    row(131057, within_secs(60), Sender, "the number is in maintenance, such as an upgrade of its throughput"),
    row(131059, Fail, Message, "the cursor of the list of templates is not valid: start the list anew"),
    row(131063, PauseMarketing, Account, "marketing templates are turned off on this API for the account: send them by the marketing API"),
    // Templates.
    row(132000, Fail, Scope::Template, "the number of parameters is not the template's"),
    row(132001, Pause, Scope::Template, "the template does not exist in this language, or is not approved"),
    row(132005, Fail, Message, "the template's text became too long: shorten its values"),
    row(132007, Pause, Scope::Template, "the template breaks the content policy"),
    row(132008, Fail, Message, "a parameter of the template has a value that is not valid"),
    row(132012, Fail, Scope::Template, "a parameter has another form or name than the template's"),
    row(132015, Pause, Scope::Template, "the template is paused for low quality"),
    row(132016, Pause, Scope::Template, "the template was disabled for good after low quality"),
    row(132018, Fail, Message, "the template's parameters are not valid: no line breaks, tabs, or more than four spaces in a row"),
    row(132068, Pause, Flow, "the WhatsApp Flow is blocked"),
    row(132069, later_secs(HOUR), Flow, "the WhatsApp Flow is throttled: 10 messages an hour"),
    // Registration.
    row(133000, Pause, Sender, "a deregistration was not completed: deregister the number again"),
    row(133004, SOON, Sender, "the server is not available for a time"),
    row(133005, Pause, Sender, "the two-step PIN is wrong"),
    row(133006, Pause, Sender, "the number must be verified again"),
    row(133008, Pause, Sender, "too many guesses of the two-step PIN: wait as the details say"),
    row(133009, Pause, Sender, "the two-step PIN was tried too fast: wait as the details say"),
    row(133010, Pause, Sender, "the number is not registered"),
    row(133015, Pause, Sender, "the number was deleted a moment ago: wait five minutes, then register it"),
    row(133016, Pause, Sender, "too many registrations of the number: wait as the details say"),
    // Payments, and the marketing API.
    row(134011, Pause, Account, "the terms of WhatsApp Payments are not accepted"),
    row(134100, Fail, Message, "the marketing API takes marketing templates only"),
    row(134101, later_secs(600), Scope::Template, "the template is still being synchronised with the marketing API: up to 10 minutes"),
    row(134102, Pause, Account, "the account is not enrolled in the marketing API"),
    // Making and editing templates: for whoever writes them.
    row(2388019, Fail, Scope::Template, "the account has as many templates as it may"),
    rows(2388039, 2388040, Fail, Scope::Template, "a part of the template is wrong or too long"),
    row(2388047, Fail, Scope::Template, "the template's header is wrong"),
    row(2388072, Fail, Scope::Template, "the template's body is wrong"),
    row(2388073, Fail, Scope::Template, "the template's footer is wrong"),
    row(2388293, Fail, Scope::Template, "the template has too many variables for the length of its text"),
    row(2388299, Fail, Scope::Template, "the template's text begins or ends with a variable"),
];

#[cfg(test)]
mod tests;
