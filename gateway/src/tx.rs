//! A unit of work: reads through to the store, writes kept aside, one commit at the end. A row that was read and is written must not have changed in between.

use crate::{
    letters,
    metrics::Counter,
    records::{ContactKeyRow, ContactRow},
};
use indexmap::IndexMap;
use std::{any::Any, collections::HashMap};
use tidegate_model::{
    ContactId, ItemId, Timestamp,
    contact::{Contact, ContactKey},
    mask::Scrubbed,
};
use tidegate_store::{
    Changes, Claim, Commit, CommitError, Engine, Expect, Key, Lane, LaneToken, Queue, StoreError, TimerKey, WorkRow,
    records::{self, BodyError, DeadLetter, DeadLetterKey, Dedupe, Deferred, ReadError, Record, RecordError, day_of},
};

/// Days that a repeat of an item or delivery is recognised for, at least (WhatsApp repeats for 7 days).
pub(crate) const DEDUPE_DAYS: u16 = 9;
/// Aliases that are followed to a contact: each merge adds one.
const MOST_ALIASES: usize = 32;

/// Why a unit of work failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TxError {
    /// A row can't be read or written as its record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The commit.
    #[error("{}", words(.0))]
    Commit(#[from] CommitError),
    /// A stored body can't be put together.
    #[error(transparent)]
    Body(BodyError),
    /// A value has no JSON form.
    #[error("a value can't be written as JSON: {0}")]
    Unwritable(String),
    /// Answers that an item was given are not stored any more.
    #[error("the provider's answers to what the item needs are not stored any more")]
    AnswersGone,
    /// An item that waited for answers is not in its delivery any more.
    #[error("the plugin cuts the delivery into other items: the one that waited for answers is not among them")]
    ItemGone,
    /// A row of work is of a kind that this version does not know.
    #[error("this version does not know this kind of work: a newer version wrote it, or the row is damaged")]
    UnknownWork,
    /// The delivery that the work is about is not stored any more.
    #[error("the delivery is not stored any more")]
    DeliveryGone,
    /// The endpoint that the delivery came by is gone.
    #[error("the endpoint {0:?} is not configured any more")]
    EndpointGone(String),
    /// The first items of a delivery are interpreted, and the rest can't be cut any more.
    #[error("the rest of the delivery can't be cut into items: {0}")]
    RestUncut(String),
    /// A stage panicked.
    #[error("a stage of the gateway panicked: this is a defect; the log has its message")]
    Panicked,
}

/// A commit's error, in words for who reads a dead letter.
fn words(error: &CommitError) -> String {
    match error {
        CommitError::TooLarge { size, limit, .. } => format!(
            "what came of it is too large to be stored: {size} bytes, {limit} at most; let the plugin put less into its events"
        ),
        other => other.to_string(),
    }
}

impl TxError {
    /// Whether the store itself has stopped: nothing can be done but to stop as well.
    pub(crate) const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Commit(CommitError::Failed { .. } | CommitError::Closed)
                | Self::Store(StoreError::Failed { .. } | StoreError::Closed)
        )
    }

    /// Whether somebody else wrote a row in between: read again, decide again.
    pub(crate) const fn is_conflict(&self) -> bool {
        matches!(self, Self::Commit(CommitError::Conflict { .. }))
    }
}

impl From<crate::pipeline::BodyFault> for TxError {
    fn from(error: crate::pipeline::BodyFault) -> Self {
        match error {
            crate::pipeline::BodyFault::Read(error) => error.into(),
            crate::pipeline::BodyFault::Body(error) => Self::Body(error),
        }
    }
}

impl From<ReadError> for TxError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => Self::Store(error),
            ReadError::Record(error) => Self::Record(error),
            ReadError::Commit(error) => Self::Commit(error),
        }
    }
}

type Encode = fn(&dyn Any) -> Result<Vec<u8>, RecordError>;

/// A row as this unit of work sees it.
struct Slot {
    /// What the row was when it was read; `None` when it was written unread.
    read: Option<Expect>,
    value: Option<Box<dyn Any>>,
    /// How to write it, once it was written.
    encode: Option<Encode>,
    /// It must not change in between, although it is not written.
    watched: bool,
    /// It goes.
    removed: bool,
}

/// A unit of work in one workspace at a time.
pub(crate) struct Tx<'a> {
    store: &'a dyn Engine,
    workspace: u32,
    /// In the order of first use, so that the same work makes the same batch.
    slots: IndexMap<Key, Slot>,
    changes: Changes,
    marks: HashMap<Dedupe, [u8; 16]>,
    counts: Vec<Counter>,
}

