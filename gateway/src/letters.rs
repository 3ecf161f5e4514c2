//! What is put aside: work that was given up, with its reason, and the ways back. A letter is written in the commit that gives its work up, and goes in the commit
//! that does it. It knows the kinds of work, not how they are done.

use crate::{
    pipeline::interpretations_in,
    records::{Delivery, ItemResult},
    tx::{Tx, TxError},
    work::Work,
};
use std::collections::BTreeMap;
use tidegate_model::{DeliveryId, Timestamp};
use tidegate_store::{
    Key, Queue, StoreError, WorkRow,
    records::{DeadLetter, DeadLetterKey, Deferred, Standing, get},
};

/// Label: the endpoint that the work came by.
pub(crate) const ENDPOINT: &str = "endpoint";
/// Label: the item.
pub(crate) const ITEM: &str = "item";
/// Label: the item's topic.
pub(crate) const TOPIC: &str = "topic";
/// Label: the item's connection.
pub(crate) const CONNECTION: &str = "connection";
/// Label: the plugin that failed, as `id@version`.
pub(crate) const PLUGIN: &str = "plugin";

/// Letters that one commit writes.
const AT_ONCE: usize = 100;

/// What a dead letter is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One item of a delivery.
    Item,
    /// A delivery, or what is left of it.
    Delivery,
    /// A run's wait.
    Timer,
    /// A message.
    Message,
    /// A connection's turn to be looked after.
    Connection,
    /// Work that this version does not know.
    Unknown,
}

impl Kind {
    /// Of a letter.
    pub(crate) fn of(letter: &DeadLetter) -> Self {
        match Work::read(&letter.deferred.work) {
            Some(Work::Replay { .. } | Work::Fetch { .. } | Work::Answered { .. }) => Self::Item,
            Some(Work::Delivery { .. }) => Self::Delivery,
            Some(Work::Timer { .. }) => Self::Timer,
            Some(Work::Send { .. } | Work::Unknown { .. }) => Self::Message,
            Some(Work::Connect { .. }) => Self::Connection,
            Some(Work::Letter { .. } | Work::Resume { .. }) | None => Self::Unknown,
        }
    }

    /// Its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Delivery => "delivery",
            Self::Timer => "timer",
            Self::Message => "message",
            Self::Connection => "connection",
            Self::Unknown => "unknown",
        }
    }
}

/// The delivery that a letter's work is about.
pub(crate) fn delivery_of(letter: &DeadLetter) -> Option<DeliveryId> {
    Work::read(&letter.deferred.work)?.delivery()
}

/// A letter that is not written yet. Number it with [`Tx::next_seq`].
pub(crate) fn letter(key: DeadLetterKey, deferred: Deferred, reason: String, at: Timestamp) -> DeadLetter {
    DeadLetter {
        key,
        deferred,
        reason,
        field: None,
        at_ms: at.ms(),
        source: "gateway".to_owned(),
        labels: BTreeMap::new(),
        standing: Standing::Left,
        attempts: 1,
        first: None,
    }
}

/// Writes down that a row of work was given up: as a new letter, or in the one that it was another try of. Returns false when there is more to write, in the
/// next commit: then the row of work must stay.
///
/// # Errors
/// The store's.
pub(crate) fn put_aside(tx: &mut Tx<'_>, given_up: &Deferred, error: &TxError, at: Timestamp) -> Result<bool, TxError> {
    let workspace = given_up.lane.workspace;
    match Work::read(&given_up.work) {
        Some(Work::Letter { seq }) => {
            fail_again(tx, DeadLetterKey { workspace, seq }, &error.to_string(), at)?;
            Ok(true)
        }
        Some(Work::Replay { id, .. }) => fail_items_again(tx, workspace, id, &error.to_string(), at),
        work => {
            let key = DeadLetterKey { workspace, seq: tx.next_seq() };
            let mut letter = letter(key, *given_up, error.to_string(), at);
            if let Some(Work::Delivery { id, .. }) = work
                && let Ok(Some((delivery, _))) = get::<Delivery>(tx.store(), &(workspace, id))
            {
                letter.labels.insert(ENDPOINT.to_owned(), delivery.endpoint);
            }
            tx.put(letter);
            Ok(true)
        }
    }
}

fn fail_again(tx: &mut Tx<'_>, key: DeadLetterKey, reason: &str, at: Timestamp) -> Result<(), TxError> {
    if let Some(mut letter) = tx.get::<DeadLetter>(&key)? {
        letter.failed_again(reason.to_owned(), None, at.ms());
        tx.put(letter);
    }
    Ok(())
}

