//! One round of looking after a connection: what the provider sends is checked and mended, then a page of what changed is read. The provider is asked in
//! [`Round::go`]; what follows for the row is decided by pure functions, and written by [`settle`] in one commit with the next turn.

use super::{ConnectorFault, Subject, admit, perform, schedule, secret, subscribe::leave};
use crate::{
    app::App,
    records::{ConnectionRow, Reading, Trouble},
    tx::{Tx, TxError},
};
use std::{sync::Arc, time::Duration};
use tidegate_model::{
    Timestamp,
    connector::{Finding, Report, Severity, Span, Subscription, SubscriptionState, Target, Task},
};
use tidegate_store::Queue;

/// So much of what was read before is read again: clocks differ, and a provider may show a change late.
const OVERLAP_MS: i64 = 10 * 60_000;
/// First pause after a round that failed; each is twice as long as the one before, up to the usual one.
const FIRST_PAUSE_MS: i64 = 60_000;

/// What a round found.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The provider's subscriptions and what is wrong with them, when they were looked at.
    checked: Option<(Vec<Subscription>, Vec<Finding>)>,
    /// Something was mended.
    mended: bool,
    /// Every subscription was told the newest secret.
    told_all: bool,
    /// The page that was read, when one was.
    page: Option<Page>,
    /// What failed.
    trouble: Option<String>,
    /// The provider wants to be left alone so long.
    pause: Option<Duration>,
}

#[derive(Debug)]
struct Page {
    since: Timestamp,
    began: Timestamp,
    cursor: Option<String>,
    new: u64,
}

/// A round that is to be made.
pub(crate) struct Round {
    /// Of which connection.
    pub subject: Subject,
    /// Its row.
    pub row: ConnectionRow,
}

impl Round {
    /// Asks the provider. What was read is on disk when this returns.
    ///
    /// # Errors
    /// The store's. What the provider does not do is part of the outcome.
    pub(crate) async fn go(&self, app: &Arc<App>) -> Result<Outcome, TxError> {
        let mut outcome = Outcome::default();
        // Between the pages of one reading nothing else is done.
        if self.row.reading.is_none()
            && let Err(fault) = self.watch(app, &mut outcome).await
        {
            outcome.fail(&fault);
            return Ok(outcome);
        }
        if self.subject.reads_back()
            && let Some(fault) = self.read(app, &mut outcome).await?
        {
            outcome.fail(&fault);
        }
        Ok(outcome)
    }

    /// Checks what the provider sends, and has it send again what it switched off.
    async fn watch(&self, app: &Arc<App>, outcome: &mut Outcome) -> Result<(), ConnectorFault> {
        let target = self.subject.target(Some(&self.row));
        let report = perform(app, &self.subject, &Task::Check(target.clone()), None).await?;
        let Some(wanted) = &self.row.wanted else {
            // Nobody asked for anything to be sent: whatever is there is an operator's own.
            outcome.checked = Some((report.subscriptions, Vec::new()));
            return Ok(());
        };
        // A secret that not every subscription has: somebody was cut while he told it.
        let is_untold = tokio::task::block_in_place(|| secret::is_untold(app, &self.subject))
            .map_err(|error| ConnectorFault::Refused(error.to_string()))?;
        let topics = if is_untold {
            not_paused(&wanted.topics, &report.subscriptions)
        } else {
            to_mend(&wanted.topics, &report.subscriptions)
        };
        outcome.checked = Some((report.subscriptions, report.findings));
        // What a provider does not have for this account is no problem, and telling it again would not help.
        let is_problem = outcome.is_problem();
        if topics.is_empty() || !(is_problem || is_untold) {
            return Ok(());
        }
        tracing::warn!(
            connection = self.row.name,
            topics = topics.join(", "),
            "the provider does not send what it was asked for: it is told again"
        );
        outcome.told_all = topics.len() == wanted.topics.len();
        let mending = Task::Subscribe(Target { topics, ..target.clone() });
        let secret = self.secret(app).map_err(ConnectorFault::Refused)?;
        perform(app, &self.subject, &mending, secret.as_ref()).await?;
        if wanted.url != target.url {
            leave(app, &self.subject, &wanted.url).await?;
        }
        let Report { subscriptions, findings, .. } = perform(app, &self.subject, &Task::Check(target), None).await?;
        outcome.checked = Some((subscriptions, findings));
        outcome.mended = !outcome.is_problem();
        Ok(())
    }

    fn secret(&self, app: &Arc<App>) -> Result<Option<tidegate_fetch::Hidden>, String> {
        if !self.subject.connection.interpreter.plugin.manifest().generates_secret() {
            return Ok(None);
        }
        // A wish that was cut before it had a secret has one now.
        let ready = tokio::task::block_in_place(|| match secret::newest(app, &self.subject)? {
            Some(held) => Ok(Some(held)),
            None => secret::ready(app, &self.subject, false),
        });
        ready.map_err(|fault: super::SecretFault| fault.to_string())
    }

    /// Reads a page, and stores what it holds.
    async fn read(&self, app: &Arc<App>, outcome: &mut Outcome) -> Result<Option<ConnectorFault>, TxError> {
        let began = self.row.reading.as_ref().map_or(app.now(), |reading| reading.began);
        let (since, cursor) = match &self.row.reading {
            Some(reading) => (reading.since, Some(reading.cursor.clone())),
            None => (since(&self.row, began), None),
        };
        let task = Task::Backfill(Span { since, cursor });
        let report = match perform(app, &self.subject, &task, None).await {
            Ok(report) => report,
            Err(fault) => return Ok(Some(fault)),
        };
        let admitted = tokio::task::block_in_place(|| admit(app, &self.subject, &report.items))?;
        if admitted.astray > 0 {
            let finding = Finding::warning(
                format!("{} items that were read belong to no connection of this name", admitted.astray),
                "is the connection's account the provider's own name of it?",
            );
            outcome.checked.get_or_insert_with(|| (self.row.subscriptions.clone(), Vec::new())).1.push(finding);
        }
        outcome.page = Some(Page { since, began, cursor: report.cursor, new: admitted.new });
        Ok(None)
    }
}

