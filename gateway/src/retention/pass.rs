//! A sweep: passes over the store, each a row of phases, each phase in slices, each slice at most one commit.

use super::{
    needed::Needed,
    orphans,
    rules::{self, Crowded, Hours, Limits},
    slices,
};
use crate::{
    app::App,
    catalog::Catalog,
    config::Retention,
    pipeline::{interpretations_of, of_the_moment},
    records::{Delivery, FlowRow, MessageRow, ProviderIdRow, RunRow},
    tx::{Tx, TxError},
    work::Work,
};
use std::{collections::HashMap, ops::ControlFlow};
use tidegate_flows::RunState;
use tidegate_model::{
    DeliveryId, MessageId, RunId, Timestamp,
    message::{Direction, State, Step},
};
use tidegate_store::{
    Batch, CommitError, Engine, Expect, Key, KeyRange, Order, Space,
    keys::{self, NO_WORKSPACE},
    records::{self, DeadLetter, Dedupe, Named, Record, Registry, body_chunks, sweep_idle_guards},
};

/// Rows that one commit removes at most: it shares the disk with real work.
const AT_ONCE: usize = 256;
/// Rows that are read at once.
const SLICE: usize = 200;
/// Deliveries that are read at once: each may have 48 KiB.
const DELIVERIES: usize = 50;
/// Chunks of one body that go with their delivery; the rest of a very long one are orphans, found as such.
const CHUNKS_WITH_DELIVERY: usize = 128;
/// Interpretations that go with their delivery; the rest likewise.
const INTERPRETATIONS_WITH_DELIVERY: usize = 100;
/// Dead letters that one commit settles: each may write two rows more.
const LETTERS: usize = 60;
/// Time between two passes that also count rows and look for orphans.
const THOROUGH_EVERY_MS: i64 = 24 * 3_600_000;

/// What to do, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    // Only of a thorough pass: how many there are.
    CountDeliveries,
    CountMessages,
    CountRuns,
    Letters,
    // Dead letters twice: a letter that was retried was in the queue by then, and work that was given up meanwhile is a letter now.
    NeededByLetters,
    NeededByWork,
    NeededByLettersNow,
    Deliveries,
    Messages,
    Runs,
    Marks,
    Guards,
    // Only of a thorough pass.
    Chunks,
    Interpretations,
    ProviderIds,
    Flows,
}

impl Phase {
    const ALL: [Self; 16] = [
        Self::CountDeliveries,
        Self::CountMessages,
        Self::CountRuns,
        Self::Letters,
        Self::NeededByLetters,
        Self::NeededByWork,
        Self::NeededByLettersNow,
        Self::Deliveries,
        Self::Messages,
        Self::Runs,
        Self::Marks,
        Self::Guards,
        Self::Chunks,
        Self::Interpretations,
        Self::ProviderIds,
        Self::Flows,
    ];

