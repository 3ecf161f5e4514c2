//! Connections and how they fare: from stored rows, from the catalog, and from what was counted since the start. What is wrong is said in words, with what to do.

use crate::{
    app::App,
    catalog::{Connection, secrets_of},
    connecting::Subject,
    letters,
    metrics::RefusedFor,
    records::{ConnectionRow, Delivery, SecretRow, TokenRow, Trouble},
    tx::TxError,
};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use tidegate_model::{
    LetterId, Timestamp,
    connector::{Finding, Severity},
};
use tidegate_store::{
    KeyRange, Order, Space, StoreError,
    keys::Key,
    records::{self, DeadLetter, ReadError, RecordError, get},
};

/// Deliveries that are looked through for an endpoint's last one.
const MOST_DELIVERIES: usize = 1_000;
/// Dead letters that are looked through.
const MOST_LETTERS: usize = 10_000;

/// Every connection, by name.
///
/// # Errors
/// The store's.
pub(crate) fn connections(app: &App) -> Result<Vec<Value>, TxError> {
    let catalog = app.catalog();
    let mut names: Vec<&str> = catalog.connections().map(|(_, connection)| connection.name.as_str()).collect();
    names.sort_unstable();
    names.into_iter().filter_map(|name| Subject::named(app, name)).map(|subject| connection(app, &subject)).collect()
}

/// One connection.
///
/// # Errors
/// The store's.
pub(crate) fn connection(app: &App, subject: &Subject) -> Result<Value, TxError> {
    let (endpoint, connection) = (&subject.endpoint, &subject.connection);
    let (row, damage) = match subject.row(app) {
        Ok(row) => (row, None),
        Err(TxError::Record(error)) => (None, Some(unreadable(subject, &error))),
        Err(error) => return Err(error),
    };
    let secret = get::<SecretRow>(app.store(), &(connection.workspace, connection.number)).map_err(TxError::from)?;
    let secret = secret.and_then(|(row, _)| row.generations.last().cloned());
    let token = token(app, subject)?;
    let mut findings = findings(app, subject, row.as_ref())?;
    findings.extend(of_token(subject, token.as_ref()));
    findings.extend(damage);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let default = ConnectionRow::default();
    let known = row.as_ref().unwrap_or(&default);
    let catalog = app.catalog();
    let workspace = catalog.workspaces().find(|(number, _)| *number == connection.workspace).map(|(_, name)| name);
    Ok(json!({
        "name": connection.name,
        "workspace": workspace,
        "endpoint": endpoint.name,
        "plugin": connection.interpreter.plugin.id(),
        "account": connection.info.account,
        "url": subject.url,
        "state": state(subject, known, &findings),
        "connects": subject.connects(),
        "wanted": known.wanted,
        "subscriptions": known.subscriptions,
        "findings": findings,
        "checked_at": known.checked_at,
        "mended_at": known.mended_at,
        "trouble": known.trouble,
        "read_to": known.read_to,
        "items_read": known.found,
        "next_at": known.due,
        "secret": secret.map(|last| json!({"made_at": last.made_at, "told_at": last.told_at})),
        "authorization": token.filter(|row| row.void.is_none()).map(|row| json!({"given_at": row.given_at, "expires_at": row.expires_at})),
        "last_delivery_at": last_delivery(app, endpoint.home, &endpoint.name)?,
    }))
}

/// In a word or two.
fn state(subject: &Subject, row: &ConnectionRow, findings: &[Finding]) -> &'static str {
    match findings.iter().map(|finding| finding.severity).max() {
        Some(Severity::Problem) => "problem",
        Some(Severity::Warning) => "warning",
        _ if !subject.connects() => "not looked after",
        _ if row.wanted.is_none() => "not subscribed",
        _ => "well",
    }
}

/// Everything that an operator should know.
fn findings(app: &App, subject: &Subject, row: Option<&ConnectionRow>) -> Result<Vec<Finding>, TxError> {
    let mut findings: Vec<Finding> = row.map(|row| row.findings.clone()).unwrap_or_default();
    findings.extend(of_configuration(app, subject, row));
    findings.extend(of_secrets(app, subject)?);
    if let Some(trouble) = row.and_then(|row| row.trouble.as_ref()) {
        findings.push(match row.and_then(|row| row.aside) {
            None => {
                let problem = format!("it can't be looked after since {}: {}", trouble.since, trouble.reason);
                Finding::problem(problem, "it is tried again by itself")
            }
            Some(seq) => given_up(subject, trouble, seq),
        });
    }
    findings.extend(of_items(app, subject)?);
    Ok(findings)
}

/// Nobody looks after it: its turn lies among the dead letters.
fn given_up(subject: &Subject, trouble: &Trouble, seq: u64) -> Finding {
    let Connection { workspace, name, .. } = &*subject.connection;
    let problem =
        format!("it is not looked after any more: its turn was given up ({}, since {})", trouble.reason, trouble.since);
    let letter = LetterId::at(*workspace, seq);
    Finding::problem(
        problem,
        format!("`tidegate connection check {name}` begins again, and so does `tidegate queue retry {letter}`"),
    )
}