impl<'a> Tx<'a> {
    /// Nothing read, nothing written.
    pub(crate) fn new(store: &'a dyn Engine, workspace: u32) -> Self {
        Self {
            store,
            workspace,
            slots: IndexMap::new(),
            changes: Changes::new(store.seq()),
            marks: HashMap::new(),
            counts: Vec::new(),
        }
    }

    /// The store, for reads that are no records.
    pub(crate) const fn store(&self) -> &'a dyn Engine {
        self.store
    }

    /// The workspace that it works in now.
    pub(crate) const fn workspace(&self) -> u32 {
        self.workspace
    }

    /// Goes on in another workspace.
    pub(crate) const fn enter(&mut self, workspace: u32) {
        self.workspace = workspace;
    }

    /// The record of a key.
    ///
    /// # Errors
    /// The store's, or the row is damaged.
    pub(crate) fn get<R: Record + Clone + 'static>(&mut self, key: &R::Key) -> Result<Option<R>, TxError> {
        let key = R::row_key(key);
        if let Some(slot) = self.slots.get(&key) {
            return Ok(slot.value.as_ref().and_then(|value| value.downcast_ref::<R>()).cloned());
        }
        let (read, record) = match self.store.get(&key)? {
            Some(row) => (Expect::Version(row.version), Some(records::decode::<R>(&key, &row.value)?)),
            None => (Expect::Absent, None),
        };
        let value = record.clone().map(|record| Box::new(record) as Box<dyn Any>);
        self.slots.insert(key, Slot { read: Some(read), value, encode: None, watched: false, removed: false });
        Ok(record)
    }

    /// As [`Tx::get`]; and the commit fails when the row changes in between, although it is not written.
    ///
    /// # Errors
    /// As [`Tx::get`].
    pub(crate) fn watch<R: Record + Clone + 'static>(&mut self, key: &R::Key) -> Result<Option<R>, TxError> {
        let record = self.get::<R>(key)?;
        if let Some(slot) = self.slots.get_mut(&R::row_key(key)) {
            slot.watched = true;
        }
        Ok(record)
    }

    /// Writes a record.
    pub(crate) fn put<R: Record + 'static>(&mut self, record: R) {
        let key = R::row_key(&record.key());
        let read = self.slots.swap_remove(&key).and_then(|slot| slot.read);
        let value: Option<Box<dyn Any>> = Some(Box::new(record));
        self.slots.insert(key, Slot { read, value, encode: Some(encode::<R>), watched: false, removed: false });
    }

    /// Removes a record that was read; the commit fails when the row changes in between.
    pub(crate) fn remove<R: Record>(&mut self, key: &R::Key) {
        let key = R::row_key(key);
        let read = self.slots.swap_remove(&key).and_then(|slot| slot.read);
        self.slots.insert(key, Slot { read, value: None, encode: None, watched: true, removed: true });
    }

    /// Removes a row.
    pub(crate) fn delete(&mut self, key: &Key) {
        self.changes.delete_row(key.clone());
    }

    /// Writes a row of work again, under the same key.
    pub(crate) fn rewrite(&mut self, key: &Key, work: &WorkRow) {
        self.changes.put_row(key.clone(), work.encode().to_vec());
    }

    /// Writes a row that is no record.
    pub(crate) fn put_row(&mut self, key: Key, row: Vec<u8>) {
        self.changes.put_row(key, row);
    }

    /// Removes a dead letter.
    pub(crate) fn delete_letter(&mut self, workspace: u32, seq: u64) {
        self.changes.delete::<DeadLetter>(&DeadLetterKey { workspace, seq });
    }

    /// Puts work at the end of a lane.
    pub(crate) fn enqueue(&mut self, queue: Queue, lane: Lane, work: &WorkRow) {
        self.changes.enqueue(queue, lane, work);
    }

    /// Takes back work that was put off, unless it is due already.
    pub(crate) fn cancel(&mut self, timer: TimerKey) {
        self.changes.cancel_timer(timer);
    }

    /// Puts work off.
    pub(crate) fn defer(&mut self, due: Timestamp, queue: Queue, lane: Lane, work: WorkRow) -> TimerKey {
        self.changes.defer(due.ms(), &Deferred { queue, lane, work })
    }

    /// The next number of the store, for keys that have one.
    pub(crate) fn next_seq(&self) -> u64 {
        self.changes.next_seq()
    }

    /// Notes that an item came, unless it came before: then the first one's id.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn first_of(&mut self, mark: Dedupe, item: ItemId, at: Timestamp) -> Result<Option<ItemId>, TxError> {
        let today = day_of(at.ms());
        let first = match self.marks.get(&mark) {
            Some(first) => Some(*first),
            None => mark.seen(self.store, today, DEDUPE_DAYS)?,
        };
        match first {
            Some(first) if first != *item.raw() => Ok(Some(ItemId::from_raw(first))),
            Some(_) => Ok(None),
            None => {
                // It was looked for just now; only what came meanwhile can be missed.
                mark.record(&mut self.changes, today, 2, item.raw());
                self.marks.insert(mark, *item.raw());
                Ok(None)
            }
        }
    }

    /// A person. A contact that was merged is followed to who it turned out to be.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn contact(&mut self, id: ContactId) -> Result<Option<Contact>, TxError> {
        let mut id = id;
        for _ in 0..MOST_ALIASES {
            match self.get::<ContactRow>(&(self.workspace, id))? {
                Some(ContactRow { alias_of: Some(survivor), .. }) => id = survivor,
                Some(row) => return Ok(row.contact),
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Whose a key is.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn contact_by_key(&mut self, key: &ContactKey) -> Result<Option<ContactId>, TxError> {
        Ok(self.get::<ContactKeyRow>(&(self.workspace, key.lookup()))?.map(|row| row.contact))
    }

    /// Makes a key a contact's.
    pub(crate) fn put_contact_key(&mut self, key: &ContactKey, contact: ContactId) {
        self.put(ContactKeyRow { workspace: self.workspace, lookup: key.lookup(), contact });
    }

    /// Has something counted when it is committed, and not when it is done again.
    pub(crate) fn count(&mut self, counter: Counter) {
        self.counts.push(counter);
    }

    /// What is to be counted, for who commits by [`Tx::submit`].
    pub(crate) fn take_counts(&mut self) -> Counts {
        Counts(std::mem::take(&mut self.counts))
    }

    /// Row operations so far.
    pub(crate) fn row_ops(&self) -> usize {
        let written = self.slots.values().filter(|slot| slot.encode.is_some() || slot.removed).count();
        self.changes.row_ops() + written
    }

    /// Hands everything to the store, with the lane's token if the lane is done with.
    ///
    /// # Errors
    /// A record can't be written.
    pub(crate) fn submit(mut self, token: Option<LaneToken>) -> Result<Commit, TxError> {
        for (key, slot) in self.slots {
            if let Some(expect) = slot.read
                && (slot.watched || slot.encode.is_some())
            {
                self.changes.expect(key.clone(), expect);
            }
            if slot.removed {
                self.changes.delete_row(key);
                continue;
            }
            let (Some(encode), Some(value)) = (slot.encode, slot.value) else { continue };
            self.changes.put_row(key, encode(&*value)?);
        }
        if let Some(token) = token {
            self.changes.finish(token);
        }
        Ok(self.store.commit(self.changes.into_batch()))
    }

    /// As [`Tx::submit`], and waits on a plain thread until it is on disk.
    ///
    /// # Errors
    /// The commit's.
    pub(crate) fn commit(mut self, token: Option<LaneToken>) -> Result<(), TxError> {
        let counts = self.take_counts();
        self.submit(token)?.wait()?;
        counts.committed();
        Ok(())
    }
}

/// What a commit will have done.
#[must_use = "what was committed is counted"]
pub(crate) struct Counts(Vec<Counter>);

impl Counts {
    /// It is done.
    pub(crate) fn committed(self) {
        for counter in self.0 {
            counter.inc();
        }
    }
}

/// Puts a claim's first row aside, with the reason, so that its lane goes on.
///
/// # Errors
/// The commit's.
pub(crate) fn give_up(store: &dyn Engine, claim: &Claim, error: &TxError, at: Timestamp) -> Result<(), TxError> {
    let Some((key, row)) = claim.rows().first() else { return Ok(()) };
    tracing::error!(work = %key, reason = %Scrubbed(&error.to_string()), "work was given up; it is among the dead letters");
    let LaneToken { queue, lane, .. } = claim.token();
    let mut tx = Tx::new(store, lane.workspace);
    let work = WorkRow::decode(&row.value).unwrap_or(WorkRow::new(0, [0; 16]));
    if letters::put_aside(&mut tx, &Deferred { queue, lane, work }, error, at)? {
        tx.delete(key);
    }
    tx.commit(Some(claim.token()))
}

fn encode<R: Record + 'static>(value: &dyn Any) -> Result<Vec<u8>, RecordError> {
    match value.downcast_ref::<R>() {
        Some(record) => records::encode(record).map(|(_, row)| row),
        None => Err(RecordError::Unwritable {
            record: R::SPACE.label(),
            key: Key::new(R::SPACE, 0),
            problem: "it is a record of another kind".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests;
