//! Subscribing and unsubscribing, step by step. Whatever is cut between any two steps: the gateway never lacks a secret that the provider was told, and what was
//! wished for is on disk before it is done, so that it is seen through later.

use super::{ConnectorFault, SecretFault, Subject, aside::readable, perform_patiently, schedule, secret};
use crate::{
    app::App,
    records::{ConnectionRow, Wanted},
    tx::{Tx, TxError},
};
use std::sync::Arc;
use tidegate_model::connector::{Report, Target, Task};

/// Times that a row is written when somebody else writes it too.
const CONFLICTS: usize = 5;

/// Why it was not done, or not wholly.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SubscribeFault {
    /// There is no secret.
    #[error(transparent)]
    Secret(#[from] SecretFault),
    /// The provider.
    #[error(transparent)]
    Connector(#[from] ConnectorFault),
    /// The store.
    #[error(transparent)]
    Store(#[from] TxError),
}

/// What came of it.
pub(crate) type Subscribed = Result<Report, SubscribeFault>;

/// Has the provider send these topics, signed with the connection's secret. May be done again at any time.
///
/// # Errors
/// Why it was not done. What is on disk is seen through by the watchdog.
pub(crate) async fn subscribe(app: &Arc<App>, subject: &Subject, topics: Vec<String>, rotate: bool) -> Subscribed {
    let _turn = app.connecting().turn(subject.connection.number).await;
    let target = Target { url: subject.url.clone(), topics };
    let before = blocking(app, subject, {
        let target = target.clone();
        move |app, subject| wish(app, subject, &target)
    })
    .await?;
    let secret = blocking(app, subject, move |app, subject| Ok(secret::ready(app, subject, rotate)?)).await?;
    let report = perform_patiently(app, subject, &Task::Subscribe(target.clone()), secret.as_ref()).await;
    let report = match report {
        Ok(report) => report,
        Err(fault) => {
            // The wish stands: the watchdog goes on with it.
            blocking(app, subject, |app, subject| Ok(schedule::arm(app, subject)?)).await?;
            return Err(fault.into());
        }
    };
    // What else goes there would be signed with a secret that is forgotten one day.
    let (left, is_other) = clear(app, subject, &target.url, &target.topics).await?;
    if let Some(old) = before.filter(|old| old.url != target.url) {
        leave(app, subject, &old.url).await?;
    }
    let report = if is_other { left } else { report };
    let found = report.clone();
    blocking(app, subject, move |app, subject| {
        note(app, subject, &found)?;
        Ok(schedule::arm(app, subject)?)
    })
    .await?;
    Ok(report)
}

/// Has the provider send nothing more. First nobody wishes for it any more, so that the watchdog does not undo this.
///
/// # Errors
/// Why it was not done at the provider; doing it again goes on.
pub(crate) async fn unsubscribe(app: &Arc<App>, subject: &Subject) -> Subscribed {
    let _turn = app.connecting().turn(subject.connection.number).await;
    let wanted = blocking(app, subject, unwish).await?;
    let url = wanted.map_or_else(|| subject.url.clone(), |wanted| wanted.url);
    let (report, _) = clear(app, subject, &url, &[]).await?;
    let found = report.clone();
    blocking(app, subject, move |app, subject| note(app, subject, &found)).await?;
    Ok(report)
}

/// Has the provider send nothing more to an address of before.
pub(super) async fn leave(app: &App, subject: &Subject, url: &str) -> Result<(), ConnectorFault> {
    if !subject.has_one_address() {
        clear(app, subject, url, &[]).await?;
    }
    Ok(())
}

/// Has the provider send nothing to the URL but these topics. Gives what is left, and whether something had to go.
async fn clear(app: &App, subject: &Subject, url: &str, keep: &[String]) -> Result<(Report, bool), ConnectorFault> {
    let target = |topics: Vec<String>| Target { url: url.to_owned(), topics };
    let found = perform_patiently(app, subject, &Task::Check(target(Vec::new())), None).await?;
    let mut extra: Vec<String> = found.subscriptions.iter().map(|held| held.topic.clone()).collect();
    extra.retain(|topic| !keep.contains(topic));
    extra.dedup();
    if extra.is_empty() {
        return Ok((found, false));
    }
    let left = perform_patiently(app, subject, &Task::Unsubscribe(target(extra)), None).await?;
    Ok((left, true))
}

async fn blocking<T: Send + 'static>(
    app: &Arc<App>,
    subject: &Subject,
    work: impl FnOnce(&App, &Subject) -> Result<T, SubscribeFault> + Send + 'static,
) -> Result<T, SubscribeFault> {
    let (app, subject) = (Arc::clone(app), subject.clone());
    tokio::task::spawn_blocking(move || work(&app, &subject)).await.unwrap_or(Err(TxError::Panicked.into()))
}

/// Writes down what is wished for. Gives what was before. What changes at the provider from now on is read when no webhook tells of it.
fn wish(app: &App, subject: &Subject, target: &Target) -> Result<Option<Wanted>, SubscribeFault> {
    let mut before = None;
    change(app, subject, |row| {
        let held = row.wanted.take();
        let since = held.as_ref().map_or(app.now(), |wanted| wanted.since);
        before = held;
        row.wanted = Some(Wanted { url: target.url.clone(), topics: target.topics.clone(), since });
        row.read_to.get_or_insert(app.now());
    })?;
    Ok(before)
}

fn unwish(app: &App, subject: &Subject) -> Result<Option<Wanted>, SubscribeFault> {
    let mut before = None;
    change(app, subject, |row| {
        before = row.wanted.take();
        row.read_to = None;
        row.reading = None;
    })?;
    Ok(before)
}

/// Writes down what the provider has now, and that it was told the secret.
fn note(app: &App, subject: &Subject, report: &Report) -> Result<(), SubscribeFault> {
    let noted = write(app, subject, |tx, row| {
        row.subscriptions.clone_from(&report.subscriptions);
        row.findings.clone_from(&report.findings);
        row.checked_at = Some(app.now());
        row.trouble = None;
        if row.wanted.is_some() {
            secret::told(tx, app, subject)?;
        }
        Ok(())
    });
    Ok(noted?)
}

/// Changes the row of a connection. Nobody else has its turn; a timer that is moved meanwhile does not touch it.
fn change(app: &App, subject: &Subject, mut change: impl FnMut(&mut ConnectionRow)) -> Result<(), TxError> {
    write(app, subject, |_, row| {
        change(row);
        Ok(())
    })
}

/// A reload may have it looked after meanwhile: then it is done again with what is there. A row that can't be read is written anew.
fn write(
    app: &App,
    subject: &Subject,
    mut change: impl FnMut(&mut Tx<'_>, &mut ConnectionRow) -> Result<(), TxError>,
) -> Result<(), TxError> {
    let connection = &subject.connection;
    let key = (connection.workspace, connection.number);
    let mut last = Ok(());
    for _ in 0..CONFLICTS {
        let mut tx = Tx::new(app.store(), connection.workspace);
        let row = readable(tx.get::<ConnectionRow>(&key))?;
        let mut row = row.unwrap_or_else(|| ConnectionRow::new(key.0, key.1, &connection.name));
        change(&mut tx, &mut row)?;
        schedule::tell(app, subject, &row);
        tx.put(row);
        last = tx.commit(None);
        if !last.as_ref().is_err_and(TxError::is_conflict) {
            break;
        }
    }
    last
}
