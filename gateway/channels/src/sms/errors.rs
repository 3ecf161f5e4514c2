//! What each error code of Twilio's means for an SMS: one table, data only. Source: Twilio, "Error and warning dictionary"
//! (<https://www.twilio.com/docs/api/errors>), its copy of 2023-05; 30610 as read in 2026-11.
//!
//! Codes of the 2xxxx answer a request; codes of the 30xxx come later, with a status, and some with both.

use tidegate_model::{event::ProviderError, gate::SuppressionScope};

use crate::{
    Action, ProviderRefusal, Scope,
    table::{self, DAY, ErrorRow, HOUR, later_secs, row, rows, tries, within_secs},
};

/// The row of a code; `None` for one that is not about sending an SMS.
pub(super) fn error_row(code: i64) -> Option<&'static ErrorRow> {
    ERRORS.iter().find(|row| row.first <= code && code <= row.last)
}

/// What an error means that came with a status: `failed`, or `undelivered`.
pub(crate) fn refusal_of(error: &ProviderError) -> ProviderRefusal {
    table::refusal_of(error, error.code.parse().ok().and_then(error_row))
}

use Action::{Fail, Pause, Suppress, Unreachable};
use Scope::{Account, App, Message, Pair, Recipient, Sender};

/// What is done when somebody's handset is off, or out of reach.
const HANDSET_PAUSE_S: u64 = 4 * HOUR;

/// Codes around sending an SMS, in the order of their numbers. No two rows overlap.
#[rustfmt::skip]
pub const ERRORS: &[ErrorRow] = &[
    row(14107, later_secs(60), Pair, "more than 15 messages to this number within 30 seconds: Twilio takes it for a loop"),
    // Who asks.
    row(20003, Pause, App, "the account, its auth token or the API key is not valid: copy them from the console again"),
    rows(20005, 20006, Pause, Account, "the account is closed or suspended, or access is denied: see the console"),
    row(20008, Pause, App, "test credentials cannot send: use those of the live account"),
    row(20403, Pause, Account, "the account may not do this: see its permissions in the console"),
    row(20404, Pause, Account, "the account was not found: check account_sid"),
    row(20429, within_secs(1), Account, "too many requests of the account at once"),
    // To whom.
    row(21211, Unreachable, Recipient, "this is no phone number"),
    rows(21214, 21217, Unreachable, Recipient, "this number cannot be reached"),
    row(21219, Fail, Recipient, "a trial account sends only to numbers that were verified: verify it, or upgrade the account"),
    row(21408, Fail, Recipient, "the account may not send to this country: allow it under Messaging, Geo permissions"),
    row(21604, Fail, Message, "there is no recipient"),
    row(21608, Fail, Recipient, "a trial account sends only to numbers that were verified: verify it, or upgrade the account"),
    row(21610, Suppress(SuppressionScope::All), Recipient, "this person opted out at Twilio (STOP); START takes it back"),
    row(21612, Unreachable, Recipient, "this number is not reached by SMS from this sender"),
    row(21614, Unreachable, Recipient, "this is not a mobile number"),
    // By which sender.
    row(21212, Pause, Sender, "the sender is not a valid number: check `from`"),
    row(21601, Pause, Sender, "the sender's number cannot send SMS"),
    row(21603, Pause, Sender, "there is no sender: set `from` or `messaging_service`"),
    rows(21606, 21607, Pause, Sender, "the sender is no number of this account that can send there: check `from`"),
    row(21611, within_secs(600), Sender, "the sender's queue is full: four hours of messages wait at Twilio"),
    row(21616, Pause, Sender, "the sender stands for several numbers of the account: write it with its country code"),
    row(21657, Pause, Sender, "the alphanumeric sender is not valid: check `from`"),
    rows(21701, 21705, Pause, Sender, "the messaging service does not exist, or has no number that can send: check `messaging_service`"),
    rows(21708, 21709, Pause, Sender, "the alphanumeric sender is not allowed in this messaging service"),
    rows(21711, 21712, Pause, Sender, "the number does not belong to this messaging service: check `from` and `messaging_service`"),
    // What it says.
    row(21602, Fail, Message, "the text is empty"),
    row(21605, Fail, Message, "the text is too long"),
    row(21609, Pause, Sender, "Twilio cannot call the address for statuses: check server.public_url"),
    rows(21617, 21618, Fail, Message, "the text is longer than 1600 characters, or cannot be sent"),
    row(21619, tries(3), Message, "Twilio could not make the message"),
    row(21624, Pause, Sender, "validity_s is not valid"),
    row(21626, Pause, Sender, "Twilio cannot call the address for statuses: check server.public_url"),
    // What became of it.
    row(30001, later_secs(600), Sender, "the sender's queue overflowed"),
    row(30002, Pause, Account, "the account was suspended: see the console"),
    row(30003, later_secs(HANDSET_PAUSE_S), Recipient, "the handset is off or out of reach"),
    row(30004, Suppress(SuppressionScope::Blocked), Recipient, "the message was blocked: this person or their carrier does not take messages of this sender"),
    row(30005, Unreachable, Recipient, "the number is not known or not in service"),
    row(30006, Unreachable, Recipient, "a landline, or a carrier that cannot be reached"),
    row(30007, Fail, Message, "filtered as spam by Twilio or the carrier: look at the text and at the sender's registration"),
    row(30008, tries(2), Message, "unknown error"),
    row(30009, Fail, Message, "a part of the message was lost"),
    row(30010, Fail, Message, "the message costs more than the highest price"),
    rows(30012, 30013, Pause, Sender, "validity_s is not valid"),
    row(30017, later_secs(HOUR), Message, "the carrier's network is congested"),
    row(30018, Pause, Sender, "the carrier asks for a registration of the sender"),
    rows(30022, 30023, later_secs(HOUR), Sender, "the limit of the 10DLC campaign is reached"),
    row(30024, Pause, Sender, "the sender's number is not known to the carrier"),
    row(30027, later_secs(DAY / 4), Sender, "T-Mobile's daily limit of the brand is reached"),
    rows(30032, 30035, Pause, Sender, "the sender is not registered (toll-free or 10DLC), or its campaign is suspended"),
    row(30410, Fail, Message, "the carrier did not answer Twilio in time; Twilio did not try again, so that it does not arrive twice"),
    row(30450, later_secs(HOUR), Recipient, "messages to this number are blocked for a time"),
    row(30610, later_secs(8 * HOUR), Recipient, "Twilio's quiet hours: before 8 or after 21 o'clock at the recipient"),
];

#[cfg(test)]
mod tests;
