//! A sweep: passes over the store, each a row of phases, each phase in slices, each slice at most one commit.

use super::{
    needed::Needed,
    orphans,
    removals::{self, AT_ONCE, Removal, SLICE},
    rules::{Crowded, Hours, Limits},
    slices,
};
use crate::{
    app::App,
    catalog::Catalog,
    config::Retention,
    records::{FlowRow, RunRow},
    tx::TxError,
};
use std::collections::HashMap;
use tidegate_model::{DeliveryId, Timestamp};
use tidegate_store::{
    Engine, Expect, Key, Space,
    keys::NO_WORKSPACE,
    records::{self, Record, Registry, sweep_idle_guards},
};

/// Rows that are counted at once.
const COUNTED: usize = 1_000;
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
    // Dead letters twice: a letter that was retried was in the queue by then, and work that was given up meanwhile is a letter now. An item that
    // waits for answers has its row from the work that asked to the work that was answered.
    NeededByLetters,
    NeededByWork,
    NeededByWaiting,
    NeededByLettersNow,
    Deliveries,
    Messages,
    Runs,
    Marks,
    Guards,
    // Only of a thorough pass.
    Chunks,
    Interpretations,
    Answers,
    ProviderIds,
    Unreachable,
    Flows,
}

impl Phase {
    const ALL: [Self; 19] = [
        Self::CountDeliveries,
        Self::CountMessages,
        Self::CountRuns,
        Self::Letters,
        Self::NeededByLetters,
        Self::NeededByWork,
        Self::NeededByWaiting,
        Self::NeededByLettersNow,
        Self::Deliveries,
        Self::Messages,
        Self::Runs,
        Self::Marks,
        Self::Guards,
        Self::Chunks,
        Self::Interpretations,
        Self::Answers,
        Self::ProviderIds,
        Self::Unreachable,
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
                | Self::Answers
                | Self::ProviderIds
                | Self::Unreachable
                | Self::Flows
        )
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
                Some(before) => removals::letters(app, after, before, pass.now),
                None => Ok((0, None)),
            },
            Phase::NeededByLetters | Phase::NeededByLettersNow => pass.collect(store, Space::DeadLetters),
            Phase::NeededByWork => pass.collect(store, Space::Ready),
            Phase::NeededByWaiting => pass.collect(store, Space::Fetches),
            Phase::Deliveries => match limits.deliveries {
                Some(before) => commit(removals::deliveries(app, after, before, &pass.needed)?),
                None => Ok((0, None)),
            },
            Phase::Messages => match limits.messages {
                Some(before) => commit(removals::messages(store, after, before, pass.senders(store)?)?),
                None => Ok((0, None)),
            },
            Phase::Runs => match limits.runs {
                Some(before) => commit(removals::runs(store, after, before)?),
                None => Ok((0, None)),
            },
            Phase::Marks => commit(removals::marks(store, after, limits.marks_from_day)?),
            Phase::Guards => {
                let swept = sweep_idle_guards(store, pass.now.ms(), after)?;
                Ok((swept.removed, swept.next))
            }
            Phase::Chunks => commit(orphans::chunks(store, after, &limits)?),
            Phase::Interpretations => commit(orphans::interpretations(store, after, limits.orphans)?),
            Phase::Answers => commit(orphans::answers(store, after, limits.orphans)?),
            Phase::ProviderIds => commit(orphans::provider_ids(store, after)?),
            Phase::Unreachable => commit(removals::unreachable(store, after, pass.now)?),
            Phase::Flows => commit(pass.flows(store, &app.catalog())?),
        }
    }
}

impl Pass {
    fn count(&mut self, store: &dyn Engine, space: Space, most: u64) -> Result<(usize, Option<Key>), TxError> {
        if most == 0 {
            return Ok((0, None));
        }
        let slice = slices::all(store, space, self.after.as_ref(), COUNTED)?;
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
