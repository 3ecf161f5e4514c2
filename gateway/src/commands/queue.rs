//! The queue of what was put aside: tried again, or thrown away. Each commit takes a bounded number of letters; a letter that is asked for twice acts once.

use crate::{
    app::App,
    http::{Code, Problem},
    letters,
    pipeline::{self, forget_fetch},
    records::{MessageRow, RunRow},
    tx::{Tx, TxError},
    views::{Filter, workspace_name},
    work::Work,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::ops::ControlFlow;
use tidegate_flows::RunState;
use tidegate_model::{
    DeliveryId, LetterId, Timestamp,
    message::{State, Step},
};
use tidegate_store::{
    Key, KeyRange, Lane, Order, Space,
    records::{self, DeadLetter, DeadLetterKey, Discard as Trace, Standing},
};

/// Letters of one commit: each is a few row operations.
const AT_ONCE: usize = 50;
/// Letters of one call.
const A_CALL: usize = 500;
/// Letters that one call passes over.
const SEEN_A_CALL: usize = 5_000;
/// Most ids of one call.
const MOST_IDS: usize = 1_000;
/// Times that a commit is done again because another touched the same letter.
const CONFLICTS: usize = 8;

/// Which letters: these, or all that a filter takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Picked {
    /// Ids: `dlq_…`.
    #[serde(default)]
    pub ids: Vec<String>,
    /// All of these.
    #[serde(default)]
    pub all: Option<Filter>,
    /// Where the call before ended.
    #[serde(default)]
    pub after: Option<String>,
    /// Who asks, when letters are thrown away.
    #[serde(default)]
    pub by: Option<String>,
    /// Why they do.
    #[serde(default)]
    pub why: Option<String>,
}

/// Asks for another try of letters, in the lanes of their work. Gives how many, how many were asked for before, and where to go on.
///
/// # Errors
/// 400 for what the caller must change, 404 for a letter that is not here.
pub(crate) fn retry(app: &App, picked: &Picked) -> Result<Value, Problem> {
    each(app, picked, |tx, mut letter, replayed| {
        // The endpoint may have another lane by now.
        let endpoint = letter.labels.get(letters::ENDPOINT).and_then(|name| app.catalog().endpoint(name));
        if let Some(endpoint) = endpoint {
            letter.deferred.lane = Lane { workspace: letter.key.workspace, ..endpoint.lane() };
        }
        Ok(letters::ask(tx, letter, replayed))
    })
}

/// Throws letters away. Each stays as a trace of who did it, when and why; so does what was received.
///
/// # Errors
/// As [`retry`].
pub(crate) fn discard(app: &App, picked: &Picked) -> Result<Value, Problem> {
    let Some(by) = picked.by.clone().filter(|by| !by.trim().is_empty()) else {
        return Err(Problem::new(Code::ParameterInvalid, "by: say who throws them away"));
    };
    let trace = Trace { at_ms: app.now().ms(), by, why: picked.why.clone() };
    each(app, picked, |tx, mut letter, _| {
        if matches!(letter.standing, Standing::Asked | Standing::Discarded(_)) {
            return Ok(false);
        }
        end(tx, &letter, &trace)?;
        letter.standing = Standing::Discarded(trace.clone());
        tx.put(letter);
        Ok(true)
    })
}

/// What the letter's work was for does not wait for it any more.
fn end(tx: &mut Tx<'_>, letter: &DeadLetter, trace: &Trace) -> Result<(), TxError> {
    let workspace = letter.key.workspace;
    let at = Timestamp::from_ms(trace.at_ms);
    match Work::read(&letter.deferred.work) {
        Some(Work::Send { id }) => {
            // A message that can't be read is no better for it.
            if let Some(mut row) = readable(tx.get::<MessageRow>(&(workspace, id)))?
                && row.message.state == State::Queued
            {
                let why = trace.why.as_deref().unwrap_or("no reason given");
                let note = Some(format!("discarded by {}: {why}", trace.by));
                row.message.report(Step { state: State::Refused, at, note });
                tx.put(row);
            }
        }
        Some(Work::Timer { run, .. }) => {
            if let Some(row) = readable(tx.get::<RunRow>(&(workspace, run)))?
                && !row.run.state.is_final()
            {
                readable(pipeline::stop(tx, row, RunState::Stopped, at).map(Some))?;
            }
        }
        Some(Work::Fetch { id, index } | Work::Answered { id, index }) => forget_fetch(tx, workspace, id, index),
        _ => {}
    }
    Ok(())
}

fn readable<T>(read: Result<Option<T>, TxError>) -> Result<Option<T>, TxError> {
    match read {
        Err(TxError::Record(_)) => Ok(None),
        read => read,
    }
}

