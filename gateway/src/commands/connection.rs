//! Connections: look at how one fares at its provider, have the provider send, and have it stop.

use crate::{
    app::App,
    connecting::{self, ConnectorFault, SecretFault, Subject, SubscribeFault, perform_patiently},
    http::{Code, Problem},
    records::ConnectionRow,
    tx::{Tx, TxError},
    views,
};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use tidegate_model::connector::{Report, Target, Task};

/// What the provider is to send.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subscribe {
    /// Topics, in the provider's words; the plugin's usual ones when there are none.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Whether a new secret is made.
    #[serde(default)]
    pub rotate: bool,
}

/// Looks at the provider's side, writes down what was found, and tells how the connection fares.
///
/// # Errors
/// 404 for an unknown connection, 409 when its plugin does not look after it or the provider refuses, 503 when the provider is out of reach.
pub(crate) async fn check_connection(app: &Arc<App>, name: &str) -> Result<Value, Problem> {
    let subject = named(app, name)?;
    if !subject.connects() {
        return shown(app, &subject).await;
    }
    let _turn = app.connecting().turn(subject.connection.number).await;
    let row = in_background(app, &subject, |app, subject| {
        let row = subject.row(app).map_err(|error| unreadable(subject, error))?;
        // A turn may have been put aside.
        connecting::arm(app, subject)?;
        Ok(row)
    })
    .await?;
    let target = match row.as_ref().and_then(|row| row.wanted.as_ref()) {
        Some(_) => subject.target(row.as_ref()),
        // Nothing is missed that nobody wished for.
        None => Target { url: subject.url.clone(), topics: Vec::new() },
    };
    let report = perform_patiently(app, &subject, &Task::Check(target), None).await?;
    in_background(app, &subject, move |app, subject| note(app, subject, &report)).await?;
    shown(app, &subject).await
}

/// Has the provider send.
///
/// # Errors
/// As [`check_connection`]; 400 for a topic that the plugin does not know.
pub(crate) async fn subscribe_connection(app: &Arc<App>, name: &str, asked: Subscribe) -> Result<Value, Problem> {
    let subject = named(app, name)?;
    let manifest = subject.connection.interpreter.plugin.manifest();
    if !subject.connects() {
        return Err(ConnectorFault::NoConnector(manifest.id.clone()).into());
    }
    let known: Vec<&str> = manifest.topics.iter().map(|topic| topic.name.as_str()).collect();
    if let Some(unknown) = asked.topics.iter().find(|topic| !known.contains(&topic.as_str())) {
        let problem = format!("topics: the plugin {} knows no {unknown:?}; it knows {}", manifest.id, known.join(", "));
        return Err(Problem::new(Code::ParameterInvalid, problem));
    }
    let topics = if asked.topics.is_empty() { manifest.usual_topics() } else { asked.topics };
    connecting::subscribe(app, &subject, topics, asked.rotate).await?;
    shown(app, &subject).await
}

/// Has the provider stop.
///
/// # Errors
/// As [`check_connection`].
pub(crate) async fn unsubscribe_connection(app: &Arc<App>, name: &str) -> Result<Value, Problem> {
    let subject = named(app, name)?;
    connecting::unsubscribe(app, &subject).await?;
    shown(app, &subject).await
}

pub(super) fn named(app: &App, name: &str) -> Result<Subject, Problem> {
    Subject::named(app, name)
        .ok_or_else(|| Problem::new(Code::NotFound, format!("there is no connection {name:?} in the configuration")))
}

pub(super) async fn shown(app: &Arc<App>, subject: &Subject) -> Result<Value, Problem> {
    in_background(app, subject, |app, subject| Ok(views::connection(app, subject)?)).await
}

/// Store reads may wait for the disk, so they are not done on the threads that serve.
async fn in_background<T: Send + 'static>(
    app: &Arc<App>,
    subject: &Subject,
    work: impl FnOnce(&App, &Subject) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    // What was done may have put another catalog in place.
    let (app, name) = (Arc::clone(app), subject.connection.name.clone());
    let worked = tokio::task::spawn_blocking(move || work(&app, &named(&app, &name)?));
    worked.await.map_err(|error| Problem::internal(&error))?
}

/// What is known of a connection can't be read: that is no fault of the gateway's that runs.
fn unreadable(subject: &Subject, error: TxError) -> Problem {
    match error {
        TxError::Record(error) => {
            let name = &subject.connection.name;
            let advice = format!("`tidegate connection subscribe {name}` begins anew");
            Problem::new(Code::Conflict, format!("what is known of the connection can't be read ({error}): {advice}"))
        }
        error => error.into(),
    }
}

fn note(app: &App, subject: &Subject, report: &Report) -> Result<(), Problem> {
    let key = (subject.connection.workspace, subject.connection.number);
    let mut tx = Tx::new(app.store(), key.0);
    let row = tx.get::<ConnectionRow>(&key)?;
    let mut row = row.unwrap_or_else(|| ConnectionRow::new(key.0, key.1, &subject.connection.name));
    row.subscriptions.clone_from(&report.subscriptions);
    row.findings.clone_from(&report.findings);
    row.checked_at = Some(app.now());
    row.trouble = None;
    tx.put(row);
    match tx.commit(None) {
        // Somebody else writes down the same, or newer.
        Err(error) if error.is_conflict() => Ok(()),
        ended => Ok(ended?),
    }
}

impl From<ConnectorFault> for Problem {
    fn from(fault: ConnectorFault) -> Self {
        let code = match fault {
            ConnectorFault::Later { .. } => Code::Unavailable,
            ConnectorFault::NoConnector(_)
            | ConnectorFault::NotGranted(_)
            | ConnectorFault::Unauthorized { .. }
            | ConnectorFault::Refused(_)
            | ConnectorFault::Plugin(_)
            | ConnectorFault::Endless(_) => Code::Conflict,
        };
        Self::new(code, fault.to_string())
    }
}

impl From<SubscribeFault> for Problem {
    fn from(fault: SubscribeFault) -> Self {
        match fault {
            SubscribeFault::Connector(fault) => fault.into(),
            SubscribeFault::Secret(SecretFault::Vault(fault)) => Self::new(Code::Conflict, fault.to_string()),
            SubscribeFault::Secret(SecretFault::Catalog(fault)) => {
                Self::new(Code::ConfigurationRefused, fault.to_string())
            }
            SubscribeFault::Secret(SecretFault::Store(error)) | SubscribeFault::Store(error) => error.into(),
        }
    }
}