impl Outcome {
    fn fail(&mut self, fault: &ConnectorFault) {
        self.trouble = Some(fault.to_string());
        if let ConnectorFault::Later { after, .. } = fault {
            self.pause = *after;
        }
    }

    /// Whether something is missed.
    fn is_problem(&self) -> bool {
        let mut findings = self.checked.iter().flat_map(|(_, findings)| findings);
        findings.any(|finding| finding.severity == Severity::Problem)
    }

    /// How many items were read and are new.
    pub(crate) fn new_items(&self) -> u64 {
        self.page.as_ref().map_or(0, |page| page.new)
    }

    /// Whether something was mended.
    pub(crate) const fn is_mended(&self) -> bool {
        self.mended
    }
}

/// Topics that are wanted, and that no subscription sends. One that somebody paused is left as it is.
fn to_mend(wanted: &[String], found: &[Subscription]) -> Vec<String> {
    let is_alive =
        |topic: &&String| found.iter().any(|held| held.topic == **topic && held.state != SubscriptionState::Disabled);
    wanted.iter().filter(|topic| !is_alive(topic)).cloned().collect()
}

/// Topics that are wanted, but those that somebody paused.
fn not_paused(wanted: &[String], found: &[Subscription]) -> Vec<String> {
    let is_paused =
        |topic: &&String| found.iter().any(|held| held.topic == **topic && held.state == SubscriptionState::Paused);
    wanted.iter().filter(|topic| !is_paused(topic)).cloned().collect()
}

/// From when on to read: a little before what was read before, and never before the provider was asked to send.
fn since(row: &ConnectionRow, now: Timestamp) -> Timestamp {
    let read_to = row.read_to.unwrap_or(now);
    let first = row.wanted.as_ref().map_or(read_to, |wanted| wanted.since);
    read_to.plus_ms(-OVERLAP_MS).max(first.min(read_to))
}

/// The row after a round.
fn after(mut row: ConnectionRow, outcome: &Outcome, url: &str, now: Timestamp) -> ConnectionRow {
    if let Some((subscriptions, findings)) = &outcome.checked {
        row.subscriptions.clone_from(subscriptions);
        row.findings.clone_from(findings);
        row.checked_at = Some(now);
    }
    if outcome.mended {
        row.mended_at = Some(now);
        if let Some(wanted) = &mut row.wanted {
            url.clone_into(&mut wanted.url);
        }
    }
    if let Some(Page { since, began, cursor, new }) = &outcome.page {
        row.found = row.found.saturating_add(*new);
        row.reading = cursor.clone().map(|cursor| Reading { since: *since, began: *began, cursor });
        if row.reading.is_none() {
            row.read_to = Some(*began);
        }
    }
    row.trouble = outcome.trouble.as_ref().map(|reason| {
        let (since, times) = row.trouble.as_ref().map_or((now, 0), |held| (held.since, held.times));
        Trouble { since, reason: reason.clone(), times: times.saturating_add(1) }
    });
    row
}

/// How long until the next turn.
fn pause_ms(row: &ConnectionRow, outcome: &Outcome, period_ms: i64) -> i64 {
    let Some(trouble) = &row.trouble else {
        // The next page at once.
        return if row.reading.is_some() { 0 } else { period_ms };
    };
    let doubled = FIRST_PAUSE_MS.saturating_mul(1 << trouble.times.saturating_sub(1).min(16));
    let asked = outcome.pause.map_or(0, |pause| i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
    doubled.min(period_ms.max(FIRST_PAUSE_MS)).max(asked)
}

/// Writes down what a round found, and the next turn, all in `tx`. A row that got another turn meanwhile is left alone.
///
/// # Errors
/// The store's.
pub(crate) fn settle(tx: &mut Tx<'_>, app: &App, round: &Round, outcome: &Outcome) -> Result<(), TxError> {
    let (before, subject) = (&round.row, &round.subject);
    let row = tx.get::<ConnectionRow>(&(before.workspace, before.connection))?;
    let Some(row) = row.filter(|row| row.turn == before.turn) else { return Ok(()) };
    let now = app.now();
    let mut row = after(row, outcome, &subject.url, now);
    if outcome.mended && outcome.told_all {
        secret::told(tx, app, subject)?;
    }
    row.turn = row.turn.wrapping_add(1);
    (row.due, row.timer, row.aside) = (None, None, None);
    if let Some(period_ms) = subject.connection.look_after.period_ms(row.wanted.is_some()) {
        let due = now.plus_ms(pause_ms(&row, outcome, period_ms));
        row.due = Some(due);
        if due <= now {
            tx.enqueue(Queue::Io, schedule::lane_of(&row), &schedule::work_of(&row));
        } else {
            row.timer = Some(tx.defer(due, Queue::Io, schedule::lane_of(&row), schedule::work_of(&row)));
        }
    }
    schedule::tell(app, subject, &row);
    if let (Some(trouble), None) = (&row.trouble, &before.trouble) {
        tracing::warn!(connection = row.name, reason = trouble.reason, "the connection can't be looked after");
    }
    tx.put(row);
    Ok(())
}

#[cfg(test)]
mod tests;