type Act<'a> = dyn Fn(&mut Tx<'_>, DeadLetter, &mut Vec<(u32, DeliveryId)>) -> Result<bool, TxError> + 'a;

/// Acts on every letter that is picked, in bounded commits.
fn each(
    app: &App,
    picked: &Picked,
    act: impl Fn(&mut Tx<'_>, DeadLetter, &mut Vec<(u32, DeliveryId)>) -> Result<bool, TxError>,
) -> Result<Value, Problem> {
    let (keys, next) = match (&picked.all, picked.ids.as_slice()) {
        (None, [_, ..]) => (by_id(app, &picked.ids)?, None),
        (Some(filter), []) => by_filter(app, filter, picked.after.as_deref())?,
        _ => return Err(Problem::new(Code::ParameterInvalid, "name letters by `ids`, or all of a filter by `all`")),
    };
    let mut done = 0;
    for keys in keys.chunks(AT_ONCE) {
        done += commit(app, keys, &act)?;
    }
    Ok(json!({"done": done, "skipped": keys.len() - done, "next": next}))
}

/// Acts on some letters in one commit. Gives on how many.
fn commit(app: &App, keys: &[DeadLetterKey], act: &Act<'_>) -> Result<usize, TxError> {
    let mut last = Ok(0);
    for _ in 0..CONFLICTS {
        last = commit_once(app, keys, act);
        if !last.as_ref().is_err_and(TxError::is_conflict) {
            break;
        }
    }
    last
}

fn commit_once(app: &App, keys: &[DeadLetterKey], act: &Act<'_>) -> Result<usize, TxError> {
    let Some(first) = keys.first() else { return Ok(0) };
    let mut tx = Tx::new(app.store(), first.workspace);
    let (mut done, mut replayed) = (0, Vec::new());
    for key in keys {
        if let Some(letter) = tx.get::<DeadLetter>(key)? {
            done += usize::from(act(&mut tx, letter, &mut replayed)?);
        }
    }
    if done > 0 {
        tx.commit(None)?;
    }
    Ok(done)
}

fn by_id(app: &App, ids: &[String]) -> Result<Vec<DeadLetterKey>, Problem> {
    if ids.len() > MOST_IDS {
        return Err(Problem::new(Code::ParameterInvalid, format!("ids: at most {MOST_IDS}, found {}", ids.len())));
    }
    let mut keys = Vec::new();
    for text in ids {
        let id: LetterId = text.parse().map_err(|error| Problem::new(Code::ParameterInvalid, format!("{error}")))?;
        let missing = || Problem::new(Code::NotFound, format!("there is no {text} here (any more)"));
        let (workspace, seq) = id.place().ok_or_else(missing)?;
        let key = DeadLetterKey { workspace, seq };
        letters::find(app.store(), key)?.ok_or_else(missing)?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// Where a pass over all letters is: it goes through the workspaces, and takes no letter that came after its begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    workspace: u32,
    from: u64,
    through: u64,
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let workspace = parts.next()?.parse().ok()?;
        let (from, through) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(Self { workspace, from, through })
    }

    fn text(self) -> String {
        format!("{}.{}.{}", self.workspace, self.from, self.through)
    }
}

fn by_filter(app: &App, filter: &Filter, after: Option<&str>) -> Result<(Vec<DeadLetterKey>, Option<String>), Problem> {
    let start = match after {
        Some(text) => Cursor::parse(text).ok_or_else(|| {
            Problem::new(Code::ParameterInvalid, "after: expected what the call before gave as `next`")
        })?,
        None => Cursor { workspace: 0, from: 0, through: app.store().next_seq() },
    };
    let mut workspaces: Vec<u32> = app.catalog().workspaces().map(|(number, _)| number).collect();
    workspaces.sort_unstable();
    let (mut keys, mut seen) = (Vec::new(), 0);
    for workspace in workspaces.into_iter().filter(|number| *number >= start.workspace) {
        let from = if workspace == start.workspace { start.from } else { 0 };
        let all = Key::new(Space::DeadLetters, workspace);
        let range = KeyRange::between(&all.clone().u64(from), &all.u64(start.through));
        let name = workspace_name(app, workspace);
        let stopped = records::walk(app.store(), &range, Order::Forward, |letter: DeadLetter| {
            seen += 1;
            if filter.takes(&name, &letter) {
                keys.push(letter.key);
            }
            if keys.len() >= A_CALL || seen >= SEEN_A_CALL {
                ControlFlow::Break(letter.key.seq + 1)
            } else {
                ControlFlow::Continue(())
            }
        })?;
        if let Some(from) = stopped {
            return Ok((keys, Some(Cursor { workspace, from, ..start }.text())));
        }
    }
    Ok((keys, None))
}

#[cfg(test)]
mod tests;
