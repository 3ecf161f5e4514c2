//! What is put aside, as operators see it: lists by reason, plugin, endpoint, age; and one letter with its history.

use super::{Found, newest};
use crate::{
    app::App,
    letters::{self, CONNECTION, ENDPOINT, ITEM, Kind, PLUGIN, TOPIC},
    work::Work,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_model::{LetterId, Timestamp};
use tidegate_store::{
    Space,
    records::{DeadLetter, DeadLetterKey, Discard, Standing},
};

/// Which letters are wanted. What is absent holds nothing back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Filter {
    /// Words of the reason or of the field, in any case.
    pub reason: Option<String>,
    /// The plugin: `shopify`, or `shopify@1.2.0`.
    pub plugin: Option<String>,
    /// The endpoint.
    pub endpoint: Option<String>,
    /// The workspace.
    pub workspace: Option<String>,
    /// Put aside, the last time, since then.
    pub since: Option<Timestamp>,
    /// `item`, `delivery`, `timer`, `message` or `connection`.
    pub kind: Option<String>,
    /// Those that were thrown away, instead of the others.
    pub discarded: bool,
    /// How many rows of a list.
    pub limit: Option<usize>,
}

impl Filter {
    /// Whether a letter of this workspace is wanted.
    pub(crate) fn takes(&self, workspace: &str, letter: &DeadLetter) -> bool {
        let label = |name: &str| letter.labels.get(name).map(String::as_str);
        let is = |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
        let plugin = self.plugin.as_deref().is_none_or(|wanted| {
            let found = label(PLUGIN).unwrap_or(&letter.source);
            found == wanted || found.split('@').next() == Some(wanted)
        });
        let words = |wanted: &String| {
            let holds = |text: &str| text.to_lowercase().contains(&wanted.to_lowercase());
            holds(&letter.reason) || letter.field.as_deref().is_some_and(holds)
        };
        plugin
            && self.reason.as_ref().is_none_or(words)
            && is(&self.endpoint, label(ENDPOINT))
            && is(&self.workspace, Some(workspace))
            && is(&self.kind, Some(Kind::of(letter).as_str()))
            && self.since.is_none_or(|since| letter.at_ms >= since.ms())
            && self.discarded == matches!(letter.standing, Standing::Discarded(_))
    }
}

/// Letters, newest first.
///
/// # Errors
/// The store's.
pub(crate) fn queue(app: &App, filter: &Filter, limit: usize) -> Found<Vec<Value>> {
    newest::<DeadLetter, Value>(app, Space::DeadLetters, limit, |letter| {
        let taken = filter.takes(&workspace_name(app, letter.key.workspace), &letter);
        taken.then(|| (Timestamp::from_ms(letter.at_ms), line(app, &letter))).into_iter().collect()
    })
}

/// One letter.
///
/// # Errors
/// The store's.
pub(crate) fn letter(app: &App, id: LetterId) -> Found<Option<Value>> {
    let Some((workspace, seq)) = id.place() else { return Ok(None) };
    let found = letters::find(app.store(), DeadLetterKey { workspace, seq })?;
    Ok(found.map(|letter| line(app, &letter)))
}

/// The name of a workspace; empty for what belongs to several.
pub(crate) fn workspace_name(app: &App, number: u32) -> String {
    let catalog = app.catalog();
    catalog.workspaces().find(|(held, _)| *held == number).map(|(_, name)| name.to_owned()).unwrap_or_default()
}

