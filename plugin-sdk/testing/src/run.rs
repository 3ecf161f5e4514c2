//! Runs cases: cuts the webhook into items as the gateway does, calls the plugin, compares.

use crate::{
    answers::Answers,
    case::{self, CaseError, Fixture, Mode},
};
use std::{env, fmt, path::Path};
use tidegate_model::{
    ItemId,
    outcome::{ConnectionInfo, Item, Outcome},
};
use tidegate_plugin_host::{HostConfig, Plugin, PluginHost, SplitItem, guest_headers, split};

/// How often a plugin is answered before a case fails: more rounds than any provider needs.
const MAX_ROUNDS: usize = 8;

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

/// Runs every case of a folder. With `UPDATE=1` in the environment each `outcome.json` is written instead of compared. Returns how many cases there were.
///
/// # Errors
/// Every case that failed, with the difference. A folder without cases is an error too: it would prove nothing.
pub fn run_fixtures(component: &[u8], dir: &Path) -> Result<usize, Failed> {
    let mode = if env::var_os("UPDATE").is_some_and(|value| value == "1") { Mode::Update } else { Mode::Compare };
    let host = PluginHost::new(&HostConfig::default()).map_err(|error| error.to_string())?;
    let plugin = host.load(component).map_err(|error| error.to_string())?;
    let folders = case::folders(dir).map_err(|error| error.to_string())?;
    if folders.is_empty() {
        return Err(format!("{} holds no cases: add a folder with a webhook.json", dir.display()).into());
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(|error| error.to_string())?;
    let run = |folder: &Path| runtime.block_on(one(&plugin, folder, mode));
    let failed: Vec<_> =
        folders.iter().filter_map(|folder| Some((case_name(folder), run(folder).err()?.to_string()))).collect();
    if failed.is_empty() { Ok(folders.len()) } else { Err(Failed { cases: failed }) }
}

fn case_name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

async fn one(plugin: &Plugin, folder: &Path, mode: Mode) -> Result<(), CaseError> {
    let fixture = Fixture::parse(&case::read(&folder.join("webhook.json"))?)?;
    let mut answers = Answers::of_case(folder)?;
    let outcomes = interpret(plugin, &case_name(folder), &fixture, &mut answers).await?;
    answers.all_used()?;
    let mut found =
        serde_json::to_string_pretty(&outcomes).map_err(|error| CaseError::NoFixture { reason: error.to_string() })?;
    found.push('\n');
    case::settle(folder, &found, mode)
}

/// What a plugin makes of a webhook, item by item, with the provider's answers. The case's name gives the items their ids, so that they are the same in every run.
///
/// # Errors
/// When the webhook is not what it says, the call fails, or the plugin asks for what is not answered.
pub async fn interpret(
    plugin: &Plugin,
    case: &str,
    fixture: &Fixture,
    answers: &mut Answers,
) -> Result<Vec<Outcome>, CaseError> {
    let (body, headers) = (fixture.body(), fixture.headers());
    let parts = split(plugin.manifest(), &headers, body.as_bytes())?;
    if !parts.is_empty() && parts.iter().all(|part| part.topic != fixture.topic) {
        let found = parts.into_iter().map(|part| part.topic).collect();
        return Err(CaseError::OtherTopic { expected: fixture.topic.clone(), found });
    }
    let headers = guest_headers(plugin.manifest(), &headers);
    let items: Vec<Item> = parts.into_iter().map(|part| item(fixture, case, &headers, part)).collect();
    let settings = fixture.settings.as_ref().map_or_else(|| "{}".to_owned(), ToString::to_string);
    let connection = ConnectionInfo { name: "fixture".to_owned(), account: None, settings };
    let mut outcomes = Vec::with_capacity(items.len());
    for chunk in items.chunks(plugin.manifest().limits.chunk_items as usize) {
        outcomes.extend(plugin.interpret(&connection, chunk).await?);
    }
    for (item, outcome) in items.into_iter().zip(&mut outcomes) {
        answered(plugin, &connection, item, outcome, answers).await?;
    }
    Ok(outcomes)
}

/// Answers what an item needs, and calls the plugin again, as the gateway does.
async fn answered(
    plugin: &Plugin,
    connection: &ConnectionInfo,
    mut item: Item,
    outcome: &mut Outcome,
    answers: &mut Answers,
) -> Result<(), CaseError> {
    for _ in 0..MAX_ROUNDS {
        let Outcome::Need(requests) = &*outcome else { return Ok(()) };
        item.answers.extend(answers.to(requests)?);
        let again = plugin.interpret(connection, std::slice::from_ref(&item)).await?;
        match again.into_iter().next() {
            Some(again) => *outcome = again,
            None => return Ok(()),
        }
    }
    Err(CaseError::Endless { rounds: MAX_ROUNDS })
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
