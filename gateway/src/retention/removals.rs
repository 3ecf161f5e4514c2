//! What goes of each kind of row: a slice is read, the rules are asked, and what goes together becomes one commit.

use super::{needed::Needed, rules, slices};
use crate::{
    app::App,
    pipeline::{self, forget_fetch, interpretations_of, of_the_moment},
    records::{Delivery, MessageRow, ProviderIdRow, RunRow, UnreachableRow},
    tx::{Tx, TxError},
    work::Work,
};
use std::ops::ControlFlow;
use tidegate_flows::RunState;
use tidegate_model::{
    MessageId, RunId, Timestamp,
    message::{Direction, State, Step},
};
use tidegate_store::{
    Batch, CommitError, Engine, Expect, Key, KeyRange, Order, Space,
    keys::{self, NO_WORKSPACE},
    records::{self, DeadLetter, Dedupe, Named, Record, Registry, body_chunks},
};

/// Rows that one commit removes at most: it shares the disk with real work.
pub(super) const AT_ONCE: usize = 256;
/// Rows that are read at once.
pub(super) const SLICE: usize = 200;
/// Deliveries that are read at once: each may have 48 KiB.
const DELIVERIES: usize = 100;
/// Chunks of one body that go with their delivery; the rest of a very long one are orphans, found as such.
const CHUNKS_WITH_DELIVERY: usize = 128;
/// Interpretations that go with their delivery; the rest likewise.
const INTERPRETATIONS_WITH_DELIVERY: usize = 100;
/// Dead letters that one commit settles: each may write two rows more.
const LETTERS: usize = 60;

/// Rows to remove in one commit, and what must hold for it.
#[derive(Debug, Default)]
pub(super) struct Removal(Batch);

impl Removal {
    pub(super) fn expect(&mut self, key: Key, expect: Expect) {
        self.0.expect.push((key, expect));
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.0.delete.push(key);
    }

    fn rows(&self) -> usize {
        self.0.delete.len()
    }

