//! The one thread that writes: takes a group, decides it, makes it durable, and only then tells anybody.

use super::{
    Backend, Fault,
    boot::Progress,
    envelope::seal,
    intake::Submission,
    panic_text,
    plan::{Plan, Planner, Stop},
    ready::Delta,
    shared::Shared,
};
use crate::{
    engine::{CommitError, Committed, Resolver},
    keys::Queue,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering,
};

/// Large values cost the backend as several rows: it copies the page around them.
const BYTES_PER_ROW_OP: usize = 2 * 1024;

type Outcome = Result<Committed, CommitError>;

/// Serves groups until the intake is closed and empty, or something breaks.
pub(super) fn run<B: Backend>(shared: &Shared<B>, mut progress: Progress) {
    let mut group = Vec::new();
    let mut last = 0;
    while shared.intake.next_group(last, &mut group) {
        last = group.len();
        let began: Vec<u64> = group.iter().map(|submission| submission.at_ns).collect();
        let (batches, resolvers): (Vec<_>, Vec<Resolver>) =
            group.drain(..).map(|Submission { batch, resolver, .. }| (batch, resolver)).unzip();
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(resolvers.len());
        let served = catch_unwind(AssertUnwindSafe(|| {
            let mut planner = Planner::new(&shared.backend, &shared.ready, progress.commit, progress.timers);
            for batch in batches {
                outcomes.push(match planner.decide(batch) {
                    Ok(committed) => Ok(committed),
                    Err(Stop::Batch(error)) => Err(error),
                    Err(Stop::Fault(fault)) => return Err(fault),
                });
            }
            write(shared, planner.finish(), &mut progress)
        }));
        let reason = match served {
            Ok(Ok(())) => {
                answer(resolvers, outcomes);
                measure(shared, &began);
                continue;
            }
            Ok(Err(fault)) => format!("a write failed: {fault}"),
            Err(panic) => format!("the committer panicked: {}", panic_text(&*panic)),
        };
        shared.fail(&reason);
        let failed = Err(CommitError::Failed { reason });
        return answer(resolvers, std::iter::repeat(failed));
    }
    shared.close();
}

/// Batches that were handed over before there was a meter are not measured.
fn measure<B: Backend>(shared: &Shared<B>, began: &[u64]) {
    let Some(meter) = shared.meter.get() else { return };
    let now = meter.now_ns();
    began.iter().filter(|at_ns| **at_ns > 0).for_each(|at_ns| meter.committed(now.saturating_sub(*at_ns)));
}

fn answer(resolvers: Vec<Resolver>, outcomes: impl IntoIterator<Item = Outcome>) {
    for (resolver, outcome) in resolvers.into_iter().zip(outcomes) {
        resolver.resolve(outcome);
    }
}

/// Writes a group and waits until it is on disk; then lanes, timers and figures may show it.
fn write<B: Backend>(shared: &Shared<B>, mut plan: Plan, progress: &mut Progress) -> Result<(), Fault> {
    let next = Progress { commit: plan.commit, timers: plan.timers };
    if !plan.writes.is_empty() {
        let (key, value) = (Progress::key(), next.encode());
        let row = seal(&key, &value, plan.commit);
        plan.writes.insert(key, Some(row));
        let bytes: usize = plan.writes.values().flatten().map(Vec::len).sum();
        let row_ops = plan.writes.len() + bytes / BYTES_PER_ROW_OP;
        let meter = shared.meter.get();
        let begun_ns = meter.map_or(0, |meter| meter.now_ns());
        arriving(shared, &plan.deltas);
        shared.taps.record(plan.commit, &plan.writes);
        shared.backend.apply(std::mem::take(&mut plan.writes))?;
        shared.backend.sync(plan.commit, row_ops)?;
        shared.counters.groups.fetch_add(1, Ordering::Relaxed);
        if let Some(meter) = meter {
            meter.wrote(usize::try_from(plan.commits).unwrap_or(usize::MAX), meter.now_ns().saturating_sub(begun_ns));
        }
    }
    *progress = next;
    publish(shared, &plan);
    arriving(shared, &[]);
    Ok(())
}

/// Rows that the group puts in line: figures show them before claims do, so that nothing is in no figure.
fn arriving<B: Backend>(shared: &Shared<B>, deltas: &[Delta]) {
    for queue in Queue::ALL {
        let rows =
            deltas.iter().filter(|delta| delta.0 == queue).map(|delta| u64::try_from(delta.2).unwrap_or(0)).sum();
        shared.counters.arriving[queue.index()].store(rows, Ordering::SeqCst);
    }
}

fn publish<B: Backend>(shared: &Shared<B>, plan: &Plan) {
    let counters = &shared.counters;
    counters.rows_put.fetch_add(plan.rows_put, Ordering::Relaxed);
    counters.rows_deleted.fetch_add(plan.rows_deleted, Ordering::Relaxed);
    counters.commits.fetch_add(plan.commits, Ordering::Relaxed);
    counters.timers.store(plan.timers, Ordering::Relaxed);
    shared.set_durable(plan.commit);
    shared.ready.publish(&plan.deltas, &plan.used);
    shared.armed(&plan.armed_ms);
}