/// The items of a delivery that were to be tried again could not be: each keeps its letter.
fn fail_items_again(
    tx: &mut Tx<'_>,
    workspace: u32,
    delivery: DeliveryId,
    reason: &str,
    at: Timestamp,
) -> Result<bool, TxError> {
    let mut failed = 0;
    for row in interpretations_in(tx.store(), workspace, delivery)? {
        for item in row.items {
            let ItemResult::Parked { letter: seq, .. } = item.result else { continue };
            let key = DeadLetterKey { workspace, seq };
            let Some(letter) = tx.get::<DeadLetter>(&key)? else { continue };
            if !is_wanted(&letter, at) {
                continue;
            }
            if failed >= AT_ONCE {
                return Ok(false);
            }
            fail_again(tx, key, reason, at)?;
            failed += 1;
        }
    }
    Ok(true)
}

/// Whether a parked item's letter says that it is to be interpreted again now.
pub(crate) fn is_wanted(letter: &DeadLetter, now: Timestamp) -> bool {
    let due = match letter.standing {
        Standing::Asked => true,
        Standing::Waiting { until_ms } => until_ms <= now.ms(),
        Standing::Left | Standing::Paused | Standing::Discarded(_) => false,
    };
    due && Kind::of(letter) == Kind::Item
}

/// A row of work, with the letter that it is another try of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Behind {
    /// What to do; `None` when the letter is gone or nobody asks for it any more.
    pub work: Option<Work>,
    /// The row of it, as it is written again when a rest is left.
    pub row: WorkRow,
    /// The letter to take away when it is done.
    pub letter: Option<DeadLetterKey>,
}

/// What a row of work stands for. `None` for a kind of a newer version.
///
/// # Errors
/// The store's.
pub(crate) fn behind(tx: &mut Tx<'_>, workspace: u32, row: WorkRow) -> Result<Option<Behind>, TxError> {
    let Some(work) = Work::read(&row) else { return Ok(None) };
    let Work::Letter { seq } = work else { return Ok(Some(Behind { work: Some(work), row, letter: None })) };
    let key = DeadLetterKey { workspace, seq };
    let letter = tx.watch::<DeadLetter>(&key)?.filter(|letter| letter.standing == Standing::Asked);
    let Some(letter) = letter else { return Ok(Some(Behind { work: None, row, letter: None })) };
    let row = letter.deferred.work;
    Ok(Work::read(&row).map(|work| Behind { work: Some(work), row, letter: Some(key) }))
}

/// Takes away a row of work that is done, and the letter that asked for it.
pub(crate) fn done(tx: &mut Tx<'_>, row: &Key, letter: Option<DeadLetterKey>) {
    tx.delete(row);
    if let Some(key) = letter {
        tx.delete_letter(key.workspace, key.seq);
    }
}

/// Asks for another try of a letter: marks it, and puts its work into its lane. `replayed` are the deliveries whose items are in this commit already. Returns
/// false when that was done before, or the letter was thrown away.
pub(crate) fn ask(tx: &mut Tx<'_>, mut letter: DeadLetter, replayed: &mut Vec<(u32, DeliveryId)>) -> bool {
    if matches!(letter.standing, Standing::Asked | Standing::Discarded(_)) {
        return false;
    }
    let (DeadLetterKey { workspace, seq }, Deferred { queue, lane, .. }) = (letter.key, letter.deferred);
    match Work::read(&letter.deferred.work) {
        Some(Work::Replay { id, .. }) => {
            if !replayed.contains(&(workspace, id)) {
                replayed.push((workspace, id));
                tx.enqueue(Queue::Pure, lane, &Work::Replay { id, from: 0 }.row());
            }
        }
        _ => tx.enqueue(queue, lane, &Work::Letter { seq }.row()),
    }
    letter.standing = Standing::Asked;
    tx.put(letter);
    true
}

/// A letter, read by itself.
///
/// # Errors
/// The store's; a damaged one is told in the log, and is none.
pub(crate) fn find(store: &dyn tidegate_store::Engine, key: DeadLetterKey) -> Result<Option<DeadLetter>, StoreError> {
    match get::<DeadLetter>(store, &key) {
        Ok(found) => Ok(found.map(|(letter, _)| letter)),
        Err(tidegate_store::records::ReadError::Store(error)) => Err(error),
        Err(error) => {
            tracing::error!(error = %error, "a dead letter can't be read");
            Ok(None)
        }
    }
}