    /// Commits it; gives how many rows went. When something it builds on was written meanwhile, none: a later pass sees it as it is then.
    pub(super) fn commit(self, store: &dyn Engine) -> Result<usize, TxError> {
        let rows = self.rows();
        if rows == 0 {
            return Ok(0);
        }
        match store.commit(self.0).wait() {
            Ok(_) => Ok(rows),
            Err(CommitError::Conflict { .. }) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}

/// Deliveries, each with its body and what was made of its items.
pub(super) fn deliveries(
    app: &App,
    after: Option<&Key>,
    before: Timestamp,
    needed: &Needed,
) -> Result<(Removal, Option<Key>), TxError> {
    let slice = slices::older(app.store(), Space::Deliveries, after, before, DELIVERIES)?;
    let mut removal = Removal::default();
    let mut last = None;
    for (key, row) in slice.rows {
        if let Ok(delivery) = records::decode::<Delivery>(&key, &row.value)
            && rules::delivery_goes(&delivery, needed.contains(delivery.id), before)
        {
            let parts = parts_of(app, &delivery)?;
            if removal.rows() > 0 && removal.rows() + 1 + parts.len() > AT_ONCE {
                return Ok((removal, last));
            }
            removal.expect(key.clone(), Expect::Version(row.version));
            removal.remove(key.clone());
            parts.into_iter().for_each(|part| removal.remove(part));
        }
        last = Some(key);
    }
    Ok((removal, slice.next))
}

fn parts_of(app: &App, delivery: &Delivery) -> Result<Vec<Key>, TxError> {
    let chunks = usize::from(body_chunks(&delivery.head).unwrap_or(0)).min(CHUNKS_WITH_DELIVERY);
    let chunk = |number| keys::body(delivery.workspace, delivery.id.raw(), number);
    let mut parts: Vec<Key> = (0..=u16::MAX).take(chunks).map(chunk).collect();
    let made = interpretations_of(app, delivery.workspace, delivery.id)?;
    let made = made.iter().map(|row| crate::records::Interpretation::row_key(&row.key()));
    parts.extend(made.take(INTERPRETATIONS_WITH_DELIVERY));
    Ok(parts)
}

/// Messages, each with its provider's id.
pub(super) fn messages(
    store: &dyn Engine,
    after: Option<&Key>,
    before: Timestamp,
    senders: &Registry,
) -> Result<(Removal, Option<Key>), TxError> {
    // Two rows each.
    let slice = slices::older(store, Space::Messages, after, before, AT_ONCE / 2)?;
    let mut removal = Removal::default();
    for (key, row) in slice.rows {
        let Ok(MessageRow { workspace, message }) = records::decode::<MessageRow>(&key, &row.value) else { continue };
        if !rules::message_goes(&message, before) {
            continue;
        }
        removal.expect(key.clone(), Expect::Version(row.version));
        removal.remove(key);
        if let (Direction::Outbound, Some(id), Some(sender)) =
            (message.direction, message.provider_id, senders.number(Named::Sender, &message.sender))
        {
            removal.remove(ProviderIdRow::row_key(&(workspace, sender, id)));
        }
    }
    Ok((removal, slice.next))
}

pub(super) fn runs(
    store: &dyn Engine,
    after: Option<&Key>,
    before: Timestamp,
) -> Result<(Removal, Option<Key>), TxError> {
    let slice = slices::older(store, Space::Runs, after, before, SLICE)?;
    let mut removal = Removal::default();
    for (key, row) in slice.rows {
        let Ok(RunRow { workspace, run, .. }) = records::decode::<RunRow>(&key, &row.value) else { continue };
        // The look at its messages is left out where it decides nothing.
        if rules::run_goes(&run, false, before)
            && rules::run_goes(&run, has_messages(store, workspace, run.id)?, before)
        {
            removal.expect(key.clone(), Expect::Version(row.version));
            removal.remove(key);
        }
    }
    Ok((removal, slice.next))
}

/// Whether a message of a run is stored: they share its moment.
fn has_messages(store: &dyn Engine, workspace: u32, run: RunId) -> Result<bool, TxError> {
    let range = of_the_moment::<MessageRow>(&(workspace, MessageId::from_raw(*run.raw())));
    let found = records::walk(store, &range, Order::Forward, |row: MessageRow| match row.message.run {
        Some(id) if id == run => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })?;
    Ok(found.is_some())
}

/// Marks against repeats, of days that are looked at no more; one endpoint at a time.
pub(super) fn marks(store: &dyn Engine, after: Option<&Key>, from_day: u16) -> Result<(Removal, Option<Key>), TxError> {
    let mut removal = Removal::default();
    let first = slices::all(store, Space::Dedupe, after, 1)?.rows.into_iter().next();
    let Some((key, _)) = first else { return Ok((removal, None)) };
    let workspace = key.workspace();
    let Some(endpoint) = key.get(5..9).and_then(|number| number.try_into().ok()).map(u32::from_be_bytes) else {
        return Ok((removal, Some(key)));
    };
    let range: KeyRange = Dedupe::before(workspace, endpoint, from_day);
    let (rows, _) = records::readable_rows(store, range, Order::Forward, AT_ONCE)?;
    let next = if rows.len() < AT_ONCE {
        // Behind the endpoint's last mark.
        Some(Key::new(Space::Dedupe, workspace).u32(endpoint).u16(u16::MAX).bytes(&[u8::MAX; 17]))
    } else {
        // From the first mark that is left on.
        after.cloned().or_else(|| Some(Key::new(Space::Dedupe, NO_WORKSPACE)))
    };
    rows.into_iter().for_each(|(key, _)| removal.remove(key));
    Ok((removal, next))
}

/// Marks of addresses that a channel did not reach, which hold no more.
pub(super) fn unreachable(
    store: &dyn Engine,
    after: Option<&Key>,
    now: Timestamp,
) -> Result<(Removal, Option<Key>), TxError> {
    let slice = slices::all(store, Space::Unreachable, after, SLICE)?;
    let mut removal = Removal::default();
    for (key, row) in slice.rows {
        let Ok(UnreachableRow { mark, .. }) = records::decode(&key, &row.value) else { continue };
        if !mark.holds(now) {
            removal.expect(key.clone(), Expect::Version(row.version));
            removal.remove(key);
        }
    }
    Ok((removal, slice.next))
}

/// Dead letters that nobody cared for. What they were about ends with them: a message fails, a run fails; a delivery may go by its age.
pub(super) fn letters(
    app: &App,
    after: Option<&Key>,
    before: Timestamp,
    now: Timestamp,
) -> Result<(usize, Option<Key>), TxError> {
    let slice = slices::all(app.store(), Space::DeadLetters, after, LETTERS)?;
    let mut tx = Tx::new(app.store(), NO_WORKSPACE);
    let mut removed = 0;
    for (key, row) in &slice.rows {
        let Ok(letter) = records::decode::<DeadLetter>(key, &row.value) else { continue };
        if !rules::letter_goes(&letter, before) {
            continue;
        }
        tx.enter(letter.key.workspace);
        tx.watch::<DeadLetter>(&letter.key)?;
        tx.delete_letter(letter.key.workspace, letter.key.seq);
        settle(&mut tx, &letter, now)?;
        removed += 1;
    }
    if removed == 0 {
        return Ok((0, slice.next));
    }
    match tx.commit(None) {
        Ok(()) => Ok((removed, slice.next)),
        Err(error) if error.is_conflict() => Ok((0, slice.next)),
        Err(error) => Err(error),
    }
}

fn settle(tx: &mut Tx<'_>, letter: &DeadLetter, now: Timestamp) -> Result<(), TxError> {
    let workspace = letter.key.workspace;
    let reason = format!("it was given up, and nobody tried it again in time: {}", letter.reason);
    match Work::read(&letter.deferred.work) {
        Some(Work::Send { id }) => {
            // A message that can't be read was given up for just that.
            if let Ok(Some(MessageRow { mut message, .. })) = tx.get::<MessageRow>(&(workspace, id))
                && message.state == State::Queued
            {
                message.report(Step { state: State::Failed, at: now, note: Some(reason) });
                tx.put(MessageRow { workspace, message });
            }
        }
        Some(Work::Timer { run, wait }) => {
            if let Ok(Some(row)) = tx.get::<RunRow>(&(workspace, run))
                && row.run.waits == wait
                && !row.run.state.is_final()
            {
                pipeline::stop(tx, row, RunState::Failed { step: None, reason }, now)?;
            }
        }
        Some(Work::Fetch { id, index } | Work::Answered { id, index }) => forget_fetch(tx, workspace, id, index),
        // A message that stays unknown is seen as such; other work leaves nothing waiting.
        Some(
            Work::Unknown { .. }
            | Work::Delivery { .. }
            | Work::Replay { .. }
            | Work::Letter { .. }
            | Work::Connect { .. }
            | Work::Resume { .. },
        )
        | None => {}
    }
    Ok(())
}
