//! Runs cases: cuts the webhook into items as the gateway does, calls the plugin, compares.

use crate::{
    answers::Answers,
    case::{self, CaseError, Fixture, Mode, Settled},
};
use std::{
    env, fmt,
    path::{Path, PathBuf},
};
use tidegate_model::{
    ItemId,
    outcome::{ConnectionInfo, Item, Outcome},
};
use tidegate_plugin_host::{HostConfig, Plugin, PluginHost, SplitItem, guest_headers, split};

/// How often a plugin may ask for more: what it needs after that, it would need for ever.
const MOST_ROUNDS: usize = 8;

/// What went wrong with a folder of fixtures: every case that failed, and why.
#[derive(Debug)]
pub struct Failed {
    /// Cases and reasons; a reason without a case is about all of them.
    pub cases: Vec<(String, String)>,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (case, reason) in &self.cases {
            write!(f, "\n{case}{}{reason}\n", if case.is_empty() { "" } else { ": " })?;
        }
        Ok(())
    }
}

impl std::error::Error for Failed {}

impl From<String> for Failed {
    fn from(reason: String) -> Self {
        Self { cases: vec![(String::new(), reason)] }
    }
}

/// Which cases are run, and what becomes of their outcomes.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'s> {
    /// What happens to `outcome.json`.
    pub mode: Mode,
    /// Only the case of this name.
    pub only: Option<&'s str>,
}

/// A case that was run.
#[derive(Debug)]
pub struct Ran {
    /// Its name.
    pub case: String,
    /// How it ended.
    pub ended: Result<Settled, CaseError>,
}

/// What came of a webhook.
#[derive(Debug)]
pub struct Called {
    /// The connection that it was for.
    pub connection: ConnectionInfo,
    /// Its items, with all answers that the plugin asked for.
    pub items: Vec<Item>,
    /// What the plugin made of them.
    pub outcomes: Vec<Outcome>,
}

/// Runs every case of a folder. With `UPDATE=1` in the environment each `outcome.json` is written instead of compared. Returns how many cases there were.
///
/// # Errors
/// Every case that failed, with the difference. A folder without cases is an error too: it would prove nothing.
pub fn run_fixtures(component: &[u8], dir: &Path) -> Result<usize, Failed> {
    let mode = if env::var_os("UPDATE").is_some_and(|value| value == "1") { Mode::Update } else { Mode::Compare };
    let host = PluginHost::new(&HostConfig::default()).map_err(|error| error.to_string())?;
    let plugin = host.load(component).map_err(|error| error.to_string())?;
    let ran = run_cases(&plugin, dir, Selection { mode, only: None }).map_err(|error| error.to_string())?;
    let count = ran.len();
    let failed: Vec<_> = ran.into_iter().filter_map(|ran| Some((ran.case, ran.ended.err()?.to_string()))).collect();
    if failed.is_empty() { Ok(count) } else { Err(Failed { cases: failed }) }
}

/// Runs the cases of a folder, in the order of their names. Must not be called inside an async runtime.
///
/// # Errors
/// When the folder holds none of them: that would prove nothing. What is wrong with a case is in its result.
pub fn run_cases(plugin: &Plugin, dir: &Path, selection: Selection<'_>) -> Result<Vec<Ran>, CaseError> {
    let mut folders = case::folders(dir)?;
    if let Some(only) = selection.only {
        let known: Vec<String> = folders.iter().map(|folder| case_name(folder)).collect();
        folders.retain(|folder| case_name(folder) == only);
        if folders.is_empty() {
            return Err(CaseError::NoSuchCase { found: only.to_owned(), known });
        }
    }
    if folders.is_empty() {
        return Err(CaseError::NoCases { dir: dir.to_owned() });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|source| CaseError::File { path: dir.to_owned(), source })?;
    let run = |folder: PathBuf| Ran {
        case: case_name(&folder),
        ended: runtime.block_on(one(plugin, &folder, selection.mode)),
    };
    Ok(folders.into_iter().map(run).collect())
}

fn case_name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

async fn one(plugin: &Plugin, folder: &Path, mode: Mode) -> Result<Settled, CaseError> {
    let fixture = Fixture::parse(&case::read(&folder.join("webhook.json"))?)?;
    let mut answers = Answers::of_case(folder)?;
    let called = interpret(plugin, &case_name(folder), &fixture, &mut answers).await?;
    answers.all_used()?;
    let mut found = serde_json::to_string_pretty(&called.outcomes)
        .map_err(|error| CaseError::NoFixture { reason: error.to_string() })?;
    found.push('\n');
    case::settle(folder, &found, mode)
}

/// What a plugin makes of a webhook, item by item; what it asks for is answered, and it is called again. The case's name gives the items their ids, so that they are
/// the same in every run.
///
/// # Errors
/// When the webhook is not what it says, a call fails, or the plugin asks for what has no answer.
pub async fn interpret(
    plugin: &Plugin,
    case: &str,
    fixture: &Fixture,
    answers: &mut Answers,
) -> Result<Called, CaseError> {
    let settings = fixture.settings.as_ref().map_or_else(|| "{}".to_owned(), ToString::to_string);
    let connection = ConnectionInfo { name: "fixture".to_owned(), account: None, settings };
    let mut items = items(plugin, case, fixture)?;
    for _ in 0..MOST_ROUNDS {
        let outcomes = call(plugin, &connection, &items).await?;
        let mut asked = false;
        for (item, outcome) in items.iter_mut().zip(&outcomes) {
            if let Outcome::Need(requests) = outcome {
                item.answers.extend(answers.to(requests)?);
                asked = true;
            }
        }
        if !asked {
            return Ok(Called { connection, items, outcomes });
        }
    }
    Err(CaseError::TooManyRounds { rounds: MOST_ROUNDS })
}

/// All items in chunks, as the gateway calls a plugin; those that have their outcome already get the same one again.
async fn call(plugin: &Plugin, connection: &ConnectionInfo, items: &[Item]) -> Result<Vec<Outcome>, CaseError> {
    let mut outcomes = Vec::with_capacity(items.len());
    for chunk in items.chunks(plugin.manifest().limits.chunk_items as usize) {
        outcomes.extend(match plugin.interpret(connection, chunk).await {
            // A machine that is busy may miss a deadline once; a plugin that is too slow misses it again.
            Err(error) if error.retryable() => plugin.interpret(connection, chunk).await?,
            ended => ended?,
        });
    }
    Ok(outcomes)
}

fn items(plugin: &Plugin, case: &str, fixture: &Fixture) -> Result<Vec<Item>, CaseError> {
    let (body, headers) = (fixture.body(), fixture.headers());
    let parts = split(plugin.manifest(), &headers, body.as_bytes())?;
    if !parts.is_empty() && parts.iter().all(|part| part.topic != fixture.topic) {
        let found = parts.into_iter().map(|part| part.topic).collect();
        return Err(CaseError::OtherTopic { expected: fixture.topic.clone(), found });
    }
    let headers = guest_headers(plugin.manifest(), &headers);
    Ok(parts.into_iter().map(|part| item(fixture, case, &headers, part)).collect())
}

fn item(fixture: &Fixture, case: &str, headers: &[(String, String)], part: SplitItem<'_>) -> Item {
    let place = part.index.to_be_bytes();
    Item {
        id: ItemId::derive(fixture.received_at.ms(), &[b"fixture", case.as_bytes(), &place]),
        topic: part.topic,
        headers: headers.to_vec(),
        body: part.body.into_owned(),
        envelope: part.envelope,
        received_at: fixture.received_at,
        state: fixture.state.clone(),
        answers: Vec::new(),
    }
}
