//! What a double saw and did, kept for scripts and tests to look at.

use std::collections::VecDeque;

use serde::Serialize;

use crate::config::Category;

/// Most entries of each list; the oldest go first. A long load test must not fill the memory.
const MAX_ENTRIES: usize = 500_000;

/// Everything a double saw and did, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Messages that were taken.
    pub sent: VecDeque<SentMessage>,
    /// SMS that were taken.
    pub sms: VecDeque<SentSms>,
    /// Statuses of SMS that came due.
    pub sms_statuses: VecDeque<SmsStatusRecord>,
    /// Leads that were shown.
    pub leads_read: VecDeque<LeadRead>,
    /// Requests that were refused, and why.
    pub refused: VecDeque<RefusedRequest>,
    /// Statuses that came due, whether or not their webhook arrived.
    pub statuses: VecDeque<StatusRecord>,
    /// Webhooks: every attempt.
    pub deliveries: VecDeque<Delivery>,
}

/// Appends, and drops the oldest past the limit.
pub(crate) fn note<T>(list: &mut VecDeque<T>, entry: T) {
    if list.len() == MAX_ENTRIES {
        list.pop_front();
    }
    list.push_back(entry);
}

/// A message that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentMessage {
    /// Its id (`wamid.…`).
    pub id: String,
    /// By which number.
    pub phone_number_id: String,
    /// To whom: digits, or a business-scoped user id.
    pub to: String,
    /// `template`, `text`, `interactive`, …
    pub message_type: String,
    /// The template's name.
    pub template: Option<String>,
    /// The template's language.
    pub language: Option<String>,
    /// Values of the template's body.
    pub parameters: Vec<SentParameter>,
    /// The text as the person reads it.
    pub text: String,
    /// The category that its price follows.
    pub category: Category,
    /// `biz_opaque_callback_data`.
    pub callback_data: Option<String>,
    /// When it was taken, in domain milliseconds.
    pub at_ms: i64,
}

/// An SMS that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentSms {
    /// Its id (`SM…`).
    pub sid: String,
    /// By which account.
    pub account_sid: String,
    /// By which number.
    pub from: String,
    /// By which messaging service.
    pub messaging_service: Option<String>,
    /// To whom, in E.164.
    pub to: String,
    /// The text.
    pub body: String,
    /// Where its statuses go.
    pub status_callback: Option<String>,
    /// When it was taken, in domain milliseconds.
    pub at_ms: i64,
}

/// A status of an SMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SmsStatusRecord {
    /// The message's id.
    pub sid: String,
    /// Twilio's word.
    pub status: &'static str,
    /// The error of one that does not arrive.
    pub error_code: Option<i64>,
    /// When, in domain milliseconds.
    pub at_ms: i64,
}

/// A lead that was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeadRead {
    /// The lead's id.
    pub lead_id: String,
    /// By the token of which page.
    pub page_id: String,
    /// When, in domain milliseconds.
    pub at_ms: i64,
}

/// A value of a template's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentParameter {
    /// Its name, in a template with named parameters.
    pub name: Option<String>,
    /// Its value.
    pub value: String,
}

/// A request that was refused, or failed by a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedRequest {
    /// The number (the account for SMS, the lead that was to be read) that was asked, as the path said.
    pub phone_number_id: String,
    /// The HTTP status; `None` when nothing was answered.
    pub http_status: Option<u16>,
    /// The error's code; `None` when there was no error to read.
    pub code: Option<i64>,
    /// Why, in words.
    pub reason: String,
    /// When, in domain milliseconds.
    pub at_ms: i64,
}

/// A status of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusRecord {
    /// The message's id.
    pub message_id: String,
    /// Which.
    pub status: StatusWord,
    /// The error of a failed one.
    pub error_code: Option<i64>,
    /// `biz_opaque_callback_data` of the message.
    pub callback_data: Option<String>,
    /// When, in domain milliseconds.
    pub at_ms: i64,
}

/// What happened to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusWord {
    /// It left Meta.
    Sent,
    /// It is on the device.
    Delivered,
    /// It was read.
    Read,
    /// It will not arrive.
    Failed,
}

/// One attempt to deliver a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Ids of the messages it tells of.
    pub message_ids: Vec<String>,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The HTTP status; `None` when there was none.
    pub http_status: Option<u16>,
    /// Whether it will be tried again.
    pub again: bool,
    /// When, in domain milliseconds.
    pub at_ms: i64,
}
