//! Sees a task of a connector through: the plugin says which requests it needs, they are made one after the other, and it is called again. Nothing is written down:
//! a task that is cut is begun anew, and looks first.

use super::Subject;
use crate::app::App;
use std::time::Duration;
use tidegate_fetch::{Fetched, Hidden, Purpose, Told};
use tidegate_model::{
    ItemId,
    connector::{Report, Step, Task},
    outcome::Answer,
};
use tidegate_plugin_host::CallError;

/// Times that a plugin may ask in one task.
const ROUNDS: usize = 32;
/// Bytes of answers that a task may have.
const ANSWER_BYTES: usize = 16 << 20;
/// Pauses before a task is begun anew while an operator waits.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
/// Longest pause that a provider may ask for while an operator waits.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why a task was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectorFault {
    /// The plugin does not look after connections.
    #[error("the plugin {0} does not look after its connections: it has no connector")]
    NoConnector(String),
    /// The operator has not granted something: the line to add.
    #[error("{0}: add it to tidegate.toml, and `tidegate reload`")]
    NotGranted(String),
    /// A person must authorize the connection.
    #[error("{reason}: `tidegate connection authorize {connection}`")]
    Unauthorized {
        /// Why.
        reason: String,
        /// Its name.
        connection: String,
    },
    /// The provider is busy or out of reach.
    #[error("{reason}; try again later")]
    Later {
        /// What happened.
        reason: String,
        /// Not before this, if the provider said so.
        after: Option<Duration>,
    },
    /// The provider refuses, or the plugin can't go on: why, and what to do.
    #[error("{0}")]
    Refused(String),
    /// The plugin failed.
    #[error(transparent)]
    Plugin(#[from] CallError),
    /// The plugin never comes to an end.
    #[error("the plugin {0} asks for more and more, and comes to no end")]
    Endless(String),
}

/// Sees a task through. `webhook_secret` is what the provider is told to sign with.
///
/// # Errors
/// Why it was not done. Some of it may be done at the provider.
pub(crate) async fn perform(
    app: &App,
    subject: &Subject,
    task: &Task,
    webhook_secret: Option<&Hidden>,
) -> Result<Report, ConnectorFault> {
    let connection = &subject.connection;
    let plugin = &connection.interpreter.plugin;
    let id = || plugin.id().to_owned();
    let reach = connection.reach.as_ref().filter(|_| plugin.connects());
    let Some(reach) = reach else { return Err(ConnectorFault::NoConnector(id())) };
    let verify_token = subject.endpoint.verify_token.as_ref().map(|token| Hidden::new(token.expose()));
    let told = Told { webhook_secret, verify_token: verify_token.as_ref() };
    let seed = ItemId::derive(app.now().ms(), &[b"connector", connection.name.as_bytes()]);
    let (mut answers, mut bytes) = (Vec::new(), 0);
    for _ in 0..ROUNDS {
        let requests = match plugin.advance(&seed, &connection.info, task, &answers).await? {
            Step::Done(report) => return Ok(report),
            Step::Failed(failure) => return Err(ConnectorFault::Refused(failure.reason)),
            Step::Need(requests) => requests,
        };
        for request in requests {
            let only_reads = plugin.only_reads(&connection.info, &request);
            let purpose = if only_reads { Purpose::Read } else { Purpose::Write(told) };
            let answer = match reach.call(&request, purpose).await {
                Fetched::Answer(answer) => answer,
                Fetched::Later { after, reason } => return Err(ConnectorFault::Later { reason, after }),
                Fetched::Refused(line) => return Err(ConnectorFault::NotGranted(line)),
                Fetched::Unauthorized(reason) => {
                    return Err(ConnectorFault::Unauthorized { reason, connection: connection.name.clone() });
                }
            };
            if let Answer::Response { body, .. } = &answer {
                bytes += body.len();
            }
            answers.push(answer);
        }
        if bytes > ANSWER_BYTES {
            break;
        }
    }
    Err(ConnectorFault::Endless(id()))
}

/// As [`perform`], and begins anew a few times when the provider is busy: somebody waits for it.
///
/// # Errors
/// As there.
pub(crate) async fn perform_patiently(
    app: &App,
    subject: &Subject,
    task: &Task,
    webhook_secret: Option<&Hidden>,
) -> Result<Report, ConnectorFault> {
    for pause in PAUSES {
        match perform(app, subject, task, webhook_secret).await {
            Err(ConnectorFault::Later { after, .. }) if after.is_none_or(|after| after <= LONGEST_PAUSE) => {
                tokio::time::sleep(after.unwrap_or(pause)).await;
            }
            ended => return ended,
        }
    }
    perform(app, subject, task, webhook_secret).await
}