fn line(app: &App, letter: &DeadLetter) -> Value {
    let DeadLetterKey { workspace, seq } = letter.key;
    let label = |name: &str| letter.labels.get(name);
    let (message, run) = match Work::read(&letter.deferred.work) {
        Some(Work::Send { id }) => (Some(id), None),
        Some(Work::Timer { run, .. }) => (None, Some(run)),
        _ => (None, None),
    };
    let first_at = letter.first.as_ref().map_or(letter.at_ms, |first| first.at_ms);
    let next_try = match letter.standing {
        Standing::Waiting { until_ms } => Some(Timestamp::from_ms(until_ms)),
        _ => None,
    };
    let discarded = match &letter.standing {
        Standing::Discarded(Discard { at_ms, by, why }) => {
            Some(json!({"at": Timestamp::from_ms(*at_ms), "by": by, "why": why}))
        }
        _ => None,
    };
    json!({
        "id": LetterId::at(workspace, seq),
        "kind": Kind::of(letter).as_str(),
        "state": state(&letter.standing),
        "parked_at": Timestamp::from_ms(letter.at_ms),
        "first_parked_at": Timestamp::from_ms(first_at),
        "attempts": letter.attempts,
        "reason": letter.reason,
        "first_reason": letter.first.as_ref().map(|first| &first.reason),
        "field": letter.field,
        "source": letter.source,
        "plugin": label(PLUGIN),
        "endpoint": label(ENDPOINT),
        "workspace": workspace_name(app, workspace),
        "connection": label(CONNECTION).or_else(|| label(ENDPOINT)),
        "topic": label(TOPIC),
        "delivery": letters::delivery_of(letter),
        "item": label(ITEM),
        "message": message,
        "run": run,
        "next_try_at": next_try,
        "discarded": discarded,
    })
}

const fn state(standing: &Standing) -> &'static str {
    match standing {
        Standing::Left => "parked",
        Standing::Asked => "retrying",
        Standing::Paused => "paused",
        Standing::Waiting { .. } => "waiting",
        Standing::Discarded(_) => "discarded",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_store::{Lane, Queue, WorkRow, records::Deferred};

    fn letter() -> DeadLetter {
        let key = DeadLetterKey { workspace: 1, seq: 1 };
        let work = Work::Replay { id: tidegate_model::DeliveryId::from_raw([1; 16]), from: 0 }.row();
        let deferred = Deferred { queue: Queue::Pure, lane: Lane::new(1, 2, 0), work };
        let mut letter = letters::letter(key, deferred, "No ID here".to_owned(), Timestamp::from_ms(1_000));
        letter.field = Some("/line_items".to_owned());
        for (name, value) in [(PLUGIN, "shopify@1.2.0"), (ENDPOINT, "shop")] {
            letter.labels.insert(name.to_owned(), value.to_owned());
        }
        letter
    }

    fn check(filter: &Value, expected: bool) {
        let wanted: Filter = serde_json::from_value(filter.clone()).unwrap();
        assert_eq!(wanted.takes("main", &letter()), expected, "{filter}");
    }

    #[test]
    fn each_part_of_a_filter_holds_back_what_does_not_fit() {
        check(&json!({}), true);
        for (key, fits, other) in [
            ("reason", "no id", "no name"),
            ("reason", "/Line", "/lines"),
            ("plugin", "shopify", "meta"),
            ("plugin", "shopify@1.2.0", "shopify@1.2.1"),
            ("endpoint", "shop", "shop2"),
            ("workspace", "main", "other"),
            ("kind", "item", "delivery"),
            ("since", "1970-01-01T00:00:01Z", "1970-01-01T00:00:02Z"),
        ] {
            check(&json!({ key: fits }), true);
            check(&json!({ key: other }), false);
        }
        check(&json!({"plugin": "shopify", "endpoint": "shop2"}), false);
        check(&json!({"discarded": true}), false);
    }

    #[test]
    fn work_of_every_kind_has_a_name() {
        let check = |work: WorkRow, expected: &str| {
            let letter = DeadLetter { deferred: Deferred { work, ..letter().deferred }, ..letter() };
            assert_eq!(Kind::of(&letter).as_str(), expected);
        };
        let id = [1; 16];
        check(Work::Delivery { id: tidegate_model::DeliveryId::from_raw(id), from: 0 }.row(), "delivery");
        check(Work::Timer { run: tidegate_model::RunId::from_raw(id), wait: 0 }.row(), "timer");
        check(Work::Send { id: tidegate_model::MessageId::from_raw(id) }.row(), "message");
        check(Work::Connect { connection: 1, turn: 1 }.row(), "connection");
        check(WorkRow::new(200, id), "unknown");
    }
}
