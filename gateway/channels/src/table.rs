//! What a table of a provider's error codes is made of. No codes: each provider has its own table.

use std::time::Duration;

use tidegate_model::{event::ProviderError, message::ChannelKind};

use crate::{Action, ProviderRefusal, Scope, sms, whatsapp};

/// A code, or a range of codes, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorRow {
    /// First code.
    pub first: i64,
    /// Last code.
    pub last: i64,
    /// What it means, and what to do, for an operator.
    pub meaning: &'static str,
    /// What to do with the message.
    pub action: Action,
    /// What would be refused alike.
    pub scope: Scope,
}

/// What an error means that came later, by a webhook, on this channel. A code that the channel's table does not have fails the message alone.
pub fn refusal_on(channel: ChannelKind, error: &ProviderError) -> ProviderRefusal {
    match channel {
        ChannelKind::Whatsapp => whatsapp::refusal_of(error),
        ChannelKind::Sms => sms::refusal_of(error),
    }
}

/// An error that came by a webhook, with its row.
pub(crate) fn refusal_of(error: &ProviderError, row: Option<&'static ErrorRow>) -> ProviderRefusal {
    let meaning = row.map(|row| row.meaning.to_owned());
    ProviderRefusal {
        code: error.code.clone(),
        title: error
            .title
            .clone()
            .or_else(|| meaning.clone())
            .unwrap_or_else(|| "the provider gave no words".to_owned()),
        details: error.details.clone().or(meaning),
        http_status: None,
        provider_id: None,
        action: row.map_or(Action::Fail, |row| row.action),
        scope: row.map_or(Scope::Message, |row| row.scope),
    }
}

/// The table as a page, for a snapshot. No two rows may have a code in common, and each has a code that is documented.
#[cfg(test)]
pub(crate) fn page(rows: &[ErrorRow], documented: &[i64]) -> String {
    let mut ranges: Vec<_> = rows.iter().map(|row| (row.first, row.last)).collect();
    ranges.sort_unstable();
    for pair in ranges.windows(2) {
        assert!(pair[0].0 <= pair[0].1 && pair[0].1 < pair[1].0, "{pair:?}");
    }
    for code in documented {
        assert!(rows.iter().any(|row| (row.first..=row.last).contains(code)), "{code} has no row");
    }
    let line = |row: &ErrorRow| {
        let codes = if row.first == row.last { row.first.to_string() } else { format!("{}-{}", row.first, row.last) };
        assert!(documented.iter().any(|code| (row.first..=row.last).contains(code)), "{codes} is in no list");
        format!("{codes}: {:?} / {:?}", row.action, row.scope)
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(crate) const HOUR: u64 = 3600;
pub(crate) const DAY: u64 = 24 * HOUR;

pub(crate) const SOON: Action = Action::Retry { after: None };

pub(crate) const fn within_secs(secs: u64) -> Action {
    Action::Retry { after: Some(Duration::from_secs(secs)) }
}

pub(crate) const fn tries(at_most: u16) -> Action {
    Action::Try { at_most }
}

pub(crate) const fn later_secs(secs: u64) -> Action {
    Action::Defer { after: Duration::from_secs(secs) }
}

pub(crate) const fn row(code: i64, action: Action, scope: Scope, meaning: &'static str) -> ErrorRow {
    rows(code, code, action, scope, meaning)
}

pub(crate) const fn rows(first: i64, last: i64, action: Action, scope: Scope, meaning: &'static str) -> ErrorRow {
    ErrorRow { first, last, meaning, action, scope }
}