    const fn is_of_a_thorough_pass_only(self) -> bool {
        matches!(
            self,
            Self::CountDeliveries
                | Self::CountMessages
                | Self::CountRuns
                | Self::Chunks
                | Self::Interpretations
                | Self::ProviderIds
                | Self::Flows
        )
    }
}

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
    fn commit(self, store: &dyn Engine) -> Result<usize, TxError> {
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

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stepped {
    /// Rows that went.
    pub removed: usize,
    /// Whether the pass goes on.
    pub more: bool,
}

/// Removes what is old. Remembers nothing that a restart would miss.
#[derive(Debug)]
pub(crate) struct Sweep {
    settings: Retention,
    crowded: Crowded,
    counted_at: Option<Timestamp>,
    pass: Option<Pass>,
}

/// One pass over the store.
#[derive(Debug)]
struct Pass {
    now: Timestamp,
    limits: Limits,
    thorough: bool,
    phase: usize,
    after: Option<Key>,
    needed: Needed,
    hours: Hours,
    senders: Option<Registry>,
    /// Versions of flows that may go, with the versions of their rows.
    flows: Option<HashMap<Key, (FlowRow, u64)>>,
    removed: u64,
}

impl Sweep {
    pub(crate) fn new(settings: Retention) -> Self {
        Self { settings, crowded: Crowded::default(), counted_at: None, pass: None }
    }

    /// Reads one slice and removes what may go of it, in one commit. The first step of a pass begins it.
    ///
    /// # Errors
    /// The store's; the pass is given up then.
    pub(crate) fn step(&mut self, app: &App) -> Result<Stepped, TxError> {
        let mut pass = self.pass.take().unwrap_or_else(|| self.begin(app.now()));
        let phase = Phase::ALL[pass.phase];
        let (removed, next) = self.slice(app, &mut pass, phase)?;
        pass.removed += removed as u64;
        pass.after = next;
        if pass.after.is_none() {
            self.end_of(phase, &mut pass);
            pass.phase += 1;
            let skipped = |phase: &&Phase| !pass.thorough && phase.is_of_a_thorough_pass_only();
            pass.phase += Phase::ALL[pass.phase..].iter().take_while(skipped).count();
        }
        if pass.phase < Phase::ALL.len() {
            self.pass = Some(pass);
            return Ok(Stepped { removed, more: true });
        }
        if pass.thorough {
            self.counted_at = Some(pass.now);
        }
        if pass.removed > 0 {
            tracing::info!(rows = pass.removed, "retention removed what is old");
        }
        Ok(Stepped { removed, more: false })
    }

    fn begin(&self, now: Timestamp) -> Pass {
        let thorough = self.counted_at.is_none_or(|at| now.ms().saturating_sub(at.ms()) >= THOROUGH_EVERY_MS);
        Pass {
            now,
            limits: Limits::at(now, &self.settings, self.crowded),
            thorough,
            phase: if thorough { 0 } else { Phase::Letters as usize },
            after: None,
            needed: Needed::default(),
            hours: Hours::default(),
            senders: None,
            flows: None,
            removed: 0,
        }
    }

    fn end_of(&mut self, phase: Phase, pass: &mut Pass) {
        let crowded = match phase {
            Phase::CountDeliveries => &mut self.crowded.deliveries,
            Phase::CountMessages => &mut self.crowded.messages,
            Phase::CountRuns => &mut self.crowded.runs,
            _ => return,
        };
        *crowded = std::mem::take(&mut pass.hours).crowded(self.settings.max_rows, pass.now);
        if let Some(before) = *crowded {
            tracing::debug!(phase = ?phase, before = %before, "there are more rows than retention.max_rows");
        }
        pass.limits = Limits::at(pass.now, &self.settings, self.crowded);
    }

    /// One slice of a phase: how many rows went, and where to go on.
    fn slice(&self, app: &App, pass: &mut Pass, phase: Phase) -> Result<(usize, Option<Key>), TxError> {
        let (store, limits, after) = (app.store(), pass.limits, pass.after.clone());
        let after = after.as_ref();
        let commit = |(removal, next): (Removal, Option<Key>)| Ok((removal.commit(store)?, next));
        match phase {
            Phase::CountDeliveries => pass.count(store, Space::Deliveries, self.settings.max_rows),
            Phase::CountMessages => pass.count(store, Space::Messages, self.settings.max_rows),
            Phase::CountRuns => pass.count(store, Space::Runs, self.settings.max_rows),
            Phase::Letters => match limits.letters {
                Some(before) => letters(app, after, before, pass.now),
                None => Ok((0, None)),
            },
            Phase::NeededByLetters | Phase::NeededByLettersNow => pass.collect(store, Space::DeadLetters),
            Phase::NeededByWork => pass.collect(store, Space::Ready),
            Phase::Deliveries => match limits.deliveries {
                Some(before) => commit(deliveries(app, after, before, &pass.needed)?),
                None => Ok((0, None)),
            },
            Phase::Messages => match limits.messages {
                Some(before) => commit(messages(store, after, before, pass.senders(store)?)?),
                None => Ok((0, None)),
            },
            Phase::Runs => match limits.runs {
                Some(before) => commit(runs(store, after, before)?),
                None => Ok((0, None)),
            },
            Phase::Marks => commit(marks(store, after, limits.marks_from_day)?),
            Phase::Guards => {
                let swept = sweep_idle_guards(store, pass.now.ms(), after)?;
                Ok((swept.removed, swept.next))
            }
            Phase::Chunks => commit(orphans::chunks(store, after, &limits)?),
            Phase::Interpretations => commit(orphans::interpretations(store, after, limits.orphans)?),
            Phase::ProviderIds => commit(orphans::provider_ids(store, after)?),
            Phase::Flows => commit(pass.flows(store, app.catalog())?),
        }
    }
}

impl Pass {
    fn count(&mut self, store: &dyn Engine, space: Space, most: u64) -> Result<(usize, Option<Key>), TxError> {
        if most == 0 {
            return Ok((0, None));
        }
        let slice = slices::all(store, space, self.after.as_ref(), SLICE)?;
        for (key, _) in &slice.rows {
            if let Some(id) = key.get(5..).and_then(|id| id.first_chunk()) {
                self.hours.add(Timestamp::from_ms(DeliveryId::from_raw(*id).root_ms()));
            }
        }
        Ok((0, slice.next))
    }

    fn collect(&mut self, store: &dyn Engine, space: Space) -> Result<(usize, Option<Key>), TxError> {
        let Some(before) = self.limits.deliveries else { return Ok((0, None)) };
        let after = self.after.take();
        Ok((0, self.needed.collect(store, space, after.as_ref(), before)?))
    }

    /// All senders that there ever were: a message may be of one that is configured no more.
    fn senders(&mut self, store: &dyn Engine) -> Result<&Registry, TxError> {
        let senders = match self.senders.take() {
            Some(senders) => senders,
            None => Registry::load(store)?,
        };
        Ok(self.senders.insert(senders))
    }

    /// Versions of flows that are configured no more and that no run is in. Runs enter configured versions only, so none comes back.
    fn flows(&mut self, store: &dyn Engine, catalog: &Catalog) -> Result<(Removal, Option<Key>), TxError> {
        let mut removal = Removal::default();
        let Some(flows) = &mut self.flows else {
            let found = old_flows(store, catalog)?;
            // A key before every run: the runs are looked at from the first on.
            let next = (!found.is_empty()).then(|| Key::new(Space::Runs, NO_WORKSPACE));
            self.flows = Some(found);
            return Ok((removal, next));
        };
        let slice = slices::all(store, Space::Runs, self.after.as_ref(), SLICE)?;
        for (key, row) in &slice.rows {
            match records::decode::<RunRow>(key, &row.value) {
                Ok(RunRow { workspace, run, .. }) => {
                    flows.remove(&FlowRow::row_key(&(workspace, run.flow.clone(), run.version.to_string())));
                }
                // Whose version it needs can't be told: all stay.
                Err(_) => flows.clear(),
            }
        }
        if slice.next.is_none() {
            // What was configured again meanwhile stays.
            let gone = std::mem::take(flows).into_iter().filter(|(_, (flow, _))| !is_configured(catalog, flow));
            for (key, (_, version)) in gone.take(AT_ONCE) {
                removal.expect(key.clone(), Expect::Version(version));
                removal.remove(key);
            }
        }
        Ok((removal, slice.next))
    }
}

/// Stored versions that are not the configured ones, with the versions of their rows.
fn old_flows(store: &dyn Engine, catalog: &Catalog) -> Result<HashMap<Key, (FlowRow, u64)>, TxError> {
    let (mut found, mut after) = (HashMap::new(), None);
    loop {
        let slice = slices::all(store, Space::Flows, after.as_ref(), SLICE)?;
        for (key, row) in slice.rows {
            let Ok(flow) = records::decode::<FlowRow>(&key, &row.value) else { continue };
            if !is_configured(catalog, &flow) {
                found.insert(key, (flow, row.version));
            }
        }
        match slice.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}

fn is_configured(catalog: &Catalog, stored: &FlowRow) -> bool {
    let newest = catalog.flows(stored.workspace).and_then(|flows| flows.get(&stored.flow));
    newest.is_some_and(|newest| newest.version().to_string() == stored.version)
}

/// Deliveries, each with its body and what was made of its items.
fn deliveries(
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
fn messages(
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

fn runs(store: &dyn Engine, after: Option<&Key>, before: Timestamp) -> Result<(Removal, Option<Key>), TxError> {
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
fn marks(store: &dyn Engine, after: Option<&Key>, from_day: u16) -> Result<(Removal, Option<Key>), TxError> {
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

/// Dead letters that nobody cared for. What they were about ends with them: a message fails, a run fails; a delivery may go by its age.
fn letters(app: &App, after: Option<&Key>, before: Timestamp, now: Timestamp) -> Result<(usize, Option<Key>), TxError> {
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
        settle(&mut tx, &letter, now);
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

fn settle(tx: &mut Tx<'_>, letter: &DeadLetter, now: Timestamp) {
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
            if let Ok(Some(mut row)) = tx.get::<RunRow>(&(workspace, run))
                && row.run.waits == wait
                && !row.run.state.is_final()
            {
                row.run.state = RunState::Failed { step: None, reason };
                row.run.updated_at = now;
                row.timer = None;
                tx.put(row);
            }
        }
        Some(Work::Delivery { .. } | Work::Replay { .. }) | None => {}
    }
}