fn unreadable(subject: &Subject, error: &RecordError) -> Finding {
    let advice = format!("`tidegate connection subscribe {}` begins anew", subject.connection.name);
    Finding::problem(format!("it is not looked after: what is known of it can't be read: {error}"), advice)
}

fn of_configuration(app: &App, subject: &Subject, row: Option<&ConnectionRow>) -> Vec<Finding> {
    let mut found = Vec::new();
    let add = "add it to tidegate.toml, and `tidegate reload`";
    found.extend(subject.connection.not_granted.iter().map(|line| Finding::problem(line.clone(), add)));
    let without = subject.connection.reach.iter().flat_map(|reach| &reach.rules.without_credential);
    let wanted = row.and_then(|row| row.wanted.as_ref());
    if subject.connects() {
        // Who sets webhooks by hand may do without.
        let finding = if wanted.is_some() { Finding::problem } else { Finding::note };
        found.extend(without.map(|missing| finding(missing.line.clone(), add)));
    }
    let Some(wanted) = wanted else { return found };
    if app.catalog().config().server.public_url.is_empty() {
        found.push(Finding::warning(
            format!("server.public_url is not set: the provider is told {}", subject.url),
            "set it to the address that the provider can reach",
        ));
    }
    if wanted.url != subject.url {
        found.push(Finding::warning(
            format!("the provider was told {}, and the endpoint is at {}", wanted.url, subject.url),
            "it is told anew by itself; `tidegate connection subscribe` does it now",
        ));
    }
    found
}

fn of_secrets(app: &App, subject: &Subject) -> Result<Vec<Finding>, TxError> {
    let connection = &subject.connection;
    let catalog = app.catalog();
    let opened = secrets_of(app.store(), catalog.vault(), connection.workspace, connection.number);
    let faults = opened.map_err(TxError::from)?.into_iter().filter_map(Result::err);
    let advice = format!("`tidegate connection subscribe {} --rotate` makes a new one", connection.name);
    Ok(faults
        .map(|fault| Finding::problem(format!("a signing secret can't be used: {fault}"), advice.clone()))
        .collect())
}

/// Its tokens' row, when the provider gives some for a time.
fn token(app: &App, subject: &Subject) -> Result<Option<TokenRow>, TxError> {
    let connection = &subject.connection;
    if connection.keeper().is_none() {
        return Ok(None);
    }
    let row = get::<TokenRow>(app.store(), &(connection.workspace, connection.number)).map_err(TxError::from)?;
    Ok(row.map(|(row, _)| row))
}

fn of_token(subject: &Subject, row: Option<&TokenRow>) -> Option<Finding> {
    let connection = &subject.connection;
    let problem = match row {
        _ if !connection.is_authorized_by_a_person() => return None,
        None => "nobody has authorized it at its provider yet".to_owned(),
        Some(row) => row.void.clone()?,
    };
    Some(Finding::problem(
        problem,
        format!("`tidegate connection authorize {}`; what waits for it goes on then", connection.name),
    ))
}

fn of_items(app: &App, subject: &Subject) -> Result<Vec<Finding>, TxError> {
    let mut found = Vec::new();
    let refused = subject.endpoint.meter.refused(RefusedFor::Mismatch).get();
    if refused > 0 {
        found.push(Finding::warning(
            format!(
                "{refused} webhooks to the endpoint {} were refused since the start: they are signed with another secret",
                subject.endpoint.name
            ),
            "is the secret the provider's? `tidegate connection subscribe` tells a provider that takes one from us",
        ));
    }
    let parked = parked(app, subject)?;
    if parked > 0 {
        let problem = format!("{parked} of its items are parked");
        found.push(Finding::warning(problem, "`tidegate queue list` says why"));
    }
    Ok(found)
}

/// Its items among the dead letters.
fn parked(app: &App, subject: &Subject) -> Result<usize, StoreError> {
    let (mut seen, mut parked) = (0, 0);
    for workspace in [subject.endpoint.home, subject.connection.workspace] {
        let range = KeyRange::prefix(&Key::new(Space::DeadLetters, workspace));
        records::walk(app.store(), &range, Order::Backward, |letter: DeadLetter| {
            seen += 1;
            let is_its_own = letter.labels.get(letters::CONNECTION) == Some(&subject.connection.name);
            parked += usize::from(is_its_own && letters::Kind::of(&letter) == letters::Kind::Item);
            if seen < MOST_LETTERS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if subject.endpoint.home == subject.connection.workspace {
            break;
        }
    }
    Ok(parked)
}

/// When the endpoint last received something, as far as is looked back.
fn last_delivery(app: &App, workspace: u32, endpoint: &str) -> Result<Option<Timestamp>, TxError> {
    let mut seen = 0;
    let range = KeyRange::prefix(&Key::new(Space::Deliveries, workspace));
    let found = records::walk(app.store(), &range, Order::Backward, |delivery: Delivery| {
        seen += 1;
        match (delivery.endpoint == endpoint && !delivery.read_back, seen < MOST_DELIVERIES) {
            (true, _) => ControlFlow::Break(Some(delivery.received_at)),
            (false, true) => ControlFlow::Continue(()),
            (false, false) => ControlFlow::Break(None),
        }
    });
    Ok(found.map_err(ReadError::Store)?.flatten())
}
